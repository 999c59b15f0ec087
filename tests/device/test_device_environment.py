"""Which variables a snippet gets to see."""

from __future__ import annotations

import pytest
from torchlore.device.environment import cleaned, for_device

REMOVED = """
GITHUB_TOKEN HF_TOKEN MY_API_KEY aws_secret_access_key AWS_PROFILE WANDB_API_KEY Db_Password NPM_CONFIG__AUTH
SSH_AUTH_SOCK DATABASE_URL SENTRY_DSN KUBECONFIG OPENAIAPIKEY PASSWORD API_KEY_FILE
PYTHONPATH PYTHONSTARTUP PYTHONHOME PYTHONBREAKPOINT PYTHONUSERBASE TORCH_LOGS TORCH_LOGS_OUT
"""

KEPT = """
PATH HOME LANG LD_LIBRARY_PATH CUDA_HOME CUDA_VISIBLE_DEVICES TMPDIR VIRTUAL_ENV PWD OLDPWD OMP_NUM_THREADS
TORCH_HOME HF_HOME KEYBOARD MONKEYS TOKENIZERS_PARALLELISM DISPLAY PASSAGE
"""


@pytest.mark.parametrize("name", REMOVED.split())
def test_removed(name: str) -> None:
    assert cleaned({name: "value", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("name", KEPT.split())
def test_kept(name: str) -> None:
    assert cleaned({name: "value"}) == {name: "value"}


def test_addresses_with_a_password_are_removed() -> None:
    assert cleaned({"A": "https://me:secret@host/x", "B": "https://host:80/x", "C": "me@host"}) == {
        "B": "https://host:80/x",
        "C": "me@host",
    }


@pytest.mark.parametrize(
    ("device", "environ", "expected"),
    [
        (None, {}, {}),
        ("cuda", {}, {}),
        ("mps", {}, {}),
        ("cpu", {"CUDA_VISIBLE_DEVICES": "3"}, {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}),
        ("cuda:1", {}, {"CUDA_VISIBLE_DEVICES": "1"}),
        # What is hidden already stays hidden: `cuda:1` is the second of those that are visible.
        ("cuda:1", {"CUDA_VISIBLE_DEVICES": "4, GPU-8932f937"}, {"CUDA_VISIBLE_DEVICES": "GPU-8932f937"}),
        ("cuda:0", {"HIP_VISIBLE_DEVICES": "2"}, {"HIP_VISIBLE_DEVICES": "2"}),
        ("xpu:0", {}, {"ZE_AFFINITY_MASK": "0"}),
    ],
)
def test_hiding_devices(device: str | None, environ: dict[str, str], expected: dict[str, str]) -> None:
    assert for_device(device, environ) == expected
