"""The command `refengine test`: run unit tests of rules."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

from refengine.authoring.finding import FindingsError
from refengine.authoring.testing.bench import Bench, Watcher
from refengine.authoring.testing.case import Suite
from refengine.authoring.testing.discovery import suites, test_paths
from refengine.authoring.testing.outcome import Report, SuiteOutcome
from refengine.authoring.testing.reports import REPORTS
from refengine.cli.terminal import Style
from refengine.engine import Evaluator

PASSED, FAILED, UNUSABLE = 0, 1, 2

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
    """Run the command with the arguments given, by default those of the process; return the exit code."""
    options = _parser().parse_args(arguments)
    report = run(options.paths, options.only, options.evaluator)
    sys.stdout.write(REPORTS[options.format](report, Style.of(sys.stdout)))
    return exit_code(report)


def run(
    named: Sequence[Path],
    only: Sequence[str] = (),
    evaluator: Evaluator = "compile",
    watchers: Sequence[Watcher] = (),
) -> Report:
    """Run the tests in the files and folders named, of them those whose name fits one of the patterns `only`.

    :raises UsageError: when there is nothing of a name.
    """
    start = time.perf_counter()
    done = [
        found if isinstance(found, SuiteOutcome) else _run_suite(found, only, evaluator, watchers)
        for found in suites(test_paths(named))
    ]
    return Report(tuple(done), time.perf_counter() - start)


def exit_code(report: Report) -> int:
    """Return what a report means for the exit code; no tests at all are no success."""
    if report.faults or not report.total:
        return UNUSABLE
    return FAILED if report.count("failed") else PASSED


def _run_suite(
    suite: Suite, only: Sequence[str], evaluator: Evaluator, watchers: Sequence[Watcher]
) -> SuiteOutcome:
    try:
        bench = Bench.of(suite, evaluator, watchers)
    except FindingsError as error:
        return SuiteOutcome(suite.name, faults=error.findings)
    cases = [
        case for case in suite.cases if not only or any(fnmatchcase(case.name, pattern) for pattern in only)
    ]
    return SuiteOutcome(suite.name, tuple(map(bench.run, cases)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="refengine test",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", type=Path, help="a test file, a rules file or a folder"
    )
    parser.add_argument("--format", choices=sorted(REPORTS), default="text", help="the form of the report")
    parser.add_argument(
        "--only", metavar="PATTERN", action="append", default=[], help="tests whose name fits (repeat)"
    )
    parser.add_argument(
        "--evaluator", choices=get_args(Evaluator), default="compile", help="how conditions are evaluated"
    )
    return parser
