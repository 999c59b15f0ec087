"""Descriptions stay short, stable and honest about what is left out."""

import ast

import pytest
from torchlore.analysis.describe import MAX_LENGTH, describe
from torchlore.analysis.shapes.shape import Shape
from torchlore.analysis.values import (
    Arguments,
    Batch,
    BoundMethod,
    Const,
    Container,
    Grads,
    Instance,
    Iterable,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)


def _made(name: str, *given: Value, complete: bool = True, **named: Value) -> Instance:
    return Instance(name, ast.Pass(), Arguments(list(given), named, complete))


LINEAR = _made("torch.nn.Linear", Const(2), Const(3))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (LINEAR, "module torch.nn.Linear(2, 3)"),
        (_made("torch.nn.Linear", Const(2), complete=False), "module torch.nn.Linear(2, …)"),
        (_made("torch.nn.Sequential", LINEAR), "module torch.nn.Sequential(module torch.nn.Linear)"),
        (Instance("torch.nn.ReLU", ast.Pass()), "module torch.nn.ReLU"),
        (_made("torch.amp.GradScaler", Unknown()), "scaler torch.amp.GradScaler(unknown)"),
        (
            _made("torch.optim.SGD", Params(frozenset({LINEAR}))),
            "optimizer torch.optim.SGD(params of torch.nn.Linear)",
        ),
        (Params(frozenset({LINEAR, _made("torch.nn.ReLU")})), "params of 2 modules"),
        (Params(frozenset({LINEAR}), one=True), "param of torch.nn.Linear"),
        (Params(None), "params of unknown"),
        (Params(frozenset({Unknown()})), "params of unknown"),
        (Grads(frozenset({LINEAR})), "grads of torch.nn.Linear"),
        (Tensor(attached=True, activation="softmax"), "tensor attached softmax"),
        (Tensor(attached=False, certain=False), "tensor detached by convention"),
        (Tensor(), "tensor"),
        (Tensor(attached=True, shape=Shape((4, None))), "tensor[4, ?] attached"),
        (Tensor(shape=Shape((5,), is_open=True)), "tensor[..., 5]"),
        (Tensor(shape=Shape(())), "tensor[]"),
        (OneOf((Const(None), Const("b"), Const("a"))), "'a' | 'b' | None"),
        (OneOf((Number(), Number())), "number"),
        (Container("list", None, OneOf((Const(1), Const(2)))), "list of (1 | 2)"),
        (Container("list", None, Unknown()), "list"),
        (
            Container("tuple", [Number(), Container("tuple", [Number()], Number())], Number()),
            "tuple(number, tuple(…))",
        ),
        (Iterable(Batch()), "iterable of batch"),
        (Ref("torch.nn.Linear"), "torch.nn.Linear"),
        (BoundMethod(LINEAR, "eval"), "member eval of module torch.nn.Linear"),
        (BoundMethod(Unknown(), "eval"), "unknown"),
        (BoundMethod(BoundMethod(Unknown(), "net"), "eval"), "unknown"),
        (Const("x" * 100), f"'{'x' * 38}…"),
    ],
)
def test_words(value: Value, words: str) -> None:
    assert describe(value) == words


def test_a_list_of_parameters_is_described_by_its_owners() -> None:
    other = _made("torch.nn.ReLU")
    params = [Params(frozenset({LINEAR}), one=True), Params(frozenset({other}), one=True)]
    assert describe(Container("list", list(params), OneOf(tuple(params)))) == "params of 2 modules"
    assert describe(Container("list", [*params, Number()], Number())) == "list of number"


def test_long_descriptions_are_cut() -> None:
    words = describe(_made("torch.nn.Sequential", *[LINEAR] * 20))
    assert len(words) <= MAX_LENGTH
    assert words.startswith("module torch.nn.Sequential(module torch.nn.Linear, ")
    assert words.endswith("…")


def test_a_list_that_holds_itself_is_described() -> None:
    inner = Container("list", None, Unknown())
    inner.element = inner
    assert len(describe(inner)) <= MAX_LENGTH
