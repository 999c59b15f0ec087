"""Two processes save a sharded model; one process, without shards, reads it back, moments included."""

import os
import tempfile

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.fsdp import fully_shard
from torch.distributed.run import main as torchrun


def work(folder):
    dist.init_process_group("gloo")
    dist.broadcast_object_list(path := [f"{folder}/step-1"])  # that of rank 0
    torch.manual_seed(0)  # the same weights on both
    sharded = fully_shard(torch.nn.Linear(3, 4), mesh=dist.init_device_mesh("cpu", (2,)))
    sharded(torch.ones(2, 3)).sum().backward()
    (optimizer := torch.optim.AdamW(sharded.parameters())).step()
    print(f"rank {(rank := dist.get_rank())} holds {tuple(sharded.weight.to_local().shape)} of (4, 3)")
    dcp.save(dict(zip("mo", get_state_dict(sharded, optimizer))), checkpoint_id=path[0])
    saved = [t.full_tensor() for t in (sharded.weight, optimizer.state[sharded.weight]["exp_avg"])]
    dist.barrier(), dist.destroy_process_group()  # who leaves first would break the others' connections
    if rank == 0:
        print(sorted(os.listdir(path[0])))
        adam = torch.optim.AdamW((model := torch.nn.Linear(3, 4)).parameters())
        dcp.load(naive := {"o": adam.state_dict()}, checkpoint_id=path[0])
        assert naive["o"]["state"] == {}  # nothing to fill, nothing loaded, nothing said
        dcp.load(state := dict(zip("mo", get_state_dict(model, adam))), checkpoint_id=path[0])
        set_state_dict(model, adam, model_state_dict=state["m"], optim_state_dict=state["o"])
        torch.testing.assert_close([model.weight, adam.state[model.weight]["exp_avg"]], saved)


if __name__ == "__main__" and dist.is_torchelastic_launched():
    with tempfile.TemporaryDirectory() as folder:
        work(folder)
elif __name__ == "__main__":  # by hand: as with `torchrun --nproc-per-node=2 FILE`
    torchrun(["--standalone", "--nproc-per-node=2", __file__])
