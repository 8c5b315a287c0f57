"""The command line's options: Falco's own letters and names, and those for choosing where events come from."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from refengine.cli.subcommands import SUBCOMMANDS
from refengine.cli.terminal import Style
from refengine.errors import UsageError

FORMATS = ("text", "markdown", "json")

_OLD_PRINT_PRESETS = frozenset({"c", "container", "k", "kubernetes", "m", "mesos"})
"""Values of `-p` that once stood for a whole format and have no effect any more."""

EXAMPLES = """
  Watch a command and everything it starts, with no privilege at all:
    refengine --backend ptrace -r rules/quickstart.yaml -- sh -c 'cat /etc/shadow'

  Watch a process that runs already, for ten seconds, alerts in JSON:
    refengine -r rules.yaml -o json_output=true -M 10 -p 1234

  Read a capture file:
    refengine -r rules.yaml -e trace.scap

  Watch the files of the whole machine as root, or those below a folder without privileges:
    refengine --backend fanotify -r rules.yaml
    refengine --backend fanotify -r rules.yaml --watch ~/.ssh

  See what there is to write rules about, and try rules on it later:
    refengine --print-events -- make test > events.jsonl
    refengine -r rules.yaml -e events.jsonl

  See whether rules are right, without running them:
    refengine -V rules.yaml

  See what a rule says, and which fields it may use:
    refengine -r rules.yaml -l "Read sensitive file untrusted"
    refengine --list=syscall --format markdown

  Switch rules off, and say more in every alert:
    refengine -r rules.yaml -o 'rules[].disable.tag=network' --print 'user=%user.name' -- make test
"""

EXIT_CODES = """
  0        all went well (alerts are no failure)
  1        something failed; standard error says what, after "Error:"
  126 127  the command to watch cannot be executed, or was not found
  141      nobody reads the output any longer
  other    the watched command's own code; 128+N when signal N ended it
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. Lists are in the order given; `seconds` None means no limit.

    `list_source` is None where no list of fields is asked for, and empty for the fields of every source.
    """

    rules: tuple[Path, ...]
    configuration: Path | None
    overrides: tuple[str, ...]
    backend: str
    pids: tuple[int, ...]
    watched: tuple[Path, ...]
    held: tuple[Path, ...]
    recording: Path | None
    record: Path | None
    print_events: bool
    command: tuple[str, ...]
    seconds: float | None
    all_events: bool
    enabled_sources: tuple[str, ...]
    disabled_sources: tuple[str, ...]
    appended: tuple[str, ...]
    unbuffered: bool
    pid_file: Path | None
    validate: tuple[Path, ...]
    describe_all: bool
    describe_rule: str | None
    list_source: str | None
    list_events: bool
    names_only: bool
    format: str
    list_plugins: bool
    plugin_info: str | None
    list_backends: bool
    rule_schema: bool
    configuration_schema: bool
    page_size: bool
    support: bool
    version: bool
    dry_run: bool
    strict_capabilities: bool
    verbose: bool
    warnings: tuple[str, ...] = ()


class HelpRequested(Exception):  # noqa: N818  # not an error
    """The command line asks for help; the text is the help."""


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _PrintOrPid(argparse.Action):
    """Falco's `-p FORMAT`, and `-p PID`: no format is made of digits alone."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        text = str(values)
        if text.isascii() and text.isdigit():
            namespace.pids.append(_pid(text))
        elif text in _OLD_PRINT_PRESETS:
            namespace.warnings.append(
                f"-p {text} has no effect any more: use --print FORMAT or append_output"
            )
        else:
            namespace.appended.append(text)


def parse_options(arguments: Sequence[str], style: Style) -> Options:
    """Return the options of a command line; `arguments` do not contain the program's name.

    :raises UsageError: when it makes no sense; the message says which part and what would.
    :raises HelpRequested: when it asks for help.
    """
    own, command = list(arguments), ()  # type: list[str], tuple[str, ...]
    if "--" in own:
        at = own.index("--")
        own, command = own[:at], tuple(own[at + 1 :])
        if not command:
            raise UsageError("there is no command behind --")
    parser = _parser(style)
    found = argparse.Namespace(pids=[], warnings=[], appended=[])
    found, rest = parser.parse_known_args(own, found)
    if rest:
        raise _unexpected(rest[0], parser)
    if found.help:
        raise HelpRequested(_help(parser, style))
    options = _options(found, command)
    _check(options, found)
    return options


def _parser(style: Style) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="refengine",
        usage="refengine [OPTIONS] [-- COMMAND [ARGUMENT...]]\n       refengine SUBCOMMAND [ARGUMENT...]",
        description="Evaluate rules in the Falco language on what programs do, and print an alert for each match.",
        formatter_class=_formatter,
        add_help=False,
        allow_abbrev=False,
    )
    _add_rules(parser.add_argument_group(style.bold("Rules")))
    _add_events(parser.add_argument_group(style.bold("Events")))
    _add_output(parser.add_argument_group(style.bold("Output and configuration")))
    _add_questions(parser.add_argument_group(style.bold("Questions, answered without watching anything")))
    return parser


