# /// torchlore
# title = "Train the head alone"
# description = "Freeze a backbone, its BatchNorm statistics too, and give the optimizer only the head."
# card = "freeze-and-finetune"
# imports = ["import torch"]
# [holes]
# backbone = "Module"
# head = "Module"
# ///
backbone.requires_grad_(False)  # no gradients: backward ends at the head, which saves time and memory
# Statistics and dropout follow the mode, not requires_grad: say this again after each train() of the whole.
backbone.eval()
head.train()
optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3)
