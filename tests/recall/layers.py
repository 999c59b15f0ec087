"""What mutators know of layers and of the classes of models in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.binding import Function, Scope, scopes, self_attribute
from tests.recall.syntax import full_name

_WITH_PARAMETERS = frozenset(
    f"torch.nn.{name}"
    for name in (
        *("Linear", "Bilinear", "Embedding", "LayerNorm", "GroupNorm", "LSTM", "GRU", "RNN", "LSTMCell"),
        *(f"{kind}{n}d" for kind in ("Conv", "ConvTranspose", "BatchNorm") for n in (1, 2, 3)),
        *("GRUCell", "RNNCell", "MultiheadAttention", "TransformerEncoderLayer", "PReLU", "EmbeddingBag"),
    )
)


def module_classes(source: Source) -> list[ast.ClassDef]:
    """The classes of a file that derive from `nn.Module` and nothing else, as it stands there."""
    return [
        cls
        for cls in source.every(ast.ClassDef)
        if [full_name(source, base) for base in cls.bases] == ["torch.nn.Module"]
        and not cls.decorator_list
        and not cls.keywords
    ]


def method(cls: ast.ClassDef, name: str) -> Function | None:
    """The method of that name that stands in a class itself."""
    return next((s for s in cls.body if isinstance(s, Function) and s.name == name), None)


def is_layer(source: Source, node: ast.expr | None) -> bool:
    """Whether an expression makes a layer of torch that has parameters."""
    return isinstance(node, ast.Call) and full_name(source, node.func) in _WITH_PARAMETERS


def is_trained(source: Source, node: ast.expr | None) -> bool:
    """Whether an expression makes a module that has parameters: of torch, or of the file."""
    if not isinstance(node, ast.Call):
        return False
    if full_name(source, node.func) == "torch.nn.Sequential":
        return any(is_trained(source, given) for given in node.args)
    return is_layer(source, node) or _makes_a_model(source, node.func)


def _makes_a_model(source: Source, func: ast.expr) -> bool:
    """Whether this is a class of the file whose `__init__` surely makes a layer with parameters."""
    named = [cls for cls in source.every(ast.ClassDef) if isinstance(func, ast.Name) and cls.name == func.id]
    if len(named) != 1 or named[0] not in module_classes(source):
        return False
    init = method(named[0], "__init__")
    return init is not None and any(
        isinstance(statement, ast.Assign)
        and self_attribute(statement.targets[0]) is not None
        and is_layer(source, statement.value)
        for statement in init.body
    )


def makes_module(source: Source, node: ast.expr | None) -> bool:
    """Whether an expression makes a module of torch, of torchvision or of the file, perhaps moved at once."""
    while (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _GIVE_SELF
    ):
        node = node.func.value
    if not isinstance(node, ast.Call):
        return False
    name = full_name(source, node.func)
    is_own = isinstance(node.func, ast.Name) and node.func.id in {cls.name for cls in module_classes(source)}
    is_layer = name.startswith("torch.nn.") and name.count(".") == 2 and name[len("torch.nn.")].isupper()
    return is_own or is_layer or name.startswith("torchvision.models.")


_GIVE_SELF = ("to", "cuda", "cpu", "eval", "train", "float", "half", "double")


def forwards(source: Source) -> Iterator[Scope]:
    """The `forward` of every class that derives from `nn.Module` alone."""
    classes = module_classes(source)
    for scope in scopes(source):
        if scope.cls in classes and getattr(scope.node, "name", "") == "forward":
            yield scope
