"""What is asked of the device and what comes back. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from torchlore.device.curves import Curve
from torchlore.device.measured import LayerTable, MemoryNeed

HOW_TO_CHOOSE = (
    "choose another with the setting `torchlore.interpreter`, `interpreter` under `[tool.torchlore]` "
    "in pyproject.toml, or `--interpreter`"
)


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device as torch names it. Memory is in bytes, None where torch does not say.

    Attributes:
        name: "cuda:0", "mps:0", "xpu:1", "cpu".
        kind: the part before the colon.
        description: what it is sold as.
    """

    name: str
    kind: str
    description: str
    memory_total: int | None
    memory_free: int | None


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter and what its torch sees.

    Attributes:
        python: its version, "" where it did not answer.
        executable: what it calls itself.
        torch: torch's version; None where there is none.
        devices: accelerators first, the CPU last.
        problem: None, or one sentence that names the interpreter and says how to choose another.
    """

    python: str
    executable: str
    torch: str | None
    devices: tuple[DeviceInfo, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use, all of its processes together.

    Attributes:
        seconds: by the wall clock, the import of torch included where the process has to import it.
        memory: bytes of host memory; None for nine tenths of what is free when the run starts.
        output: bytes of stdout and stderr together.
        processes: how many may live at the same time. Threads do not count.
        file_size: bytes of the largest file it may write.
        network: whether it may reach other machines. Where it may not, that is made sure of as far as the
            system lets its users; `RunResult.offline` says whether it did.
    """

    seconds: float = 60
    memory: int | None = None
    output: int = 1_000_000
    processes: int = 128
    file_size: int = 1 << 30
    network: bool = True


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a snippet failed.

    Attributes:
        type: the exception's class, or the signal's name.
        message: what it says; may be empty and may have several lines.
        line: the innermost line of the snippet that it passed through, from 1; None where it is not known.
    """

    type: str
    message: str
    line: int | None

    def __str__(self) -> str:
        what = f"{self.type}: {self.message}" if self.message else self.type
        return what if self.line is None else f"line {self.line}: {what}"


@dataclass(frozen=True, slots=True)
class Value:
    """What the last expression of a snippet gave.

    Attributes:
        kind: "tensor" (of torch or numpy) or "object".
        type: its class.
        text: its `repr`, cut where it is long.
        shape, dtype, device, requires_grad: of a tensor; `device` is None of an array of numpy.
        min, mean, max: of those elements that are finite; None where there are none.
        nan, inf: how many elements are not finite; None where they are no numbers.
        first: the first elements; "nan", "inf" and "-inf" stand for what JSON has no word for.
    """

    kind: str
    type: str
    text: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    device: str | None = None
    requires_grad: bool = False
    min: float | None = None
    mean: float | None = None
    max: float | None = None
    nan: int | None = None
    inf: int | None = None
    first: tuple[bool | float | str, ...] = ()

    def summary(self) -> str:
        """One line."""
        if self.kind != "tensor" or self.shape is None:
            return _first_line(self.text)
        if not self.shape and self.first:
            only = self.first[0]
            said = f"{only:.6g}" if isinstance(only, float) else str(only)
            return f"{said} ({self.type}, {self.dtype}{f', on {self.device}' if self.device else ''})"
        parts = [f"{self.type} of shape {self.shape}, {self.dtype}"]
        if self.device:
            parts.append(f"on {self.device}")
        if self.min is not None and self.max is not None and self.mean is not None:
            parts.append(f"from {self.min:.4g} to {self.max:.4g}, mean {self.mean:.4g}")
        parts += [f"{count} {name}" for name, count in (("NaN", self.nan), ("infinite", self.inf)) if count]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class LineValue:
    """What a line of a snippet (from 1) gave; `name`: what it bound, "" for the value of an expression."""

    line: int
    name: str
    value: Value

    def __str__(self) -> str:
        return f"{self.name} = {self.value.summary()}" if self.name else self.value.summary()


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that a snippet set off. `line`: in the snippet, where it was that; None elsewhere."""

    category: str
    message: str
    line: int | None

    def __str__(self) -> str:
        what = f"{self.category}: {self.message}"
        return what if self.line is None else f"line {self.line}: {what}"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG: a figure of matplotlib, or the last value where it looks like an image."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run went.

    Attributes:
        ok: it ended by itself, with exit code 0.
        outcome: "finished"; "error" (an exception or another exit code); "crashed" (segmentation fault,
            abort); "killed" (a signal from elsewhere, or the agent was killed); "timeout", "output limit",
            "memory limit", "process limit"; "cancelled" (seen only where something else than the awaiting
            task cancelled).
        exit_code: negative where a signal ended it; None where unknown.
        stdout, stderr: clean text: no escapes, no control characters but newline and tab. A line that was
            drawn over with carriage returns, as progress bars do, is what was drawn last.
        truncated: not all that it printed is there.
        error: what went wrong in the snippet, where that is known; after a "timeout", on which line it stood.
        seconds: wall time from the start of the process to its end, the import of torch included where it had
            to import it.
        device: the device on which it held most memory: "cuda:0", "mps:0", "cpu"; "unknown" where it could
            not say, because it was ended from outside.
        peak_memory: bytes of host memory that its processes held at most, as far as seen.
        own_seconds: wall time of the snippet alone, from its first line until its device was done; None where
            it was ended from outside.
        peak_device_memory: bytes that it held at most on `device`; None on a CPU, or where unknown.
        value: of the last expression; None where there is none, or it is None.
        warnings, pictures: what it warned of and drew; no more than 20 of each.
        notices: sentences about the device that it got.
        offline: it could not reach other machines; False, too, where it was ended before it could say so.
        curves: the lists of numbers that it left, such as the course of a loss.
        lines: what those lines gave of which that was asked, in the order in which they ran.
        measured: a table of the layers of a model, or what memory it takes, where that was asked.
    """

    ok: bool
    outcome: str
    exit_code: int | None
    stdout: str
    stderr: str
    truncated: bool
    error: RunError | None
    seconds: float
    device: str
    peak_memory: int | None
    own_seconds: float | None = None
    peak_device_memory: int | None = None
    value: Value | None = None
    warnings: tuple[Warned, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notices: tuple[str, ...] = ()
    offline: bool = False
    curves: tuple[Curve, ...] = ()
    lines: tuple[LineValue, ...] = ()
    measured: LayerTable | MemoryNeed | None = None

    def summary(self) -> str:
        """One sentence."""
        took = f"{self.seconds:.1f} s"
        if self.ok:
            return f"Finished in {took} on {self.device}."
        if self.outcome == "error" and self.error is None:
            return f"Ended with exit code {self.exit_code} after {took}."
        if self.outcome == "error":
            return f"Failed after {took}, {_first_line(str(self.error))}"
        reason = f"{_REASONS.get(self.outcome, f'Ended ({self.outcome})')} after {took}"
        return f"{reason}." if self.error is None else f"{reason}, {_first_line(str(self.error))}"


_REASONS = {
    "cancelled": "Cancelled",
    "crashed": "Crashed",
    "killed": "Killed",
    "memory limit": "Stopped at its memory limit",
    "output limit": "Stopped at its output limit",
    "process limit": "Stopped at its limit of processes",
    "timeout": "Stopped at its time limit",
}


def _first_line(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"{first} …" if rest else first
