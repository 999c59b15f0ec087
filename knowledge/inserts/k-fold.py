# /// torchlore
# title = "K-fold cross-validation"
# description = "Every sample validates once; each fold starts from the same weights with a new optimizer."
# card = "samplers-and-splits"
# imports = ["import copy", "import torch", "from torch.utils.data import DataLoader, Subset"]
# [holes]
# model = "Module"
# dataset = "Dataset"
# criterion = "Loss"
# device = "Device"
# ///
folds = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0)).tensor_split(5)
scores = []
for number, held_out in enumerate(folds):
    rest = torch.cat([fold for other, fold in enumerate(folds) if other != number])
    train_loader = DataLoader(Subset(dataset, rest.tolist()), batch_size=64, shuffle=True)
    val_loader = DataLoader(Subset(dataset, held_out.tolist()), batch_size=256)
    candidate = copy.deepcopy(model)  # going on with one model would validate on what it was trained on
    optimizer = torch.optim.AdamW(candidate.parameters(), lr=1e-3)
    for _ in range(10):
        candidate.train()
        for inputs, targets in train_loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimizer.zero_grad()
            criterion(candidate(inputs), targets).backward()
            optimizer.step()

    candidate.eval()
    correct = torch.zeros((), dtype=torch.int64, device=device)
    with torch.inference_mode():
        for inputs, targets in val_loader:
            correct += (candidate(inputs.to(device)).argmax(dim=1) == targets.to(device)).sum()
    scores.append(correct.item() / len(held_out))
spread = torch.tensor(scores).std().item()
print(f"accuracy {sum(scores) / len(scores):.1%}, standard deviation between folds {spread:.1%}")
