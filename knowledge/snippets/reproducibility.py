"""What a seed fixes and what it does not: streams, order of draws, sums, deterministic algorithms."""

import torch
from torch import nn
from torch.utils.data import DataLoader

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def train(seed):
    torch.manual_seed(seed)
    model, x = nn.Linear(8, 1).to(device), torch.randn(64, 8, device=device)
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(20):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    return model.weight.detach().cpu()


assert train(0).equal(train(0)) and not train(0).equal(train(1))  # bit for bit


def shuffled(draws_before, generator=None):
    torch.manual_seed(0)
    torch.rand(draws_before)  # as if somebody had added a layer to the model
    return [int(i) for i in DataLoader(range(8), batch_size=None, shuffle=True, generator=generator)]


print("order of data:", shuffled(0), "| with one more draw before it:", shuffled(1))
assert shuffled(0) != shuffled(1)  # one stream for everything
assert shuffled(0, torch.Generator().manual_seed(7)) == shuffled(1, torch.Generator().manual_seed(7))

state, first = torch.get_rng_state(), torch.rand(2)
assert (torch.set_rng_state(state), torch.rand(2))[1].equal(first)
assert torch.Generator().initial_seed() == torch.Generator().initial_seed()  # fresh ones are all alike
assert (
    torch.tensor([1e8, 1.0, -1e8]).sum() == 0 and torch.tensor([1e8, -1e8, 1.0]).sum() == 1
)  # order of sums
