"""What checkpointing keeps, what it computes again, and when the second run differs from the first."""

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
torch.manual_seed(0)
blocks = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Dropout(0.1)) for _ in range(16)])
blocks.to(device)
x, runs = torch.randn(128, 64, device=device), []
blocks[0].register_forward_pre_hook(lambda *_: runs.append(1))


def measure(name, wrap):
    kept, h = {}, x
    torch.manual_seed(1), blocks.zero_grad(), runs.clear()
    with saved_tensors_hooks(lambda t: (kept.update({t.data_ptr(): t.nbytes}), t)[1], lambda t: t):
        for block in blocks:
            h = wrap(block, h)
    h.square().mean().backward()
    size = sum(kept.values()) - sum(p.nbytes for p in blocks.parameters() if p.data_ptr() in kept)
    print(f"{name:8} keeps {size // 1024:5} KB of activations; first block ran {len(runs)} times")
    return size, len(runs), blocks[0][0].weight.grad.clone()


before = measure("plain", lambda block, h: block(h))
after = measure("segments", lambda block, h: checkpoint(block, h, use_reentrant=False))
assert after[0] < before[0] / 2 and (before[1], after[1]) == (1, 2)
assert torch.equal(before[2], after[2])  # bit for bit: the dropout masks were drawn again alike
norm = nn.BatchNorm1d(64).to(device)
checkpoint(norm, x, use_reentrant=False).sum().backward()
assert norm.num_batches_tracked == 2  # its running statistics were moved twice
