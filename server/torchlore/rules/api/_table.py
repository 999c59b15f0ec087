"""The two files that hold what torch removed and deprecates, and how its versions compare.

`torch_changes.txt` is made from the symbol index (`python -m torchlore.knowledge`); `rewrites.toml` is
written by hand. Both are read as text when the rules are loaded, for the words that trigger them, and in full
only when a file has such a word.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).with_name("torch_changes.txt")
REWRITES = Path(__file__).with_name("rewrites.toml")

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a call is written today: `write`, where what `when` says holds of its arguments."""

    write: str
    when: dict[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a name, or of a parameter: `torch.optim.lr_scheduler.StepLR(verbose)`.

    Attributes:
        name: the dotted public name.
        deprecated: since when, where that is known and later than the oldest version of the index.
        removed: the first version that lacks it, or in which it raises.
        use: the name to use instead.
        use_since: the first version that has that, where not all have it.
        run: what happens when it runs: "raises", "warns", "discouraged" or "quiet" (see `rewrites.toml`).
        is_decorated: it carries `@deprecated`, which type checkers underline.
        advice: torch's own words.
        rewrite: the fields of `rewrites.toml`.
    """

    name: str
    deprecated: Version | None = None
    removed: Version | None = None
    use: str = ""
    use_since: Version | None = None
    run: str = "quiet"
    is_decorated: bool = False
    advice: str = ""
    rewrite: dict[str, Any] = field(default_factory=dict)

    @property
    def is_safe(self) -> bool:
        """Whether what takes its place does the same."""
        return self.rewrite.get("safe", True) is True

    @property
    def fails_by_name(self) -> bool:
        """Whether naming it is enough to have what running it has: a constant, or what is gone."""
        return self.rewrite.get("name") is True

    @property
    def forms(self) -> tuple[Form, ...]:
        return tuple(Form(form["write"], form.get("when", {})) for form in self.rewrite.get("forms", ()))


def version(text: str) -> Version | None:
    """ "2.9" as a pair; None for an empty text."""
    major, dot, minor = text.partition(".")
    return (int(major), int(minor)) if dot else None


@lru_cache(maxsize=1)
def changes() -> dict[str, Change]:
    """Every name and parameter that a version removed or deprecates."""
    rewrites: dict[str, dict[str, Any]] = tomllib.loads(REWRITES.read_text(encoding="utf-8"))
    found: dict[str, Change] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        name, deprecated, removed, use, since, mark, advice = line.split("\t")
        rewrite = rewrites.pop(name, {})
        found[name] = _change(name, rewrite, deprecated, removed, use, since, mark, advice)
    found |= {name: _change(name, rewrite) for name, rewrite in rewrites.items()}
    for change in [change for change in found.values() if change.rewrite.get("method")]:
        method = "torch.Tensor." + change.name.rpartition(".")[2]
        found[method] = change
    return found


def _change(
    name: str,
    rewrite: dict[str, Any],
    deprecated: str = "",
    removed: str = "",
    use: str = "",
    since: str = "",
    mark: str = "",
    advice: str = "",
) -> Change:
    return Change(
        name,
        version(rewrite.get("deprecated", deprecated)),
        version(rewrite.get("removed", removed)),
        rewrite.get("use") or rewrite.get("to") or use,
        version(rewrite.get("use_since", since)),
        rewrite.get("run") or ("warns" if mark == "warns" else "quiet"),
        bool(mark),
        advice,
        rewrite,
    )


def names() -> Iterator[str]:
    """The names and parameters of both files, without reading them in full."""
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        yield line.partition("\t")[0]
    yield from _HEADS.findall(REWRITES.read_text(encoding="utf-8"))


_HEADS = re.compile(r'^\["([^"]+)"\]', re.M)
