"""A snippet in several processes of this machine, as `torchrun` starts them."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from typing import Any

from torchlore_agent import processes

_QUIET = {
    "OMP_NUM_THREADS": "1",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
}
"""Without a network the name of this machine leads nowhere; what is said of that is no answer to anybody."""


def launch(order: dict[str, Any]) -> None:
    """Has `torchrun` run the snippet. To be called before torch is imported, which reads the variables.

    Raises:
        SystemExit: one of the processes failed; it has said itself why.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    elastic: Any = importlib.import_module("torch.distributed.elastic.multiprocessing.errors")
    launcher: Any = importlib.import_module("torch.distributed.run")
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    rank = json.dumps({key: order[key] for key in ("snippet", "name", "home") if key in order})
    # Not torchrun's own way to start Python: without a buffer, lines of several processes become one.
    program = ["--no-python", *processes.own("rank", rank)]
    try:
        launcher.main(["--standalone", f"--nproc-per-node={order['processes']}", *program])
    except elastic.ChildFailedError as error:
        number, failure = error.get_first_failure()
        print(f"rank {number} failed with exit code {failure.exitcode}", file=sys.stderr)
        sys.exit(1)


def run_rank(order: dict[str, Any]) -> None:
    """Runs the snippet in one of the processes: whole lines leave it, and errors name the user's file.

    Args:
        order: `snippet`, `name` and perhaps `home`; see `child.main`.
    """
    from torchlore_agent import child

    child.prepare_streams()
    text, names = child.become_main(order)
    try:
        exec(compile(text, order["name"], "exec", dont_inherit=True), names)  # noqa: S102
    except SystemExit:
        raise
    except BaseException as error:
        child.print_error(error)
        sys.exit(1)
