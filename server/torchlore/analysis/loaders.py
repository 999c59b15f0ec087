"""Datasets and loaders: what they hold and what they yield."""

from __future__ import annotations

import ast

from torchlore.analysis import (
    calls,
    containers,
    libraries,
    library_calls,
    members,
    plain,
    submodules,
    unpacking,
)
from torchlore.analysis.names import words
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import is_none, join, options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Batch,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    LocalClass,
    Number,
    Ref,
    Tensor,
    Unknown,
    Value,
)

_YIELDS = " yields"
"""The attribute under which a loader keeps what it yields: no attribute is called so."""


def iterated(instance: Instance) -> Value:
    """What iterating over an object of a known class yields."""
    if library_calls.ITEMS in instance.attributes:
        return instance.attributes[library_calls.ITEMS]
    match members.kind_of(instance):
        case "DataLoader":
            return instance.attributes.get(_YIELDS, Batch())
        case "Dataset":
            found = instance.attributes.get(_YIELDS)
            return found or (Batch() if _is_of_torch(instance) else Unknown())
        case "Module":
            return submodules.any_child(instance)
        case _:
            return _field_of(instance)


def _is_of_torch(dataset: Instance) -> bool:
    """Whether a dataset is of torch's make: others give graphs, and whatever else."""
    names = [dataset.cls] if isinstance(dataset.cls, str) else []
    if isinstance(dataset.cls, LocalClass):
        names = [base.name for base in members.imported_bases(dataset.cls) if isinstance(base, Ref)]
    return all(libraries.family(name) is None or libraries.torch_base(name) for name in names)


def _field_of(instance: Instance) -> Value:
    """A named tuple's fields; of other objects nothing is known."""
    if isinstance(instance.cls, LocalClass) and members.is_named_tuple(instance.cls) and instance.attributes:
        return join(list(instance.attributes.values()))
    return Unknown()


def item(instance: Instance, key: Value) -> Value:
    """`instance[key]`."""
    if members.kind_of(instance) == "Module":
        return submodules.item(instance, key)
    return iterated(instance)


def part(instance: Instance, bounds: Value) -> Value:
    """`instance[a:b]`."""
    if submodules.is_container(instance):
        return submodules.part(instance, bounds)
    return iterated(instance)


def remember_items(run: Run, made: Instance, node: ast.expr) -> None:
    """Finds out, where a loader or a dataset is made, what it will yield."""
    kind = members.kind_of(made)
    if kind == "DataLoader":
        batch = _batch(run, made, node)
        if batch is not None:
            made.attributes[_YIELDS] = batch
    elif kind == "Dataset":
        found = _item(run, made, node, 4)
        if found is not None:
            made.attributes[_YIELDS] = found


def _batch(run: Run, loader: Instance, node: ast.expr) -> Value | None:
    arguments = loader.arguments
    if arguments is None or not arguments.complete:
        return None
    dataset = arguments.get(0, "dataset")
    collate = arguments.get(6, "collate_fn")
    if dataset is None or (collate is not None and not is_none(collate)):
        return None
    found = [_item(run, option, node, 4) for option in options(dataset)]
    known = [value for value in found if value is not None]
    if len(known) < len(found) or not known:
        return None
    size = arguments.get(1, "batch_size")
    if size is not None and is_none(size):  # the dataset makes the batches
        return join(known)
    return join([collated(value) for value in known])


def collated(value: Value, depth: int = 4) -> Value:
    """What torch's `default_collate` makes of items such as `value`: of what they surely are, a tensor."""
    match value:
        case Tensor():
            return Tensor(False, value.certain, tokens=value.tokens, dtype=value.dtype)
        case Number() | Plain(kind=plain.NDARRAY.kind):
            return Tensor(False)
        case Const(value=bool()) | Plain(kind="bool"):
            return Tensor(False, dtype="bool")
        case Const(value=int()):
            return Tensor(False, dtype="int64")
        case Const(value=float()):
            return Tensor(False, dtype="float64")
        case Const(value=str()) | Plain(kind="str"):
            return Container("list", None, plain.STR)
        case Container(kind="dict", keyed=keyed) if depth and keyed:
            inner = {key: collated(part, depth - 1) for key, part in keyed.items()}
            return Container("dict", None, join(list(inner.values())), inner)
        case Container(kind="list" | "tuple", items=list() as items) if depth:
            parts = [collated(part, depth - 1) for part in items]
            return Container("list", parts, join(parts) if parts else Unknown())
        case _:
            return Batch()


def _item(run: Run, dataset: Value, node: ast.expr, depth: int) -> Value | None:
    """One item of a dataset; None where nothing says what it is."""
    if not isinstance(dataset, Instance):
        return _plain_item(dataset)
    if _YIELDS in dataset.attributes:
        return dataset.attributes[_YIELDS]
    if "dataset" in dataset.attributes and dataset.cls == "torch.utils.data.Subset":
        return _item(run, dataset.attributes["dataset"], node, depth - 1)
    if not depth:
        return None
    if isinstance(dataset.cls, LocalClass):
        return _item_of_class(run, dataset, dataset.cls, node)
    given = dataset.arguments
    if given is None or not given.complete:
        return None
    if dataset.cls in _OF_IMAGES:
        return _image_and_class(given)
    match dataset.cls.rpartition(".")[2]:
        case "TensorDataset":
            parts = [unpacking.element(value) for value in given.positional]
            return Container("tuple", parts, join(parts)) if parts else None
        case "Subset":
            inner = given.get(0, "dataset")
            return _item(run, inner, node, depth - 1) if inner is not None else None
        case "ConcatDataset" | "ChainDataset":
            several = given.get(0, "datasets")
            if not isinstance(several, Container) or not several.items:
                return None
            items = [_item(run, part, node, depth - 1) for part in several.items]
            return join([value or Unknown() for value in items])
        case _:
            return None


