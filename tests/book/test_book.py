"""The book as files: a page for every card, links that lead somewhere, HTML that is balanced and escaped."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from torchlore.book import book_files, site
from torchlore.book.markup import code_block, html_of, relative
from torchlore.knowledge import card, cards, data_root
from torchlore.knowledge.cards import AREAS, LEVELS

VOID = {"meta", "link", "input", "img", "br", "hr"}
INLINE = {"a", "code", "span", "em", "strong", "button"}


class Page(HTMLParser):
    """What a page holds; fails on a tag that is not closed, or closed twice."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.pictures: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"an attribute twice: {self.get_starttag_text()}"
        assert not any(name.startswith("on") for name in given)
        if tag == "a":
            assert "a" not in self.open, "a link within a link"
            self.targets.append(given["href"])
        if tag not in INLINE:
            assert not set(self.open) & {"p", "a"} or tag in VOID, f"{tag} within {self.open}"
        if "id" in given:
            self.ids.append(given["id"])
        if tag in ("script", "img") and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link":
            self.loaded.append(given["href"])
        if tag == "img":
            self.pictures.append((given["src"], given["alt"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:  # `<img … />`
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not set(self.open) & {"script", "style"}:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return book_files()


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, Page]:
    return {path: Page(text.decode()) for path, text in files.items() if path.endswith(".html")}


def test_every_card_has_a_page(pages: dict[str, Page], files: dict[str, bytes]) -> None:
    assert {path for path in pages if path.startswith("cards/")} == {f"cards/{c.slug}.html" for c in cards()}
    for told in cards():
        page = pages[f"cards/{told.slug}.html"]
        assert page.words.count(told.question) >= 1
        assert page.words.startswith(told.question)
        for heading in ("Details", "Pitfalls", "Corrections", "Follow-ups", "Names", "Sources"):
            assert heading in page.words
        if told.snippet:
            assert " ".join(told.snippet.split()) in page.words
            assert files[f"snippets/{told.slug}.py"].decode() == told.snippet


def test_overviews_lead_to_every_card(pages: dict[str, Page]) -> None:
    everything = {f"cards/{told.slug}.html" for told in cards()}
    for path, groups in (("index.html", AREAS), ("levels.html", LEVELS)):
        assert set(pages[path].targets) >= everything
        assert set(pages[path].ids) >= {group for group in groups if group in _used(groups)}


def _used(groups: tuple[str, ...]) -> set[str]:
    return {told.area for told in cards()} if groups is AREAS else {told.level for told in cards()}


def test_no_link_is_dead(pages: dict[str, Page], files: dict[str, bytes]) -> None:
    for path, page in pages.items():
        assert len(set(page.ids)) == len(page.ids), path
        for target in [*page.targets, *page.loaded]:
            if target.startswith(("https://", "data:")):
                continue
            place, _, anchor = target.partition("#")
            full = (
                posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(place))) if place else path
            )
            assert full in files, f"{path}: {target}"
            assert not anchor or anchor in pages[full].ids, f"{path}: {target}"


def test_nothing_comes_from_elsewhere(pages: dict[str, Page], files: dict[str, bytes]) -> None:
    assert [load for page in pages.values() for load in page.loaded if "://" in load] == []
    style = files["assets/book.css"].decode()
    assert "url(" not in style and "@import" not in style
    script = files["assets/book.js"].decode()
    assert not any(
        word in script for word in ("fetch(", "XMLHttpRequest", "import ", "http", "innerHTML", "eval(")
    )


def test_see_also_links_between_cards(pages: dict[str, Page]) -> None:
    for told in cards():
        assert {f"{slug}.html" for slug in told.see_also} <= set(pages[f"cards/{told.slug}.html"].targets)


def test_every_picture_has_its_file_and_a_description(
    pages: dict[str, Page], files: dict[str, bytes]
) -> None:
    shown = [picture for page in pages.values() for picture in page.pictures]
    assert all(alt for _, alt in shown)
    written = sum("](../../pictures/" in (data_root() / told.path).read_text("utf-8") for told in cards())
    assert (written == 0) == (shown == [])
    assert {src.removeprefix("../") for src, _ in shown} == {path for path in files if path.endswith(".svg")}


