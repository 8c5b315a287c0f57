"""Remarks on standard error: what is going on, and what deserves attention."""

from __future__ import annotations

import sys
from contextlib import suppress

from refengine.report import render
from refengine.rulefile.loader import LoadResult
from refengine.terminal import Style


class Messages:
    """Speaks to the person at the terminal; `verbose` tells more."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._style = Style.of(sys.stderr)

    def tell(self, text: str) -> None:
        """Say what is going on, to whom asked for it."""
        if self._verbose:
            self._print(text)

    def warn(self, text: str) -> None:
        """Say what deserves attention."""
        self._print(f"{self._style.yellow('Warning:')} {text}")

    def fail(self, text: str) -> None:
        """Say why the program ends."""
        self._print(f"{self._style.red('Error:')} {text}")

    def warnings_of(self, result: LoadResult) -> None:
        """Say how many warnings the load of each file gave, or with `verbose` what they are."""
        for file in result.files:
            if not file.warnings:
                self.tell(f"{file.name}: Ok")
            elif self._verbose:
                for found in file.warnings:
                    self._print(render(found))
            else:
                count = len(file.warnings)
                self.warn(
                    f"{file.name}: {count} warning{'s' if count > 1 else ''}; -V tells {'them' if count > 1 else 'it'}"
                )

    def _print(self, text: str) -> None:
        with suppress(OSError):
            print(text, file=sys.stderr)
