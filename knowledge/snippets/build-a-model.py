"""The whole path: data, model, loss, optimizer, training loop, held-out accuracy."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")

points = torch.randn(600, 1, 2, 2)  # 600 tiny images of one channel
labels = (points.sum((1, 2, 3)) > 0).long()  # class indices: int64, not one-hot
train = DataLoader(TensorDataset(points[:400], labels[:400]), batch_size=32, shuffle=True)
test = DataLoader(TensorDataset(points[400:], labels[400:]), batch_size=100)


@torch.no_grad()
def accuracy(model):
    model.eval()  # dropout off; no_grad above is a different matter
    hits = sum((model(x.to(device)).argmax(dim=1) == y.to(device)).sum().item() for x, y in test)
    return hits / len(test.dataset)


layers = [nn.Flatten(), nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2)]
model = nn.Sequential(*layers).to(device)  # ends in logits: the loss has the softmax in it
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
print("untrained accuracy", accuracy(model))
for epoch in range(8):
    model.train()  # accuracy() left the model in eval mode
    for x, y in train:
        optimizer.zero_grad()
        loss = loss_fn(model(x.to(device)), y.to(device))
        loss.backward()
        optimizer.step()
print("held-out accuracy", accuracy(model), "last loss", round(loss.item(), 3))
assert accuracy(model) > 0.95
assert torch.flatten(points).shape == (2400,) and torch.flatten(points, 1).shape == (600, 4)
