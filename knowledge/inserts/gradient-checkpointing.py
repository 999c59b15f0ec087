# /// torchlore
# title = "Gradient checkpointing"
# description = "Keep the inputs of blocks, compute the rest again in backward; the state_dict stays."
# card = "activation-checkpointing"
# imports = ["import functools", "from torch.utils.checkpoint import checkpoint"]
# [holes]
# model = "Module"
# ///
for block in model.children():  # better the repeated blocks alone, such as those of a list of layers
    # In place of a wrapper, which would rename parameters. Dropout draws the same masks again, but BatchNorm
    # moves its running statistics twice. Where no gradient is recorded nothing is kept or repeated.
    block.forward = functools.partial(checkpoint, block.forward, use_reentrant=False)
