# /// torchlore
# title = "Distributed training (DDP, torchrun)"
# description = "One process a device, a share of the data each, shuffled anew every epoch; rank 0 saves."
# card = "ddp"
# imports = [
#   "import os",
#   "import torch",
#   "import torch.distributed as dist",
#   "from torch.nn.parallel import DistributedDataParallel",
#   "from torch.utils.data import DataLoader, DistributedSampler",
# ]
# [holes]
# model = "Module"
# dataset = "Dataset"
# criterion = "Loss"
# ///
def main() -> None:
    # torchrun --standalone --nproc-per-node=2 train.py starts this once for each device.
    local_rank, device = int(os.environ["LOCAL_RANK"]), torch.device("cpu")
    if torch.accelerator.is_available():
        torch.accelerator.set_device_index(local_rank)  # before all else, or all allocate on device 0
        device = torch.device(torch.accelerator.current_accelerator().type, local_rank)
    dist.init_process_group(dist.get_default_backend_for_device(device))
    replica = DistributedDataParallel(model.to(device))  # starts everywhere from the weights of rank 0
    optimizer = torch.optim.AdamW(replica.parameters(), lr=1e-3)
    sampler = DistributedSampler(dataset)
    loader = DataLoader(dataset, batch_size=32, sampler=sampler)  # 32 a process; the sampler shuffles
    for epoch in range(10):
        sampler.set_epoch(epoch)  # without it every epoch has the order of the first
        replica.train()
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimizer.zero_grad()
            # Call the replica, not the model in it: only its forward has backward average the gradients.
            criterion(replica(inputs), targets).backward()
            optimizer.step()
        if dist.get_rank() == 0:
            torch.save(model.state_dict(), "model.pt")  # the model's own names, without `module.`
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
