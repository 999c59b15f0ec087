# /// torchlore
# title = "Print the shape after each layer"
# description = "Hooks that are always removed; the last line before an error says which layer raised it."
# card = "hooks"
# imports = ["import functools", "import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# device = "Device"
# ///
def print_shape(name: str, module: torch.nn.Module, arguments: tuple, output: object) -> None:
    shown = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
    print(f"{name:32} {type(module).__name__:20} {shown}")


layers = [(name, module) for name, module in model.named_modules() if not list(module.children())]
handles = [module.register_forward_hook(functools.partial(print_shape, name)) for name, module in layers]
model.eval()  # in training mode this batch would move the statistics of BatchNorm
try:
    with torch.inference_mode():
        model(next(iter(loader))[0].to(device))
finally:
    for handle in handles:
        handle.remove()  # a hook that stays prints in every later forward
