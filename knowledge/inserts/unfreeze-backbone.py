# /// torchlore
# title = "Unfreeze and fine-tune"
# description = "Train a frozen backbone too, at a lower rate: the optimizer must be given its parameters."
# card = "freeze-and-finetune"
# imports = []
# [holes]
# backbone = "Module"
# optimizer = "Optimizer"
# ///
backbone.requires_grad_(True)
backbone.train()
# A parameter that no group holds would never move. Build the scheduler anew after this: one that exists
# has as many rates as there were groups.
rate = optimizer.param_groups[0]["lr"] / 10  # what is pretrained needs small steps
optimizer.add_param_group({"params": list(backbone.parameters()), "lr": rate})
