"""Command lines that make no sense are told in one way, and help is printed as any other output is.

`argparse` by itself prints and ends the program: help then vanishes silently where it cannot be written, and a misspelt
word is answered with everything that could have been meant.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from refengine.errors import UsageError

_WIDEST = 110


class HelpRequested(Exception):  # noqa: N818  # not an error
    """The command line asks for help; the text is the help."""


class CommandParser(argparse.ArgumentParser):
    """A parser that raises: `UsageError` for what makes no sense, with what may have been meant, else `HelpRequested`.

    `name` is what stands behind `refengine`, and `end` what the help ends with.
    """

    def __init__(self, name: str, description: str, end: str, **settings: Any) -> None:
        super().__init__(
            prog=f"refengine {name}".rstrip(),
            description=description,
            epilog=end,
            formatter_class=_formatter,
            allow_abbrev=False,
            **settings,
        )

    def parse_args(  # type: ignore[override]  # fewer forms than those of argparse
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Return the options of a command line."""
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            self.error(self.unexpected(rest[0]))
        return found

    def print_help(self, file: object = None) -> NoReturn:
        """Raise the help, for whoever runs the command to print."""
        raise HelpRequested(self.format_help().rstrip("\n"))

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line, and where to look."""
        raise UsageError(f"{message}\nTry '{self.prog} --help' for the options and examples.")

    def unexpected(self, word: str) -> str:
        """Return what is wrong with a word that no option or argument takes."""
        if not word.startswith("-"):
            return f"unexpected argument '{word}'"
        known = [name for action in self._actions for name in action.option_strings]
        return f"unknown option {word}{meant(word.partition('=')[0], known, quote='')}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            meaning = meant(str(value), known) or f": there are {', '.join(known)}"
            raise argparse.ArgumentError(action, f"there is no '{value}'{meaning}")


def meant(word: str, known: Iterable[str], *, quote: str = "'") -> str:
    """Return the question whether another word was meant, to follow what is said of this one; empty where none is near."""
    from difflib import get_close_matches  # most command lines are right

    near = get_close_matches(word, list(known), 1)
    return f", did you mean {quote}{near[0]}{quote}?" if near else ""


def _formatter(prog: str) -> argparse.HelpFormatter:
    width = min(_WIDEST, shutil.get_terminal_size((100, 24)).columns)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=width)
