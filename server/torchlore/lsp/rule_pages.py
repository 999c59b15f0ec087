"""Where the page of a rule is, for what leads there: a file, since the project has no address on the web."""

from __future__ import annotations

from functools import partial

from pygls.uris import from_fs_path

from torchlore.lsp.server import Server
from torchlore.pages import rule_page
from torchlore.rules import Rule, rule_by_code_or_name


def page_of(server: Server, code: str) -> str | None:
    """The URI of the page of the rule with a code; it is written when it is first asked for.

    None where there is no such rule, or where no file can be written: the link is left out then.
    """
    rule = rule_by_code_or_name(code)
    return _written(server, rule) if rule is not None else None


def _written(server: Server, rule: type[Rule]) -> str | None:
    try:
        path = server.pages.kept(f"explain-{rule.name}", partial(rule_page, rule))
    except OSError:
        return None
    uri: str | None = from_fs_path(str(path))
    return uri
