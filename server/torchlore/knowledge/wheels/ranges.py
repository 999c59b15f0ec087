"""From what each version's text says of a name to the versions for which it holds.

A claim is made only where the versions on both sides of it were read with certainty. Names that the text of
the described version does not show, though they exist there, get none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from torchlore.knowledge.wheels.bindings import Class, Function, Value
from torchlore.knowledge.wheels.lookup import Found, State, Torch, find, maker, mentions

Span = tuple[str | None, str | None]
"""First version that has something, first that has it no more; None where that is not known or not so."""


_OF_TENSOR = ("torch._C.TensorBase.", "torch._C._TensorBase.")
_DESCRIBES_TENSOR = ("torch._C", "torch._tensor", "torch._tensor_docs", "torch.overrides")
"""Where every member of the tensor stands: `overrides` lists what `__torch_function__` can intercept."""

_STATED = re.compile(r"Since torch (2\.\d+)")


def minor(torch: Torch) -> str:
    """The version as people speak of it: "2.9"."""
    return ".".join(torch.wheel.version.split(".")[:2])


def existence(name: str, torches: Sequence[Torch]) -> Span:
    """Since when a name exists, and since when it does no more. `torches` are in order."""
    found = [find(torch, name) for torch in torches]
    first, last = _change([each.state for each in found])
    if first and not _is_surely_new(name, torches[first - 1], torches[first]):
        first = 0
    if last and not _is_surely_gone(name, found[last - 1], torches[last]):
        last = 0
    return _versions(torches, first, last)


def deprecation(name: str, torches: Sequence[Torch]) -> tuple[str | None, str | None]:
    """Since when a name is deprecated, and torch's advice in the newest version that has the name.

    What torch itself says of the time comes first: a decorator or a directive may be later than that.
    """
    states: list[State] = []
    advice = None
    for torch in torches:
        found = find(torch, name)
        if isinstance(found.thing, Class | Function) and not found.is_stubbed:
            is_unsure = found.thing.warns and not found.thing.deprecated
            states.append(State.UNKNOWN if is_unsure else _stated(found.thing.deprecated is not None))
            advice = found.thing.deprecated
        else:
            states.append(State.UNKNOWN)
    first, _ = _change(states)
    stated = _STATED.match(advice or "")
    return (stated[1] if stated else minor(torches[first]) if first and advice else None), advice


def parameters(name: str, torches: Sequence[Torch]) -> dict[str, Span]:
    """Parameters that a callable got or lost while it existed, by name."""
    makers = [_closed_maker(torch, find(torch, name)) for torch in torches]
    names = {name for made in makers if made for name in made.parameters if not name.startswith("_")}
    changed: dict[str, Span] = {}
    for parameter in sorted(names):
        states = [_has(made, parameter) for made in makers]
        span = _versions(torches, *_change(states))
        if span != (None, None):
            changed[parameter] = span
    return changed


def _change(states: Sequence[State]) -> tuple[int, int]:
    """Where something begins and where it ends, as indexes; 0 where it does not or that is not certain."""
    present = [index for index, state in enumerate(states) if state is State.PRESENT]
    if not present:
        return 0, 0
    first, last = present[0], present[-1]
    if State.ABSENT in states[first:last]:
        return 0, 0  # It came and went: the text does not show when.
    begins = first if first and states[first - 1] is State.ABSENT else 0
    after = states[last + 1 :]
    ends = last + 1 if after and all(state is State.ABSENT for state in after) else 0
    return begins, ends


def _versions(torches: Sequence[Torch], first: int, last: int) -> Span:
    return (minor(torches[first]) if first else None), (minor(torches[last]) if last else None)


def _is_surely_new(name: str, before: Torch, after: Torch) -> bool:
    """Whether the version before had no such name under cover.

    A stub may list late what was there; and a member may have been set on its class by other code, which then
    mentions it in the file of the class.
    """
    found = find(after, name)
    owner, _, last = name.rpartition(".")
    if found.is_stubbed:
        of_tensor = found.home.startswith(_OF_TENSOR)
        places = _DESCRIBES_TENSOR if of_tensor else (*before.wheel.python, *before.wheel.stubs)
        return not any(mentions(before, module, last) for module in places)
    owned_by = find(before, owner)
    if isinstance(owned_by.thing, Class):
        return not any(mentions(before, module, last) for module in (owned_by.thing.module, owner))
    return True


def _is_surely_gone(name: str, was: Found, after: Torch) -> bool:
    """Whether no other code sets what a class had: attributes move, methods become attributes."""
    owner, _, last = name.rpartition(".")
    owned_by = find(after, owner)
    if not isinstance(owned_by.thing, Class):
        return True
    if isinstance(was.thing, Value):
        return not any(mentions(after, module, last) for module in (owned_by.thing.module, owner))
    text = after.wheel.python.get(owned_by.thing.module, "")
    return re.search(rf"\.{re.escape(last)}\s*(?::|=[^=])", text) is None


def _closed_maker(torch: Torch, found: Found) -> Function | None:
    """What a call runs, where its text shows every parameter; a hand-written stub may not."""
    made_by = None if found.is_stubbed else maker(torch, found)
    return None if made_by is None or made_by.is_open else made_by


def _has(made_by: Function | None, parameter: str) -> State:
    if made_by is None:
        return State.UNKNOWN
    return _stated(parameter in made_by.parameters)


def _stated(is_so: bool) -> State:
    return State.PRESENT if is_so else State.ABSENT
