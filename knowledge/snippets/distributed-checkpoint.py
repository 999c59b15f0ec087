"""Two processes save a sharded model; one process, without shards, reads it back, moments included."""

import os
import tempfile

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.fsdp import fully_shard


def train_one_step(prepare=lambda model: model):
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW((model := prepare(torch.nn.Linear(3, 4))).parameters())
    model(torch.ones(2, 3)).sum().backward(), optimizer.step()
    return model, optimizer


def save(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    model, optimizer = train_one_step(lambda m: fully_shard(m, mesh=dist.init_device_mesh("cpu", (2,))))
    print(f"rank {rank} holds {tuple(model.weight.to_local().shape)} of {tuple(model.weight.shape)}")
    dcp.save(dict(zip("mo", get_state_dict(model, optimizer))), checkpoint_id=f"{folder}/step-1")
    dist.barrier(), dist.destroy_process_group()  # who leaves first would break the others' connections


if __name__ == "__main__":
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    adam = torch.optim.AdamW((model := torch.nn.Linear(3, 4)).parameters())
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(save, (folder,), nprocs=2)
        print(sorted(os.listdir(path := f"{folder}/step-1")))
        dcp.load(naive := {"o": adam.state_dict()}, checkpoint_id=path)
        assert naive["o"]["state"] == {}  # nothing to fill, nothing loaded, nothing said
        dcp.load(state := dict(zip("mo", get_state_dict(model, adam))), checkpoint_id=path)
    set_state_dict(model, adam, model_state_dict=state["m"], optim_state_dict=state["o"])
    old, was = train_one_step()
    torch.testing.assert_close([model.weight, adam.state[model.weight]], [old.weight, was.state[old.weight]])
