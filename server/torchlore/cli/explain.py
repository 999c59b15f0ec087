"""`torchlore explain`: the documentation of a rule, a card, or a name of torch."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.terminal import fail, print_lines, print_markdown

if TYPE_CHECKING:
    from torchlore.cli.terminal import Styled
    from torchlore.rules.model import Rule


class TextFormat(str, Enum):
    """How an explanation is printed."""

    TEXT = "text"
    JSON = "json"


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE|SLUG|SYMBOL]", help="A rule's code or name, a card's slug, or a name of torch."
        ),
    ] = None,
    output_format: Annotated[TextFormat, typer.Option(help="How to print it.")] = TextFormat.TEXT,
) -> None:
    """Explain a rule or a name of torch, or show a card. Without an argument: list them."""
    from torchlore.knowledge import card, resolve
    from torchlore.pages import card_page, rule_page, symbol_page
    from torchlore.rules import rule_by_code_or_name

    if name is None:
        _print_list(output_format)
        return
    rule = rule_by_code_or_name(name.upper()) or rule_by_code_or_name(name.lower())
    if rule is not None:
        _print(rule_page(rule), rule_record(rule), output_format)
        return
    found = card(name.lower())
    if found is not None:
        _print(card_page(found), asdict(found), output_format)
        return
    symbol = resolve((name, f"torch.{name}"))
    if symbol is None:
        fail(f"no rule, card or name of torch `{name}`{_suggestion(name)}")
    _print(symbol_page(symbol), asdict(symbol), output_format)


def rule_record(rule: type[Rule]) -> dict[str, str]:
    """A rule as JSON shows it."""
    return {
        "code": rule.code,
        "name": rule.name,
        "family": rule.family.value,
        "severity": rule.severity.value,
        "since": rule.since,
        "card": rule.card,
        "documentation": rule.documentation(),
    }


def _print(markdown: str, record: object, output_format: TextFormat) -> None:
    if output_format is TextFormat.JSON:
        typer.echo(json.dumps(record, indent=2))
    else:
        print_markdown(markdown)


def _print_list(output_format: TextFormat) -> None:
    from torchlore.knowledge import cards
    from torchlore.rules import all_rules

    if output_format is TextFormat.JSON:
        listed = {"rules": [rule_record(r) for r in all_rules()], "cards": [asdict(c) for c in cards()]}
        typer.echo(json.dumps(listed, indent=2))
        return
    lines: list[Styled] = [[("Rules", "bold")]]
    lines += [
        [(f"  {r.code}  ", "cyan"), (f"{r.name:<32} ", ""), (r.severity.value, "dim")] for r in all_rules()
    ]
    lines += [[], [("Cards", "bold")]]
    lines += [[(f"  {c.slug:<32} ", "cyan"), (c.question, "")] for c in cards()]
    print_lines(lines)


def _suggestion(name: str) -> str:
    from torchlore.knowledge import cards
    from torchlore.rules import all_rules

    known = [n for rule in all_rules() for n in (rule.code.lower(), rule.name)] + [c.slug for c in cards()]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean `{near[0]}`?" if near else "; `torchlore explain` lists them"
