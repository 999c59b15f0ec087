"""Entry point: load the package that this file lies in under a name of its own, and run it.

The folder must not stay on `sys.path`: its module names would hide those of the user's environment.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

_NAME = "torchlore_symbol_index"


def _main() -> int:
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        _NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)
    writer = importlib.import_module(f"{_NAME}.write")
    return int(writer.main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(_main())
