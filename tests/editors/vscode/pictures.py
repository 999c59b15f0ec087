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
    "vscode-insert",
    "vscode-notebook",
    "vscode-quick-fix",
    "vscode-run",
    "vscode-status",
)
COLOURS = 128
"""An editor has few: nobody sees the difference, and the file is a third of the size."""


def main() -> None:
    for name in NAMES:
        with Image.open(TAKEN / f"{name}.png") as taken:
            few = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(SHOWN / f"{name}.png", optimize=True)
        print(f"{name}.png: {(SHOWN / f'{name}.png').stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
