"""Colour, where a terminal shows it and nobody asked for none."""

from __future__ import annotations

import os
from typing import NamedTuple, TextIO


class Style(NamedTuple):
    """Dresses text for one stream; leaves it as it is where the stream is no terminal."""

    coloured: bool

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Return the style for `stream`; the variables `NO_COLOR` and `TERM=dumb` turn colour off."""
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls(stream.isatty() and not plain)

    def bold(self, text: str) -> str:
        """Return `text` in bold."""
        return f"\x1b[1m{text}\x1b[0m" if self.coloured else text

    def red(self, text: str) -> str:
        """Return `text` in bold red."""
        return f"\x1b[1;31m{text}\x1b[0m" if self.coloured else text

    def yellow(self, text: str) -> str:
        """Return `text` in bold yellow."""
        return f"\x1b[1;33m{text}\x1b[0m" if self.coloured else text

    def cyan(self, text: str) -> str:
        """Return `text` in cyan, as code stands out in prose."""
        return f"\x1b[36m{text}\x1b[0m" if self.coloured else text

    def green(self, text: str) -> str:
        """Return `text` in green."""
        return f"\x1b[32m{text}\x1b[0m" if self.coloured else text

    def dim(self, text: str) -> str:
        """Return `text` in a weak colour."""
        return f"\x1b[2m{text}\x1b[0m" if self.coloured else text
