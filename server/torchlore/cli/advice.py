"""What is missing on a machine, and how to get it, in plain words. Plain functions of what `doctor` found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torchlore.cli.editors import Editor
from torchlore.device import Environment, Interpreter


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that could be better: what it is, and what to do about it."""

    what: str
    how: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What `doctor` looks at besides the interpreter.

    Attributes:
        command: the `torchlore` on the PATH; None where there is none.
        beside: the `torchlore` beside the Python that runs it; None where there is none.
        nvidia: there is a driver for a GPU of NVIDIA.
        editors: those that are installed.
        environ: the environment variables.
    """

    command: str | None
    beside: Path | None
    nvidia: bool
    editors: Sequence[Editor]
    environ: Mapping[str, str]


def about_interpreter(interpreter: Interpreter, environment: Environment) -> Iterator[str]:
    """How to get an interpreter that can run proofs, where this one cannot."""
    if environment.problem is None:
        return
    if not environment.python:
        yield f"make one in your project: `python3 -m venv .venv`, then `{_install('.venv/bin/python')}`"
    elif environment.torch is None:
        yield f"install PyTorch there: `{_install(interpreter.path)}`"
    else:
        yield f"see what it says itself: `{interpreter.path} -c 'import torch'`"
    yield "hovers, findings and fixes need none of this; only running a proof does"


def about_device(environment: Environment, machine: Machine) -> Iterator[Advice]:
    """Why torch uses the CPU although there is a GPU."""
    if not machine.nvidia or environment.torch is None or environment.problem is not None:
        return
    if any(device.kind != "cpu" for device in environment.devices):
        return
    what = "this machine has a GPU of NVIDIA, and this torch does not see it"
    if environment.torch.endswith("+cpu"):
        yield Advice(what, f"{environment.torch} is built for CPUs: install a build with CUDA")
    elif "CUDA_VISIBLE_DEVICES" in machine.environ:
        value = machine.environ["CUDA_VISIBLE_DEVICES"]
        yield Advice(what, f"CUDA_VISIBLE_DEVICES is {value!r}: unset it, or name a GPU that exists")
    else:
        yield Advice(
            what, "compare the driver that `nvidia-smi` names with what this build of torch asks for"
        )


def about_editors(machine: Machine) -> Iterator[Advice]:
    """What keeps an editor from starting the server."""
    if not machine.editors:
        how = "editors/ in torchlore's repository has a page for each; `torchlore check` works without one"
        yield Advice("none of the editors that torchlore has a configuration for is on the PATH", how)
        return
    waiting = [editor for editor in machine.editors if not editor.set_up]
    if len(waiting) == len(machine.editors):
        pages = ", ".join(f"editors/{editor.folder}/README.md" for editor in waiting)
        what = "no editor's configuration speaks of torchlore yet"
        yield Advice(what, f"a few lines do it, see {pages} in torchlore's repository")
    if machine.command is None and {editor.name for editor in machine.editors} != {"VS Code"}:
        yield Advice("editors start `torchlore`, and it is not on the PATH", _to_the_path(machine.beside))


def _to_the_path(beside: Path | None) -> str:
    if beside is None:
        return "install it in an environment that is, or name its path in the editor's settings"
    return f"put {beside.parent} on it, or name {beside} in the editor's settings"


def _install(python: str) -> str:
    return f"{python} -m pip install torch numpy"
