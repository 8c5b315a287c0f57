"""The command `refengine fmt`: lay rules files out in one form."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

from refengine.authoring.formatting.formatter import formatted
from refengine.cli.arguments import CommandParser
from refengine.cli.exit_codes import OK
from refengine.cli.load import expanded
from refengine.rulefile.files import read_source
from refengine.source import Source

UNFORMATTED = 1

_DESCRIPTION = """\
Lay rules files out in one form: items apart by one blank line, keys in a fixed order, conditions in one line where
they fit and else in a line for each part. Comments are kept, and what the file says does not change."""

_EXAMPLES = """\
examples:
  refengine fmt rules/
  refengine fmt --check --diff rules/
  refengine fmt - < rules.yaml

exit codes: 0 done, or nothing to do; 1 with --check: some files are not in this form; 2 it cannot be done"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code.

    :raises RulesError: when a file cannot be read or is no YAML.
    :raises UsageError: when a folder has no rules files.
    """
    options = _parser().parse_args(arguments)
    unformatted = False
    for source, path in _sources(options.paths):
        text = formatted(source)
        if path is None and not (options.check or options.diff):
            sys.stdout.write(text)
            continue
        if text == source.text:
            continue
        unformatted = True
        if options.diff:
            sys.stdout.writelines(
                unified_diff(
                    source.text.splitlines(keepends=True),
                    text.splitlines(keepends=True),
                    source.name,
                    source.name,
                )
            )
        if options.check:
            print(f"not in form: {source.name}", file=sys.stderr)
        elif path is not None and not options.diff:
            path.write_text(text, encoding="utf-8")
            print(f"laid out {source.name}", file=sys.stderr)
    return UNFORMATTED if unformatted and options.check else OK


def _sources(paths: Sequence[Path]) -> Iterator[tuple[Source, Path | None]]:
    for path in paths:
        if str(path) == "-":
            yield Source("<standard input>", sys.stdin.read()), None
        else:
            for file in expanded([path]):
                yield read_source(file), file


def _parser() -> CommandParser:
    parser = CommandParser("fmt", _DESCRIPTION, _EXAMPLES)
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        type=Path,
        help="a rules file, a folder of them, or - for standard input",
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; tell which files are not in this form"
    )
    parser.add_argument("--diff", action="store_true", help="change nothing; print what would change")
    return parser
