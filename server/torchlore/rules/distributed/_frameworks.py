"""Which libraries take training into their own hands: there the rules of this family have nothing to say."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis.names import words
from torchlore.text import Source

_MANAGING = words(
    """
    accelerate catalyst colossalai composer deepspeed fairscale fastai flash horovod ignite lightning
    lightning_fabric megatron nemo pytorch_lightning ray torch_xla
    """
)
"""Libraries that give each rank its share of the data, tell samplers the epoch, or save by themselves."""

_WITH_TRAINERS = words("adapters sentence_transformers setfit transformers trl")
"""Libraries of models, some of which bring trainers."""


def manages_training(source: Source) -> bool:
    """Whether a file imports a library, or a trainer, that may do what it leaves out itself."""
    return any(
        package in _MANAGING or (package in _WITH_TRAINERS and name.endswith("Trainer"))
        for package, name in _imports(source)
    )


def _imports(source: Source) -> Iterator[tuple[str, str]]:
    """What is imported: the package, and the name where one is imported from it."""
    for imported in source.every(ast.Import):
        for module in imported.names:
            yield module.name.partition(".")[0], ""
    for statement in source.every(ast.ImportFrom):
        if statement.module is not None and not statement.level:
            for name in statement.names:
                yield statement.module.partition(".")[0], name.name
