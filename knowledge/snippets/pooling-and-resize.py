"""Pooling and resizing as numbers: windows, borders, aliasing, corners."""

import torch
import torch.nn.functional as F

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close
x = torch.arange(16.0, device=device).view(1, 1, 4, 4)
assert F.max_pool2d(x, 2).flatten().tolist() == [5, 7, 13, 15]
assert F.avg_pool2d(x, 2).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
close(F.adaptive_avg_pool2d(x, 1), x.mean((2, 3), keepdim=True))
assert [F.max_pool2d(x.new_ones(1, 1, 7, 7), 2, ceil_mode=c).shape[-1] for c in (False, True)] == [3, 4]
corner = F.avg_pool2d(torch.ones_like(x), 3, 1, 1)[0, 0, 0, 0]
close(corner, x.new_tensor(4 / 9))  # padded zeros count in the average, and -inf never wins a maximum:
assert (F.max_pool2d(-torch.ones_like(x), 3, 1, 1) == -1).all()
five = torch.arange(5.0, device=device).view(1, 1, 5)
assert F.adaptive_avg_pool1d(five, 3).flatten().tolist() == [0.5, 2, 3.5]  # windows [0,2) [1,4) [3,5)
equal = torch.ones(1, 1, 2, 2, device=device, requires_grad=True)
assert torch.autograd.grad(F.max_pool2d(equal, 2), equal)[0].flatten().tolist() == [1, 0, 0, 0]

stripes = torch.zeros(1, 1, 64, 64, device=device)
stripes[..., ::4] = 1
print(f"stripes of mean {stripes.mean():.2f}, shrunk to a quarter")
for mode, antialias in (("nearest", False), ("bilinear", False), ("bilinear", True), ("area", False)):
    mean = F.interpolate(stripes, scale_factor=0.25, mode=mode, antialias=antialias).mean().item()
    print(f"  {mean:.2f} {mode}", "with antialias" * antialias)
assert mean == 0.25
pair = torch.tensor([[[0.0, 1.0]]], device=device)
for corners, expected in ((False, [0, 1 / 4, 3 / 4, 1]), (True, [0, 1 / 3, 2 / 3, 1])):
    close(F.interpolate(pair, size=4, mode="linear", align_corners=corners), x.new_tensor([[expected]]))
assert F.interpolate(five, size=3).flatten().tolist() == [0, 1, 3]
assert F.interpolate(five, size=3, mode="nearest-exact").flatten().tolist() == [0, 2, 4]
shift = torch.tensor([[[1.0, 0, 0.5], [0, 1, 0]]], device=device)  # reads half a width further right
moved = F.grid_sample(x, F.affine_grid(shift, x.shape, align_corners=False), align_corners=False)
close(moved[0, 0, 0], x.new_tensor([1, 2, 3, 0]))
