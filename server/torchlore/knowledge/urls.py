"""Where PyTorch's documentation describes a name. A search where that is not known: no dead links."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

BASE = "https://docs.pytorch.org/docs/stable/"
OWN_PAGE = "="


def url_from(place: str, name: str) -> str:
    """Expand the short form that the index stores.

    "=" is the name's own page in `generated/`; "=NAME" the page of another name; "data.html" the name's
    anchor on that page; "data.html#ANCHOR" another anchor; "data.html#" the page's top; "" is unknown.
    """
    if place == OWN_PAGE:
        return f"{BASE}generated/{name}.html"
    if place.startswith(OWN_PAGE):
        other = place[1:]
        return f"{BASE}generated/{other}.html" + (f"#{name}" if name.startswith(other + ".") else "")
    if place.endswith("#"):
        return BASE + place[:-1]
    if "#" in place:
        return BASE + place
    if place:
        return f"{BASE}{place}#{name}"
    return f"{BASE}search.html?q={quote(name)}"


class DocPages:
    """The rules of `knowledge/symbols/docs.toml`."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._namespaces: dict[str, str] = table["namespaces"]
        self._classes: dict[str, str] = table["classes"]
        self._modules: dict[str, str] = table["modules"]
        self._names: dict[str, str] = dict(table["names"])
        for home, names in table["moved"].items():
            door = home.rpartition(".")[0]
            self._names.update({f"{door}.{name}": f"={home}.{name}" for name in names})
        self._unlisted = re.compile("|".join(table["undocumented"]["patterns"]))

    def place(self, name: str, symbols: dict[str, list[Any]], documented: set[str]) -> str:
        """The place of a name in the form that `url_from` expands; "" where it is not known.

        `documented` are the names that torch itself describes: only they can have a page of their own.
        """
        if name in self._names:
            return self._names[name]
        kind = symbols[name][0]
        if kind == "module":
            return self._modules.get(name, "")
        if kind == "dtype":
            return "tensor_attributes.html#torch.dtype"
        owner = name.rpartition(".")[0]
        if owner in symbols and symbols[owner][0] in ("class", "enum", "exception"):
            return self._place_of_member(name, owner, symbols, documented)
        place = self._longest(owner)
        if self._unlisted.fullmatch(name) or (place == OWN_PAGE and name not in documented):
            return ""
        return place

    def _place_of_member(
        self, name: str, owner: str, symbols: dict[str, list[Any]], documented: set[str]
    ) -> str:
        if owner in self._classes and name in documented:
            return self._classes[owner]
        place = self.place(owner, symbols, documented)
        if place == OWN_PAGE:
            return OWN_PAGE + owner
        # An undocumented member has no anchor: its class's entry is the nearest there is.
        is_anchored = name in documented or "#" in place or not place or place.startswith(OWN_PAGE)
        return place if is_anchored else f"{place}#{owner}"

    def _longest(self, namespace: str) -> str:
        while namespace:
            if namespace in self._namespaces:
                return self._namespaces[namespace]
            namespace = namespace.rpartition(".")[0]
        return ""
