"""REINFORCE in a corridor: what a baseline does to the variance of the gradient, and a policy that learns."""

import torch

torch.manual_seed(0)
cells, batch = 8, 32  # a table is as good as a network here, and the CPU as a GPU


def play():  # steps of -1, +10 at the right end; (T, B): states, actions, rewards to go, who lives
    state, alive, record = torch.zeros(batch).long(), torch.ones(batch), []
    for _ in range(20):
        action = torch.distributions.Categorical(logits=logits[state]).sample()  # records no graph
        done = ((state == cells - 2) & (action == 1)).float()
        record.append((state, action, alive * (10 * done - 1), alive))
        state, alive = (state + 2 * action - 1).clamp(0, cells - 2), alive * (1 - done)
    states, actions, rewards, living = map(torch.stack, zip(*record))
    return states, actions, rewards.flip(0).cumsum(0).flip(0), living


def gradient(states, actions, weight, living):
    log_prob = torch.distributions.Categorical(logits=logits[states]).log_prob(actions)
    return torch.autograd.grad(-(log_prob * weight * living).sum() / batch, logits)[0]


logits = torch.zeros(cells - 1, 2, requires_grad=True)
plays, spread, optimizer = [play() for _ in range(100)], {}, torch.optim.Adam([logits], lr=0.1)
state, _, to_go, living = map(torch.stack, zip(*plays))
value = torch.stack([to_go[(state == cell) & (living == 1)].mean() for cell in range(cells - 1)])
weighings = {"whole": lambda s, g: g[:1], "to go": lambda s, g: g, "minus value": lambda s, g: g - value[s]}
for name, weigh in weighings.items():
    grads = torch.stack([gradient(s, a, weigh(s, g), m) for s, a, g, m in plays])
    spread[name] = grads.std(0).norm().item()
    print(f"{name:12} gradient {grads.mean(0).norm():.1f} ± {spread[name]:.1f}")
assert spread["whole"] > 1.5 * spread["to go"] > 2 * spread["minus value"]
for s, a, g, m in (play() for _ in range(40)):
    logits.grad = gradient(s, a, g - value[s], m)
    optimizer.step()
print(f"mean return at first {plays[0][2][0].mean():.1f}, after 40 updates {g[0].mean():.1f} of 3")
assert g[0].mean() > 0 > plays[0][2][0].mean()
