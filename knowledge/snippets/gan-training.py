"""A GAN that learns a normal distribution; whose gradients flow where; why the loss is non-saturating."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1)).to(device)
disc = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)).to(device)
g_optimizer, d_optimizer = (
    torch.optim.Adam(m.parameters(), 1e-3, betas=(0.5, 0.999)) for m in (generator, disc)
)

for step in range(801):
    real = 3 + 0.5 * torch.randn(128, 1, device=device)
    fake = generator(torch.randn(128, 4, device=device))
    d_loss = F.softplus(-disc(real)).mean() + F.softplus(disc(fake.detach())).mean()
    d_optimizer.zero_grad()
    d_loss.backward()
    assert step or all(p.grad is None for p in generator.parameters())  # detach kept them out
    d_optimizer.step()
    g_loss = F.softplus(-disc(fake)).mean()
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    if step % 200 == 0:
        print(f"{step:4}: losses {d_loss:.2f} {g_loss:.2f}, samples {fake.mean():5.2f} ± {fake.std():.2f}")
assert abs(fake.mean() - 3) < 0.4 and d_loss > 1.2  # nearly 2 ln 2: they cannot be told apart

sure = torch.tensor([-8.0], requires_grad=True)  # the discriminator is certain that a sample is fake
learns, stuck = (
    torch.autograd.grad(f(sure).sum(), sure)[0] for f in (lambda x: F.softplus(-x), lambda x: -F.softplus(x))
)
print(f"gradient at a logit of -8: non-saturating {learns.item():.4f}, minimax {stuck.item():.4f}")
assert learns < -0.99 and stuck > -0.001
x, ones = torch.randn(8), torch.ones(8)
torch.testing.assert_close(F.soft_margin_loss(x, ones), F.binary_cross_entropy_with_logits(x, ones))
torch.testing.assert_close(F.soft_margin_loss(x, -ones), F.binary_cross_entropy_with_logits(x, 0 * ones))
