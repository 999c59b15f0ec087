"""Which models surely do something else in training than in evaluation mode."""

from __future__ import annotations

from torchlore.analysis import members, submodules
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Instance, LocalClass, Value

_DROPOUTS = words("Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout")
_NORMS = words("BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm")
_TRANSFORMERS = {"TransformerEncoderLayer": 3, "TransformerDecoderLayer": 3, "Transformer": 5}
"""Layers that drop out by default, and where `dropout` stands among their arguments."""


def depends_on_mode(model: Value, depth: int = 6) -> bool:
    """Whether a layer of `model` is one of torch's that surely depends on the mode."""
    if not isinstance(model, Instance) or not depth:
        return False
    if isinstance(model.cls, LocalClass):
        held = [value for _, value in members.attributes(model)]
        return any(len(options(value)) == 1 and depends_on_mode(value, depth - 1) for value in held)
    if submodules.is_container(model):
        return any(depends_on_mode(part, depth - 1) for part in submodules.children(model) or ())
    home, _, name = model.cls.rpartition(".")
    return home == "torch.nn" and _is_dependent(model, name, depth)


def _is_dependent(layer: Instance, name: str, depth: int) -> bool:
    given = layer.arguments
    if given is None or not given.complete:
        return False
    if name in _NORMS:
        tracks = given.get(4, "track_running_stats")
        return tracks is None or (isinstance(tracks, Const) and tracks.value is True)
    if name in _DROPOUTS:
        return _drops(given.get(0, "p"))
    if name in ("TransformerEncoder", "TransformerDecoder"):
        return depends_on_mode(given.get(0, f"{name[11:].lower()}_layer") or Const(None), depth - 1)
    return name in _TRANSFORMERS and _drops(given.get(_TRANSFORMERS[name], "dropout"))


def _drops(probability: Value | None) -> bool:
    """Whether a layer drops anything: where no probability is given, it does."""
    if probability is None:
        return True
    return isinstance(probability, Const) and isinstance(probability.value, float) and probability.value > 0
