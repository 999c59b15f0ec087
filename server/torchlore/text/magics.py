"""What IPython adds to Python, taken out of a cell without moving anything that stays.

IPython looks for its commands (`%magic`, `!shell`, `name?`) where a logical line begins, and behind the first
`=` of one: https://ipython.readthedocs.io/en/stable/config/inputtransforms.html. So a `%` that goes on an
expression of several lines, or stands in a string, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.text.edits import Edit, Span, apply_edits
from torchlore.text.lines import LineTable
from torchlore.text.parse import parse_expression

_TRANSPARENT = frozenset({"time", "timeit", "capture", "prun"})
"""Cell magics whose body is Python that runs among the notebook's own names."""

_FOREIGN = re.compile(
    r"!|bash|cmd|file|html|HTML|javascript|js|latex|markdown|perl|pypy|python[23]?|ruby|script|sh|svg|SVG|sx"
    r"|system|writefile"
)
"""IPython's cell magics whose body runs in another process, or not at all: it touches nothing in Python."""

_HARMLESS = re.compile(
    r"(?:un)?alias(?:_magic)?|auto(?:await|call|indent|magic|reload)|aimport|bookmark|cat|cd|clear|cls|colors|conda"
    r"|config|connect_info|cp|d?hist|dirs|doctest_mode|env|gui|history|killbgscripts|l[dfklsx]|ldir|less"
    r"|(?:re|un)?load_ext|logo(?:ff|n)|logst(?:art|ate|op)|lsmagic|magic|mamba|man|matplotlib|micromamba|mkdir|more"
    r"|mv|notebook|page|pastebin|pdb|pdef|pdoc|pfile|pinfo2?|pip|popd|pprint|precision|psearch|psource|pushd|pwd"
    r"|pycat|qtconsole|quickref|rehashx|rm|rmdir|save|set_env|sx|system|tb|tensorboard|time|uv|who|who_ls|whos"
    r"|writefile|xmode"
)
"""IPython's line magics, and those of the commonest extensions, that run no Python and bind no name."""

_STATEMENT_MAGICS = {"time": "", "timeit": "nrp", "prun": "lsTD"}
"""Line magics that run the statement behind them, with their options that take a value."""

_UNKNOWN = "\u01c3"
"""Stands for what a command gives (`files = !ls`): a name that nobody binds, so short that it fits."""

_MOST_RESTARTS = 8
"""How often a cell's lines are looked at anew, behind a bracket that is never closed."""

