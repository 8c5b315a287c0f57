"""The command `refengine explain`: why a rule alerts on an event or does not, and what a rule is in the end."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from refengine.authoring.explaining.final_text import final_json, final_text
from refengine.authoring.explaining.inquiry import Inquiry
from refengine.authoring.explaining.json_form import inquiry_json
from refengine.authoring.explaining.provenance import final_items
from refengine.authoring.explaining.text import answer_text, summary_text
from refengine.authoring.observing import Observation
from refengine.authoring.testing.case import Case, Given
from refengine.authoring.testing.reading import read_inline, read_suite
from refengine.backends.base import Interest
from refengine.backends.target import Target
from refengine.cli.arguments import CommandParser
from refengine.cli.backends import reader_of
from refengine.cli.exit_codes import OK
from refengine.cli.explain_prefilter import show
from refengine.cli.load import expanded, static_options
from refengine.cli.messages import Messages
from refengine.engine import Engine
from refengine.errors import UsageError
from refengine.event import Event, RecordedEvent
from refengine.interest import interest_of
from refengine.rulefile.files import is_test_file
from refengine.rulefile.loader import LoadResult, load
from refengine.rulefile.options import LoadOptions
from refengine.rulefile.rule import Rule
from refengine.source import Source
from refengine.terminal import Style

_DESCRIPTION = """\
Say why rules alert on events or do not: for each rule the event on which it held, or on which it came nearest, with
the value and the verdict of every comparison. With --final, show what rules are after all overrides, and where each
part of them was written."""

_EXAMPLES = """\
examples:
  refengine explain -r rules/quickstart.yaml -e events.jsonl
  refengine explain -r rules/quickstart.yaml -e trace.scap --rule 'Secrets read' --event 4711
  refengine explain -r rules/quickstart.yaml --rule 'Secrets read' -- cat /etc/shadow
  refengine explain --test rules/quickstart.test.yaml --case 'a log is emptied'
  refengine explain --final -r falco_rules.yaml -r my_changes.yaml --rule 'Terminal shell in container'

exit codes: 0 it is explained; 2 the rules do not load, or there is nothing to explain"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments given, by default those of the process; return the exit code.

    :raises RefengineError: when rules do not load, or what is named is not there.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command: tuple[str, ...] = ()
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], tuple(arguments[at + 1 :])
    options = _parser().parse_args(arguments)
    as_json = options.format == "json" or (options.format == "auto" and not sys.stdout.isatty())
    if options.prefilter:
        show(_chosen(_subject(options)[0].rules, options.rule), as_json=as_json)
        return OK
    if options.final:
        return _final(options, as_json=as_json)
    return _explain(options, command, as_json=as_json)


def _explain(options: argparse.Namespace, command: tuple[str, ...], *, as_json: bool) -> int:
    result, case = _subject(options)
    rules = result.rules
    chosen = _chosen(rules, options.rule)
    inquiry = Inquiry(chosen, (rule for rule in rules if rule.enabled), options.event)
    for event in _events(options, command, case, chosen):
        inquiry.see(event)
        if inquiry.is_done:
            break
    missing = len(set(options.event)) - inquiry.seen
    if options.event and missing > 0:
        raise UsageError("not all of the events asked for are there: see --event")
    if not inquiry.seen:
        raise UsageError("there were no events")
    style = Style.of(sys.stdout)
    if as_json:
        print(json.dumps(inquiry_json(inquiry), indent=2))
    elif options.rule or options.whole:
        answers = inquiry.answers()
        print("\n".join(answer_text(answer, style, whole=options.whole) for answer in answers), end="")
        if not answers:
            raise UsageError("none of the events is of the source that the rules are about")
    else:
        print(summary_text(inquiry, style), end="")
    return OK


def _final(options: argparse.Namespace, *, as_json: bool) -> int:
    result, _ = _subject(options)
    names = {rule.name for rule in result.rules}
    for pattern in options.rule:
        _require(pattern, names)
    wanted = [
        item
        for item in final_items(result)
        if (item.kind == "rule" or len(item.statements) > 1)
        and (not options.rule or any(fnmatchcase(item.name, pattern) for pattern in options.rule))
    ]
    if as_json:
        print(json.dumps(final_json(wanted), indent=2))
    else:
        print(final_text(wanted, Style.of(sys.stdout)), end="")
    return OK


