"""TL504: the fractions that a dataset is split by do not sum up to 1."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Const, Container, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class FractionsNotOne(Rule):
    """
    ## What it does

    Looks for calls of `random_split` whose lengths are fractions that do not sum up to 1.

    ## Why is this bad?

    Lengths are taken for fractions only if they sum up to 1. Other numbers have to sum up to the length of
    the dataset, which numbers like 0.8 and 0.1 cannot, and `random_split` raises a `ValueError`.

    ## Example

    ```py
    import torch
    from torch.utils.data import TensorDataset, random_split

    dataset = TensorDataset(torch.arange(100.0))
    train, test = random_split(dataset, [0.8, 0.1])
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import TensorDataset, random_split

    dataset = TensorDataset(torch.arange(100.0))
    train, test = random_split(dataset, [0.8, 0.2])
    ```

    ## Fix safety

    Unsafe: it makes the last part as large as what the others leave. If a part of the data should stay
    unused, add a third fraction for it instead.

    ## Known limits

    Silent where the fractions are not all known from the code, and where they are all whole numbers: these
    are lengths. Sums that are off by rounding alone are reported only where every version of Python rounds
    them so (the built-in `sum` became more exact in 3.12).

    ## References

    - [torch.utils.data.random_split](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split)
    """

    code = "TL504"
    name = "fractions-not-one"
    family = Family.DATA
    severity = Severity.ERROR
    since = "0.1.0"
    card = "samplers-and-splits"
    trigger = r"\brandom_split\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.utils.data.random_split"):
            written = call.argument(1, "lengths")
            fractions = _fractions(call)
            if written is None or not fractions or _are_accepted(fractions):
                continue
            if not analysis.is_whole(call.node) or support.expects_an_error(analysis, call.node):
                continue
            message = (
                f"`random_split` raises a ValueError: `{support.written(analysis, written)}` sums up to "
                f"{round(math.fsum(fractions), 6):g}, which is neither 1 nor the length of a dataset"
            )
            fix = _fix(analysis, written, fractions)
            span = analysis.source.span(written)
            yield self.finding(message, span, fixes=(fix,) if fix is not None else ())


def _fractions(call: Called) -> list[float]:
    """The lengths of a split, where all are known each time and some are no whole numbers; else nothing."""
    every = [_numbers(given.get(1, "lengths")) for given in call.given]
    first = every[0] if every else []
    if any(numbers != first for numbers in every) or all(number == int(number) for number in first):
        return []
    return first


def _numbers(value: Value | None) -> list[float]:
    """The items of a list that is known whole and holds literal numbers; else nothing."""
    if not isinstance(value, Container) or value.items is None or value.kind not in ("list", "tuple"):
        return []
    found = [item.value for item in value.items if isinstance(item, Const)]
    numbers = [number for number in found if isinstance(number, int | float) and math.isfinite(number)]
    return [float(number) for number in numbers] if len(numbers) == len(value.items) else []


def _are_accepted(fractions: list[float]) -> bool:
    """Whether some Python's `sum` makes of them what `random_split` takes for 1 (torch 2.13)."""
    exact, naive = math.fsum(fractions), 0.0
    for fraction in fractions:
        naive += fraction
    return any(math.isclose(total, 1) and total <= 1 for total in (exact, naive))


def _fix(analysis: Analysis, written: ast.expr, fractions: list[float]) -> Fix | None:
    """Makes the last fraction what the others leave."""
    rest = round(1 - math.fsum(fractions[:-1]), 6)
    if not isinstance(written, ast.List | ast.Tuple) or not 0 < rest < 1:
        return None
    last = written.elts[-1]
    if not isinstance(last, ast.Constant) or not _are_accepted([*fractions[:-1], rest]):
        return None
    edit = Edit(analysis.source.span(last), f"{rest:g}")
    return Fix(f"Make the last part what is left: {rest:g}", (edit,), safe=False)
