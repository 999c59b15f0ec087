"""`torchlore prove`: a rule's example, run as it is and as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.run import choose_interpreter
from torchlore.cli.terminal import fail, print_lines

if TYPE_CHECKING:
    from torchlore.device import RunResult
    from torchlore.proof import Proof, Versions


def prove(
    rule: Annotated[str, typer.Argument(help="A rule's code or name: `TL101`, `missing-zero-grad`.")],
    device: Annotated[str | None, typer.Option(help="cuda, cuda:1, mps, xpu or cpu.")] = None,
    interpreter: Annotated[str | None, typer.Option(help="The Python that has torch.")] = None,
) -> None:
    """Run a rule's example as it is and as it should be, and show what differs.

    Ends with 1 where the example cannot run here.
    """
    import asyncio

    from torchlore.device import NotAllowed
    from torchlore.proof import versions_of
    from torchlore.rules import rule_by_code_or_name

    found = rule_by_code_or_name(rule)
    if found is None:
        fail(f"no rule `{rule}`; `torchlore explain` lists them")
    versions = versions_of(found)
    if versions is None:
        fail(f"the example of `{found.name}` is no program that uses torch")
    try:
        proof = asyncio.run(_proven(versions, found.name, device, interpreter))
    except NotAllowed as refusal:
        fail(str(refusal))
    print_lines([[(f"{found.code} {found.name}", "bold")]])
    for what, bad, good in proof.rows()[1:]:
        print_lines([[(what, "bold")], [("  as it is         ", "red"), (bad, "")]])
        print_lines([[("  as it should be  ", "green"), (good, "")]])
    print_lines([[(proof.verdict(), "")]])
    raise typer.Exit(int(not proof.good.ok))


async def _proven(versions: Versions, name: str, device: str | None, interpreter: str | None) -> Proof:
    from torchlore.cli.run_line import run_line
    from torchlore.device import Crew, Limits, Trust
    from torchlore.device import run as run_code
    from torchlore.proof import proven

    chosen = choose_interpreter(interpreter)
    limits = Limits(network=False)
    # torch is imported once for both.
    async with Crew() as crew, run_line(limits.seconds) as line:

        async def run(code: str, lines: tuple[int, int]) -> RunResult:
            return await run_code(
                code,
                name=name,
                interpreter=chosen,
                trust=Trust.TRUSTED,  # The person at the terminal asked for it, and the example is ours.
                limits=limits,
                device=device,
                on_start=line.start,
                crew=crew,
                lines=lines,
            )

        return await proven(versions, run)
