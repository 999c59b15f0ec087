"""Export to ONNX with a symbolic batch; where the packages are missing, what the exporter starts from."""

import importlib.util
import inspect
import logging

import torch
from torch import nn

logging.disable(logging.WARNING)  # the exporter lists optional packages that it does not find
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5)).eval()
example, shapes = (torch.randn(2, 3),), ({0: torch.export.Dim("batch")},)

parameters = inspect.signature(torch.onnx.export).parameters
assert parameters["dynamo"].default is True and parameters["external_data"].default is True
assert not torch.onnx.is_in_onnx_export()


def operators(graph):
    return [node.target.__name__ for node in graph.nodes if node.op == "call_function"]


captured = torch.export.export(model, example, dynamic_shapes=shapes)  # the exporter's first step
print("captured:", operators(captured.graph))
assert captured.module()(torch.ones(5, 3)).shape == (5, 4)
if importlib.util.find_spec("onnxscript"):
    program = torch.onnx.export(model, example, input_names=["x"], dynamic_shapes=shapes, verbose=False)
    print("in ONNX:", [node.op_type for node in program.model_proto.graph.node])
    assert [node.op_type for node in program.model_proto.graph.node] == ["Gemm", "Relu"]
    assert program.model_proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
else:
    try:
        torch.onnx.export(model, example, dynamic_shapes=shapes, verbose=False)
    except ModuleNotFoundError as error:
        print("to go on: pip install onnx onnxscript |", error)
    else:
        raise AssertionError("exported without onnxscript")
