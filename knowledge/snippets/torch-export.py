"""One whole graph with a symbolic batch size: what stays open, what became a constant."""

import io

import torch
from torch import fx, nn
from torch.export import Dim, export


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(2))
        self.drop = nn.Dropout(0.5)

    def forward(self, x, scale=1.0):
        for layer in self.layers:  # unrolled: Python runs while tracing
            x = layer(x)
        return self.drop(x) * scale


model, x = Model().eval(), torch.randn(7, 3)
example = torch.randn(4, 3)
program = export(model, (example, 2.0), dynamic_shapes={"x": {0: Dim("batch", max=64)}, "scale": None})
torch.export.save(program, file := io.BytesIO()), file.seek(0)
loaded = torch.export.load(file).module()
print(program.graph_module.code.strip())
assert [n.target.__name__ for n in program.graph.nodes if n.op == "call_function"].count(
    "linear.default"
) == 2
torch.testing.assert_close(loaded(x, 2.0), model(x, 2.0))  # 7 rows, though traced with 4
for refused in ((torch.ones(65, 3), 2.0), (x, 3.0)):
    try:
        loaded(*refused)
    except AssertionError as error:
        print(error)
    else:
        raise SystemExit("accepted")
assert [n.op for n in fx.symbolic_trace(model).graph.nodes].count("call_module") == 3  # fx keeps modules
