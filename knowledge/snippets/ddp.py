"""Two processes: equal weights at the start, averaged gradients, and what no_sync and .module leave out."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.run import main as torchrun
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

data = TensorDataset(torch.arange(16.0).view(8, 2) / 10)


def gradient(model, x):
    model.zero_grad()
    model(x).square().mean().backward()
    return next(model.parameters()).grad.clone()


def train():
    dist.init_process_group("gloo")
    torch.manual_seed(rank := dist.get_rank())  # different weights, until DDP broadcasts those of rank 0
    model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
    ((x,),) = DataLoader(data, batch_size=4, sampler=DistributedSampler(data, shuffle=False))
    averaged = gradient(model, x)
    with model.no_sync():
        local = gradient(model, x)
    print(f"rank {rank}: rows {(5 * x[:, 0]).int().tolist()}, local {local[0]}, averaged {averaged[0]}")
    torch.manual_seed(0)
    alone = nn.Linear(2, 1)  # one process, with the whole batch
    assert torch.equal(alone.weight, model.module.weight)
    torch.testing.assert_close(averaged, gradient(alone, data.tensors[0]))
    torch.testing.assert_close(local, gradient(model.module, x))  # past the wrapper nothing is averaged
    assert not torch.allclose(local, averaged) and list(model.state_dict())[0] == "module.weight"
    dist.barrier(), dist.destroy_process_group()  # who leaves first would break the others' connections


if __name__ == "__main__" and dist.is_torchelastic_launched():
    train()
elif __name__ == "__main__":  # by hand: as with `torchrun --nproc-per-node=2 FILE`
    torchrun(["--standalone", "--nproc-per-node=2", __file__])
