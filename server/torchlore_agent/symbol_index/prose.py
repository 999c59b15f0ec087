"""From a docstring to a signature, one line of Markdown, and the advice in its deprecation notes."""

from __future__ import annotations

import inspect
import re

LONGEST = 300

_ROLE = re.compile(r":(?:[a-z]+:)*?([a-z]+):`([^`]*)`")
_TITLED = re.compile(r"^(.*?)\s*<[^<>]*>$", re.DOTALL)
_LINK = re.compile(r"`([^`<]+?)\s*<(?:[^`>]+)>`__?")
_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)(?<!vs)(?<!cf)(?<!al)[.!?](?=\s+[A-Z`(\[\"']|$)")
_DIRECTIVE = re.compile(r"^\s*\.\.\s")
_FIELD = re.compile(
    r"^\s*(Args?|Arguments|Parameters|Returns?|Raises|Yields|Keyword (args|arguments)|Shape|"
    r"Examples?|Example:|Inputs?|Outputs?|Attributes|Note|Warning|References?|\.\. )\s*:{0,2}\s*$",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"^\s*([=\-~^*])\1{2,}\s*$")
_SAYS_NOTHING = re.compile(r"Members|Init|Usage|N\.B|Overloaded function|Initialize self.*|\W*")
_IS_SIGNATURE = re.compile(r"[\w.]+\([^()]*\)(?: ->|\.?$)")
_LATEX = (
    (re.compile(r"\\(?:left|right|displaystyle|quad|,|;|!)"), ""),
    (
        re.compile(
            r"\\(?:text|mathrm|mathbf|mathbb|mathcal|operatorname|textit|texttt|mathsf)\s*\{([^{}]*)\}"
        ),
        r"\1",
    ),
    (re.compile(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"(\1) / (\2)"),
    (re.compile(r"\\frac\b"), "/"),
    (re.compile(r"\\sqrt\s*\{([^{}]*)\}"), r"sqrt(\1)"),
    (re.compile(r"\\(?:times)\b"), "×"),
    (re.compile(r"\\cdot\b"), "·"),
    (re.compile(r"\\(?:leq|le)\b"), "≤"),
    (re.compile(r"\\(?:geq|ge)\b"), "≥"),
    (re.compile(r"\\(?:neq|ne)\b"), "≠"),
    (re.compile(r"\\in\b"), "∈"),
    (re.compile(r"\\infty\b"), "∞"),
    (re.compile(r"\\(?:ldots|dots|cdots)\b"), "…"),
    (re.compile(r"\\lceil\b"), "⌈"),
    (re.compile(r"\\rceil\b"), "⌉"),
    (re.compile(r"\\lfloor\b"), "⌊"),
    (re.compile(r"\\rfloor\b"), "⌋"),
    (re.compile(r"\\([a-zA-Z]+)\b"), r"\1"),
    (re.compile(r"\\([^a-zA-Z])"), r"\1"),
    (re.compile(r"\s+"), " "),
)


def split_signature(doc: str, name: str) -> tuple[str, str]:
    """The first signature that a docstring opens with, without the name, and the text after all of them.

    torch's builtins write `abs(input) -> Tensor` on the first line, some over several lines, some with one
    line for each overload. Returns ("", doc) where the docstring does not open so.
    """
    rest = doc
    signature = ""
    own = rf"\s*(?:\.\. function::\s*)?(?:[\w.]+\.)?(?:{re.escape(name)}|__init__)\s*(?=\()"
    # Aliases keep the name of what they stand for: `arccosh` says `acosh() -> Tensor`.
    any_name = r"\s*\w+(?=\([^()\n]*\) -> [^\n]+(?:\n|$))"
    while match := re.match(own, rest) or (None if signature else re.match(any_name, rest)):
        end = _closing(rest, match.end())
        if end is None:
            break
        line_end = rest.find("\n", end)
        line_end = len(rest) if line_end < 0 else line_end
        tail = rest[end:line_end].strip()
        if tail and not tail.startswith("->"):
            break
        arguments = re.sub(r",(?=[a-z*])", ", ", " ".join(rest[match.end() : end].split()))
        signature = signature or f"{arguments} {tail}".strip().rstrip(":")
        rest = rest[line_end:]
    return signature, rest


def one_line(doc: str) -> str:
    """The first sentence of a docstring, as one line of Markdown; "" where it has none that stands alone."""
    paragraph = _first_paragraph(doc)
    if not paragraph:
        return ""
    text = to_markdown(" ".join(paragraph.split()))
    end = _SENTENCE_END.search(text)
    sentence = text[: end.end()] if end else text
    if sentence.endswith((":", "::")):
        sentence = sentence.rstrip(":") + "."
    if len(sentence) > LONGEST:
        sentence = sentence[:LONGEST].rsplit(" ", 1)[0] + " …"
    if sentence.count("`") % 2:
        sentence = sentence.replace("`", "")
    if _SAYS_NOTHING.fullmatch(sentence.rstrip(".")) or _IS_SIGNATURE.match(sentence):
        return ""
    return sentence if sentence.endswith((".", "!", "?", "…")) else sentence + "."


def to_markdown(text: str) -> str:
    """RST inline markup as Markdown: roles, links, double backquotes, emphasis of arguments."""
    text = _LINK.sub(r"\1", text)
    text = _ROLE.sub(_role, text)
    text = text.replace("```", "`").replace("``", "`")
    text = re.sub(r"` (e?s)\b", r"`\1", text)
    text = re.sub(r"`\\([a-z])", r"`\1", text.replace("\\ ", ""))
    text = re.sub(r"(?<=\w)``(?=\S)", "", text)  # Two code spans that touch are one.
    return re.sub(r"\s+", " ", text).strip()


def deprecation_note(doc: str, name: str) -> str | None:
    """What a docstring says of the whole symbol's deprecation, or None.

    A `deprecated` directive counts at the docstring's own indentation only: deeper ones are about an
    argument. Anywhere else the text must say of this very name, or of "this function", that it is
    deprecated: "this behavior is deprecated" is about a part.
    """
    directives = _directives(doc)
    for kind, text in directives:
        if kind == "deprecated":
            version, _, advice = to_markdown(text).partition(" ")
            if not re.fullmatch(r"\d[\w.]*", version):
                return shorten(to_markdown(text)) or "Deprecated."
            return shorten(f"Since torch {version}: {advice}") if advice else f"Since torch {version}."
    says_so = re.compile(
        rf"^Deprecated\b|(?:This (?:API|class|function|method)|(?<!\w){re.escape(name)}`?(?:\([^()]*\))?`?)"
        r" (?:is|has been) (?:now )?deprecated"
    )
    for text in (*_introduction(doc), *(text for _, text in directives)):
        plain = to_markdown(" ".join(text.split()))
        found = says_so.search(plain)
        if found:
            start = max(plain.rfind(". ", 0, found.start()) + 2, 0) if found.start() else 0
            return shorten(plain[start if start > 1 else 0 :])
    return None


def shorten(text: str) -> str:
    """As many whole sentences as fit in LONGEST characters, at least the first."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    fitting = [end for end in ends if end <= LONGEST] or ends[:1]
    return text[: fitting[-1]] if fitting else text


def _closing(text: str, start: int) -> int | None:
    depth = 0
    for index in range(start, min(len(text), start + 2000)):
        depth += (text[index] in "([{") - (text[index] in ")]}")
        if depth == 0:
            return index + 1
    return None


def _first_paragraph(doc: str) -> str:
    lines = inspect.cleandoc(doc).splitlines()
    paragraph: list[str] = []
    skip_deeper_than: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if skip_deeper_than is not None and (not line.strip() or indent > skip_deeper_than):
            continue
        skip_deeper_than = None
        if _DIRECTIVE.match(line):
            if paragraph:
                break
            skip_deeper_than = indent
        elif _FIELD.match(line) or line.lstrip().startswith((">>>", "- ", "* ", "+--", "====")):
            break
        elif _UNDERLINE.match(line):
            paragraph = []
        elif line.strip():
            paragraph.append(line.strip())
        elif paragraph:
            break
    return " ".join(paragraph)


def _introduction(doc: str) -> list[str]:
    """The paragraphs before arguments, examples and other sections, none of them indented."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(doc)):
        if _FIELD.match(paragraph.splitlines()[0] if paragraph else "") or paragraph.startswith(">>>"):
            break
        if not paragraph.startswith((" ", "..")):
            found.append(paragraph)
    return found


def _role(match: re.Match[str]) -> str:
    kind, target = match[1], match[2].strip()
    titled = _TITLED.match(target)
    if titled and titled[1]:
        target = titled[1]
        if kind in ("ref", "doc"):
            return target
    if kind in ("ref", "doc"):
        return f"“{target.rpartition('/')[2]}”"
    if kind == "math":
        for pattern, replacement in _LATEX:
            target = pattern.sub(replacement, target)
        return f"`{target.strip().replace('{', '').replace('}', '')}`"
    if target.startswith("~"):
        target = target[1:]
    return f"`{target.lstrip('.!')}`"


def _directives(doc: str) -> list[tuple[str, str]]:
    """Kind and text of the directives at the docstring's own indentation."""
    found: list[tuple[str, str]] = []
    lines = inspect.cleandoc(doc).splitlines()
    for number, line in enumerate(lines):
        match = re.match(r"\.\. (deprecated|warning|note)::\s*(.*)", line)
        if match is None:
            continue
        text = [match[2]]
        for following in lines[number + 1 :]:
            if following.strip() and not following.startswith(" "):
                break
            if not following.strip() and any(text):
                break
            text.append(following.strip())
        found.append((match[1], " ".join(" ".join(text).split())))
    return found
