"""The environment variables that a snippet gets to see."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_SECRET = re.compile(
    r"(.*_)?(TOKENS?|KEYS?|APIKEY|PASS|PASSPHRASE|PASSWD|AUTH|COOKIE|PAT|PWD|DSN)"
    r"|(.*_)?(TOKEN|KEY)_.*"
    r"|.*(SECRET|PASSWORD|CREDENTIAL|APIKEY).*"
    r"|(AWS|HF|HUGGING_?FACE|AZURE|GCP|GOOGLE|GITHUB|GH|GITLAB|WANDB|OPENAI|ANTHROPIC|KAGGLE|COMET|NEPTUNE|TWINE)_.*"
    r"|SSH_AUTH_SOCK|SSH_AGENT_PID|GPG_AGENT_INFO|NETRC|PGPASSFILE|KUBECONFIG|DOCKER_CONFIG|DATABASE_URL",
)
_KEPT = frozenset({"PWD", "OLDPWD", "HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_HUB_OFFLINE"})
_CARRIES_PASSWORD = re.compile(r"://[^/@\s]+:[^/@\s]+@")

# `TORCH_LOGS=""` makes `import torch` fail; the others make torch talk, or wait for a debugger or other
# processes.
_BREAKS = re.compile(
    r"PYTHON.*|__PYVENV_LAUNCHER__|TORCH_LOGS.*|TORCH_TRACE|TORCH_SHOW_CPP_STACKTRACES|FORCE_COLOR"
)

_VISIBILITY = {
    "cuda": ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    "xpu": ("ZE_AFFINITY_MASK",),
}


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without secrets and without what breaks torch or changes how Python starts.

    Secrets are known by their names (`*_TOKEN`, `*_KEY`, `AWS_*`, `HF_*`, …; where data lies, as `HF_HOME`,
    is none) and by values that are addresses with a password. This is against accidents: a program of the
    user can read the user's files anyway.
    """
    return {name: value for name, value in environ.items() if _may_pass(name.upper(), value)}


def for_device(device: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that make a snippet use this device, though it knows nothing of them.

    A device is chosen by hiding the others, so that `torch.accelerator` and `torch.cuda.is_available()` lead
    there, as they would on a machine that has no other. `torch.set_default_device` is not used: it changes
    what correct code means (a `DataLoader` that shuffles then fails, because its generator is on the CPU).

    Args:
        device: "cpu", "cuda", "cuda:1", "xpu:0", "mps"; None to hide nothing. With an index, the snippet sees
            that one device alone, under the index 0. MPS and XPU have no variable that hides them: the agent
            does that inside torch.
        environ: the variables that are set, since they may hide devices already.
    """
    kind, _, index = (device or "").partition(":")
    if kind == "cpu":
        # CUDA documents the empty string, HIP an index that does not exist.
        return {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}
    if kind not in _VISIBILITY or not index:
        return {}
    variable = _variable(kind, environ)
    shown = visible(kind, environ)
    if shown and int(index) < len(shown):
        return {variable: shown[int(index)]}
    return {variable: index}


def visible(kind: str, environ: Mapping[str, str]) -> list[str] | None:
    """What is set to be visible of a kind of device, in its order; None where nothing is set."""
    value = environ.get(_variable(kind, environ))
    if value is None:
        return None
    return [part.strip() for part in value.split(",") if part.strip()]


def _variable(kind: str, environ: Mapping[str, str]) -> str:
    return next((name for name in _VISIBILITY[kind] if environ.get(name)), _VISIBILITY[kind][0])


def _may_pass(name: str, value: str) -> bool:
    if name in _KEPT:
        return True
    return not (_SECRET.fullmatch(name) or _BREAKS.fullmatch(name) or _CARRIES_PASSWORD.search(value))


def current() -> dict[str, str]:
    """The cleaned variables of this process."""
    return cleaned(os.environ)
