# /// torchlore
# title = "Collate sequences of different lengths"
# description = "Pad to the longest of the batch and mask by length: the padding value may be data too."
# card = "collate-fn"
# imports = [
#   "import torch",
#   "from torch.nn.utils.rnn import pad_sequence",
#   "from torch.utils.data import DataLoader",
# ]
# [holes]
# dataset = "Dataset"
# ///
def pad_batch(samples: list[tuple[torch.Tensor, int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns the sequences (batch, longest, ...), where they are padding (batch, longest), the labels."""
    sequences, labels = zip(*samples)
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    padded = pad_sequence(sequences, batch_first=True)
    is_padding = torch.arange(padded.shape[1]) >= lengths[:, None]  # as attention's key_padding_mask has it
    return padded, is_padding, torch.tensor(labels)


# A function of a module's top level: workers that are spawned (macOS, Windows) cannot receive a lambda.
loader = DataLoader(dataset, batch_size=32, shuffle=True, collate_fn=pad_batch)
