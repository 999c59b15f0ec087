"""NumPy as an operator: one node for the compiler, with a gradient, and checked by opcheck."""

import numpy as np
import torch
from torch.library import custom_op, opcheck


@custom_op("torchlore_demo::np_sin", mutates_args=())
def np_sin(x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.sin(x.detach().cpu().numpy())).to(x.device)


try:
    torch.compile(np_sin, backend="eager", fullgraph=True)(torch.ones(2))
except torch._dynamo.exc.TorchRuntimeError as error:
    print("without a fake:", "no fake impl registered" in str(error))
np_sin.register_fake(torch.empty_like)
np_sin.register_autograd(
    lambda ctx, grad: grad * ctx.saved_tensors[0].cos(),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)

x = torch.randn(3, dtype=torch.float64, requires_grad=True)
print(opcheck(np_sin, (x,)))
assert torch.autograd.gradcheck(np_sin, x)
compiled = torch.compile(lambda x: np_sin(x) + 1, backend="eager", fullgraph=True)
torch.testing.assert_close(compiled(x), x.sin() + 1)


@custom_op("torchlore_demo::liar", mutates_args=())  # promises to leave its input alone
def liar(x: torch.Tensor) -> torch.Tensor:
    return x.add_(1).clone()


try:
    opcheck(liar, (torch.ones(2),), test_utils="test_schema")
except Exception as error:
    print(str(error).split("failed with ")[1].split(" (")[0])
    assert "not defined as mutable but was mutated" in str(error)
