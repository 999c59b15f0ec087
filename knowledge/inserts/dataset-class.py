# /// torchlore
# title = "Dataset of files"
# description = "One sample a file, read when asked for: what __init__ reads, each worker holds too."
# card = "dataset-dataloader"
# imports = [
#   "from collections.abc import Callable, Sequence",
#   "from pathlib import Path",
#   "import torch",
#   "from torch.utils.data import Dataset",
# ]
# ///
class FileDataset(Dataset):
    """Tensors that lie in files, one sample each, and their labels.

    Args:
        paths: where the samples are.
        labels: a class for each path, counted from 0.
        transform: what to do with a sample, such as augmentation; nothing by default.
    """

    def __init__(
        self, paths: Sequence[Path], labels: Sequence[int], transform: Callable | None = None
    ) -> None:
        if len(paths) != len(labels):
            raise ValueError(f"{len(paths)} paths, but {len(labels)} labels")
        self.paths, self.labels, self.transform = paths, labels, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        # On the CPU: this runs in worker processes, and the loader makes the batches.
        sample = torch.load(self.paths[index], weights_only=True)  # images: torchvision.io.decode_image
        if self.transform is not None:
            sample = self.transform(sample)
        return sample, self.labels[index]
