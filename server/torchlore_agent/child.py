"""The process that runs one snippet, as `python snippet.py` would, and says how it went."""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import io
import json
import linecache
import os
import sys
import threading
import time
import traceback
import types
from typing import Any

from torchlore_agent import cgroups, limits, network, observing, probe, processes, ranks

_LONGEST_MESSAGE = 10_000


def main(order: dict[str, Any]) -> None:
    """Runs what the order says, then ends this process.

    Args:
        order: `parent` (process id), `report` (path of the file for what this process has to say), `limits`,
            `device`, `network` (false: none where that can be had), and either `snippet` (path of its file)
            and `name` (what tracebacks call it), or neither: then this process describes the environment.
            `forked`: torch was imported before. `group`: the folder of its control group, or None. `home`:
            the folder of the user's own code, whose modules it may import; they hide nothing that is
            installed. `lines`: the first and last line, from 1, of which is told what they give. `measure`:
            see `models.measure`. `processes`: how many `torchrun` starts.
    """
    if order.get("group") is not None:
        cgroups.join(order["group"])
    offline = not order.get("network", True) and network.cut_off()
    if not processes.die_with_parent(order["parent"]) and processes.POSIX:
        threading.Thread(target=_watch_parent, args=(order["parent"],), daemon=True).start()
    limits.apply(order["limits"], order["device"])
    order["pid"] = os.getpid()
    order["offline"] = offline
    with contextlib.suppress(OSError):
        os.mkdir(order["report"] + processes.BEGUN)
    if "snippet" not in order:
        _report(order, {"type": "environment", **probe.describe()})
        return
    prepare_streams()
    code = _run(order)
    if order.get("forked"):
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """Ends the process as the interpreter would, but for the modules that it did not import itself.

    To take apart all of torch takes longer than most snippets run.
    """
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # Waits for the snippet's threads.
        atexit._run_exitfuncs()
        sys.modules["__main__"].__dict__.clear()  # What has a `__del__` says its last word.
        gc.collect()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit(code & 0xFF)


def _run(order: dict[str, Any]) -> int:
    """Runs the snippet as the module `__main__`. Returns the exit code."""
    text, names = become_main(order)
    if order["device"] == "cpu" and "torch" in text:
        probe.hide_accelerators()
    report = functools.partial(_report, order)
    observing.report_warnings(order["name"], report)
    began = time.perf_counter()
    code, value = _execute(order, text, names)
    device, peak = probe.used_device()
    found = {"device": device, "peak": peak, "seconds": time.perf_counter() - began}
    report({"type": "device", **found, "offline": order["offline"]})
    folder = os.path.dirname(order["report"])
    observing.report_value(value, folder, report)
    observing.report_curves(value, names, report)
    observing.report_figures(folder, report)
    return code


def become_main(order: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Makes the snippet the module `__main__` of this process. Its text, and its names, none of them yet."""
    with open(order["snippet"], encoding="utf-8", errors="surrogatepass", newline="") as file:
        text = file.read()
    name = order["name"]
    # Tracebacks, warnings and `inspect.getsource` (which `torch.jit.script` needs) find the lines under this
    # name. No modification time: linecache then never looks for a file of that name.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = types.ModuleType("__main__")
    module.__file__ = order["snippet"]  # Worker processes that are spawned import this file.
    sys.modules["__main__"] = module
    sys.argv = [order["snippet"]]
    if order.get("home"):
        sys.path.append(order["home"])
    return text, module.__dict__


def _execute(order: dict[str, Any], text: str, names: dict[str, Any]) -> tuple[int, Any]:
    """The exit code, and the value of the last expression; None where there is none or it failed."""
    code, value = 0, None
    try:
        if order.get("processes"):
            ranks.launch(order)
            return 0, None
        lines_left = observing.MOST_LINES
        for step in observing.steps(text, order["name"], order.get("lines")):
            value = eval(step.code, names)  # noqa: S307
            if step.line is not None and lines_left:
                lines_left -= 1
                observing.report_line(step, value, names, functools.partial(_report, order))
        if "measure" in order:
            _measure(order, value)
            value = None
        probe.synchronize()
    except SystemExit as stop:
        code, value = _exit_code(stop), None
        if code != 0:
            _report_error(order, stop)
    except BaseException as error:
        code, value = 1, None
        _report_error(order, error)
        print_error(error)
    return code, value


def _measure(order: dict[str, Any], make: Any) -> None:
    """Reports what is asked about the model that the snippet's last expression makes when it is called."""
    from torchlore_agent import models

    found = models.measure(make, order["measure"])
    _report(order, {"type": "measured", "measured": found})


def prepare_streams() -> None:
    """What is printed leaves at the end of each line, in UTF-8, whatever it is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        import faulthandler

        faulthandler.enable()  # A segmentation fault then says on which line it happened.
        if hasattr(faulthandler, "register"):
            # The agent asks where it stands before it ends it; a loop that holds Python's lock answers too.
            faulthandler.register(processes.WHERE, all_threads=False)


def _exit_code(stop: SystemExit) -> int:
    """As the interpreter does it: nothing is 0, a number is itself, all else is printed and 1."""
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    print(stop.code, file=sys.stderr)
    return 1


def _report_error(order: dict[str, Any], error: BaseException) -> None:
    try:
        message = str(error)
    except Exception:
        message = ""
    found = {
        "exception": type(error).__name__,
        "message": message[:_LONGEST_MESSAGE],
        "line": _line(order, error),
    }
    _report(order, {"type": "error", **found})


def _line(order: dict[str, Any], error: BaseException) -> int | None:
    """The innermost line of the snippet that the error passed through, from 1."""
    if isinstance(error, SyntaxError) and error.filename == order["name"]:
        return error.lineno
    line = None
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code.co_filename == order["name"]:
            line = place.tb_lineno
        place = place.tb_next
    return line


def print_error(error: BaseException) -> None:
    """Prints the error as the interpreter would, without our own frames; a hook of the snippet's wins."""
    ours = os.path.dirname(__file__)
    place = error.__traceback__
    while place is not None and os.path.dirname(place.tb_frame.f_code.co_filename) == ours:
        place = place.tb_next
    error = error.with_traceback(place)
    with contextlib.suppress(BaseException):
        if sys.excepthook is not sys.__excepthook__:
            sys.excepthook(type(error), error, place)
        else:
            traceback.print_exception(type(error), error, place)
        sys.stderr.flush()


def _report(order: dict[str, Any], message: dict[str, Any]) -> None:
    """Adds one line to the report. A file, because a snippet may close every descriptor that it was given."""
    if os.getpid() != order["pid"]:
        return  # A process that the snippet forked came back through here; it does not speak for the run.
    with contextlib.suppress(OSError), open(order["report"], "a", encoding="ascii") as file:
        file.write(json.dumps(message) + "\n")


def _watch_parent(parent: int) -> None:
    """Where the system does not kill orphans, this process looks for itself."""
    import signal

    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)
