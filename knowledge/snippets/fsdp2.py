"""fully_shard on two CPU processes: what each holds, and that training equals training without it."""

import torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from torch.distributed.run import main as torchrun

data = torch.linspace(-1, 1, 32).view(8, 4)


def build():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))


def step(model, x):
    model(x).square().mean().backward()
    (optimizer := torch.optim.AdamW(model.parameters(), lr=0.1)).step()
    return optimizer


def train():
    dist.init_process_group("gloo")
    too_early = torch.optim.AdamW((model := build()).parameters())
    for module in (model[0], model[2], model):  # the blocks, then the root
        fully_shard(module, mesh=dist.init_device_mesh("cpu", (2,)))
    optimizer, w = step(model, data.chunk(2)[rank := dist.get_rank()]), model[2].weight
    print(f"rank {rank} holds {tuple(w.to_local().shape)} of {tuple(w.shape)}: {w.placements[0]}")
    assert w.placements == w.grad.placements == optimizer.state[w]["exp_avg"].placements
    step(alone := build(), data)  # one process, the whole batch, not a half each
    torch.testing.assert_close([p.full_tensor() for p in model.parameters()], list(alone.parameters()))
    assert too_early.param_groups[0]["params"][0] is not model[0].weight  # it would train nothing
    dist.barrier(), dist.destroy_process_group()  # who leaves first would break the others' connections


if __name__ == "__main__" and dist.is_torchelastic_launched():
    train()
elif __name__ == "__main__":  # by hand: as with `torchrun --nproc-per-node=2 FILE`
    torchrun(["--standalone", "--nproc-per-node=2", __file__])
