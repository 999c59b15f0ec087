"""One snippet on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torchlore_agent import processes
from torchlore_agent.cgroups import Group
from torchlore_agent.output import Cleaner
from torchlore_agent.warm import Nursery
from torchlore_agent.wire import Message

Event = tuple[str, Any]
"""What reaches the one loop.

From the server: ("message", Message) or ("gone", None).
From a pipe: ("output", (job, stream, bytes)) or ("closed", job).
From a nursery: ("nursery", (nursery, Message)), with None for the message when it has ended.
"""


@dataclass
class Job:
    """One snippet on its way.

    Attributes:
        nursery: the one to be born in; None where it is started as a new interpreter.
        child: its process; None until that exists.
        group: the control group of that, where it can have one.
        started: when its process was, by the monotonic clock; until then, when it was asked for.
        outcome: set as soon as something other than the snippet itself ends it.
        again: the process that waited for it was killed before anything ran, and another one was asked for.
        abandoned: the server is gone.
    """

    request: Message
    say: Callable[[Message], None]
    started: float
    nursery: Nursery | None = None
    child: processes.Child | None = None
    group: Group | None = None
    open_streams: int = 0
    printed: int = 0
    tail: dict[str, bytes] = field(default_factory=dict)
    cleaners: dict[str, Cleaner] = field(default_factory=lambda: {"stdout": Cleaner(), "stderr": Cleaner()})
    peak_memory: int = 0
    checked: float = 0.0
    outcome: str | None = None
    again: bool = False
    abandoned: bool = False

    @property
    def limits(self) -> dict[str, Any]:
        limits: dict[str, Any] = self.request["limits"]
        return limits

    @property
    def report(self) -> str:
        """The path of the file for what its process has to say."""
        return f"{self.request['directory']}/report"

    @property
    def others(self) -> frozenset[int]:
        """The processes that descend from the agent and are none of this job's."""
        if self.nursery is None or self.nursery.ended:
            return frozenset()
        return self.nursery.pids
