"""Which models behave alike in training and in evaluation mode, and which surely do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import members, submodules, torch_facts
from torchlore.analysis.names import words
from torchlore.analysis.queries import options, reachable
from torchlore.analysis.values import Const, Container, Function, Instance, LocalClass, Unknown, Value
from torchlore.text.nodes import nodes_in

_DEPEND = words(
    """
    AlphaDropout BatchNorm1d BatchNorm2d BatchNorm3d Dropout Dropout1d Dropout2d Dropout3d
    FeatureAlphaDropout GRU InstanceNorm1d InstanceNorm2d InstanceNorm3d LSTM RNN RReLU SyncBatchNorm
    """
)
"""Layers that do something else in evaluation mode, or may (dropout between the layers of an LSTM)."""

_MENTIONS = frozenset({"training", "dropout", "dropout_p", "batch_norm", "alpha_dropout"})
"""Names in the code of a module that may make it depend on its mode."""


_SURELY = words(
    """
    AlphaDropout BatchNorm1d BatchNorm2d BatchNorm3d Dropout Dropout1d Dropout2d Dropout3d
    FeatureAlphaDropout SyncBatchNorm
    """
)
"""Those of them that do, whatever their other arguments are."""


_DEEPEST = 12
"""Layers in blocks, in lists of them, are looked for so deep."""


def dependent_layer(model: Value) -> str:
    """What in `model` surely does something else in evaluation mode: a layer, or a function that is told it.

    Empty where nothing surely does.
    """
    for part in reachable(model, depth=_DEEPEST):
        found = _dependence(part) if isinstance(part, Instance) else ""
        if found:
            return found
    return ""


def _dependence(part: Instance) -> str:
    if isinstance(part.cls, LocalClass):
        is_module = members.kind_of(part) == "Module"
        classes = members.mro(part.cls) if is_module else ()
        return next((name for cls in classes for name in _told_the_mode(cls)), "")
    head, _, name = part.cls.rpartition(".")
    if head != "torch.nn" or name not in _SURELY or part.arguments is None:
        return ""
    share = part.arguments.get(0, "p") if name.endswith(_DROPS) else None
    return "" if isinstance(share, Const) and share.value == 0 else name


def _told_the_mode(cls: LocalClass) -> Iterator[str]:
    """The functions that methods of a class call with `training=self.training`: `F.dropout`."""
    for node in nodes_in(cls.node):
        if isinstance(node, ast.Call) and any(map(_tells_the_mode, node.keywords)):
            name = ast.unparse(node.func)
            if name.endswith(("dropout", "dropout1d", "dropout2d", "dropout3d", "batch_norm")):
                yield name


def _tells_the_mode(given: ast.keyword) -> bool:
    is_told = given.arg == "training" and isinstance(given.value, ast.Attribute)
    return is_told and given.value.attr == "training"  # type: ignore[attr-defined]


_DROPS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d")


def is_indifferent(model: Value, depth: int = 6) -> bool:
    """Whether every layer of `model` is known and none does something else in evaluation mode."""
    if not isinstance(model, Instance) or not depth:
        return False
    if isinstance(model.cls, LocalClass):
        return _is_indifferent_class(model.cls) and all(
            _holds_indifferent(value, depth - 1) for _, value in members.attributes(model)
        )
    if torch_facts.is_plain_layer(model.cls):
        return model.cls.rpartition(".")[2] not in _DEPEND
    if members.kind_of(model) == "Loss":
        return True
    parts = submodules.children(model) if submodules.is_container(model) else None
    return parts is not None and all(_holds_indifferent(part, depth - 1) for part in parts)


def _holds_indifferent(value: Value, depth: int) -> bool:
    """Whether an attribute, or an item, brings no layer along that depends on the mode."""
    for option in options(value):
        match option:
            case Unknown():
                return False
            case Container(items=items, element=element, keyed=keyed):
                parts = [*items] if items is not None else [element, *keyed.values()]
                if not depth or not all(_holds_indifferent(part, depth - 1) for part in parts):
                    return False
            case Instance() if members.is_module_like(option) or members.kind_of(option) == "Unknown":
                if not is_indifferent(option, depth):
                    return False
            case Function() | Const():
                pass
    return True


def _is_indifferent_class(cls: LocalClass) -> bool:
    """Whether no base is unknown and no method mentions the mode."""
    if members.is_open(cls) or members.imported_bases(cls) == ():
        return False
    bases = {getattr(base, "name", "") for base in members.imported_bases(cls)}
    if bases != {"torch.nn.Module"}:
        return False
    nodes = (node for part in members.mro(cls) for node in nodes_in(part.node))
    return not any(
        (isinstance(node, ast.Attribute) and node.attr in _MENTIONS)
        or (isinstance(node, ast.Name) and node.id in _MENTIONS)
        or (isinstance(node, ast.keyword) and node.arg in _MENTIONS)
        for node in nodes
    )
