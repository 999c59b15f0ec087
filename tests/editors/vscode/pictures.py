"""Makes the pictures of the last `make test-vscode` small, and puts those that are shown into docs/images.

Runs in the Python that `setup.sh` made, which has Pillow: `make -C editors/vscode pictures`.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[3]
TAKEN = ROOT / ".cache" / "vscode" / "pictures"
SHOWN = ROOT / "docs" / "images"

NAMES = (
    "vscode",
    "vscode-hover-picture",
    "vscode-notebook",
    "vscode-quick-fix",
    "vscode-run",
    "vscode-status",
)
COLOURS = 256
"""An editor has few: nobody sees the difference, and the file is half the size."""


def main() -> None:
    for name in NAMES:
        with Image.open(TAKEN / f"{name}.png") as taken:
            with_few_colours(taken.convert("RGB")).save(SHOWN / f"{name}.png", optimize=True)
        print(f"{name}.png: {(SHOWN / f'{name}.png').stat().st_size // 1024} KiB")


def with_few_colours(picture: Image.Image) -> Image.Image:
    """The picture in its most frequent colours: words keep theirs, the edges of letters take the nearest."""
    counted = picture.getcolors(picture.width * picture.height) or []
    frequent = [colour for _, colour in sorted(counted, reverse=True)[:COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in frequent for part in colour])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
