# /// torchlore
# title = "Split into training and validation"
# description = "The same split in every run, by a generator of its own; only the training part shuffles."
# card = "samplers-and-splits"
# imports = ["import torch", "from torch.utils.data import DataLoader, random_split"]
# [holes]
# dataset = "Dataset"
# ///
# At random by sample: what belongs together (frames of a video, visits of a patient) must be split by group.
generator = torch.Generator().manual_seed(0)
train_set, val_set = random_split(dataset, [0.8, 0.2], generator=generator)
# Both read the same dataset, random augmentation included: give the validation one of its own without it.
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
val_loader = DataLoader(val_set, batch_size=256)