def _add_rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-r", "--rules", metavar="FILE|FOLDER", action="append", type=Path, default=[],
        help="rules to load: a file, or a folder of .yaml and .yml files; may be repeated")  # fmt: skip
    group.add_argument("-V", "--validate", metavar="FILE", action="extend", nargs="+", type=Path, default=[],
        help="load the files, say everything that is wrong with them, and end")  # fmt: skip
    group.add_argument("-L", dest="describe_all", action="store_true",
        help="describe every rule, macro and list; in JSON with -o json_output=true")  # fmt: skip
    group.add_argument("-l", dest="describe_rule", metavar="RULE",
        help="describe one rule")  # fmt: skip
    group.add_argument("--dry-run", action="store_true",
        help="do everything but watch: load the rules, check the backend, and end")  # fmt: skip


def _add_events(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--backend", metavar="NAME", default="auto",
        help="where events come from (see --list-backends); auto, the default, chooses by the other options")  # fmt: skip
    group.add_argument("-p", metavar="PID|FORMAT", action=_PrintOrPid, default=argparse.SUPPRESS,
        help="a number is --pid, anything else is --print, as in Falco")  # fmt: skip
    group.add_argument("--pid", dest="more_pids", metavar="PID", action="append", type=_pid, default=[],
        help="attach to a running process and what it starts from now on; may be repeated")  # fmt: skip
    group.add_argument("--watch", dest="watched", metavar="PATH", action="append", type=Path, default=[],
        help="watch this file, or what is in and below this folder, by fanotify; may be repeated")  # fmt: skip
    group.add_argument("--exact-opens", dest="held", metavar="PATH", action="append", type=Path, default=[],
        help="with fanotify as root: hold opens of this file, or of those in this folder, until their flags are known")  # fmt: skip
    group.add_argument("-e", "--events", dest="recording", metavar="FILE", type=Path,
        help="read the events from a file: a capture, or JSON lines of field values (- for standard input)")  # fmt: skip
    group.add_argument("-w", "--record", dest="record", metavar="FILE", type=Path,
        help="record the events to a capture file")  # fmt: skip
    group.add_argument("--print-events", action="store_true",
        help="print the events as JSON lines of field values instead of alerts; with rules, what these read")  # fmt: skip
    group.add_argument("--strict-capabilities", action="store_true",
        help="end with an error when the backend cannot evaluate an enabled rule in full")  # fmt: skip
    group.add_argument("-M", dest="seconds", metavar="SECONDS", type=_seconds,
        help="stop after so many seconds")  # fmt: skip
    group.add_argument("-i", dest="all_events", action="store_true",
        help="print the event types that are left alone unless a rule names them, and end")  # fmt: skip
    group.add_argument("--enable-source", dest="enabled_sources", metavar="SOURCE", action="append", default=[],
        help="use only this event source; may be repeated")  # fmt: skip
    group.add_argument("--disable-source", dest="disabled_sources", metavar="SOURCE", action="append", default=[],
        help="do not use this event source; may be repeated")  # fmt: skip


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--print", dest="more_appended", metavar="FORMAT", action="append", default=[],
        help="append this to the output of every rule, for example 'user=%%user.name'")  # fmt: skip
    group.add_argument("-c", dest="configuration", metavar="FILE", type=Path,
        help="a configuration file in the form of falco.yaml; there is none by default")  # fmt: skip
    group.add_argument("-o", "--option", dest="overrides", metavar="KEY=VALUE", action="append", default=[],
        help="set a configuration key, for example json_output=true or 'rules[].disable.rule=Shell*'")  # fmt: skip
    group.add_argument("-U", "--unbuffered", action="store_true",
        help="write each alert at once, whatever buffered_outputs says")  # fmt: skip
    group.add_argument("-P", "--pidfile", dest="pid_file", metavar="FILE", type=Path,
        help="write the process id to a file")  # fmt: skip
    group.add_argument("-v", dest="verbose", action="store_true",
        help="say on standard error what is going on")  # fmt: skip


