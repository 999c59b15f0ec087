"""Windows as views, a leak measured on a random walk, and a state that is carried without its graph."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")

series = torch.arange(20.0, device=device).view(10, 2)
cuts = series.unfold(0, 4, 1)
assert cuts.shape == (7, 2, 4) and cuts.data_ptr() == series.data_ptr()  # a view
assert cuts.movedim(-1, 1)[1].equal(series[1:5])  # (window, time, feature)

walk, past, ahead = torch.randn(1200, device=device).cumsum(0), 32, 16  # nothing to be learnt
windows = walk.unfold(0, past + ahead, 1)
order, cut = torch.randperm(len(windows), device=device), len(windows) * 4 // 5


def error(train, val):  # the forecast of the most similar training window
    nearest = torch.cdist(val[:, :past], train[:, :past]).argmin(1)
    return (train[nearest, -1] - val[:, -1]).square().mean().sqrt().item()


naive = (windows[cut:, past - 1] - windows[cut:, -1]).square().mean().sqrt().item()
leaky = error(windows[order[:cut]], windows[order[cut:]])
honest = error(windows[: cut - past - ahead], windows[cut:])
print(f"errors: last value {naive:.1f}, windows split at random {leaky:.1f}, split by time {honest:.1f}")
assert leaky < naive < honest  # better than possible, and worse than doing nothing

rnn, x = nn.GRU(1, 4, batch_first=True).to(device), walk[:90].view(3, 30, 1)  # (batch, time, feature)
whole, last = rnn(x)
assert whole.shape == (3, 30, 4) and last.shape == (1, 3, 4)  # the state is never batch-first
h, outs = None, []
for chunk in x.split(10, dim=1):
    out, h = rnn(chunk, h)
    out.sum().backward()  # through this chunk alone
    h = h.detach()
    outs.append(out)
torch.testing.assert_close(torch.cat(outs, 1), whole)
