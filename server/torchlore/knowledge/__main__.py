"""`python -m torchlore.knowledge`: write anew what is generated from the content.

Writes `knowledge/cards/index.json`, and with `symbols [INTERPRETER]` the symbol index of the torch that the
interpreter has (default: the one that runs this), and the tables that the analysis and the rules read.
"""

from __future__ import annotations

import sys

from torchlore.knowledge.build import build_index
from torchlore.knowledge.cards import write_card_index
from torchlore.knowledge.changes import write_changes
from torchlore.knowledge.data import data_root
from torchlore.knowledge.spellings import write_spellings


def main(arguments: list[str]) -> int:
    """Write the generated files and print their paths; returns the exit status."""
    print(write_card_index())
    if arguments[:1] == ["symbols"]:
        interpreter = arguments[1] if len(arguments) > 1 else sys.executable
        index = build_index(interpreter, data_root() / "symbols" / "torch-2.13.txt.gz")
        print(index)
        print(write_spellings(index, interpreter))
        print(write_changes(index, interpreter))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
