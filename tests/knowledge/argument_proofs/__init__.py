"""Runs what `knowledge/arguments.toml` claims: one function for each argument, by its name there."""

from argument_proofs import data, layers, tensors, training
from argument_proofs.shared import PROOFS

__all__ = ["PROOFS", "data", "layers", "tensors", "training"]
