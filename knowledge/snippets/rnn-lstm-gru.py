"""LSTM: shapes, where the final states stand, the gates by hand, and how far a gradient reaches."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close
x = torch.randn(3, 4, 5, device=device)  # (batch, time, features)
lstm = nn.LSTM(5, 7, num_layers=2, bidirectional=True, batch_first=True).to(device)
output, (h_n, c_n) = lstm(x)
assert output.shape == (3, 4, 14) and h_n.shape == c_n.shape == (4, 3, 7)
forward, backward = h_n.view(2, 2, 3, 7)[-1]  # (layers, directions, batch, hidden)
close(output[:, -1, :7], forward)
close(output[:, 0, 7:], backward)  # the backward direction ends at the first step
assert not torch.allclose(output[:, -1, 7:], backward)

layer = nn.LSTM(5, 7, batch_first=True).to(device)
h = c = torch.zeros(3, 7, device=device)
for step in x.unbind(1):
    gates = step @ layer.weight_ih_l0.T + layer.bias_ih_l0 + h @ layer.weight_hh_l0.T + layer.bias_hh_l0
    i, f, g, o = gates.chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
close((h, c), tuple(state[0] for state in layer(x)[1]), atol=1e-4, rtol=1e-4)
sizes = [sum(p.numel() for p in kind(5, 7).parameters()) for kind in (nn.RNN, nn.GRU, nn.LSTM)]
print("parameters of RNN, GRU, LSTM:", sizes)
assert sizes == [98, 3 * 98, 4 * 98]
for name, bias in (("RNN", None), ("GRU", None), ("LSTM", None), ("LSTM", 3.0)):
    layer = getattr(nn, name)(8, 64, batch_first=True).to(device)
    if bias is not None:
        nn.init.constant_(layer.bias_ih_l0[64:128], bias)  # the forget gate
    x = torch.randn(16, 100, 8, device=device, requires_grad=True)
    (reach,) = torch.autograd.grad(layer(x)[0][:, -1].sum(), x)
    reach = reach[:, 0].double().norm()
    print(f"{name:4} forget bias {bias!s:4}: gradient at the first of 100 steps {reach:.0e}")
assert reach > 0.1
