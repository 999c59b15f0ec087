"""What a command line's options make of a configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torchlore.config import Config, config_from_table
from torchlore.rules.selection import check_selector, split_selectors


def overriding(
    select: list[str] | None,
    extend_select: list[str] | None,
    ignore: list[str] | None,
    per_file_ignores: list[str] | None,
    exclude: list[str] | None,
    no_respect_gitignore: bool,
) -> Callable[[Config], Config]:
    """What adapts every configuration that is found to the options; see `check --help` for each.

    Raises:
        SelectionError: a selector means no rule.
        ConfigError: a pattern means nothing.
    """
    chosen = [split_selectors(given) for given in (select, ignore, extend_select)]
    for selector in (selector for given in chosen for selector in given):
        check_selector(selector)
    table = {"exclude": list(split_selectors(exclude)), "per-file-ignores": _by_pattern(per_file_ignores)}
    more = config_from_table(table, "the command line", None)

    def adapted(config: Config) -> Config:
        config = config.overridden(*chosen)
        root = config.root or Path.cwd()
        return replace(
            config,
            exclude=(*config.exclude, *more.exclude),
            per_file_ignores=(*config.per_file_ignores, *more.per_file_ignores),
            respect_gitignore=config.respect_gitignore and not no_respect_gitignore,
            root=root if more.exclude or more.per_file_ignores else config.root,
        )

    return adapted


def _by_pattern(given: list[str] | None) -> dict[str, list[str]]:
    """`["tests/*:TL1", "tests/*:TL3"]` by pattern; without a colon it is a pattern without rules."""
    found: dict[str, list[str]] = {}
    for part in split_selectors(given):
        pattern, _, selector = part.rpartition(":")
        found.setdefault(pattern or selector, []).extend([selector] if pattern else [])
    return found
