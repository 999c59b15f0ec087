"""What people use leads to a hover.

`torch_usage.tsv` and `used/attributes.tsv` were counted in twenty public repositories: the thousand names of
torch that are in most of them, and three hundred attributes of tensors, modules and optimizers, each with its
number of uses. `used/undocumented.txt` are those of both that torch leaves without a docstring.
"""

from __future__ import annotations

from pathlib import Path

from torchlore.analysis import analyze
from torchlore.knowledge import card_for, resolve, within
from torchlore.knowledge.data import data_root, read_toml
from torchlore.text import Source

_USAGE = Path(__file__).with_name("torch_usage.tsv")
_USED = Path(__file__).with_name("used")


def _names_and_uses() -> dict[str, int]:
    lines = _USAGE.read_text(encoding="utf-8").splitlines()
    return {used: int(count) for used, count in (line.split("\t") for line in lines)}


def _says_something(candidates: tuple[str, ...]) -> bool:
    found = resolve(candidates) or within(candidates)
    return found is not None or any(card_for(name) is not None for name in candidates)


def _candidates_on(owner: str, attribute: str) -> tuple[str, ...]:
    """What the analysis takes an attribute for, on a parameter that is annotated as an `owner`."""
    code = f"import torch\ndef f(thing: {owner}):\n    thing.{attribute}"
    found = analyze(Source(code)).symbol_at(len(code) - 1)
    return found.candidates if found is not None else ()


def test_every_used_name_leads_to_a_hover() -> None:
    used = _names_and_uses()
    missing = [name for name in used if not _says_something((name,))]
    print(f"{len(used) - len(missing)} of {len(used)} used names lead to a hover")
    assert len(used) == 1000 and missing == []


def test_names_are_found_where_they_stand_in_code() -> None:
    used = _names_and_uses()
    lines = [f"print({name})" for name in used]
    code = "\n".join(["import torch", *lines])
    known = analyze(Source(code))
    missing: list[str] = []
    end = len("import torch")
    for name, line in zip(used, lines, strict=True):
        end += 1 + len(line)
        found = known.symbol_at(end - 2)
        if found is None or not _says_something(found.candidates):
            missing.append(name)
    assert missing == []


def test_used_attributes_lead_to_a_hover_on_what_has_them() -> None:
    lines = (_USED / "attributes.tsv").read_text(encoding="utf-8").splitlines()
    used = [
        (name, int(count), owners.split()) for name, count, owners in (line.split("\t") for line in lines)
    ]
    missing = {
        name: count
        for name, count, owners in used
        if not all(_says_something(_candidates_on(owner, name)) for owner in owners)
    }
    share = 1 - sum(missing.values()) / sum(count for _, count, _ in used)
    print(f"{len(used) - len(missing)} of {len(used)} used attributes, {share:.1%} of uses, lead to a hover")
    assert len(used) == 300 and len(missing) <= 0.05 * len(used), missing


def test_undocumented_names_have_a_line_of_ours() -> None:
    table = read_toml((data_root() / "symbols/handwritten.toml").read_text("utf-8"), "handwritten.toml")
    entries = {name: fields["line"] for name, fields in table["entries"].items() if "line" in fields}
    ours = {**table["lines"], **entries}
    wanted = (_USED / "undocumented.txt").read_text(encoding="utf-8").split()
    assert len(wanted) > 50
    assert [name for name in wanted if name not in ours] == []
    for name in wanted:
        found = resolve([name])
        assert found is not None and found.summary == ours[name], name
