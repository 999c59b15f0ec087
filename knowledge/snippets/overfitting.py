"""Early stopping on a model that overfits: the loss tells it, accuracy does not; decay, and more data."""

import torch
from torch import nn
from torch.nn import functional as F

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def samples(n, seed):  # 3 of 20 features matter, and labels are noisy
    torch.manual_seed(seed)
    x = torch.randn(n, 20)
    return x.to(device), torch.bernoulli((2 * x[:, 0] - 2 * x[:, 1] + x[:, 2]).sigmoid()).long().to(device)


@torch.no_grad()
def validate(model):  # loss, accuracy
    return F.cross_entropy(out := model(val_x), val_y).item(), (out.argmax(1) == val_y).float().mean().item()


def train(n, decay=0.0):
    x, y = samples(n, seed=1)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=decay)
    best = (torch.inf,)
    for _ in range(400):
        optimizer.zero_grad(), F.cross_entropy(model(x), y).backward(), optimizer.step()
        if (now := validate(model)) < best:
            best, kept = now, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)  # copies: state_dict() itself refers to the live weights
    assert validate(model) == best < now
    print(f"{n:5} samples, decay {decay}: best {best[0]:.3f} {best[1]:.3f}, last {now[0]:.3f} {now[1]:.3f}")
    return best, now


val_x, val_y = samples(500, seed=0)
(plain, end), (_, decayed), (more, _) = train(100), train(100, decay=5.0), train(1000)
assert end[0] > 2 * plain[0] and abs(end[1] - plain[1]) < 0.05  # the loss doubles, accuracy stays
assert decayed[0] < end[0] / 2 and more[0] < plain[0]
