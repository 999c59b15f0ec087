"""Makes programs: syntactically valid, about torch, and of every kind of statement and expression."""

from __future__ import annotations

import random

_NAMES = (
    "x",
    "y",
    "model",
    "loss",
    "opt",
    "self",
    "batch",
    "loader",
    "torch",
    "nn",
    "total",
    "f",
    "Net",
    "_",
    "data",
)
_ATTRIBUTES = (
    *(
        "backward",
        "step",
        "zero_grad",
        "parameters",
        "grad",
        "data",
        "train",
        "eval",
        "item",
        "detach",
        "to",
        "fc",
    ),
    *(
        "state_dict",
        "requires_grad",
        "append",
        "items",
        "forward",
        "__init__",
        "no_grad",
        "nn",
        "optim",
        "Linear",
    ),
)
_CALLEES = (
    *(
        "torch.ones",
        "torch.no_grad",
        "nn.Linear",
        "nn.Sequential",
        "nn.ModuleList",
        "torch.optim.SGD",
        "f",
        "Net",
    ),
    *(
        "torch.utils.data.DataLoader",
        "super().__init__",
        "range",
        "enumerate",
        "zip",
        "len",
        "list",
        "dict",
        "print",
    ),
    *(
        "torch.cat",
        "torch.stack",
        "nn.functional.cross_entropy",
        "getattr",
        "map",
        "sum",
        "isinstance",
        "exec",
        "x",
    ),
    *(
        "torch.amp.GradScaler",
        "torch.optim.lr_scheduler.StepLR",
        "copy.deepcopy",
        "functools.partial",
        "torch.compile",
    ),
)
_BASES = (
    "nn.Module",
    "torch.nn.Module",
    "Net",
    "object",
    "torch.utils.data.Dataset",
    "x",
    "f(1)",
    "nn.Module, Net",
)
_DECORATORS = (
    "torch.no_grad()",
    "property",
    "staticmethod",
    "classmethod",
    "f",
    "functools.wraps(f)",
    "x.setter",
    "x[0]",
)
_MOST_EXPRESSIONS = 400


