"""Complex tensors and FFTs: what rfft keeps, lengths, convolution, shared memory and gradients."""

import math

import torch

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.randn(8, device=device)
half = torch.fft.rfft(x)
assert half.shape == (5,) and torch.allclose(half, torch.fft.fft(x)[:5], atol=1e-6)
assert torch.allclose(torch.fft.irfft(half), x, atol=1e-6)
odd = x[:7]
print("7 samples come back as", len(torch.fft.irfft(torch.fft.rfft(odd))), "without n=7")
assert torch.allclose(torch.fft.irfft(torch.fft.rfft(odd), n=7), odd, atol=1e-6)
energy = torch.fft.fft(x, norm="ortho").abs().square().sum()
assert torch.allclose(energy, x.square().sum())

# A tone of 50 Hz, sampled at 400 Hz, is found at its frequency.
tone = torch.sin(2 * math.pi * 50 * torch.arange(400, device=device) / 400)
peak = torch.fft.rfftfreq(400, d=1 / 400)[torch.fft.rfft(tone).abs().argmax().item()]
print("peak of a 50 Hz tone:", peak.item())
assert peak == 50

kernel = torch.randn(3, device=device)
direct = torch.nn.functional.conv1d(x[None, None], kernel.flip(0)[None, None], padding=2).flatten()
product = torch.fft.irfft(torch.fft.rfft(x, 10) * torch.fft.rfft(kernel, 10), 10)  # 8 + 3 - 1
assert torch.allclose(product, direct, atol=1e-5)

z = torch.tensor([3 + 4j], device=device, requires_grad=True)
z.abs().square().sum().backward()
print("gradient of |z|^2 at 3+4j:", z.grad.item())
assert torch.allclose(z.grad, 2 * z.detach()) and z.detach().conj().is_conj()
torch.view_as_real(z.detach())[0, 1] = 0  # (…, 2), the same memory
assert z.imag == 0
window = torch.hann_window(400, device=device)
frames = torch.stft(tone, 400, hop_length=160, window=window, return_complex=True)
assert frames.shape == (201, 3) and frames.abs()[:, 1].argmax() == 50
