"""The book opened from disk in a real browser: search, keys, colours, a narrow screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from torchlore.book import book_files, write_book

if sys.platform == "win32":
    pytest.skip("the browser is driven through a pipe of Unix", allow_module_level=True)

from browser import Browser, chromium

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium here: `apt install chromium` brings one"),
]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    write_book(book_files(), folder, over=False)
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()
    assert opened.complaints == []
    elsewhere = [address for address in opened.wanted if not address.startswith(("file:", "data:", "about:"))]
    assert elsewhere == []


def found(browser: Browser) -> list[str]:
    links = (
        "[...document.querySelectorAll('#found a')].map(a => a.href.split('/').pop().replace('.html', ''))"
    )
    return list(browser.evaluate(links))


def search(browser: Browser, words: str) -> list[str]:
    browser.evaluate("document.getElementById('search').value = ''")
    browser.evaluate("document.getElementById('search').focus()")
    browser.type(words)
    return found(browser)


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("how do I clip gradients", "gradient-clipping"),
        ("clip_grad_norm_", "gradient-clipping"),
        ("BatchNorm", "batchnorm"),
        ("quantizatoin", "quantization"),
        ("quantiz", "quantization"),
        ("broadc", "broadcasting"),
        ("DataLoader worker exited unexpectedly", "dataloader-hangs"),
    ],
)
def test_search(browser: Browser, book: Path, words: str, slug: str) -> None:
    browser.open(book / "index.html")
    assert slug in search(browser, words)[:2]


def test_search_with_the_keyboard_alone(browser: Browser, book: Path) -> None:
    browser.open(book / "cards" / "zero-grad.html")
    browser.press("/")
    assert browser.evaluate("document.activeElement.id") == "search"
    browser.type("dropout")
    first, second = found(browser)[:2]
    chosen = "document.querySelector('[aria-selected=true] a').href.split('/').pop()"
    assert browser.evaluate(chosen) == f"{first}.html"
    browser.press("ArrowDown")
    assert browser.evaluate(chosen) == f"{second}.html"
    active = "document.getElementById('search').getAttribute('aria-activedescendant')"
    assert browser.evaluate(active) == "found-1"
    browser.press("ArrowUp")
    browser.press("ArrowUp")
    assert browser.evaluate(chosen) == f"{found(browser)[-1]}.html"
    browser.press("ArrowDown")
    browser.press("Escape")
    assert browser.evaluate("document.getElementById('found').hidden") is True
    assert search(browser, "dropout")[0] == first
    browser.press("Enter")
    browser.until(f"location.pathname.endsWith('/cards/{first}.html') && document.readyState === 'complete'")


@pytest.mark.parametrize(
    "words", ["zzzzqqqq", "<img src=x onerror=alert(1)>", "!!", "constructor", "__proto__"]
)
def test_search_for_what_is_not_there(browser: Browser, book: Path, words: str) -> None:
    browser.open(book / "index.html")
    search(browser, words)
    assert browser.evaluate("document.querySelectorAll('#found img').length") == 0


def test_colours_follow_the_system_and_the_switch(browser: Browser, book: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    browser.prefer("light")
    browser.open(book / "index.html")
    browser.evaluate("localStorage.clear()")
    light = browser.evaluate(paper)
    browser.prefer("dark")
    dark = browser.evaluate(paper)
    assert light != dark
    browser.until("document.getElementById('theme').textContent === 'Light'")
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(paper) == light
    browser.open(book / "cards" / "dropout.html")
    assert browser.evaluate(paper) == light, "the choice holds on the next page"
    browser.evaluate("localStorage.clear()")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen(browser: Browser, book: Path, width: int) -> None:
    browser.size(width, 800)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    pages = [
        book / "index.html",
        book / "levels.html",
        *sorted((book / "cards").glob("*.html"))[:: 1 if width < 400 else 8],
    ]
    too_wide = []
    for page in pages:
        browser.open(page)
        if browser.evaluate(wide) > 0:
            too_wide.append(page.name)
    assert too_wide == []


def test_every_picture_loads(browser: Browser, book: Path) -> None:
    broken = "[...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"
    for page in sorted((book / "cards").glob("*.html")):
        if "<img" in page.read_text(encoding="utf-8"):
            browser.open(page)
            browser.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
            browser.until("[...document.images].every(i => i.complete)")
            assert browser.evaluate(broken) == []
