"""Processes that have torch imported before there is an order for them, as this system allows it."""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torchlore_agent.processes import Child
from torchlore_agent.wire import Message

CAN_FORK = sys.platform == "linux" and not os.environ.get("TORCHLORE_NO_FORK")
"""Apple's libraries do not survive a fork, and Windows has none. The variable has Linux spawn, too."""

LATER = ("torch._dynamo",)
"""What torch itself imports with the first step of an optimizer, in seconds. Loaded when nobody waits."""

LONGEST_IMPORT = 60.0
"""Seconds that a job waits until torch is imported."""


@dataclass(frozen=True)
class Given:
    """A process that has got its order.

    Attributes:
        streams: by "stdout" and "stderr" the descriptors to read from; whoever has this closes them.
    """

    child: Child
    streams: Mapping[str, int]


class Spare(Protocol):
    """A process that waits for its order."""

    def order(self, order: Message) -> Given | None:
        """Has it carry out an order. None where it is gone; it is a spare no more in either case."""


class Nursery(Protocol):
    """What makes spares, at most one of them at a time.

    Attributes:
        ready: it can be asked for one.
        loaded: torch was imported once.
        ended: it is gone, or was given up.
        pids: the processes that belong to nobody's run.
        has_threads: so have its spares, and none of them can leave the network.
    """

    ended: bool
    loaded: bool
    has_threads: bool

    @property
    def ready(self) -> bool: ...

    @property
    def pids(self) -> frozenset[int]: ...

    def hear(self, message: Message | None) -> None:
        """Notes what came in its name: `type`: "ready", "born" or "failed"; None: it ended."""

    def bear(self) -> bool:
        """Asks for a spare. False where there can be none."""

    def take(self) -> Spare | None:
        """The spare, for an order that has come."""

    def prepare_beside(self, seconds: float) -> None:
        """As `prepare`, while a run that took its spare has lasted for so long."""

    def prepare(self) -> None:
        """Has it make ready for the next order, where it has nothing to do and nobody waits."""

    def is_stuck(self, seconds: float) -> bool:
        """Whether a job that has waited for so long need not wait any longer."""

    def give_up(self) -> None:
        """Ends it and its spare."""


def temporary_in(directory: str) -> dict[str, str]:
    """Our environment, with the temporary files in a folder."""
    return {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), directory)}


def start(inbox: queue.Queue[tuple[str, Any]]) -> Nursery | None:
    """Starts a nursery, which tells in the inbox how it fares.

    Returns:
        None where there can be none.
    """
    from torchlore_agent.forking import start_forking
    from torchlore_agent.spawning import start_spawning

    directory = os.path.join(os.environ["TMPDIR"], "nursery")
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError:
        return None
    return (start_forking if CAN_FORK else start_spawning)(inbox, directory)
