"""The command `refengine conformance`: run the suite, build it, or answer a runner's questions."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import get_args

from refengine.cli.arguments import CommandParser
from refengine.cli.version import OWN_VERSION
from refengine.conformance import engine, falco
from refengine.conformance.build import build, written
from refengine.conformance.case import FEATURES, SPEC, load_suite
from refengine.conformance.harness import Harness, Implementation
from refengine.conformance.report import REPORTS
from refengine.conformance.runner import Run, chosen, run_cases
from refengine.conformance.serve import serve
from refengine.engine import Evaluator

PASSED, FAILED = 0, 1

_DESCRIPTION = """\
Run the conformance suite of the rules language.

Without --harness it runs on this engine, once with each of its evaluators; with it, on the implementation behind the
program that is named. spec/RUNNERS.md says how to write such a program."""

_EXAMPLES = """\
actions:
  run     run the suite (the default)
  serve   be this engine behind the protocol, on standard input and output
  falco   be a Falco binary behind the protocol (--binary, by default the one on the path)
  build   write spec/cases.json from spec/cases/*.yaml
  list    print the ids of the cases with their clauses

examples:
  refengine conformance
  refengine conformance --only 'op.glob.*' --only 'absent.*'
  refengine conformance --harness "python examples/harness/harness.py" --format junit

exit codes: 0 no case failed; 1 some did; 2 the suite or the harness could not be used"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code."""
    options = _parser().parse_args(arguments)
    with universal_time():
        return _ACTIONS[options.action](options)


def _parser() -> CommandParser:
    parser = CommandParser("conformance", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("action", nargs="?", choices=sorted(_ACTIONS), default="run", help="what to do")
    parser.add_argument("--harness", metavar="PROGRAM", help="the program to drive, with its arguments")
    parser.add_argument(
        "--evaluator", choices=get_args(Evaluator), help="only one of this engine's evaluators"
    )
    parser.add_argument("--format", choices=sorted(REPORTS), default="text", help="the form of the report")
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        action="append",
        default=[],
        help="cases whose id or clause fits (repeat)",
    )
    parser.add_argument(
        "--without", choices=FEATURES, action="append", default=[], help="no cases with this feature (repeat)"
    )
    parser.add_argument("--suite", metavar="FILE", type=Path, help="another cases.json than the built-in one")
    parser.add_argument("--binary", metavar="PROGRAM", default="falco", help="for the action falco")
    return parser


def _run(options: argparse.Namespace) -> int:
    cases = chosen(load_suite(options.suite), options.only, options.without)
    runs: list[Run] = []
    if options.harness:
        with Harness(shlex.split(options.harness)) as harness:
            said = harness.implementation
            runs.append(run_cases(f"{said.name} {said.version}", cases, harness.answer))
    else:
        evaluators = [options.evaluator] if options.evaluator else get_args(Evaluator)
        runs.extend(
            run_cases(
                f"refengine {OWN_VERSION}, {evaluator}", cases, partial(engine.answer, evaluator=evaluator)
            )
            for evaluator in evaluators
        )
    sys.stdout.write(REPORTS[options.format](runs))
    return PASSED if all(run.successful for run in runs) else FAILED


def _serve(options: argparse.Namespace) -> int:
    ask = partial(engine.answer, evaluator=options.evaluator or "compile")
    return serve(Implementation("refengine", OWN_VERSION), ask, sys.stdin, sys.stdout)


def _falco(options: argparse.Namespace) -> int:
    binary = falco.Binary(shlex.split(options.binary))
    return serve(binary.implementation(), binary.answer, sys.stdin, sys.stdout)


def _build(_options: argparse.Namespace) -> int:
    suite = build()
    (SPEC / "cases.json").write_text(written(suite), encoding="utf-8")
    sys.stdout.write(f"{len(suite['cases'])} cases\n")
    return PASSED


def _list(options: argparse.Namespace) -> int:
    for case in chosen(load_suite(options.suite), options.only, options.without):
        sys.stdout.write(f"{case.id}\t{case.clause}\n")
    return PASSED


_ACTIONS = {"run": _run, "serve": _serve, "falco": _falco, "build": _build, "list": _list}


@contextmanager
def universal_time() -> Iterator[None]:
    """Make the local time UTC, which the suite expects of the engine under test, and undo it at the end."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
