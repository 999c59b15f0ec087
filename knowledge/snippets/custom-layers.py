"""What a custom layer registers, what it silently does not, and that autograd needs no help."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


class Affine(nn.Module):
    def __init__(self, width_in, width_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width_out, width_in))
        self.register_parameter("bias", None)  # a declared slot without a tensor
        self.scale = nn.Buffer(torch.tensor(2.0))
        self.scratch = nn.Buffer(torch.zeros(1), persistent=False)
        self.lost = nn.Parameter(torch.ones(1)).double()  # an operation: no longer a parameter
        self.hidden = [nn.Parameter(torch.ones(1))]  # a list hides it
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def forward(self, x):
        return self.scale * F.linear(x, self.weight, self.bias)


layer = Affine(3, 2).to(device)
assert [name for name, _ in layer.named_parameters()] == ["weight"] and layer.bias is None
assert list(layer.state_dict()) == ["weight", "scale"] and type(layer.lost) is torch.Tensor
assert layer.weight.abs().max() <= 1 / 3**0.5 and layer.weight.device.type == device.type
x = torch.randn(5, 6, 3, device=device)
torch.testing.assert_close(layer(x), 2 * (x @ layer.weight.T))  # leading dimensions are batch
layer(x).sum().backward()
assert layer.weight.grad is not None and layer.scale.grad is None
exact = [torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
assert torch.autograd.gradcheck(F.linear, exact)
print("saved:", list(layer.state_dict()), "| output", tuple(layer(x).shape))
