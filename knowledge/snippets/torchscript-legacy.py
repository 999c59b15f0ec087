"""Tracing keeps one branch, scripting keeps both; both are deprecated."""

import io
import warnings

import torch


def double_if_positive(x):
    return x * 2 if x.sum() > 0 else x


def add_rows(x):
    for _ in range(x.shape[0]):
        x = x + 1
    return x


minus = -torch.ones(2)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    traced = torch.jit.trace(double_if_positive, torch.ones(2))
    scripted = torch.jit.script(double_if_positive)
    loop = torch.jit.trace(add_rows, torch.zeros(2, 1))
    torch.jit.save(scripted, file := io.BytesIO()), file.seek(0)
    loaded = torch.jit.load(file)
for text in sorted({str(w.message).split(". ")[0] for w in seen}):
    print("-", text)
assert sum("is deprecated" in str(w.message) for w in seen) >= 4
print("eager", double_if_positive(minus).tolist(), "traced", traced(minus).tolist())
assert traced(minus).tolist() == [-2, -2] and scripted(minus).tolist() == loaded(minus).tolist() == [-1, -1]
assert loop(torch.zeros(4, 1)).max() == 2 and add_rows(torch.zeros(4, 1)).max() == 4  # unrolled for 2 rows
