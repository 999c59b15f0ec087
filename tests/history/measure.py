"""What `torchlore check` says of a file before a repair and after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from torchlore.cli.checking import Fixing, check_files
from torchlore.cli.overriding import overriding
from torchlore.files import config_finder
from torchlore.text import source_of

from tests.history.repairs import Repair
from tests.history.trees import check_out, mirror_of


@dataclass(frozen=True, slots=True)
class Measured:
    """What the rule of a repair says of its file.

    Attributes:
        repair: which one.
        before: the lines of its findings before the repair, from 1.
        after: the lines of its findings after it.
    """

    repair: Repair
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def is_found(self) -> bool:
        """Whether the mistake was shown where it was, and is no more."""
        return self.repair.line in self.before and len(self.after) < len(self.before)


def measured(repair: Repair, mirrors: Path) -> Measured:
    """Checks the file of a repair in both trees, where what it imports is looked up.

    Args:
        repair: which one.
        mirrors: the folder of the mirrors, see `mirror_of`.

    Raises:
        HistoryError: the mirror is missing, or lacks the commit.
    """
    mirror = mirror_of(repair.repository, mirrors)
    found = []
    for revision in (f"{repair.commit}^", repair.commit):
        with TemporaryDirectory() as folder:
            tree = Path(folder).resolve() / "tree"
            check_out(mirror, revision, tree)
            found.append(lines(tree / repair.path, repair.rule))
    return Measured(repair, *found)


def lines(path: Path, rule: str) -> tuple[int, ...]:
    """The lines of the findings of a rule in a file, which need not exist, from 1."""
    if not path.is_file():
        return ()
    config_of = config_finder(overriding([rule], None, None, None, None, no_respect_gitignore=True))
    found = []
    for report in check_files([(path, config_of(path.parent))], Fixing.NONE, 1, None):
        table = source_of(report.text, str(path)).lines
        found += [table.line_of(finding.span.start) + 1 for finding in report.findings]
    return tuple(sorted(found))
