"""The command `refengine lint`: doubts about rules that load."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from refengine.authoring.finding import Finding, Severity
from refengine.authoring.linting.checks import CHECKS, ORDER, lint
from refengine.authoring.linting.fixing import fixed_texts
from refengine.authoring.linting.reports import REPORTS
from refengine.cli.arguments import CommandParser
from refengine.cli.exit_codes import OK, UNUSABLE
from refengine.cli.load import expanded, static_options
from refengine.errors import UsageError
from refengine.terminal import Style

FOUND = 1

_DESCRIPTION = """\
Say what is doubtful about rules: conditions that never or always hold, rules that an earlier one leaves no events,
outdated fields, outputs that tell too little, and what loading them warns of. Only what can be proved is claimed."""

_EXAMPLES = """\
examples:
  refengine lint rules/
  refengine lint --fix rules/my_rules.yaml
  refengine lint -r falco_rules.yaml my_changes.yaml
  refengine lint --format sarif rules/ > findings.sarif
  refengine lint --ignore no-mitre-tag --fail-on note rules/

exit codes: 0 nothing as grave as --fail-on says; 1 something was found; 2 the rules do not load, or it cannot be done"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code.

    :raises UsageError: when there are no such files or checks.
    """
    options = _parser().parse_args(arguments)
    if options.list_checks:
        width = max(map(len, CHECKS))
        for check in CHECKS.values():
            print(f"{check.name:<{width}}  {check.severity!s:<7}  {check.about}")
        return OK
    if not options.paths:
        raise UsageError("no rules: name a rules file or a folder of them")
    findings = _found(options)
    if options.fix:
        texts = fixed_texts(findings)
        for source, text in texts.items():
            Path(source.name).write_text(text, encoding="utf-8")
            print(f"fixed {source.name}", file=sys.stderr)
        if texts:
            findings = _found(options)
    sys.stdout.write(REPORTS[options.format](findings, Style.of(sys.stdout)))
    if any(finding.severity is Severity.ERROR for finding in findings):
        return UNUSABLE
    graver = ORDER[: ORDER.index(Severity(options.fail_on)) + 1]
    return FOUND if any(finding.severity in graver for finding in findings) else OK


def _found(options: argparse.Namespace) -> tuple[Finding, ...]:
    """Return the findings in the files named; those loaded before them are not reported on."""
    for name in (*options.select, *options.ignore):
        if name not in CHECKS and not name.startswith("LOAD_"):
            raise UsageError(f"there is no check '{name}': --list-checks tells which there are")
    files = expanded(options.paths)
    names = {str(path) for path in files}
    return tuple(
        finding
        for finding in lint((*expanded(options.rules), *files), options=static_options(options.configuration))
        if (finding.place is None or finding.place.source.name in names or finding.severity is Severity.ERROR)
        and (not options.select or finding.check in options.select or finding.severity is Severity.ERROR)
        and finding.check not in options.ignore
    )


def _parser() -> CommandParser:
    parser = CommandParser("lint", _DESCRIPTION, _EXAMPLES)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", type=Path, help="a rules file, or a folder of them"
    )
    parser.add_argument(
        "-r", dest="rules", metavar="PATH", action="append", type=Path, default=[],
        help="rules to load before, on which nothing is reported (repeat)",
    )  # fmt: skip
    parser.add_argument(
        "-c", dest="configuration", metavar="FILE", type=Path,
        help="the configuration, for the static_fields that rules name",
    )  # fmt: skip
    parser.add_argument(
        "--select", metavar="CHECK", action="append", default=[], help="only this check (repeat)"
    )
    parser.add_argument(
        "--ignore", metavar="CHECK", action="append", default=[], help="not this check (repeat)"
    )
    parser.add_argument("--fix", action="store_true", help="change the files where that keeps their meaning")
    parser.add_argument("--format", choices=sorted(REPORTS), default="text", help="the form of the report")
    parser.add_argument(
        "--fail-on",
        choices=[str(grade) for grade in ORDER],
        default="warning",
        help="the least grave that is a failure",
    )
    parser.add_argument("--list-checks", action="store_true", help="print the checks")
    return parser
