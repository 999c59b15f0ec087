"""What a module sees of layers in a list, in a ModuleList and in a ModuleDict."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


class Net(nn.Module):
    def __init__(self, container):
        super().__init__()
        self.layers = container


pairs = {"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)}
for container in (list(pairs.values()), nn.ModuleList(pairs.values()), nn.ModuleDict(pairs)):
    net = Net(container).eval()
    reached = not pairs["a"].training  # did eval() arrive?
    print(f"{type(container).__name__:10} eval() arrives: {reached!s:5} keys: {list(net.state_dict())}")
    assert reached is isinstance(container, nn.Module) and len(list(net.parameters())) == 4 * reached
    pairs["a"].train()

blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(6)).to(device)
x = torch.randn(2, 4, device=device)
for block in blocks:  # the loop is yours
    x = x + block(x)
try:
    blocks(x)
except NotImplementedError as error:
    print("calling it:", error)
else:
    raise AssertionError("a ModuleList was called")
assert isinstance(blocks[:3], nn.ModuleList) and blocks[-1] is blocks[5]
shared = nn.ModuleList([nn.Linear(4, 4)] * 3)
assert len(list(shared.parameters())) == 2 and len(shared.state_dict()) == 6
weights = nn.ParameterList([torch.ones(2), 3.0])  # a tensor is wrapped, a number only kept
assert [name for name, _ in weights.named_parameters()] == ["0"] and weights[1] == 3.0
