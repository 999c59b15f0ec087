"""TL509: the process that trains reads the files of every batch itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, members
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import Function, Instance, LocalClass, Ref, Value
from torchlore.rules import arguments, support
from torchlore.rules.data import _loaders, _starting
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Source
from torchlore.text.nodes import nodes_in


class LoaderWithoutWorkers(Rule):
    """
    ## What it does

    Looks for a `DataLoader` without `num_workers` over a dataset that reads a file for each item.

    ## Why is this bad?

    Without workers the process that trains opens, decodes and transforms all items of a batch, one after the
    other, while the device waits for it. Workers do so ahead of time, and beside one another.

    ## Example

    ```py
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import ToTensor


    def loader():
        dataset = ImageFolder("images", transform=ToTensor())
        return DataLoader(dataset, batch_size=64)
    ```

    ## Use instead

    ```py
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import ToTensor


    def loader():
        dataset = ImageFolder("images", transform=ToTensor())
        return DataLoader(dataset, batch_size=64, num_workers=2)
    ```

    ## Fix safety

    Unsafe: each worker has a copy of the dataset, and where processes are spawned the dataset has to be one
    that can be pickled. How many workers are best depends on the machine; 2 is a number to start from.

    ## Known limits

    Speaks only of datasets of torchvision that read files, and of those of which `__getitem__` itself calls
    something that does. Silent for `num_workers=0`, which somebody chose, and for tensors in memory, for
    which workers seldom pay.

    ## References

    - [torch.utils.data, Single- and Multi-process Data Loading](https://docs.pytorch.org/docs/stable/data.html#single-and-multi-process-data-loading)
    - [Performance tuning guide, Enable asynchronous data loading and augmentation](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html)
    """

    code = "TL509"
    name = "loader-without-workers"
    family = Family.DATA
    severity = Severity.HINT
    since = "0.1.0"
    card = "dataloader-workers"
    trigger = r"\bDataLoader\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        return "DataLoader(" in text and any(name in text for name in _WORDS)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(_loaders.LOADER):
            if not _loaders.is_left_out(call, "num_workers") or not _loaders.should_work(analysis, call):
                continue
            reads = _reading(analysis, _loaders.value(call, "dataset"))
            if reads is not None:
                yield self._finding(analysis, call, reads)

    def _finding(self, analysis: Analysis, call: Called, reads: Ref | ast.Call) -> Finding:
        dataset = _loaders.written(call, "dataset")
        name = f"`{support.written(analysis, dataset)}`" if isinstance(dataset, ast.Name) else "the dataset"
        how = (
            reads.name.rpartition(".")[2] if isinstance(reads, Ref) else support.written(analysis, reads.func)
        )
        message = (
            f"The process that trains reads the files of {name} itself (`{how}`), and the device waits for "
            "it: `num_workers` is not given"
        )
        related: tuple[Related, ...] = ()
        if isinstance(reads, ast.Call):
            related = support.related(analysis, reads, "each item is read here")
        fix = _fix(analysis, call)
        fixes = (fix,) if fix is not None else ()
        return self.finding(message, analysis.source.span(call.node.func), fixes=fixes, related=related)


_DATASETS = frozenset(
    f"torchvision.datasets.{name}"
    for name in words(
        """
        Caltech101 Caltech256 CelebA Cityscapes CocoCaptions CocoDetection Country211 DTD DatasetFolder
        EuroSAT FGVCAircraft Flickr8k Flickr30k Flowers102 Food101 GTSRB ImageFolder ImageNet Imagenette
        INaturalist Kitti LFWPairs LFWPeople OxfordIIITPet PCAM Places365 RenderedSST2 SBDataset SUN397
        StanfordCars VOCDetection VOCSegmentation WIDERFace
        """
    )
)
"""Datasets that keep names of files, and open one for each item."""

_READERS = frozenset(
    words(
        """
        PIL.Image.open builtins.open cv2.imread imageio.imread librosa.load numpy.load pandas.read_csv
        scipy.io.loadmat skimage.io.imread soundfile.read torch.load torchaudio.load
        torchvision.io.decode_image torchvision.io.read_image torchvision.io.read_video
        """
    )
)
"""Functions that read a file."""

_WORDS = frozenset(name.rpartition(".")[2] + "(" for name in _READERS | _DATASETS)


def _reading(analysis: Analysis, dataset: Value | None) -> Ref | ast.Call | None:
    """How a dataset reads a file for each item: the class that does, or the call; None where it may not."""
    found = [_of_one(analysis, one) for one in options(dataset)] if dataset is not None else []
    return found[0] if found and all(found) else None


def _of_one(analysis: Analysis, dataset: Value) -> Ref | ast.Call | None:
    if not isinstance(dataset, Instance):
        return None
    whole = _loaders.whole(dataset)
    if whole is not dataset:
        return _reading(analysis, whole)
    if not isinstance(dataset.cls, LocalClass):
        return Ref(dataset.cls) if dataset.cls in _DATASETS else None
    method = members.lookup(dataset.cls, "__getitem__")
    if not isinstance(method, Function) or not isinstance(method.node, ast.FunctionDef):
        return None
    calls = (node for node in nodes_in(method.node) if isinstance(node, ast.Call))
    return next((call for call in calls if _reads(analysis, call)), None)


def _reads(analysis: Analysis, call: ast.Call) -> bool:
    callee = analysis.value(call.func)
    return isinstance(callee, Ref) and callee.name in _READERS


_FEW = 2
"""Workers to start from."""


def _fix(analysis: Analysis, call: Called) -> Fix | None:
    """Gives it workers, unless these would be started at the top level (TL506)."""
    edit = arguments.with_keyword(analysis, call.node, "num_workers", str(_FEW))
    if edit is None or any(True for _ in _starting.starts(analysis, {call.node: call})):
        return None
    return Fix(f"Load with workers: `num_workers={_FEW}`", (edit,), safe=False)
