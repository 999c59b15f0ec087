# /// torchlore
# title = "Seed everything"
# description = "Seed Python, NumPy and torch; DataLoader workers derive their seeds from torch's."
# card = "reproducibility"
# imports = ["import random", "import numpy as np", "import torch"]
# ///
def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # the CPU and every accelerator


seed_everything(0)
# For bit-identical runs on one machine, at a cost in speed, also choose deterministic kernels
# (with CUDA, set CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment before Python starts):
# torch.use_deterministic_algorithms(True)
