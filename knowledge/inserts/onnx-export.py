# /// torchlore
# title = "Export to ONNX"
# description = "Export in evaluation mode with a batch of any size; needs `pip install onnx onnxscript`."
# card = "onnx-export"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# device = "Device"
# ///
inputs = next(iter(loader))[0].to(device)  # two samples or more: a batch of one would be taken for fixed
model.eval()  # what dropout and BatchNorm do now is what the file will do
torch.onnx.export(
    model,
    (inputs,),
    "model.onnx",
    input_names=["inputs"],
    output_names=["outputs"],
    dynamic_shapes=({0: torch.export.Dim("batch")},),  # one entry for each argument of forward
    external_data=False,  # weights in the same file, which may have 2 GB
)
