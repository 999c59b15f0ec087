# /// torchlore
# title = "DataLoader for training"
# description = "Workers that load ahead, pinned memory for copies that overlap, no last batch of one sample."
# card = "dataloader-workers"
# imports = ["import os", "import torch", "from torch.utils.data import DataLoader"]
# [holes]
# dataset = "Dataset"
# ///
# Where processes are spawned (macOS, Windows) workers need `if __name__ == "__main__":` around what starts.
loader = DataLoader(
    dataset,
    batch_size=64,
    shuffle=True,
    num_workers=min(4, os.cpu_count() or 1),  # with 0 the device waits while this process loads
    persistent_workers=True,  # start them once, not once an epoch
    pin_memory=torch.accelerator.is_available(),  # lets inputs.to(device, non_blocking=True) overlap
    drop_last=True,  # BatchNorm cannot train on a single sample; an evaluation must keep every one
)
