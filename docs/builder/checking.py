"""The finished site, looked through: every link inside it leads somewhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = frozenset(
    {("img", "src"), ("script", "src"), ("source", "src"), ("iframe", "src"), ("link", "href")}
)
"""What browsers load by themselves; other addresses are gone to by people."""

_FILLED_BY_SCRIPTS = frozenset({"search.html"})
"""Pages whose headings are not in the file."""

_STYLE_ADDRESS = re.compile(r"""(?:url\(\s*|@import\s+)['"]?((?:https?:)?//[^'")\s]+)""")


@dataclass
class Page:
    """What the checks need of a page: places in it, addresses with the element that has them, headings, and pictures."""

    ids: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    addresses: list[tuple[str, str, str]] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    without_text: int = 0


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        place = found.get("id")
        if place:
            (self.page.twice if place in self.page.ids else self.page.ids).add(place)
        for name in ("href", "src", "xlink:href"):
            if name in found and not (tag == "link" and found.get("rel") in ("index", "canonical")):
                self.page.addresses.append((tag, name, found[name]))
        if re.fullmatch("h[1-6]", tag):
            self.page.headings.append(int(tag[1]))
        if (tag == "img" and "alt" not in found) or (
            found.get("role") == "img" and not found.get("aria-label")
        ):
            self.page.without_text += 1


def read_page(text: str) -> Page:
    """Return what there is to check of a page."""
    reader = _Reader()
    reader.feed(text)
    return reader.page


def faults(site: Path) -> list[str]:
    """Return everything that is wrong with the pages in a folder, in sentences."""
    pages = {path: read_page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site}: there are no pages"]
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name}: {fault}" for fault in _faults_of(path, page, pages, site)]
    for sheet in sorted(site.rglob("*.css")):
        text = sheet.read_text(encoding="utf-8")
        found += [f"{sheet.relative_to(site)}: fetches {address}" for address in _STYLE_ADDRESS.findall(text)]
    return found


def outside_links(site: Path) -> set[str]:
    """Return the addresses outside the site that its pages link to."""
    return {
        address
        for path in site.rglob("*.html")
        for _, _, address in read_page(path.read_text(encoding="utf-8")).addresses
        if urlsplit(address).scheme in ("http", "https")
    }


def _faults_of(path: Path, page: Page, pages: dict[Path, Page], site: Path) -> Iterator[str]:
    for tag, attribute, address in page.addresses:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            if (tag, attribute) in _FETCHED and parts.scheme != "data":
                yield f"fetches {address}"
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_relative_to(site.resolve()) and target != path:
            yield f"the link to {address} leaves the site"
        elif not target.is_file():
            yield f"the link to {address} leads nowhere"
        elif parts.fragment and target.suffix == ".html":
            there = (
                page
                if target == path.resolve()
                else pages.get(target) or pages.get(site / target.relative_to(site.resolve()))
            )
            if there is not None and unquote(parts.fragment) not in there.ids:
                yield f"there is no place #{parts.fragment} for the link to {address}"
    for place in sorted(page.twice):
        yield f"the place #{place} is there twice"
    if page.headings.count(1) != 1 and path.name not in _FILLED_BY_SCRIPTS:
        yield f"there are {page.headings.count(1)} headings of the first level"
    for before, after in zip(page.headings, page.headings[1:], strict=False):
        if after > before + 1:
            yield f"a heading of level {after} stands behind one of level {before}"
    if page.without_text:
        yield f"{page.without_text} pictures have no text in their place"
