# /// torchlore
# title = "Print the gradient of each parameter"
# description = "Between backward and step: which gradients vanish or explode, and who got none at all."
# card = "grad-attribute"
# imports = ["import torch"]
# [holes]
# model = "Module"
# ///
trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
reached = [(name, p) for name, p in trained if p.grad is not None]
# One copy from the device for all of them: .item() for each would wait as many times.
norms = [torch.stack((p.grad.norm(), p.detach().norm())) for _, p in reached]
for (name, _), (gradient, weight) in zip(reached, torch.stack(norms).tolist() if norms else []):
    print(f"{name:40} gradient {gradient:.1e}  weight {weight:.1e}")
# Unused in forward, cut off by a detach, or asked about before backward.
print("no gradient:", ", ".join(name for name, p in trained if p.grad is None) or "none")