def _subject(options: argparse.Namespace) -> tuple[LoadResult, Case | None]:
    """Return the rules, and the test that is to be explained, if any.

    :raises UsageError: when neither rules nor a test are given, or there is no such test.
    """
    given = static_options(options.configuration)
    if options.test is None:
        if not options.rules:
            raise UsageError(
                "no rules: give a rules file or a folder of them with -r, or a test file with --test"
            )
        return _loaded(expanded(options.rules), given), None
    suite = read_suite(options.test) if is_test_file(options.test) else read_inline(options.test)
    if suite is None:
        raise UsageError(f"there are no tests in {options.test}")
    cases = [case for case in suite.cases if fnmatchcase(case.name, options.case)]
    if not cases:
        near = get_close_matches(options.case, [case.name for case in suite.cases], 1)
        raise UsageError(
            f"no test has the name '{options.case}'" + (f": did you mean '{near[0]}'?" if near else "")
        )
    return _loaded(suite.rules, given), cases[0]


def _loaded(files: Iterable[Path | Source], given: LoadOptions) -> LoadResult:
    result = load(files, given)
    result.check()
    return result


def _chosen(rules: tuple[Rule, ...], patterns: Sequence[str]) -> tuple[Rule, ...]:
    if not patterns:
        return tuple(rule for rule in rules if rule.enabled)
    names = {rule.name for rule in rules}
    for pattern in patterns:
        _require(pattern, names)
    return tuple(rule for rule in rules if any(fnmatchcase(rule.name, pattern) for pattern in patterns))


def _require(pattern: str, names: set[str]) -> None:
    if not any(fnmatchcase(name, pattern) for name in names):
        near = get_close_matches(pattern, names, 1)
        raise UsageError(f"there is no rule '{pattern}'" + (f": did you mean '{near[0]}'?" if near else ""))


def _events(
    options: argparse.Namespace, command: tuple[str, ...], case: Case | None, rules: tuple[Rule, ...]
) -> Iterable[Event | RecordedEvent]:
    if case is not None and isinstance(case.events, Given):
        yield from case.events.events
        return
    if case is not None and not isinstance(case.events, Given):
        observation = case.events.observation()
    elif options.events is not None:
        observation = Observation(reader_of(options.events), Target(files=(options.events,)))
    elif command:
        observation = Observation("ptrace", Target(command=command), options.seconds)
    else:
        raise UsageError("no events: give a recording with -e FILE, or a command behind --")
    if observation.backend != "events":
        for source in {rule.source for rule in rules}:
            Engine(rules).require_fields(source)
    # All that a recording has may be asked for by its number; of a command only what rules look at is worth a stop.
    yield from observation.events(interest_of(rules) if observation.target.command else Interest(None))
    for remark in (*observation.faults, *observation.remarks):
        Messages().warn(remark)


def _parser() -> CommandParser:
    parser = CommandParser("explain", _DESCRIPTION, _EXAMPLES)
    what = parser.add_argument_group("what to explain")
    what.add_argument(
        "-r", dest="rules", metavar="PATH", action="append", type=Path, default=[], help="rules (repeat)"
    )
    what.add_argument(
        "-c",
        dest="configuration",
        metavar="FILE",
        type=Path,
        help="the configuration, for the static_fields that rules name",
    )
    what.add_argument(
        "--rule",
        metavar="NAME",
        action="append",
        default=[],
        help="the tree of this rule only; may be a pattern (repeat)",
    )
    what.add_argument(
        "--whole", action="store_true", help="trees, not a summary, and in full: also of what was not asked"
    )
    what.add_argument("--final", action="store_true", help="what the rules are after all overrides")
    what.add_argument(
        "--prefilter", action="store_true", help="what the kernel decides of the rules, and what is left"
    )
    events = parser.add_argument_group("on which events")
    events.add_argument(
        "-e", dest="events", metavar="FILE", type=Path, help="a capture, or lines of JSON with an event each"
    )
    events.add_argument(
        "--event",
        metavar="N",
        action="append",
        type=int,
        default=[],
        help="only the event of this number (repeat)",
    )
    events.add_argument(
        "--test", metavar="FILE", type=Path, help="the events, and the rules, of a test in this file"
    )
    events.add_argument(
        "--case", metavar="NAME", default="*", help="which test of the file, by default its first"
    )
    events.add_argument(
        "--seconds", metavar="N", type=float, default=30.0, help="the time that a command may take (30)"
    )
    parser.add_argument(
        "--format",
        choices=("auto", "text", "json"),
        default="auto",
        help="text, or JSON where nobody looks (auto)",
    )
    return parser
