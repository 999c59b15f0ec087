# /// torchlore
# title = "Initialise the weights"
# description = "He initialisation for ReLU, before the optimizer is made and pretrained weights are loaded."
# card = "weight-init"
# imports = ["import torch", "from torch import nn"]
# [holes]
# model = "Module"
# ///
def init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # keeps the size of the activations
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
        if module.padding_idx is not None:
            with torch.no_grad():
                module.weight[module.padding_idx].zero_()  # its gradient is 0: it would stay random


model.apply(init_weights)  # every submodule; a parameter of the model's own class is left as it is
