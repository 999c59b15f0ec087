"""What waits for what on the one thread that analyses."""

from __future__ import annotations

import asyncio
import threading

import pytest
from in_process import URI, Session
from torchlore.lsp.worker import Priority, Stale, Worker
from torchlore.pausing import Pause, pause, pause_within

OTHER = "file:///project/net.py"
FUNCTIONS = "".join(
    f"def f{n}(o, x):\n    torch.relu(x).sum().backward()\n    o.step()\n\n" for n in range(50)
)
"""Rules ask about them, so that diagnostics need the whole analysis."""


class _Long:
    """Background work on one file that pauses when it is told to."""

    def __init__(self, worker: Worker, order: list[str], where: Pause = Pause.WITHIN) -> None:
        self.where = where
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.is_wanted = True
        self.order = order
        self.future = asyncio.ensure_future(
            worker.run(
                self._work, priority=Priority.BACKGROUND, about="long", still_wanted=lambda: self.is_wanted
            )
        )

    def _work(self) -> str:
        self.order.append("begins")
        self.begun.set()
        assert self.go_on.wait(30)
        (pause if self.where is Pause.BETWEEN else pause_within)()
        self.order.append("ends")
        return "done"

    async def has_begun(self) -> None:
        while not self.begun.is_set():  # noqa: ASYNC110  # It is set by another thread.
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("about", "where", "priority", "expected"),
    [
        ("other", Pause.WITHIN, Priority.ASKED, ["begins", "asked", "ends"]),
        ("other", Pause.BETWEEN, Priority.ASKED, ["begins", "asked", "ends"]),
        ("long", Pause.WITHIN, Priority.ASKED, ["begins", "ends", "asked"]),
        ("long", Pause.BETWEEN, Priority.ASKED, ["begins", "asked", "ends"]),
        (None, Pause.BETWEEN, Priority.ASKED, ["begins", "ends", "asked"]),
        ("other", Pause.BETWEEN, Priority.BACKGROUND, ["begins", "ends", "asked"]),
    ],
)
async def test_what_is_asked_interrupts_background_work_where_nothing_is_half_done(
    about: str | None, where: Pause, priority: Priority, expected: list[str]
) -> None:
    worker, order = Worker(), list[str]()
    long = _Long(worker, order, where)
    await long.has_begun()
    asked = asyncio.ensure_future(worker.run(lambda: order.append("asked"), priority=priority, about=about))
    await asyncio.sleep(0)
    long.go_on.set()
    assert await long.future == "done"
    await asked
    assert order == expected


async def test_work_on_a_text_that_is_gone_ends_at_its_next_pause() -> None:
    worker, order = Worker(), list[str]()
    long = _Long(worker, order)
    await long.has_begun()
    long.is_wanted = False
    long.go_on.set()
    with pytest.raises(Stale):
        await long.future
    assert order == ["begins"]
    assert await worker.run(lambda: 2) == 2


async def test_work_that_was_cancelled_is_still_done_for_the_next_who_asks() -> None:
    worker, order = Worker(), list[str]()
    long = _Long(worker, order)
    await long.has_begun()
    long.future.cancel()
    long.go_on.set()
    await worker.run(lambda: None)
    assert order == ["begins", "ends"]


async def test_what_interrupts_may_fail_without_harm_to_what_it_interrupts() -> None:
    worker, order = Worker(), list[str]()
    long = _Long(worker, order)
    await long.has_begun()
    asked = asyncio.ensure_future(worker.run(lambda: 1 // 0, about="other"))
    await asyncio.sleep(0)
    long.go_on.set()
    assert await long.future == "done"
    with pytest.raises(ZeroDivisionError):
        await asked


async def test_a_hover_comes_before_the_end_of_another_files_diagnostics(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through the whole server: the analysis of the other file stands at a pause when the hover arrives."""
    session = Session()
    session.start()
    session.open("import torch\nx = torch.zeros(3)\n")
    session.hover(1, line=1, character=10)
    await session.until(1)
    paused, go_on, answered = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        """At the first pause for the hover to be asked, at the second for its answer to be out."""
        awaited = answered if paused.is_set() else go_on
        paused.set()
        assert awaited.wait(20)
        pause_within()

    monkeypatch.setattr("torchlore.analysis.interpret.pause_within", wait)
    session.open(f"import torch\n{FUNCTIONS}", OTHER)
    await session.eventually(paused.is_set)
    session.hover(2, line=1, character=10)
    await asyncio.sleep(0.01)
    go_on.set()
    await session.until(2)
    answered.set()
    await session.eventually(lambda: OTHER in str(session.sent("textDocument/publishDiagnostics")))
    places = [m.get("id", m.get("params", {}).get("uri")) for m in session.wire.messages]
    assert places.index(2) < places.index(OTHER)


async def test_the_next_version_takes_the_place_of_one_that_is_being_analysed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session()
    session.start()
    paused, go_on, pauses = threading.Event(), threading.Event(), list[int]()

    def count() -> None:
        pauses.append(len(pauses))
        paused.set()
        assert go_on.wait(30)
        pause_within()

    monkeypatch.setattr("torchlore.analysis.interpret.pause_within", count)
    session.open(f"import torch\n{FUNCTIONS}")
    await session.eventually(paused.is_set)
    session.replace("import torch\n", 2)
    go_on.set()
    await session.eventually(lambda: bool(session.sent("textDocument/publishDiagnostics")))
    (published,) = session.sent("textDocument/publishDiagnostics")
    assert published["params"] == {"uri": URI, "version": 2, "diagnostics": []}
    assert pauses == [0]
