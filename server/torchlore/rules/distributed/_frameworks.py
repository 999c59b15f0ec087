"""Which libraries take training into their own hands: there the rules of this family have nothing to say."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis.names import words
from torchlore.text import Source

_MANAGING = words(
    """
    accelerate catalyst colossalai composer deepspeed fairscale fastai flash horovod ignite lightning
    lightning_fabric megatron nemo oslo pytorch_lightning ray torch_xla transformers
    """
)
"""Libraries that give each rank its share of the data, tell samplers the epoch, or save by themselves."""


def manages_training(source: Source) -> bool:
    """Whether a file imports a library that may do what it leaves out itself."""
    return any(package in _MANAGING for package in _packages(source))


def _packages(source: Source) -> Iterator[str]:
    for imported in source.every(ast.Import):
        for name in imported.names:
            yield name.name.partition(".")[0]
    for statement in source.every(ast.ImportFrom):
        if statement.module is not None and not statement.level:
            yield statement.module.partition(".")[0]
