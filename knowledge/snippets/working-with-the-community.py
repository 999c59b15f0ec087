"""A bug report that others can run: it fails by assertion in a fresh process; one change shows the cause."""

import subprocess
import sys

import torch

REPORT = """
import torch
torch.manual_seed(0)
x = torch.randn(1000, dtype=torch.DTYPE) + 3000
variance = x.square().mean() - x.mean() ** 2
torch.testing.assert_close(variance, x.var(unbiased=False))
"""


def last_line(dtype):
    """What somebody else sees of the script, in a process of their own; "" if it does not fail."""
    script = REPORT.replace("DTYPE", dtype)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return next((line for line in done.stderr.splitlines() if line.startswith("Absolute difference")), "")


print("torch", torch.__version__, "| CUDA", torch.version.cuda, "| ROCm", torch.version.hip)
print("commit", torch.version.git_version[:10], "|", torch.__config__.show().splitlines()[1].strip(" -"))
failure = last_line("float32")
print("expected: equal variances; got:", failure)
assert failure and failure == last_line("float32")  # seeded: everybody sees the same
assert last_line("float64") == ""  # so it is cancellation, not the operator

assert torch.__version__ >= "2.9" and torch.__version__ >= (2, 9)  # compares as a version,
assert not "2.13.0" >= "2.9"  # which text does not
