#!/bin/sh
# Runs on a machine with a GPU, whose torch has CUDA, what only that can tell, and prints figures of runs.
#   tests/device/on_gpu.sh [PYTHON]
# PYTHON has torch and the development tools of this project (`make install`); by default that of .venv.
set -u
cd "$(dirname "$0")/../.." || exit 2
python="${1:-.venv/bin/python}"
export PYTHONPATH=server

"$python" -c '
import torch
torch.cuda.is_available() or exit("torch finds no CUDA device here")
print("torch", torch.__version__, "on", torch.cuda.get_device_name(0))' || exit 2
"$python" -m torchlore doctor --interpreter "$python"
"$python" -m pytest -rA -s tests/device/test_device_cuda.py \
    tests/device/test_device_crew.py::test_the_parent_has_no_accelerator_open
status=$?
"$python" -m tests.perf --only runs
exit "$status"
