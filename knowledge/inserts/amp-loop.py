# /// torchlore
# title = "Mixed-precision training loop"
# description = "Autocast around forward and loss: bfloat16, or float16 with gradient scaling on older GPUs."
# card = "mixed-precision"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
device_type = torch.device(device).type
needs_float16 = device_type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
amp_dtype = torch.float16 if needs_float16 else torch.bfloat16
# One scaler for the whole run: it adapts its scale from step to step. bfloat16 has the range of float32
# and needs none; a disabled scaler passes everything through.
scaler = torch.amp.GradScaler(device_type, enabled=needs_float16)
for epoch in range(10):
    model.train()
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        with torch.autocast(device_type, dtype=amp_dtype):
            loss = criterion(model(inputs), targets)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)  # clipping must see the true gradients
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)
        scaler.update()
