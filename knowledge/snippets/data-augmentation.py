"""Random shifts teach what data does not show; flips that move the mask; mixup with soft targets."""

import torch
from torch import nn
from torch.distributions import Beta
from torch.nn import functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def shifted(images):  # a draw for each image
    return torch.stack([i.roll(torch.randint(-3, 4, (2,)).tolist(), (-2, -1)) for i in images])


def pictures(n):  # two bars, a square and a diagonal, somewhere, under noise
    shapes = torch.zeros(4, 12, 12)
    shapes[0, 4:8, 5] = shapes[1, 5, 4:8] = shapes[2, 4:8, 4:8] = shapes[3, range(4, 8), range(4, 8)] = 1
    labels = torch.randint(4, (n,))
    return shifted(shapes[labels] + 0.3 * torch.randn(n, 12, 12)).to(device), labels.to(device)


(x, y), (val_x, val_y), accuracy = pictures(40), pictures(500), {}
for name, augment in (("as they are", lambda images: images), ("shifted", shifted)):
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 4)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        loss = F.cross_entropy(model(augment(x)), y)  # training only
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    accuracy[name] = (model(val_x).argmax(1) == val_y).float().mean().item()
    print(f"{name:12} training loss {loss:.3f}, validation accuracy {accuracy[name]:.2f}")
assert accuracy["shifted"] > accuracy["as they are"] + 0.2
image, logits, other, weight = x[0], model(x), torch.randperm(40), Beta(0.2, 0.2).sample().to(device)
assert torch.fliplr(x[:1]).equal(x[:1].flip(1)) and not torch.fliplr(x[:1]).equal(x[:1].flip(-1))  # (C, H, W)
mask = (image > 0.5).long()
assert mask.flip(-1).equal((image.flip(-1) > 0.5).long())  # image and mask moved alike
soft = F.one_hot(y[other], 4).float().lerp(F.one_hot(y, 4).float(), weight)
both = weight * F.cross_entropy(logits, y) + (1 - weight) * F.cross_entropy(logits, y[other])
torch.testing.assert_close(F.cross_entropy(logits, soft), both)
