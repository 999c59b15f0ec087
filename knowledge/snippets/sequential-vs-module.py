"""Sequential is a Module with a ready-made forward: same layers, same numbers, other parameter names."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 3), nn.Linear(3, 1)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))  # the ReLU is a call, not a child


chain = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)).to(device)
net, x = Regressor().to(device), torch.randn(8, 4, device=device)
assert all(issubclass(kind, nn.Module) for kind in (nn.Sequential, nn.Conv2d, nn.Linear))
print("names:", list(chain.state_dict()), "against", list(net.state_dict()))

assert not torch.allclose(net(x), chain(x))  # the same architecture, two random initialisations
net.load_state_dict(dict(zip(net.state_dict(), chain.state_dict().values())))
torch.testing.assert_close(net(x), chain(x))  # the same weights, the same numbers

chopped = nn.Sequential(*net.children())  # loses the functional ReLU, and nothing is raised
assert not torch.allclose(chopped(x), net(x))
print("largest error of the chopped model:", (chopped(x) - net(x)).abs().max().item())

assert [name for name, _ in net.named_modules()] == ["", "fc1", "fc2"]
assert chain.get_submodule("0") is chain[0] is chain[:2][0] and isinstance(chain[:2], nn.Sequential)
shared = nn.Sequential(chain[0], nn.ReLU(), chain[0])
assert len(shared) == 3 and len(list(shared.children())) == 2 and len(list(shared.parameters())) == 2
chain.insert(1, nn.Dropout())  # everything behind it gets a new name
assert list(chain.state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]
assert nn.Sequential()(x) is x
