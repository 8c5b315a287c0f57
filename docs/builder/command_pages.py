"""The reference of the command line, from the tables of options and what each subcommand prints for `--help`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from unittest import mock

from builder.markdown import block, code, page, plain, table
from refengine.cli import option_groups
from refengine.cli.arguments import HelpRequested
from refengine.cli.options import EXAMPLES, EXIT_CODES
from refengine.cli.subcommands import SUBCOMMANDS, Subcommand

_GROUPS: tuple[tuple[str, Callable[[argparse._ArgumentGroup], None]], ...] = (
    ("Rules", option_groups.add_rules),
    ("Events", option_groups.add_events),
    ("Audit events", option_groups.add_listening),
    ("Output and configuration", option_groups.add_output),
    ("Questions, answered without watching anything", option_groups.add_questions),
)
_COLUMNS = "84"
"""The width of the texts of help, in characters: what a page has room for."""


def options_page() -> str:
    """Return the page of the plain options."""
    parts = []
    for title, add in _GROUPS:
        parts += [f"## {title}", table(("option", "does"), _options(add))]
    names = ", ".join(f"[{code(name)}](subcommands.md#refengine-{name})" for name in SUBCOMMANDS)
    return page(
        "Options",
        f"`refengine [OPTIONS] [-- COMMAND [ARGUMENT...]]`, as `refengine --help` prints them. The [subcommands](subcommands.md) {names} "
        "have options of their own. What scripts can rely on is told by [the command line](../command-line.md).",
        *parts,
        "## Examples",
        block(_dedented(EXAMPLES)),
        "## Exit codes",
        block(_dedented(EXIT_CODES)),
    )


def subcommands_page() -> str:
    """Return the page of the subcommands with their help."""
    parts = []
    for row in SUBCOMMANDS.values():
        parts += [f"## `refengine {row.name}`", block(_help(row))]
    return page("Subcommands", "What each prints for `--help`.", *parts)


def _options(add: Callable[[argparse._ArgumentGroup], None]) -> Iterator[tuple[str, str]]:
    parser = argparse.ArgumentParser(add_help=False)
    add(parser.add_argument_group())
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        value = (
            action.metavar if isinstance(action.metavar, str) else "|".join(map(str, action.choices or ()))
        )
        if action.nargs == 0:
            value = ""
        elif action.nargs == "?":
            value = f"[={value}]"
        names = ", ".join(code(name) for name in action.option_strings)
        yield f"{names} {code(value) if value else ''}".strip(), plain((action.help or "").replace("%%", "%"))


def _help(row: Subcommand) -> str:
    """Return what a subcommand prints for `--help`.

    :raises RuntimeError: where it does something else.
    """
    with mock.patch.dict(os.environ, {"COLUMNS": _COLUMNS, "NO_COLOR": "1"}):
        try:
            ended = row.run(["--help"])
        except HelpRequested as help_:
            return f"{help_}\n"
    raise RuntimeError(f"refengine {row.name} --help ended with {ended}")


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix("  ") for line in text.strip("\n").splitlines())