class _Maker:
    """Makes one program; keeps how much it has made, so that it ends."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.made = 0

    def pick(self, options: tuple[str, ...]) -> str:
        return self.rng.choice(options)

    def expression(self, depth: int = 0) -> str:
        self.made += 1
        if depth > 3 or self.made > _MOST_EXPRESSIONS or self.rng.random() < 0.3:
            return self.pick(
                (*_NAMES, *_NAMES, "1", "0.5", "'a'", "None", "True", "...", "b''", "-1", "1j", "''")
            )
        one, two = self.expression(depth + 1), self.expression(depth + 1)
        name, attribute, callee = self.pick(_NAMES), self.pick(_ATTRIBUTES), self.pick(_CALLEES)
        return self.pick(
            (
                *(
                    f"{name}.{attribute}",
                    f"{name}.{attribute}({one})",
                    f"{callee}({one})",
                    f"{callee}({one}, lr={two})",
                ),
                *(
                    f"{callee}(*{name}, **{name})",
                    f"{name}[{one}]",
                    f"{name}[{one}:{two}, ...]",
                    f"({one} + {two})",
                ),
                *(
                    f"({one} @ {two})",
                    f"[{one}, {two}]",
                    f"({one}, *[{two}])",
                    f"{{'a': {one}, **{{}}}}",
                    f"{{{one}}}",
                ),
                *(
                    f"(lambda {name}, *a, k=1: {one})",
                    f"[{one} for {name} in {two} if {name}]",
                    f"(not {one})",
                    f"-{name}",
                ),
                *(
                    f"{{{name}: {one} for {name} in {name}}}",
                    f"({one} if {two} else {name})",
                    f"({name} := {one})",
                ),
                *(
                    f"f'{{{name}!r:>{{{name}}}}}{{{name}.{attribute}=}}'",
                    f"({one} and {two} or {name})",
                    f"({one},)",
                ),
                *(
                    f"sum({one} for {name} in {name} for y in {name})",
                    f"({one} < {two} <= {name})",
                    f"{name} is None",
                ),
                *(
                    f"super().{attribute}",
                    f"({one})({two})",
                    f"({one}).{attribute}",
                    f"{name}.{attribute}.{attribute}()",
                ),
            )
        )

    def target(self, depth: int = 0) -> str:
        name, attribute = self.pick(_NAMES), self.pick(_ATTRIBUTES)
        if depth > 1:
            return name
        one, two = self.target(depth + 1), self.target(depth + 1)
        return self.pick(
            (
                name,
                name,
                name,
                f"self.{attribute}",
                f"{name}[0]",
                f"{one}, {two}",
                f"({one}, [*{name}, {two}])",
                f"{name}.x.y",
            )
        )

    def block(self, depth: int, kinds: str) -> list[str]:
        lines: list[str] = []
        for _ in range(self.rng.randint(1, 3 if depth else 6)):
            lines += self.statement(depth, kinds)
        return [f"    {line}" for line in lines] if depth else lines

    def statement(self, depth: int, kinds: str) -> list[str]:
        """The lines of one statement. `kinds`: "f" in a function, "l" in a loop, "a" in a coroutine."""
        if depth > 3 or self.made > _MOST_EXPRESSIONS or self.rng.random() < 0.5:
            return self.simple(kinds)
        make = self.rng.choice(
            (self.branch, self.loop, self.context, self.attempt, self.switch, self.function, self.type)
        )
        return make(depth + 1, kinds)

    def simple(self, kinds: str) -> list[str]:
        one, name = self.expression(), self.pick(_NAMES)
        options = [
            one,
            f"{self.target()} = {one}",
            f"{self.target()} = {name} = {one}",
            f"{name} += {one}",
            "pass",
        ]
        options += [
            f"{name}: {one} = {one}",
            f"{name}: {one}",
            f"del {name}, {name}.x",
            f"assert {one}, {name}",
        ]
        options += [
            f"raise {name} from {name}",
            f"from torch import nn as {name}",
            f"import torch.nn.functional as {name}",
        ]
        options += [
            "from torch import *",
            "from .. import x",
            f"{name}.backward()",
            f"{name}.step()",
            f"{name}.zero_grad()",
        ]
        if "f" in kinds:
            options += [f"return {one}", "return", f"{name} = yield {one}", f"global {name}_g"]
            options += (
                ["yield from x"]
                if "a" not in kinds
                else [f"await ({one})", f"[{name} async for {name} in {name}]"]
            )
        if "l" in kinds:
            options += ["break", "continue"]
        if "a" in kinds:
            options = [option for option in options if not option.startswith("return ")]
        return [self.rng.choice(options)]

    def branch(self, depth: int, kinds: str) -> list[str]:
        lines = [f"if {self.expression()}:", *self.block(depth, kinds)]
        if self.rng.random() < 0.4:
            lines += [f"elif {self.expression()}:", *self.block(depth, kinds)]
        return [*lines, "else:", *self.block(depth, kinds)] if self.rng.random() < 0.5 else lines

    def loop(self, depth: int, kinds: str) -> list[str]:
        header = self.rng.choice(
            (f"for {self.target()} in {self.expression()}:", f"while {self.expression()}:")
        )
        if "a" in kinds and self.rng.random() < 0.3:
            header = f"async for {self.target()} in {self.expression()}:"
        lines = [header, *self.block(depth, kinds + "l")]
        return [*lines, "else:", *self.block(depth, kinds)] if self.rng.random() < 0.3 else lines

    def context(self, depth: int, kinds: str) -> list[str]:
        lead = "async " if "a" in kinds and self.rng.random() < 0.3 else ""
        bound = f" as {self.pick(_NAMES)}" if self.rng.random() < 0.5 else ""
        return [f"{lead}with torch.no_grad(), {self.expression()}{bound}:", *self.block(depth, kinds)]

    def attempt(self, depth: int, kinds: str) -> list[str]:
        lines = [
            "try:",
            *self.block(depth, kinds),
            f"except (E, {self.pick(_NAMES)}) as e:",
            *self.block(depth, kinds),
        ]
        if self.rng.random() < 0.4:
            lines += ["else:", *self.block(depth, kinds)]
        return [*lines, "finally:", *self.block(depth, kinds)] if self.rng.random() < 0.4 else lines

    def switch(self, depth: int, kinds: str) -> list[str]:
        patterns = (
            "1",
            "'a' | None",
            "[a, *b]",
            "{'k': v, **rest}",
            "nn.Linear(x=w)",
            "(1 | 2) as n",
            "n if n",
            "torch.x",
        )
        lines = [f"match {self.expression()}:"]
        for _ in range(self.rng.randint(1, 3)):
            lines += [
                f"    case {self.pick(patterns)}:",
                *(f"    {line}" for line in self.block(depth, kinds)),
            ]
        return lines

    def function(self, depth: int, kinds: str) -> list[str]:
        lead = "async " if self.rng.random() < 0.2 else ""
        name, one = self.pick(_NAMES), self.expression(2)
        parameters = self.pick(
            ("", "self", "self, x", f"x, y={one}", "*args, **kwargs", "x, /, y, *, z=1", "model: nn.Module")
        )
        lines = [f"@{self.pick(_DECORATORS)}"] if self.rng.random() < 0.3 else []
        returned = f" -> {one}" if self.rng.random() < 0.2 else ""
        lines += [f"{lead}def {name}({parameters}){returned}:"]
        if self.rng.random() < 0.2:
            lines += [f"    nonlocal_{name} = {name}", f"    return {name}({name})"]
        return [*lines, *self.block(depth, "fa" if lead else "f")]

    def type(self, depth: int, kinds: str) -> list[str]:
        lines = [f"class {self.pick(_NAMES)}({self.pick(_BASES)}):"]
        for _ in range(self.rng.randint(1, 3)):
            method = self.pick(
                ("__init__", "forward", "step", "__enter__", "__getattr__", "reset", "__len__")
            )
            lines += [f"    def {method}(self, x=None):", *(f"    {line}" for line in self.block(depth, "f"))]
        return lines


def program(rng: random.Random) -> str:
    """A program that `ast.parse` takes; what it would do when run is of no concern."""
    maker = _Maker(rng)
    return "\n".join(["import torch", "from torch import nn", *maker.block(0, "")]) + "\n"
