# /// torchlore
# title = "Count the parameters"
# description = "Parameters of each part and of the whole, and memory; a shared weight counts once."
# card = "parameters-and-buffers"
# imports = ["import itertools"]
# [holes]
# model = "Module"
# ///
for name, part in model.named_children():
    print(f"{name:24} {type(part).__name__:24} {sum(p.numel() for p in part.parameters()):>14,}")
total = sum(p.numel() for p in model.parameters())  # parameters() gives a shared one once
trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
size = sum(tensor.nbytes for tensor in itertools.chain(model.parameters(), model.buffers()))
print(f"{total:,} parameters, {trained:,} trained, {size / 2**20:.1f} MiB with buffers")
# Training needs more: a gradient of the same size, two moments for Adam, and the activations.