_MAY_HOLD_ONE = re.compile(r"(?:\A|[\r\n])[ \t\f]*[%!?,;/]|\?[ \t\f]*(?:[\r\n]|\Z)|=[ \t]*[!%]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]*")
_INDENT = re.compile(r"[ \t\f]*")
_CELL_MAGIC = re.compile(r"[ \t]*%%[ \t]*(!|[^\s!]*)[^\r\n]*")
_LINE_MAGIC = re.compile(r"%%?[ \t]*(?P<name>[^\W\d]\w*)")
_COMPOUND = re.compile(r"(?:async|class|def|for|if|match|try|while|with)\b|@")
_ASSIGNED = re.compile(r"[ \t]*(?=!(?!=)|%{1,2}[ \t]*[^\W\d])")
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
    |(?P<string>'''|\"""|'|")
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<joined>\\(?:\r\n|\n|\r))
    |(?P<end>\r\n|\n|\r)
    |(?P<assign>(?<![=!<>:+\-*/%&|^@~])=(?!=))""",
    re.VERBOSE,
)
_REST_OF_STRING = {
    "'": re.compile(r"[^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*'", re.DOTALL),
    '"': re.compile(r'[^"\\\r\n]*(?:\\(?:\r\n|.)[^"\\\r\n]*)*"', re.DOTALL),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.DOTALL),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.DOTALL),
}


@dataclass(frozen=True, slots=True)
class Masked:
    """A cell as Python.

    Attributes:
        code: as long as the cell's text, with its line ends; what is not Python is replaced.
        masks: the stretches that were replaced, in order.
        head: where the lines of the cell magics end, which must stay the first; 0 where there are none.
        hidden: the lines (0-based) that may do anything to what is in Python and are not in `code`.
    """

    code: str
    masks: tuple[Span, ...] = ()
    head: int = 0
    hidden: frozenset[int] = frozenset()


def mask(text: str) -> Masked:
    """Replaces what is not Python in the cell `text`: by blanks, and where a statement stood by `pass`."""
    if _MAY_HOLD_ONE.search(text) is None:
        return Masked(text)
    cuts = list(_cell_cuts(text))
    head = cuts[-1].span.end if cuts else 0
    cuts += _line_cuts(text, head)
    code = apply_edits(text, [Edit(cut.span, cut.text) for cut in cuts])
    line_of = LineTable(text).line_of
    hidden = {
        line
        for cut in cuts
        if cut.hides
        for line in range(line_of(cut.span.start), line_of(cut.span.end) + 1)
    }
    return Masked(code, tuple(cut.span for cut in cuts), head, frozenset(hidden))


@dataclass(frozen=True, slots=True)
class _Cut:
    """Puts `text`, which is as long, in the place of `span`; `hides`: see `Masked.hidden`."""

    span: Span
    text: str
    hides: bool = False


def _cell_cuts(text: str) -> Iterator[_Cut]:
    """The lines of the cell magics; the whole cell where its body is no Python of the notebook's."""
    at = 0
    while (first := _first_code(text, at)) is not None and (match := _CELL_MAGIC.match(text, first)):
        name = match[1]
        if name not in _TRANSPARENT:
            span = Span(at, len(text))
            yield _Cut(span, _blank(text[span.start : span.end]), hides=_FOREIGN.fullmatch(name) is None)
            return
        yield _Cut(Span(at, match.end()), _blank(text[at : match.end()]))
        at = match.end()


def _first_code(text: str, at: int) -> int | None:
    """Where the first line from `at` on begins that is neither empty nor a comment."""
    while at < len(text):
        line = _match_at(_LINE, text, at)
        if line[0].strip() and not line[0].lstrip().startswith("#"):
            return at
        at = _past_line_end(text, line.end())
    return None


def _line_cuts(text: str, at: int) -> Iterator[_Cut]:
    restarts = 0
    while at < len(text):
        begin = _match_at(_INDENT, text, at).end()
        indent = begin - at
        if text[begin : begin + 1] in ("%", "!", "?", ",", ";", "/"):
            end = _end_of_command(text, begin)
            kept = _kept_statement(text, begin, end)
            if kept is None:
                yield _as_pass(text, begin, end, hides=not _is_harmless(text, begin, end))
                at = _past_line_end(text, end)
                continue
            yield kept
            begin = kept.span.end
        line = _logical_line(text, begin)
        if line.assigned is not None:
            cut = _assigned(text, line.assigned)
            yield cut
            at = cut.span.end
        elif line.asks:
            yield _as_pass(text, begin, line.end, hides=False)
            at = _past_line_end(text, line.end)
        elif line.whole or restarts == _MOST_RESTARTS:
            at = _past_line_end(text, line.end)
        else:
            restarts += 1
            at = _next_statement(text, begin, indent)


@dataclass(frozen=True, slots=True)
class _Logical:
    """A line as Python counts it: `end` is where it ends, its line end not counted.

    `assigned` is where a command begins whose result it assigns; `asks` is true of `name?`; `whole` is false
    where a bracket or string of it is open at the end of the text.
    """

    end: int
    assigned: int | None = None
    asks: bool = False
    whole: bool = True


def _logical_line(text: str, at: int) -> _Logical:
    depth, start, plain = 0, at, True
    first_equals = True
    while (token := _TOKEN.search(text, at)) is not None:
        kind, at = token.lastgroup, token.end()
        if kind == "string":
            rest = _REST_OF_STRING[token[0]].match(text, at)
            if rest is None and len(token[0]) == 3:
                return _Logical(len(text), whole=False)
            plain = plain and rest is not None
            at = rest.end() if rest is not None else _match_at(_LINE, text, at).end()
        elif kind == "comment":
            plain = False
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "assign" and depth == 0:
            command = _ASSIGNED.match(text, at) if first_equals else None
            first_equals = False
            if command is not None:
                return _Logical(at, assigned=command.end())
        elif kind == "joined" or (kind == "end" and depth):
            plain = False
        elif kind == "end":
            return _Logical(token.start(), asks=plain and _asks(text[start : token.start()]))
    return _Logical(len(text), asks=plain and _asks(text[start:]), whole=depth == 0)


def _asks(line: str) -> bool:
    """Whether a line that is no comment and ends in no string asks for help: no Python ends in `?`."""
    return line.rstrip().endswith("?")


def _is_harmless(text: str, begin: int, end: int) -> bool:
    """Whether the command there can change nothing that is in Python."""
    if text[begin] in "!?":
        return True
    match = _LINE_MAGIC.match(text, begin)
    if match is None:
        return False
    bare = not text[match.end() : end].strip()
    return _HARMLESS.fullmatch(match["name"]) is not None and (match["name"] != "time" or bare)


def _kept_statement(text: str, begin: int, end: int) -> _Cut | None:
    """For `%time statement`: blanks the magic and keeps the statement; None where that cannot be done."""
    match = _LINE_MAGIC.match(text, begin)
    if match is None or match["name"] not in _STATEMENT_MAGICS:
        return None
    start = _statement_start(text, match.end(), match["name"])
    statement = text[start:end]
    if not statement.strip() or _COMPOUND.match(statement) or "\n" in statement or "\r" in statement:
        return None
    # What `%timeit` assigns is gone when it is done.
    if match["name"] == "timeit" and not _is_expression(statement):
        return None
    # `0;` keeps what follows at its column: blanks alone would be an indentation.
    return _Cut(Span(begin, start), "0;".ljust(start - begin))


def _statement_start(text: str, at: int, magic: str) -> int:
    """Where the statement of a magic begins, behind the magic's options."""
    valued = _STATEMENT_MAGICS[magic]
    with_value = rf"-[{valued}][ \t]*[^\s]+|" if valued else ""
    options = re.compile(rf"(?:[ \t]+(?:{with_value}--?[A-Za-z][\w-]*))*[ \t]*")
    return _match_at(options, text, at).end()


def _is_expression(text: str) -> bool:
    try:
        parse_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _assigned(text: str, begin: int) -> _Cut:
    """The cut for the command at `begin`, whose result is assigned."""
    end = _end_of_command(text, begin)
    match = _LINE_MAGIC.match(text, begin)
    if match is not None and match["name"] == "time":
        start = _statement_start(text, match.end(), "time")
        if _is_expression(text[start:end]) and _LINE_END.search(text, start, end) is None:
            return _Cut(Span(begin, start), " " * (start - begin))  # It gives what the expression gives.
    return _Cut(Span(begin, end), _UNKNOWN + _blank(text[begin + 1 : end]), hides=text[begin] == "%")


def _as_pass(text: str, begin: int, end: int, *, hides: bool) -> _Cut:
    """Puts `pass` in the place of a command, or `0` where it is shorter: a block may hold nothing else."""
    first = _LINE_END.search(text, begin, end)
    statement = "pass" if (first.start() if first else end) - begin >= len("pass") else "0"
    return _Cut(Span(begin, end), statement + _blank(text[begin + len(statement) : end]), hides)


def _end_of_command(text: str, at: int) -> int:
    """The end of the line that `at` is on, or of the last one that a backslash joins to it."""
    while True:
        end = _match_at(_LINE, text, at).end()
        if end == len(text) or not text[at:end].endswith("\\"):
            return end
        at = _past_line_end(text, end)


def _next_statement(text: str, at: int, indent: int) -> int:
    """The next line after `at` that is indented no deeper: what an open bracket there can hardly hold."""
    while (at := _past_line_end(text, _match_at(_LINE, text, at).end())) < len(text):
        begin = _match_at(_INDENT, text, at).end()
        if begin - at <= indent and text[begin : begin + 1] not in ("", "\r", "\n", ")", "]", "}", "#"):
            return at
    return at


def _past_line_end(text: str, at: int) -> int:
    match = _LINE_END.match(text, at)
    return match.end() if match else at


def _match_at(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    """The match of a pattern that matches everywhere, be it nothing."""
    match = pattern.match(text, at)
    if match is None:
        raise AssertionError(f"{pattern.pattern} must match the empty text")
    return match


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n]", " ", text)
