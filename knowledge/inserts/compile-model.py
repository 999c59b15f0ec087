# /// torchlore
# title = "Compile the model"
# description = "In place: the names in the state_dict stay, and no reference to the slow model is left."
# card = "torch-compile"
# imports = []
# [holes]
# model = "Module"
# ///
# torch.compile(model) gives a second module, whose state_dict begins every name with `_orig_mod.`. In place,
# the model needs a forward of its own: of one of torch's classes (a bare nn.Sequential) nothing is compiled.
model.compile()
# The first call compiles, and so does the first of another dtype, of train() after eval(), of another shape
# (drop_last=True keeps a short last batch away): leave them out when you measure. What hinders it is told by
# TORCH_LOGS=graph_breaks,recompiles python train.py