_OF_IMAGES = frozenset(
    f"torchvision.datasets.{name}"
    for name in words(
        """
        MNIST FashionMNIST KMNIST EMNIST CIFAR10 CIFAR100 SVHN USPS SEMEION Omniglot ImageFolder ImageNet
        Imagenette FakeData Food101 Flowers102 FGVCAircraft StanfordCars GTSRB DTD EuroSAT Country211
        RenderedSST2 SUN397 PCAM
        """
    )
)
"""Datasets whose items are an image and the number of its class."""


def _image_and_class(given: Arguments) -> Value | None:
    """An item of such a dataset where the transform makes a tensor of the image; else None."""
    transforms = [value for value in given.all() if _name_of_transform(value)]
    if len(transforms) != 1 or "target_transform" in given.keywords or not _makes_tensor(transforms[0]):
        return None
    if transforms[0] in given.positional[:-1]:  # what comes behind it is for the target
        return None
    image = Tensor(False)
    return Container("tuple", [image, Number()], join([image, Number()]))


def _makes_tensor(transform: Value) -> bool:
    match transform:
        case Instance(arguments=Arguments(positional=[Container(items=list() as steps)])):
            names = [_name_of_transform(step) for step in steps]
            return all(names) and not _MAKE_TENSORS.isdisjoint(names) and _MAKE_OTHERS.isdisjoint(names)
        case _:
            return _name_of_transform(transform) in _MAKE_TENSORS


def _name_of_transform(value: Value) -> str:
    """`ToTensor` of `torchvision.transforms.v2.ToTensor()`; empty where it is no transform of torchvision."""
    name = value.cls if isinstance(value, Instance) and isinstance(value.cls, str) else ""
    return name.rpartition(".")[2] if name.startswith("torchvision.transforms.") else ""


_MAKE_TENSORS = frozenset({"ToTensor", "PILToTensor", "ToImage"})
_MAKE_OTHERS = frozenset({"ToPILImage", "ToPureTensor", "FiveCrop", "TenCrop", "Lambda", "Compose"})


def _plain_item(dataset: Value) -> Value | None:
    match dataset:
        case Container(kind="list" | "tuple"):
            return None if containers.is_empty(dataset) else containers.any_item(dataset)
        case Tensor():
            return unpacking.element(dataset)
        case _:
            return None


def _item_of_class(run: Run, dataset: Instance, cls: LocalClass, node: ast.expr) -> Value | None:
    """What `__getitem__` (or `__iter__`) of a class of the file gives.

    It runs in the loader's workers, so that nothing it does belongs to the path at hand; and it stays an
    entry point of its own.
    """
    method = members.lookup(cls, "__getitem__")
    arguments = Arguments([Number()], {})
    if method is None:
        method, arguments = members.lookup(cls, "__iter__"), Arguments([], {})
    bound = members.bind(method, dataset) if method is not None else None
    if not isinstance(bound, Function) or bound.receiver is not dataset:
        return None
    before = bound.node in run.reached
    with run.writing([]), run.grad_mode(True):
        result = calls.call_function(run, bound, arguments, node)
    if not before:
        run.reached.discard(bound.node)
    if isinstance(result, Iterable):
        result = result.element
    return None if isinstance(result, Unknown) else result


def splits(arguments: Arguments, node: ast.expr) -> Value:
    """`random_split(dataset, lengths)`: a list of subsets."""
    dataset, lengths = arguments.get(0, "dataset"), arguments.get(1, "lengths")
    if dataset is None:
        return Unknown()
    count = len(lengths.items) if isinstance(lengths, Container) and lengths.items is not None else None
    held = dataset.attributes.get(_YIELDS) if isinstance(dataset, Instance) else None

    def subset() -> Value:
        attributes: dict[str, Value] = {"dataset": dataset}
        if held is not None:
            attributes[_YIELDS] = held
        return Instance("torch.utils.data.Subset", node, attributes=attributes)

    parts = [subset() for _ in range(count)] if count is not None else None
    return Container("list", parts, join(parts) if parts else subset())


def attribute(owner: Instance, attr: str) -> Value | None:
    """An attribute of a loader, a sampler or a dataset of torch; None where it says nothing."""
    given = owner.arguments
    found = given.keywords.get(attr) if given is not None else None
    if found is not None and not is_none(found):
        return found
    match attr:
        case "dataset" | "data_source" if given is not None and given.positional:
            return given.positional[0]
        case "batch_size" if given is not None and given.get(1, "batch_size") is not None:
            return given.get(1, "batch_size")
        case "batch_size" | "num_workers" | "prefetch_factor":
            return Number()
        case "drop_last" | "pin_memory" | "persistent_workers":
            return plain.BOOL
        case "classes":
            return Container("list", None, plain.STR)
        case _:
            return None
