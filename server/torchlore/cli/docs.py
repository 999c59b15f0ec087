"""`torchlore docs build`: the pages under docs/ that are made from the sources. For contributors; hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from torchlore.cli.terminal import warn

app = typer.Typer(help="Pages of docs/ that are made from the sources.", no_args_is_help=True)

_NOTE = "<!-- Made by `torchlore docs build`. Edit the source, not this page. -->\n\n"


@app.callback()
def _group() -> None:
    """Pages of docs/ that are made from the sources."""


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="The folder of the documentation.")] = Path("docs"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with 1 where a page is stale.")
    ] = False,
) -> None:
    """Write docs/rules.md, docs/rules/*.md, docs/cards.md, docs/configure.md and the JSON schemas."""
    wanted = {folder / name: text for name, text in pages().items()}
    surplus = [path for path in (folder / "rules").glob("*.md") if path not in wanted]
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    if check:
        for path in (*stale, *surplus):
            warn(f"{path} is stale; run `torchlore docs build`")
        raise typer.Exit(int(bool(stale or surplus)))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in surplus:
        path.unlink()
    typer.echo(f"{len(wanted)} pages, {len(stale)} written, {len(surplus)} removed")


def pages() -> dict[str, str]:
    """The text of each page by its path within docs/."""
    from torchlore.cli.configuration_page import configuration_page
    from torchlore.config_schema import PROPERTIES, schema
    from torchlore.device.as_json import schema as schema_of_runs
    from torchlore.lsp.options import OPTIONS
    from torchlore.lsp.options import schema as schema_of_options
    from torchlore.pages import rule_page
    from torchlore.rules import all_rules

    made = {f"rules/{rule.name}.md": _NOTE + rule_page(rule) for rule in all_rules()}
    tables = {
        "rules.md": _NOTE + _rule_table(),
        "cards.md": _NOTE + _card_table(),
        "configure.md": _NOTE + configuration_page(PROPERTIES, OPTIONS),
    }
    schemas = {
        "torchlore.schema.json": schema(),
        "torchlore-options.schema.json": schema_of_options(),
        "torchlore-run.schema.json": schema_of_runs(),
    }
    return {**made, **tables, **schemas}


_ABOUT_RULES = """\
# Rules

*Severity* is the worst that a finding of the rule can have. *Default* says whether `torchlore check` asks the
rule where nothing is configured; editors ask all of them. *Fix* is what the rule does with its own example:
**safe**: `--fix` and "fix all" apply it; *offered*, one by one or with `--unsafe-fixes`; or –, nothing.
In other code it may be another, as its page says under "Fix safety".
"""


def _rule_table() -> str:
    from torchlore.pages import fix_of
    from torchlore.rules import Family, Severity, all_rules

    shown = {"safe": "**safe**", "offered": "*offered*", "": "–"}
    lines = [_ABOUT_RULES]
    for family in Family:
        found = [rule for rule in all_rules() if rule.family is family]
        if not found:
            continue
        lines += [
            f"## {family.value}",
            "",
            "| code | rule | severity | default | fix |",
            "|---|---|---|---|---|",
        ]
        for rule in found:
            default = "on" if rule.severity in (Severity.ERROR, Severity.WARNING) else "off"
            link = f"[{rule.name}](rules/{rule.name}.md)"
            fix = shown[fix_of(rule)]
            lines.append(f"| {rule.code} | {link} | {rule.severity.value} | {default} | {fix} |")
        lines.append("")
    return "\n".join(lines)


def _card_table() -> str:
    from torchlore.knowledge import cards
    from torchlore.knowledge.cards import AREAS

    lines = [
        "# Cards",
        "",
        "Read one with `torchlore explain SLUG`; run its proof with `torchlore run SLUG`.",
    ]
    for area in AREAS:
        found = [card for card in cards() if card.area == area]
        if not found:
            continue
        lines += ["", f"## {area}", "", "| card | question | level | shown on |", "|---|---|---|---|"]
        for card in found:
            symbols = ", ".join(f"`{symbol}`" for symbol in card.symbols)
            lines.append(
                f"| [{card.slug}](../knowledge/{card.path}) | {card.question} | {card.level} | {symbols} |"
            )
    return "\n".join(lines) + "\n"
