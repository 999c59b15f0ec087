# /// torchlore
# title = "Reproducible DataLoader"
# description = "The same order and augmentation in every run, other random numbers in each worker."
# card = "reproducibility"
# imports = ["import torch", "from torch.utils.data import DataLoader, get_worker_info"]
# [holes]
# dataset = "Dataset"
# ///
def seed_worker(worker_id: int) -> None:
    # The global generators of torch, random and NumPy are seeded by now. One that the dataset holds is a
    # copy of the same in every worker: draw from this one instead (torch.rand(2, generator=self.generator)).
    worker = get_worker_info()
    worker.dataset.generator = torch.Generator().manual_seed(worker.seed)


loader = DataLoader(
    dataset,
    batch_size=64,
    shuffle=True,
    num_workers=2,  # part of the recipe: which worker makes a sample decides its random numbers
    worker_init_fn=seed_worker,
    generator=torch.Generator().manual_seed(0),  # draws order and seeds, whatever else draws in between
)
