"""The collectives on two processes: what goes in, and what comes out where."""

import torch
import torch.distributed as dist
from torch.distributed.run import main as torchrun


def row(*values):
    return torch.tensor(values, dtype=torch.float32)


def work():
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    summed, sent = row(rank + 1), row(rank)
    gathered, scattered, shuffled, given = row(0, 0), row(0), row(0, 0), row(0)
    assert dist.all_reduce(summed) is None  # in place
    dist.broadcast(sent, src=1)
    dist.all_gather_single(gathered, row(rank))
    dist.reduce_scatter_single(scattered, row(0, 1))
    dist.all_to_all_single(shuffled, row(10 * rank, 10 * rank + 1))
    dist.scatter(given, [row(7), row(8)] if rank == 0 else None, src=0)
    results = {"all_reduce": summed, "broadcast": sent, "all_gather": gathered, "reduce_scatter": scattered}
    results |= {"all_to_all": shuffled, "scatter": given}
    dist.all_gather_object(ranks := [None, None], {name: out.tolist() for name, out in results.items()})
    assert list(ranks[0].values()) == [[3], [1], [0, 1], [0], [0, 10], [7]]
    assert list(ranks[1].values()) == [[3], [1], [0, 1], [2], [1, 11], [8]]
    if rank == 0:
        print(*(f"{name:15} {ranks[0][name]!s:12} {ranks[1][name]}" for name in results), sep="\n")
    rest = dist.new_group([0])  # every rank makes every group
    assert dist.get_rank(rest) == -rank  # -1: not a member
    dist.barrier(), dist.destroy_process_group()  # who leaves first would break the others' connections


if __name__ == "__main__" and dist.is_torchelastic_launched():
    work()
elif __name__ == "__main__":  # by hand: as with `torchrun --nproc-per-node=2 FILE`
    torchrun(["--standalone", "--nproc-per-node=2", __file__])