def test_the_index_is_a_script_that_says_what_the_search_of_the_command_line_knows(
    files: dict[str, bytes],
) -> None:
    text = files["assets/found.js"].decode()
    assert text.startswith("window.torchloreFound = ") and text.endswith(";\n")
    content = json.loads(text.removeprefix("window.torchloreFound = ").removesuffix(";\n"))
    assert {slug for slug, _, _ in content["cards"]} == {told.slug for told in cards()}
    weights = content["words"]["batchnorm"]
    best, weight = weights[0], weights[1]
    assert content["cards"][best][0] == "batchnorm" and weight > 100
    assert all(0 <= n < len(content["cards"]) for w in content["words"].values() for n in w[::2])


def nowhere(_: str) -> str | None:
    return None


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](https://example.org/?a&b)", '<p><a href="https://example.org/?a&amp;b">x</a></p>\n'),
        ("[x *y*](gone.md) z", "<p>x <em>y</em> z</p>\n"),
        ("![what it shows](gone.svg)", "<p>what it shows</p>\n"),
        ("![a](https://example.org/x.svg)", "<p>a</p>\n"),
        ("```html\n<i>&\n```", None),
        ("```nonsense\n<i>\n```", '<pre tabindex="0"><code>&lt;i&gt;</code></pre>\n'),
        ('```" onload="x\ny\n```', '<pre tabindex="0"><code>y</code></pre>\n'),
    ],
)
def test_markdown(markdown: str, html: str | None) -> None:
    made = html_of(markdown, nowhere)
    Page(made)
    assert html is None or made == html
    assert "<i>" not in made and "<script" not in made


def test_places_are_escaped_and_descriptions_too() -> None:
    made = html_of('![a "b" <c>](x.svg) [d](y.md)', lambda target: f'../"{target}')
    assert made == (
        '<p><img src="../&quot;x.svg" alt="a &quot;b&quot; &lt;c&gt;" loading="lazy" /> '
        '<a href="../&quot;y.md">d</a></p>\n'
    )


def test_tables_scroll_by_themselves() -> None:
    made = html_of("| a |\n|---|\n| b |", nowhere)
    assert made.startswith('<div class="wide" tabindex="0"><table>') and made.endswith("</table></div>\n")


def test_code_keeps_its_lines() -> None:
    shown = Page(code_block("\n\ndef f(x):\n    return x < 1  # <b>\n", "python"))
    assert "".join(shown.text).strip("\n") == "def f(x):\n    return x < 1  # <b>"


@pytest.mark.parametrize(
    ("target", "folder", "path"),
    [
        ("../../pictures/a.svg", "cards/nn", "pictures/a.svg"),
        ("x.md", "cards/nn", "cards/nn/x.md"),
        ("../../../etc/passwd", "cards/nn", None),
        ("/etc/passwd", "cards/nn", None),
        ("..", "", None),
        ("..\\..\\x", "cards/nn", None),
        ("file:x", "cards/nn", None),
    ],
)
def test_relative_targets(target: str, folder: str, path: str | None) -> None:
    assert relative(target, folder) == path


def test_pictures_and_links_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card with a picture, a link to another card and a picture that is not there."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "cards" / "nn").mkdir(parents=True)
    (tmp_path / "pictures" / "a.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "cards" / "nn" / "other.md").write_text("", encoding="utf-8")
    (tmp_path / "secret.svg").write_text("", encoding="utf-8")
    monkeypatch.setattr(site, "data_root", lambda: tmp_path)
    told = card("zero-grad")
    assert told is not None
    files: dict[str, bytes] = {}
    placed: Callable[[str], str | None] = site.placing(replace(told, path="cards/nn/x.md"), files)
    assert placed("../../pictures/a.svg") == "../pictures/a.svg"
    assert files == {"pictures/a.svg": b"<svg/>"}
    assert placed("other.md") == "other.html"
    assert placed("../nn/other.md") == "other.html"
    for wrong in ("../../pictures/b.svg", "../../secret.svg", "../../../outside.svg", "none.md", ""):
        assert placed(wrong) is None
    assert list(files) == ["pictures/a.svg"]
