"""The command `refengine repl`: look around in recorded events by typing conditions."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from refengine.authoring.exploring.columns import Columns
from refengine.authoring.exploring.commands import load_lines
from refengine.authoring.exploring.line import rendered
from refengine.authoring.exploring.recordings import LIMIT
from refengine.authoring.exploring.scope import Scope
from refengine.authoring.exploring.session import LEAVING, execute
from refengine.authoring.exploring.workspace import Workspace
from refengine.cli.arguments import CommandParser
from refengine.cli.backends import reader_of
from refengine.cli.exit_codes import ERROR, OK
from refengine.cli.load import expanded, static_options
from refengine.cli.messages import Messages
from refengine.errors import ConditionError, RefengineError, UsageError
from refengine.rulefile.loader import load
from refengine.terminal import Style

PROMPT = "refengine> "

_DESCRIPTION = """\
Look around in recorded events: type a condition and see the events for which it holds, count what they have in
common, ask why it does not hold for another one. Where standard input is no terminal, each of its lines is a command;
the exit code is 1 when one of them was wrong, 2 when rules or recordings cannot be read."""

_EXAMPLES = """\
examples:
  refengine repl -e trace.scap
  refengine repl -r falco_rules.yaml -e events.jsonl
  echo 'count proc.name where evt.type = execve' | refengine repl -e trace.scap

In the session, 'help' tells what can be typed."""

_WIDTH = 120
"""Columns of output that goes to no terminal."""

_HISTORY = Path("refengine", "repl_history")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code.

    :raises RulesError: when rules do not load.
    :raises BackendError: when a recording cannot be read.
    :raises UsageError: when there is no such file.
    """
    options = _parser().parse_args(arguments)
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    columns = Columns(options.limit)
    reading = _Reading()
    columns.progress = reading.show if at_terminal and sys.stderr.isatty() else None
    style = Style.of(sys.stdout)
    rules = load(expanded(options.rules), static_options(options.configuration))
    at = Workspace(columns, Scope(rules), reader_of, style=style, width=_width)
    for path in options.events:
        _print(load_lines(at, path), sys.stdout if at_terminal else sys.stderr)
    if not at_terminal:
        return _run_lines(sys.stdin, at)
    if options.rules:
        print(f"{len(at.scope.rules)} rules, {len(at.scope.macros)} macros, {len(at.scope.lists)} lists")
    print("type a condition, or help")
    return _converse(_reader(at), at)


def _run_lines(lines: Iterable[str], at: Workspace) -> int:
    """Do what the lines say, one after another, wrong ones passed over; return the exit code."""
    code = OK
    for number, line in enumerate(lines, 1):
        if line.strip() in LEAVING:
            break
        try:
            _print(execute(line, at), sys.stdout)
        except RefengineError as error:
            code = ERROR
            sys.stdout.flush()
            print(f"line {number}: {_said(error)}", file=sys.stderr)
    return code


def _converse(read: Callable[[], str], at: Workspace) -> int:
    """Answer line after line until the end of the input."""
    while True:
        try:
            line = read()
        except KeyboardInterrupt:
            continue
        except EOFError:
            print()
            return OK
        if line.strip() in LEAVING:
            return OK
        try:
            _print(execute(line, at), sys.stdout)
        except RefengineError as error:
            print(_said(error))
        except KeyboardInterrupt:
            print("interrupted")


def _said(error: RefengineError) -> str:
    if isinstance(error, ConditionError):
        return "\n".join(map(rendered, error.diagnostics))
    return f"error: {error}"


def _print(lines: Iterator[str], stream: TextIO) -> None:
    for line in lines:
        print(line, file=stream)
    sys.stdout.flush()


def _reader(at: Workspace) -> Callable[[], str]:
    """Return what reads a line from the terminal: with completion where that is installed."""
    try:
        from refengine.cli.repl_terminal import line_reader
    except ImportError:
        Messages().note("there is no completion: pip install 'refengine[repl]' brings it")
        return lambda: input(PROMPT)
    return line_reader(at, PROMPT, _history())


def _history() -> Path | None:
    """Return the file for the history, None where there can be none."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    path = folder / _HISTORY
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return None
    return path


def _width() -> int:
    return shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH


class _Reading:
    """A line on the terminal that tells how many events have been read, and is wiped by the end of the reading."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, count: int | None) -> None:
        """Show how many it is; nothing when the reading has ended."""
        text = f"{count:,} events …" if count else ""
        if text or self._width:
            sys.stderr.write(f"\r{text:<{self._width}}\r")
            sys.stderr.flush()
        self._width = len(text)


def _parser() -> CommandParser:
    parser = CommandParser("repl", _DESCRIPTION, _EXAMPLES)
    parser.add_argument(
        "-e",
        dest="events",
        metavar="FILE",
        action="append",
        type=Path,
        default=[],
        help="a capture, lines of JSON with an event each, or audit events (repeat)",
    )
    parser.add_argument(
        "-r",
        dest="rules",
        metavar="PATH",
        action="append",
        type=Path,
        default=[],
        help="rules, for their macros and lists as well (repeat)",
    )
    parser.add_argument(
        "-c",
        dest="configuration",
        metavar="FILE",
        type=Path,
        help="the configuration, for the static_fields that conditions name",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_positive,
        default=LIMIT,
        help=f"look at so many events at most ({LIMIT:,}); each takes some hundred bytes of memory",
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise UsageError("--limit takes a number of at least 1")
    return value
