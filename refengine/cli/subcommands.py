"""Subcommands: programs of their own behind the one name, each imported when it is asked for.

`refengine NAME …` hands what follows to the module's `main`. The plain options, which are those of Falco, need no
subcommand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple


class Subcommand(NamedTuple):
    """A subcommand: its name, the module whose `main(arguments) -> int` runs it, and what it does."""

    name: str
    module: str
    summary: str

    def run(self, arguments: Sequence[str]) -> int:
        """Run the subcommand and return its exit code."""
        main: Callable[[Sequence[str]], int] = import_module(self.module).main
        return main(arguments)


SUBCOMMANDS: Mapping[str, Subcommand] = MappingProxyType(
    {
        row.name: row
        for row in (
            Subcommand(
                "backends",
                "refengine.cli.backends_table",
                "show where events can come from, and what each backend can tell",
            ),
            Subcommand(
                "conformance",
                "refengine.conformance.main",
                "run the conformance suite on this engine or on another",
            ),
            Subcommand("doctor", "refengine.cli.doctor", "say what backends need here, and how to get it"),
            Subcommand("explain", "refengine.cli.explain", "say why a rule alerts on an event, or does not"),
            Subcommand("fmt", "refengine.cli.fmt", "lay rules files out in one form"),
            Subcommand(
                "learn", "refengine.cli.learn", "learn to write rules, by exercises that check themselves"
            ),
            Subcommand("lint", "refengine.cli.lint", "say what is doubtful about rules, and fix some of it"),
            Subcommand("repl", "refengine.cli.repl", "look around in recorded events by typing conditions"),
            Subcommand("test", "refengine.cli.test", "run unit tests of rules"),
        )
    }
)
"""The subcommands by their names."""
