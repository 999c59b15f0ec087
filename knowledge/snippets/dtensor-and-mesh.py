"""One tensor on two processes: placements, what they imply, and an MLP with a single all_reduce."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.run import main as torchrun
from torch.distributed.tensor import Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.debug import CommDebugMode
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module


def work():
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    mesh = dist.init_device_mesh("cpu", (2,), mesh_dim_names=("tp",))
    whole = torch.arange(8.0).view(4, 2)
    x = distribute_tensor(whole, mesh, [Shard(0)])
    total, gram = x.sum(), x.t() @ x
    print(f"rank {rank}: x {tuple(x.to_local().shape)} of {tuple(x.shape)}, sum: {total.to_local()} of 28")
    assert x.relu().placements == (Shard(0),) and total.placements == gram.placements == (Partial(),)
    assert total.full_tensor() == 28 and torch.equal(gram.full_tensor(), whole.t() @ whole)
    assert torch.equal(x.redistribute(mesh, [Replicate()]).to_local(), whole)

    torch.manual_seed(0)  # the same weights on both
    mlp, tokens = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4)), torch.randn(3, 4)
    expected = mlp(tokens)
    parallelize_module(mlp, mesh["tp"], {"0": ColwiseParallel(), "2": RowwiseParallel()})
    assert mlp[0].weight.placements == (Shard(0),) and mlp[2].weight.placements == (Shard(1),)
    with CommDebugMode() as communication:
        torch.testing.assert_close(mlp(tokens) + 0, expected)
    print(f"rank {rank}: {dict(communication.get_comm_counts())}")
    assert communication.get_total_counts() == 1
    dist.barrier(), dist.destroy_process_group()  # who leaves first would break the others' connections


if __name__ == "__main__" and dist.is_torchelastic_launched():
    work()
elif __name__ == "__main__":  # by hand: as with `torchrun --nproc-per-node=2 FILE`
    torchrun(["--standalone", "--nproc-per-node=2", __file__])
