"""The texts of lessons: a small part of Markdown, laid out for a terminal.

There are headings, paragraphs, lists whose items begin with `- `, blocks between fences, `code` and **words that
matter**.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from refengine.terminal import Style

_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]+\)")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_GLUE = "\x00"
"""Stands for the blanks inside of code, at which no line is to break."""


@dataclass(frozen=True, slots=True)
class Prose:
    """A text in Markdown."""

    text: str

    def laid_out(self, width: int, style: Style) -> str:
        """Return the text in lines of at most `width` characters, but for code; dressed where `style` does so."""
        out: list[str] = []
        at = 0
        for block in _BLOCK.finditer(self.text):
            out.extend(_paragraphs(self.text[at : block.start()], width, style))
            out.append(textwrap.indent(block[1].rstrip("\n"), "    "))
            at = block.end()
        out.extend(_paragraphs(self.text[at:], width, style))
        return "\n\n".join(out)


def _paragraphs(text: str, width: int, style: Style) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith("#"):
            yield style.bold(paragraph.lstrip("# "))
        elif paragraph.startswith("- "):
            items = re.split(r"\n(?=- )", paragraph)
            yield "\n".join(_filled(item[2:], width, style, "- ", "  ") for item in items)
        elif paragraph:
            yield _filled(paragraph, width, style)


def _filled(text: str, width: int, style: Style, first: str = "", others: str = "") -> str:
    glued = _SPAN.sub(lambda found: found[0].replace(" ", _GLUE).replace("\n", _GLUE), text)
    lines: list[str] = []
    line, room = first, width - len(first)
    for word in glued.split():
        dressed = _SPAN.sub(lambda found: _dressed(found, style), word)
        length = len(_ESCAPE.sub("", dressed))
        if length > room and line not in (first, others):
            lines.append(line.rstrip())
            line, room = others, width - len(others)
        line += f"{dressed} "
        room -= length + 1
    return "\n".join((*lines, line.rstrip())).replace(_GLUE, " ")


def _dressed(found: re.Match[str], style: Style) -> str:
    code, strong, link = found.groups()
    if code is not None:
        return style.cyan(f"`{code}`")  # words such as `and` need the quotes whatever their colour
    return style.bold(strong) if strong is not None else str(link)
