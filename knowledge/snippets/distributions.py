"""rsample and log_prob estimate one gradient with different variance; shapes, logits, KL and REINFORCE."""

import torch
from torch.distributions import Bernoulli, Categorical, Independent, Normal, kl_divergence

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")

# d/dm E[x^2] = 2m for x ~ N(m, 1): two estimators from 100 000 single samples, at m = 1.
mean = torch.ones(100_000, device=device, requires_grad=True)
normal = Normal(mean, torch.ones_like(mean))
path = torch.autograd.grad(normal.rsample().square().sum(), mean)[0]
x = normal.sample()
score = torch.autograd.grad((normal.log_prob(x) * x.square()).sum(), mean)[0]
for name, estimate in (("rsample", path), ("log_prob", score)):
    print(f"{name:9} mean {estimate.mean():.2f} standard deviation {estimate.std():.2f}")
assert (path.mean() - score.mean()).abs() < 0.1 and path.std() < score.std() / 2 and not x.requires_grad

batch = Normal(torch.zeros(3, 2, device=device), 1.0)
print(
    "log_prob", batch.log_prob(x[:2]).shape, "with Independent", Independent(batch, 1).log_prob(x[:2]).shape
)
assert batch.log_prob(x[:2]).shape == (3, 2) and Independent(batch, 1).log_prob(x[:2]).shape == (3,)

# Unlabelled numbers are probabilities, not logits.
assert torch.allclose(Categorical(torch.tensor([1.0, 3.0])).probs, torch.tensor([0.25, 0.75]))
assert torch.allclose(Categorical(logits=torch.tensor([1.0, 3.0])).probs[1], torch.tensor(0.8808), atol=1e-4)
assert Bernoulli(logits=torch.tensor(100.0)).log_prob(torch.tensor(0.0)) == -100

# REINFORCE: reward for action 2 only; its probability grows.
logits = torch.zeros(4, device=device, requires_grad=True)
optimizer = torch.optim.SGD([logits], lr=0.5)
for _ in range(200):
    policy = Categorical(logits=logits)
    actions = policy.sample((32,))
    loss = -(policy.log_prob(actions) * (actions == 2)).mean()
    optimizer.zero_grad(), loss.backward(), optimizer.step()
print("policy:", [round(p, 2) for p in Categorical(logits=logits).probs.tolist()])
assert policy.probs[2] > 0.9 and kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0)) == 0.5
