"""What a person does in JupyterLab, in a headless browser; prints what they then see, as JSON.

Run by test_jupyterlab.py with the Python of .cache/jupyterlab: `person.py ADDRESS BROWSER PICTURE`.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

from playwright.sync_api import Page, TimeoutError, sync_playwright

PATIENCE = 60_000
TRIES = 10


def main(address: str, browser: str, picture: str) -> None:
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = window.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/lab/tree/train.ipynb?reset")
        try:
            print(
                json.dumps({"underlined": underlined(page), "problem": problem(page), "hover": hover(page)})
            )
        finally:
            page.screenshot(path=picture)
            window.close()


def underlined(page: Page) -> str:
    """The text that is underlined, once there is some."""
    page.locator(".cm-lintRange").first.wait_for()
    return "".join(page.locator(".cm-lintRange").all_inner_texts())


def problem(page: Page) -> str:
    """What is said where the mouse rests on it."""
    page.locator(".cm-lintRange").first.hover()
    tip = page.locator(".cm-tooltip").first
    tip.wait_for()
    return tip.inner_text()


def hover(page: Page) -> str:
    """What is shown of `backward` while Control is held, as JupyterLab wants it."""
    word = page.locator(".jp-Notebook .cm-content").nth(1).get_by_text("backward").first.bounding_box()
    assert word is not None
    x, y = word["x"] + word["width"] / 2, word["y"] + word["height"] / 2
    card = page.locator(".lsp-hover")
    for _ in range(TRIES):
        page.mouse.move(x - 40, y - 40)
        page.mouse.move(x, y, steps=4)
        page.locator(".cm-lsp-hover-available").first.wait_for()
        page.keyboard.down("Control")
        page.mouse.move(x + 6, y, steps=3)
        with suppress(TimeoutError):  # It drops what is asked while another answer is on its way.
            card.wait_for(timeout=PATIENCE / TRIES)
            break
        page.keyboard.up("Control")
    return card.inner_text()


if __name__ == "__main__":
    main(*sys.argv[1:])
