"""Running on the device, and showing that while it runs and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lsprotocol import types

from torchlore.device import Limits, NotAllowed, RunResult
from torchlore.device import run as run_on_device
from torchlore.device.as_json import as_json
from torchlore.device.output import OnOutput, OnStart
from torchlore.lsp import run_hints
from torchlore.lsp.commands import first_of
from torchlore.lsp.consent import require_consent
from torchlore.lsp.installed import chosen_interpreter
from torchlore.lsp.markdown import escaped
from torchlore.lsp.programs import InputsNeeded, Program, model_for, program_for
from torchlore.lsp.progress import ImportProgress, Progress, begin
from torchlore.lsp.run_page import drawn, proof_page, run_page
from torchlore.lsp.run_stream import RunStream
from torchlore.lsp.server import Server
from torchlore.lsp.settings import Settings
from torchlore.lsp.show import show_page, tell
from torchlore.proof import Versions, proven, versions_of
from torchlore.rules import Rule, rule_by_code_or_name


async def run(server: Server, arguments: list[Any]) -> dict[str, object] | None:
    """Runs what `program_for` says, on `"device"` if named.

    Answers at once, because several editors block until it does; with `"wait": true`, when the run is
    over, and then with its outcome, as `docs/torchlore-run.schema.json` describes it.
    """
    asked = first_of(arguments)
    try:
        program = await program_for(server, asked)
    except NotAllowed as refusal:
        tell(server, str(refusal), types.MessageType.Warning)
        return None
    if program is None:
        tell(server, "torchlore has no snippet of that name", types.MessageType.Warning)
        return None
    return await _started(server, program, asked)


async def shapes(server: Server, arguments: list[Any]) -> dict[str, object] | None:
    """Shows the layers of a model; see `model_for`. Answers as `run` does.

    Where only the user can tell what the model is called with, the answer is `{"needs": "inputs"}`.
    """
    return await _measured(server, first_of(arguments), "shapes")


async def fit(server: Server, arguments: list[Any]) -> dict[str, object] | None:
    """Says whether training a model fits into memory; see `shapes`."""
    return await _measured(server, first_of(arguments), "fit")


async def prove(server: Server, arguments: list[Any]) -> list[Any] | None:
    """Runs the example of the rule `{"code": …}` as it is and as it should be, and shows what differs.

    With `"wait": true` the answer is the rows of that table, when both are over.
    """
    asked = first_of(arguments)
    code = asked.get("code")
    rule = rule_by_code_or_name(code) if isinstance(code, str) else None
    versions = versions_of(rule) if rule is not None else None
    if rule is None or versions is None:
        tell(server, "torchlore has no example to run for that rule", types.MessageType.Warning)
        return None
    uri = asked.get("uri")
    task = server.start_task(
        _prove_and_show(server, rule, versions, uri if isinstance(uri, str) else None), f"proving {rule.name}"
    )
    return await task if asked.get("wait") is True else None


async def _prove_and_show(
    server: Server, rule: type[Rule], versions: Versions, uri: str | None
) -> list[Any] | None:
    async def run_one(code: str, lines: tuple[int, int]) -> RunResult:
        program = Program(rule.name, rule.name, code, uri, ours=True, lines=lines)
        return await _run(server, program, _settings(server, uri).device, lambda stream, text: None)

    proving = asyncio.ensure_future(proven(versions, run_one))
    progress = Progress(server, None)
    try:
        progress = await begin(server, f"Proving {rule.name}", proving.cancel)
        proof = await proving
    except NotAllowed as refusal:
        tell(server, str(refusal), types.MessageType.Warning)
        return None
    except asyncio.CancelledError:
        if not proving.cancelled():
            proving.cancel()
            raise
        return None
    finally:
        progress.end("done")
    page = proof_page(rule, versions, proof)
    await show_page(server, f"proof-{rule.name}", page, proof.verdict())
    return [list(row) for row in proof.rows()]


async def _measured(server: Server, asked: dict[str, Any], kind: str) -> dict[str, object] | None:
    try:
        program = await model_for(server, asked, kind)
    except NotAllowed as refusal:
        if not asked.get("wait"):
            tell(server, str(refusal), types.MessageType.Warning)
        needed = "inputs" if isinstance(refusal, InputsNeeded) else "arguments"
        return {"needs": needed, "message": str(refusal)} if asked.get("wait") is True else None
    return None if program is None else await _started(server, program, asked)


def _settings(server: Server, uri: str | None) -> Settings:
    return server.settings_of(uri) if uri is not None else server.settings


async def _started(server: Server, program: Program, asked: dict[str, Any]) -> dict[str, object] | None:
    named = asked.get("device")
    device = named if isinstance(named, str) else _settings(server, program.uri).device
    task = server.start_task(_run_and_show(server, program, device, asked), f"running {program.name}")
    if asked.get("wait") is not True:
        return None
    try:
        result: RunResult | None = await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        raise
    return as_json(result) if result is not None else None


async def _run_and_show(
    server: Server, program: Program, device: str | None, asked: dict[str, Any]
) -> RunResult | None:
    progress = Progress(server, None)
    stopped_by_user = False

    def stop() -> None:
        nonlocal stopped_by_user
        stopped_by_user = True
        running.cancel()

    def printed(kind: str, text: str) -> None:
        stream.output(kind, text)
        if text.strip():
            progress.report(text.strip().rpartition("\n")[2][-80:])

    def agreed() -> None:
        stream.start(program, asked)
        importing.wait()

    stream = RunStream(server, stop)
    importing = ImportProgress(lambda text: progress.report(text))
    running = asyncio.ensure_future(_run(server, program, device, printed, agreed, importing.end))
    try:
        progress = await begin(server, f"Running {program.name}", stop)
        importing.repeat()
        result = await running
    except NotAllowed as refusal:
        progress.end("not allowed")
        stream.stop(str(refusal))
        tell(server, str(refusal), types.MessageType.Warning)
        return None
    except asyncio.CancelledError:
        running.cancel()
        progress.end("cancelled")
        stream.stop("Stopped.")
        if stopped_by_user:
            return None
        raise
    except BaseException:
        running.cancel()
        progress.end("failed")
        stream.stop("It could not be run; the log has the details.")
        raise
    finally:
        importing.end()
    progress.end(result.summary())
    await _show(server, program, result, stream)
    return result


async def stop(server: Server, arguments: list[Any]) -> None:
    """Ends the run of `{"run": id}`, as `$/torchlore/run` names it; one that is over, not at all."""
    named = first_of(arguments).get("run")
    end = server.stops.get(named) if isinstance(named, str) else None
    if end is not None:
        end()


async def _show(server: Server, program: Program, result: RunResult, stream: RunStream) -> None:
    """A client that has a place of its own for runs is shown no page; hints are shown in either case."""
    if program.ours:
        server.last_runs[program.name] = result.summary()
    run_hints.keep(server, program, result)
    stream.finish(result)
    if server.settings.run_events:
        return
    page = run_page(program.title if program.ours else escaped(program.title), program.code, result)
    await show_page(server, f"run-{program.name}", page, result.summary(), drawn=drawn(result))


async def _run(
    server: Server,
    program: Program,
    device: str | None,
    on_output: OnOutput,
    on_agreed: Callable[[], None] = lambda: None,
    on_start: OnStart = lambda: None,
) -> RunResult:
    if not program.ours:
        await require_consent(server, program.uri)
    on_agreed()
    return await run_on_device(
        program.code,
        name=program.name,
        interpreter=chosen_interpreter(server, program.uri),
        trust=server.settings.trust,
        limits=Limits(network=not program.ours),
        device=device,
        on_output=on_output,
        on_start=on_start,
        crew=server.crew,
        home=program.home,
        lines=program.lines,
        question=program.question,
        processes=program.processes,
    )