def _add_questions(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-h", "--help", action="store_true", help="print this help")
    group.add_argument(
        "--version", action="store_true", help="print the versions of the program and the language"
    )
    group.add_argument("--list", dest="list_source", metavar="SOURCE", nargs="?", const="",
        help="print the fields that rules may use, all or those of one event source")  # fmt: skip
    group.add_argument(
        "--list-events", action="store_true", help="print the event types and their parameters"
    )
    group.add_argument("-N", dest="names_only", action="store_true", help="with --list: print names only")
    group.add_argument("--format", choices=FORMATS,
        help="with --list and --list-events: text, markdown or json")  # fmt: skip
    group.add_argument("--markdown", action="store_true", help=argparse.SUPPRESS)
    group.add_argument("--list-backends", action="store_true",
        help="print where events can come from, and what is missing for the rest")  # fmt: skip
    group.add_argument(
        "--list-plugins", action="store_true", help="print the plugins whose fields are built in"
    )
    group.add_argument("--plugin-info", metavar="NAME", help="print what is known of one of them")
    group.add_argument("--rule-schema", action="store_true", help="print the JSON Schema of rules files")
    group.add_argument("--config-schema", dest="configuration_schema", action="store_true",
        help="print the JSON Schema of configuration files")  # fmt: skip
    group.add_argument("--page-size", action="store_true", help="print the system's page size")
    group.add_argument("--support", action="store_true",
        help="print versions, system, configuration and rules as JSON, to attach to a report")  # fmt: skip


def _formatter(prog: str) -> argparse.HelpFormatter:
    width = min(110, shutil.get_terminal_size((100, 24)).columns)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=width)


def _help(parser: argparse.ArgumentParser, style: Style) -> str:
    examples, codes = style.bold("Examples:"), style.bold("Exit codes:")
    width = max(map(len, SUBCOMMANDS))
    lines = "".join(f"  {row.name:<{width}}  {row.summary}\n" for row in SUBCOMMANDS.values())
    commands = f"{style.bold('Subcommands, each with its own --help:')}\n{lines}"
    return f"{parser.format_help()}\n{commands}\n{examples}{EXAMPLES}\n{codes}{EXIT_CODES}".rstrip("\n")


def _options(found: argparse.Namespace, command: tuple[str, ...]) -> Options:
    warnings = list(found.warnings)
    if found.markdown:
        warnings.append("--markdown is deprecated: use --format markdown")
    return Options(
        rules=tuple(found.rules),
        configuration=found.configuration,
        overrides=tuple(found.overrides),
        backend=found.backend,
        pids=(*found.pids, *found.more_pids),
        watched=tuple(found.watched),
        held=tuple(found.held),
        recording=found.recording,
        record=found.record,
        print_events=found.print_events,
        command=command,
        seconds=found.seconds,
        all_events=found.all_events,
        enabled_sources=tuple(found.enabled_sources),
        disabled_sources=tuple(found.disabled_sources),
        appended=(*found.appended, *found.more_appended),
        unbuffered=found.unbuffered,
        pid_file=found.pid_file,
        validate=tuple(found.validate),
        describe_all=found.describe_all,
        describe_rule=found.describe_rule,
        list_source=found.list_source,
        list_events=found.list_events,
        names_only=found.names_only,
        format=found.format or ("markdown" if found.markdown else "text"),
        list_plugins=found.list_plugins,
        plugin_info=found.plugin_info,
        list_backends=found.list_backends,
        rule_schema=found.rule_schema,
        configuration_schema=found.configuration_schema,
        page_size=found.page_size,
        support=found.support,
        version=found.version,
        dry_run=found.dry_run,
        strict_capabilities=found.strict_capabilities,
        verbose=found.verbose,
        warnings=tuple(warnings),
    )


def _check(options: Options, found: argparse.Namespace) -> None:
    """Raise a `UsageError` for options that contradict each other."""
    lists = options.list_source is not None or options.list_events
    if found.format and found.markdown:
        raise UsageError("--format and --markdown exclude each other")
    if (found.format or found.markdown) and not lists:
        raise UsageError("--format goes with --list or --list-events")
    if options.names_only and options.list_source is None:
        raise UsageError("-N goes with --list")
    if options.enabled_sources and options.disabled_sources:
        raise UsageError("--enable-source and --disable-source exclude each other")
    origins = [
        name
        for name, given in (
            ("a command behind --", options.command),
            ("-p or --pid", options.pids),
            ("--watch", options.watched),
            ("-e", options.recording),
        )
        if given
    ]
    if len(origins) > 1:
        raise UsageError(f"{' and '.join(origins)} exclude each other: events come from one place")


def _unexpected(word: str, parser: argparse.ArgumentParser) -> UsageError:
    if word.startswith("-"):
        known = [name for action in parser._actions for name in action.option_strings]
        near = get_close_matches(word.partition("=")[0], known, 1)
        return UsageError(f"unknown option {word}{f', did you mean {near[0]}?' if near else ''}")
    if word.endswith((".yaml", ".yml")):
        return UsageError(f"unexpected argument '{word}': rules are given with -r, each file with its own")
    return UsageError(f"unexpected argument '{word}': a command to watch stands behind --")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above zero")
    return seconds


def _pid(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31):
        raise UsageError(f"'{text}' is not a process id")
    return int(text)
