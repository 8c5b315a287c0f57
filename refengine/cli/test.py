"""The command `refengine test`: run unit tests of rules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from refengine.authoring.testing.coverage import Coverage
from refengine.authoring.testing.coverage_html import coverage_html
from refengine.authoring.testing.coverage_text import coverage_text, lcov
from refengine.authoring.testing.mutation import mutation_text
from refengine.authoring.testing.outcome import Report
from refengine.authoring.testing.reports import REPORTS
from refengine.authoring.testing.session import Session
from refengine.authoring.testing.watching import marks, wait_for_change
from refengine.cli.arguments import CommandParser
from refengine.cli.exit_codes import UNUSABLE
from refengine.cli.load import static_options
from refengine.engine import Evaluator
from refengine.terminal import Style

PASSED, FAILED = 0, 1

_DESCRIPTION = """\
Run unit tests of rules: files called NAME.test.yaml, and tests in the comments of rules files (lines that begin with
"#:"). A test gives events, as values of fields, as a recording, or as a command to run under ptrace, and says which
alerts they must raise."""

_EXAMPLES = """\
a test file:
  rules: my_rules.yaml
  tests:
    - name: reading the password file
      event: {evt.type: openat, fd.name: /etc/shadow, proc.name: cat}
      alerts: Secrets read
    - name: reading something else
      event: {evt.type: openat, fd.name: /etc/hosts, proc.name: cat}
      silent: true

examples:
  refengine test rules/
  refengine test --coverage --mutate rules/quickstart.test.yaml
  refengine test --format junit rules/ > report.xml

exit codes: 0 every test passed; 1 some failed; 2 some could not be used, or there were none"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code.

    :raises UsageError: when what is named cannot be tested.
    """
    options = _parser().parse_args(arguments)
    if not options.watch:
        return _once(options)[0]
    watched = set(options.paths)
    while True:
        before = marks(watched)  # what is saved while the tests run has not been tested
        code, session = _once(options)
        watched = session.files | {path for path in options.paths if path.is_dir()}
        before = {**marks(watched), **{path: before[path] for path in watched & before.keys()}}
        try:
            sys.stdout.write("waiting for a file to change; Ctrl-C ends this\n")
            sys.stdout.flush()
            changed = wait_for_change(before)
        except KeyboardInterrupt:
            return code
        # A folder changes with what is in it: the file says more.
        named = [path for path in changed if not any(path in other.parents for other in changed)]
        sys.stdout.write(f"\n{', '.join(map(str, named))} changed\n")


def _once(options: argparse.Namespace) -> tuple[int, Session]:
    measured = options.coverage or options.coverage_html or options.coverage_lcov
    session = Session(
        options.only,
        options.evaluator,
        Coverage() if measured else None,
        options.mutate,
        options=static_options(options.configuration),
    )
    report = session.run(options.paths)
    sys.stdout.write(REPORTS[options.format](report, Style.of(sys.stdout)))
    # Programs read the other forms, which more text would disturb.
    stream = sys.stdout if options.format == "text" else sys.stderr
    if session.coverage is not None:
        rules = session.coverage.rules()
        if options.coverage:
            stream.write(coverage_text(rules, Style.of(stream)))
        if options.coverage_html:
            options.coverage_html.write_text(coverage_html(rules), encoding="utf-8")
        if options.coverage_lcov:
            options.coverage_lcov.write_text(lcov(rules), encoding="utf-8")
    if options.mutate:
        stream.write(mutation_text(session.scores))
    return exit_code(report), session


def exit_code(report: Report) -> int:
    """Return what a report means for the exit code; no tests at all are no success."""
    if report.faults or not report.total:
        return UNUSABLE
    return FAILED if report.count("failed") else PASSED


def _parser() -> CommandParser:
    parser = CommandParser("test", _DESCRIPTION, _EXAMPLES)
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", type=Path, help="a test file, a rules file or a folder"
    )
    parser.add_argument(
        "-c", dest="configuration", metavar="FILE", type=Path,
        help="the configuration, for the static_fields that rules name",
    )  # fmt: skip
    parser.add_argument("--format", choices=sorted(REPORTS), default="text", help="the form of the report")
    parser.add_argument(
        "--only", metavar="PATTERN", action="append", default=[], help="tests whose name fits (repeat)"
    )
    parser.add_argument(
        "--coverage", action="store_true", help="tell which comparisons the tests needed, and which not"
    )
    parser.add_argument("--coverage-html", metavar="FILE", type=Path, help="the same as a page")
    parser.add_argument("--coverage-lcov", metavar="FILE", type=Path, help="the same as an lcov tracefile")
    parser.add_argument(
        "--mutate",
        action="store_true",
        help="change conditions a little, and tell which changes no test notices",
    )
    parser.add_argument("--watch", action="store_true", help="run again whenever a file changes")
    parser.add_argument(
        "--evaluator", choices=get_args(Evaluator), default="compile", help="how conditions are evaluated"
    )
    return parser
