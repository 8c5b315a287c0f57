"""The command line's options: Falco's own letters and names, and those for choosing where events come from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from refengine.cli import option_groups
from refengine.cli.arguments import CommandParser, HelpRequested, meant
from refengine.cli.former_options import instead_of
from refengine.cli.subcommands import SUBCOMMANDS
from refengine.rulefile.selection import Selection, from_flags
from refengine.terminal import Style

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

  Receive the audit events that a Kubernetes API server posts, beside watching a command:
    refengine -r rules.yaml --listen http://127.0.0.1:9765/k8s-audit -- ./server

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
  2        the same from a subcommand, whose 1 is an answer (tests fail, something was found)
  126 127  the command to watch cannot be executed, or was not found
  141      nobody reads the output any longer
  other    the watched command's own code; 128+N when signal N ended it
"""


class Options(NamedTuple):
    """What the command line asks for. Lists are in the order given; `seconds` None means no limit.

    `backends` is empty where the other options decide. `list_source` is None where no list of fields is asked for, and empty for the fields of every source.
    """

    rules: tuple[Path, ...]
    configuration: Path | None
    overrides: tuple[str, ...]
    backends: tuple[str, ...]
    pids: tuple[int, ...]
    watched: tuple[Path, ...]
    held: tuple[Path, ...]
    recording: Path | None
    listen: str | None
    certificate: Path | None
    key: Path | None
    client_authority: Path | None
    requests_per_second: float | None
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
    drop_privileges: bool
    verbose: bool
    profile_rules: bool
    warnings: tuple[str, ...] = ()


def parse_options(arguments: Sequence[str], style: Style) -> Options:
    """Return the options of a command line; `arguments` do not contain the program's name.

    :raises UsageError: when it makes no sense; the message says which part and what would.
    :raises HelpRequested: when it asks for help.
    """
    own, command = list(arguments), ()  # type: list[str], tuple[str, ...]
    if "--" in own:
        at = own.index("--")
        own, command = own[:at], tuple(own[at + 1 :])
    parser = _parser(style)
    if "--" in arguments and not command:
        parser.error("there is no command behind --")
    found = argparse.Namespace(pids=[], warnings=[], appended=[])
    found, rest = parser.parse_known_args(own, found)
    if rest:
        parser.error(_unexpected(rest[0], parser))
    if found.help:
        raise HelpRequested(_help(parser, style))
    options = _options(found, command)
    _check(options, found, parser)
    return options


def _parser(style: Style) -> CommandParser:
    parser = CommandParser(
        "",
        "Evaluate rules in the Falco language on what programs do, and print an alert for each match.",
        "",
        usage="refengine [OPTIONS] [-- COMMAND [ARGUMENT...]]\n       refengine SUBCOMMAND [ARGUMENT...]",
        add_help=False,
    )
    option_groups.add_rules(parser.add_argument_group(style.bold("Rules")))
    option_groups.add_events(parser.add_argument_group(style.bold("Events")))
    option_groups.add_listening(parser.add_argument_group(style.bold("Audit events")))
    option_groups.add_output(parser.add_argument_group(style.bold("Output and configuration")))
    option_groups.add_questions(
        parser.add_argument_group(style.bold("Questions, answered without watching anything"))
    )
    return parser


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
    if (found.format or found.markdown) and found.list_source is None and not found.list_events:
        warnings.append("--format has no effect without --list or --list-events")
    if found.names_only and found.list_source is None:
        warnings.append("-N has no effect without --list")
    return Options(
        rules=tuple(found.rules),
        configuration=found.configuration,
        overrides=(*found.overrides, *map(_as_override, _old_selections(found))),
        backends=tuple(name for name in found.backends if name != "auto"),
        pids=(*found.pids, *found.more_pids),
        watched=tuple(found.watched),
        held=tuple(found.held),
        recording=found.recording,
        listen=found.listen,
        certificate=found.certificate,
        key=found.key,
        client_authority=found.client_authority,
        requests_per_second=found.requests_per_second,
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
        drop_privileges=found.drop_privileges,
        verbose=found.verbose,
        profile_rules=found.profile_rules,
        warnings=tuple(warnings),
    )


def _check(options: Options, found: argparse.Namespace, parser: CommandParser) -> None:
    """Raise a `UsageError` for options that contradict each other."""
    if found.format and found.markdown:
        parser.error("--format and --markdown exclude each other")
    if options.enabled_sources and options.disabled_sources:
        parser.error("--enable-source and --disable-source exclude each other")
    if options.listen is None and (options.certificate or options.key or options.client_authority):
        parser.error("certificates go with --listen")
    if options.listen is None and options.requests_per_second is not None:
        parser.error("--max-requests goes with --listen")
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
        parser.error(f"{' and '.join(origins)} exclude each other: events come from one place")


def _unexpected(word: str, parser: CommandParser) -> str:
    """Return what is wrong with a word that no option takes."""
    if word.startswith("-"):
        instead = instead_of(word)
        return (
            parser.unexpected(word) if instead is None else f"there is no option {word} any more: {instead}"
        )
    if word.endswith((".yaml", ".yml")):
        return f"unexpected argument '{word}': rules are given with -r, each file with its own"
    near = meant(word, SUBCOMMANDS)
    return f"unexpected argument '{word}'{near or ': a command to watch stands behind --'}"


def _old_selections(found: argparse.Namespace) -> tuple[Selection, ...]:
    return from_flags(found.only_tags, found.without_tags, found.without_names)


def _as_override(selection: Selection) -> str:
    """Return a selection as the configuration says it, so that it holds after a reload, too."""
    action = "enable" if selection.enable else "disable"
    if selection.tag is not None:
        return f"rules[].{action}.tag={selection.tag}"
    return f"rules[].{action}.rule={selection.rule}"
