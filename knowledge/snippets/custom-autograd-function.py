"""A custom Function that saves one tensor where autograd saves two, and the checks that prove it right."""

import torch
from torch.autograd import Function, gradcheck, gradgradcheck

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


class Swish(Function):  # x * sigmoid(x); backward computes the sigmoid again instead of keeping it
    @staticmethod
    def forward(x):
        assert not torch.is_grad_enabled()  # nothing in here is recorded
        return x * x.sigmoid()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return grad * s * (1 + x * (1 - s))


def saved(function):  # how many different tensors the graph of this call keeps
    kept = set()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.add(t.data_ptr()), t)[1], lambda t: t):
        function(torch.ones(5, device=device, requires_grad=True))
    return len(kept)


x = torch.randn(5, dtype=torch.float64, requires_grad=True)
assert gradcheck(Swish.apply, x) and gradgradcheck(Swish.apply, x)
print("tensors kept: x * sigmoid(x)", saved(lambda x: x * x.sigmoid()), "| Swish", saved(Swish.apply))
assert saved(lambda x: x * x.sigmoid()) == 2 and saved(Swish.apply) == 1
Swish.backward = staticmethod(lambda ctx, grad: grad * ctx.saved_tensors[0].sigmoid())  # a wrong one
assert not gradcheck(Swish.apply, x, raise_exception=False)
