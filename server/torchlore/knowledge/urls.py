"""Where PyTorch's documentation describes a name. A search where that is not known: no dead links."""

from __future__ import annotations

from urllib.parse import quote

BASE = "https://docs.pytorch.org/docs/stable/"
GENERATED = "="


def url_from(place: str, name: str) -> str:
    """Expand the short form that the index stores.

    "=" is the name's own page in `generated/`; "=NAME" the page of another name; "data.html" the name's
    anchor on that page; "data.html#ANCHOR" another anchor; "data.html#" the page's top; "" is unknown.
    """
    if place == GENERATED:
        return f"{BASE}generated/{name}.html"
    if place.startswith(GENERATED):
        return f"{BASE}generated/{place[1:]}.html#{name}"
    if place.endswith("#"):
        return BASE + place[:-1]
    if "#" in place:
        return BASE + place
    if place:
        return f"{BASE}{place}#{name}"
    return f"{BASE}search.html?q={quote(name)}"
