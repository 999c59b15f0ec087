# /// torchlore
# title = "Custom autograd function"
# description = "A backward of your own, checked against finite differences, that can be differentiated."
# card = "custom-autograd-function"
# imports = ["import torch", "from typing import Any"]
# ///
class SquaredReLU(torch.autograd.Function):
    """scale * relu(x)², which keeps x alone for backward; call it as SquaredReLU.apply(x, scale)."""

    @staticmethod
    def forward(x: torch.Tensor, scale: float) -> torch.Tensor:
        return scale * x.clamp(min=0).square()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, float], output: torch.Tensor) -> None:
        x, ctx.scale = inputs
        ctx.save_for_backward(x)  # a tensor as an attribute could leak, and changes in place go unseen

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor, None]:
        (x,) = ctx.saved_tensors
        return grad_output * ctx.scale * 2 * x.clamp(min=0), None  # one for each argument of forward


# In float64: single precision is too coarse for finite differences.
example = torch.randn(8, dtype=torch.float64, requires_grad=True)
torch.autograd.gradcheck(SquaredReLU.apply, (example, 3.0))
torch.autograd.gradgradcheck(SquaredReLU.apply, (example, 3.0))
