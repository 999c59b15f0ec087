"""`python -m tests.knowledge.pictures`: write every picture, and say how a card shows it."""

from __future__ import annotations

from pathlib import Path

from . import drawn, rendered

FOLDER = Path(__file__).parents[3] / "knowledge" / "pictures"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    pictures = drawn()
    for path in FOLDER.glob("*.svg"):
        if path.stem not in pictures:
            path.unlink()
            print(f"{path.name}: removed, nothing draws it")
    for name, picture in pictures.items():
        path, text = FOLDER / f"{name}.svg", rendered(picture)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"![{picture.description}](../../pictures/{name}.svg)")


if __name__ == "__main__":
    main()
