"""The pictures: as torch draws them today, readable by everybody on any ground, each shown by a card."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from knowledge_support import repeated, seed_hashes
from torchlore.knowledge import Card, cards, data_root

FOLDER = data_root() / "pictures"
FILES = sorted(FOLDER.glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
STALE = "stale: run `python -m tests.knowledge.pictures`"

each_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def test_there_are_pictures() -> None:
    assert len(FILES) >= 18
    assert len([card for card in cards() if shown_by(card)]) >= 16


def shown_by(card: Card) -> list[tuple[str, str]]:
    """Alternative text and target of each picture of a card."""
    text = (data_root() / card.path).read_text(encoding="utf-8")
    return [(alt, target) for alt, target in IMAGE.findall(text)]


def test_cards_show_pictures_that_are_there_and_in_their_details_alone() -> None:
    for card in cards():
        pictures = shown_by(card)
        for _, target in pictures:
            assert re.fullmatch(r"\.\./\.\./pictures/[a-z0-9-]+\.svg", target), f"{card.slug}: {target}"
            assert ((data_root() / card.path).parent / target).resolve() in FILES, f"{card.slug}: {target}"
        assert len(IMAGE.findall(card.details)) == len(pictures), f"{card.slug}: hovers show no pictures"


def test_every_picture_is_shown_once() -> None:
    shown = [Path(target).name for card in cards() for _, target in shown_by(card)]
    assert sorted(shown) == [path.name for path in FILES]


def test_the_alternative_text_is_the_pictures_own() -> None:
    for card in cards():
        for alt, target in shown_by(card):
            described = element(FOLDER / Path(target).name).findtext(f"{SVG}desc")
            assert alt == described, f"{card.slug}: {target}"


def element(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


@each_file
def test_it_says_what_one_sees(path: Path) -> None:
    root = element(path)
    title, description = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert title and 10 <= len(title) <= 60 and not title.endswith(".")
    assert description and 80 <= len(description) <= 400 and description.endswith(".")
    # In a card it stands in Markdown, on one line between brackets, in a terminal and in plain text too.
    assert not set(description) & set('[]<>*`"\n\\'), "a character that means something in Markdown"
    assert repeated(f"{title}\n{description}", seed_hashes()) == []
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"


@each_file
def test_it_is_small_and_stands_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size <= 12 * 1024
    assert element(path).get("width") == "480"
    used = {node.tag.removeprefix(SVG) for node in element(path).iter()}
    assert used <= {"svg", "title", "desc", "path", "rect", "circle", "text", "g"}
    assert not re.search(
        r"href|url\(|style|@|<script", text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    )
    assert re.findall(r'font-family="([^"]*)"', text) == ["system-ui, sans-serif"]


@each_file
def test_its_colours_can_be_read_on_white_and_on_black(path: Path) -> None:
    root = element(path)
    for node in root.iter():
        for colour in {node.get("fill"), node.get("stroke")} - {None, "none", "#ffffff"}:
            assert min(contrast(colour, ground) for ground in ("#ffffff", "#1e1e1e")) >= 3.6, colour
    whole = [node for node in root.iter(f"{SVG}rect") if float(node.get("width", 0)) >= 480]
    assert not whole, "the ground is that of the page"


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def contrast(one: str, other: str) -> float:
    """The ratio of the Web Content Accessibility Guidelines, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@each_file
def test_its_words_are_large_enough_and_inside(path: Path) -> None:
    root = element(path)
    for node in root.iter(f"{SVG}text"):
        size, words = float(node.get("font-size", 12)), node.text or ""
        assert size >= 11, words
        # So wide are letters on average in the widest of the usual fonts (DejaVu Sans, Verdana).
        width = len(words) * size * (0.64 if node.get("font-weight") else 0.56)
        start = (
            float(node.get("x", 0)) - {"middle": 0.5, "end": 1}.get(node.get("text-anchor", ""), 0) * width
        )
        assert start >= -1 and start + width <= 481, words
        assert size <= float(node.get("y", 0)) + 1 <= float(root.get("height", 0)), words


def test_they_are_what_torch_draws() -> None:
    torch = pytest.importorskip("torch", reason="torch draws the pictures")
    if not torch.__version__.startswith("2.13."):
        pytest.skip("the pictures are drawn by torch 2.13")
    from pictures import drawn, rendered

    pictures = drawn()
    assert sorted(pictures) == [path.stem for path in FILES], STALE
    for name, picture in pictures.items():
        written = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
        assert differences(written, rendered(picture)) == [], f"{name} is {STALE}"


def test_a_changed_picture_is_noticed() -> None:
    text = '<path d="M0 1.5L2 3" stroke="#7b7f85"/>'
    assert differences(text, text.replace("1.5", "1.6")) == []
    assert differences(text, text.replace("1.5", "2")) == ["1.5 was 2"]
    assert differences(text, text.replace("L2 3", "L2 3L4 5")) == ["other marks"]
    assert differences(text, text.replace("#7b7f85", "#3b82c4")) != []


def differences(written: str, drawn_now: str) -> list[str]:
    """What differs by more than the last digit of a length: processors round sums differently."""
    if NUMBER.sub("0", written) != NUMBER.sub("0", drawn_now):
        return ["other marks"]
    pairs = zip(NUMBER.findall(written), NUMBER.findall(drawn_now), strict=True)
    return [f"{old} was {new}" for old, new in pairs if abs(float(old) - float(new)) > 0.21]
