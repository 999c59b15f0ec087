# /// torchlore
# title = "Weight decay without norms and biases"
# description = "AdamW decays the matrices; biases and the scales of norms are left alone."
# card = "optimizers"
# imports = ["import torch"]
# [holes]
# model = "Module"
# ///
# What has one dimension adds or scales: pulled towards 0 it loses its use and overfits no less.
trained = [p for p in model.parameters() if p.requires_grad]
groups = [
    {"params": [p for p in trained if p.ndim >= 2], "weight_decay": 0.1},
    {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=1e-3)
