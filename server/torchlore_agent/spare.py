"""The process that has torch imported and waits for its one order, where it cannot be forked."""

from __future__ import annotations

import json
import os
import queue
import threading
from typing import Any

from torchlore_agent import processes
from torchlore_agent.nursery import become_fresh, load
from torchlore_agent.warm import LATER

_BEFORE_MORE = 0.5
"""Seconds without an order after which it imports what torch may want later."""


def await_order(token: str, agent: int) -> dict[str, Any]:
    """The order for this process, once it comes. It ends where the agent has no use for it, or is gone.

    Args:
        token: what it says on stdout when torch is imported; where that cannot be, it ends without a word.
        agent: its process id.
    """
    processes.die_with_parent(agent)
    if load("torch") is not None:
        os._exit(1)
    os.write(1, token.encode("ascii"))
    lines: queue.Queue[bytes] = queue.Queue()
    # Descriptor 0 belongs to the snippet soon: to that nobody writes.
    orders = os.fdopen(os.dup(0), "rb")
    threading.Thread(target=lambda: lines.put(orders.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=_BEFORE_MORE)
    except queue.Empty:
        for module in LATER:
            load(module)
        line = lines.get()
    if not line:
        os._exit(0)
    orders.close()
    order: dict[str, Any] = json.loads(line)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    become_fresh(order)
    return {**order, "forked": True}
