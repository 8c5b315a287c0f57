"""Tables of text that fit into a given width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from refengine.terminal import Style

GAP = "  "
WIDEST = 60
"""Characters of a cell that are shown at most while there are other columns."""

NARROWEST = 8
"""A column that is cut further says nothing any more."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column; numbers stand at its right."""

    text: str
    is_number: bool = False


def table(
    headings: Sequence[Heading], rows: Sequence[Sequence[str]], width: int, style: Style
) -> tuple[list[str], int]:
    """Return the lines of a table, and how many columns, from the left, had room in it.

    Longer cells lose their middle.
    """
    natural = [
        max((cells(heading.text), *(cells(row[at]) for row in rows))) for at, heading in enumerate(headings)
    ]
    widths = _fitted(natural, width)
    shown = len(widths)
    lines = [_line([heading.text for heading in headings[:shown]], headings, widths, style.bold)]
    lines += [_line(row[:shown], headings, widths) for row in rows]
    return lines, shown


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, width: int) -> str:
    """Return `text` without its middle where it is wider than `width`; what is no character is `?`."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "?" for c in text)
    if cells(text) <= width:
        return text
    left = (width - 1) * 2 // 3
    head, tail = text[:left], text[len(text) - (width - 1 - left) :] if width - 1 > left else ""
    while cells(head) > left:
        head = head[:-1]
    while cells(head) + 1 + cells(tail) > width:
        tail = tail[1:]
    return f"{head}…{tail}"


def _fitted(natural: Sequence[int], width: int) -> list[int]:
    """Return the widths of as many columns as there is room for; the widest give way first."""
    widths = [min(each, WIDEST) if len(natural) > 1 else each for each in natural]
    while len(widths) > 1 and _total([min(each, NARROWEST) for each in widths]) > width:
        widths.pop()
    while (excess := _total(widths) - width) > 0:
        widest = max(widths)
        if widest <= NARROWEST:
            break
        at = widths.index(widest)
        others = [each for each in widths if each < widest]
        floor = max(NARROWEST, max(others, default=NARROWEST))
        widths[at] -= max(1, min(excess, widest - floor))
    # What was cut more than needed is given back, from the left.
    for at, wanted in enumerate(natural[: len(widths)]):
        widths[at] += max(0, min(wanted - widths[at], width - _total(widths)))
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(
    row: Sequence[str],
    headings: Sequence[Heading],
    widths: Sequence[int],
    dress: Callable[[str], str] | None = None,
) -> str:
    parts = []
    for at, (text, width) in enumerate(zip(row, widths, strict=True)):
        shown = cut(text, width)
        blanks = " " * (width - cells(shown))
        dressed = shown if dress is None else dress(shown)
        is_last = at == len(widths) - 1
        if headings[at].is_number:
            parts.append(f"{blanks}{dressed}")
        else:
            parts.append(dressed if is_last else f"{dressed}{blanks}")
    return GAP.join(parts).rstrip()
