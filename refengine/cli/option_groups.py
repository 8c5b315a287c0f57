"""The command line's options by groups, each with its help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FORMATS = ("text", "markdown", "json")

_OLD_PRINT_PRESETS = frozenset({"c", "container", "k", "kubernetes", "m", "mesos"})
"""Values of `-p` that once stood for a whole format and have no effect any more."""


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
            try:
                namespace.pids.append(_pid(text))
            except argparse.ArgumentTypeError as error:
                raise argparse.ArgumentError(self, str(error)) from None
        elif text in _OLD_PRINT_PRESETS:
            namespace.warnings.append(
                f"-p {text} has no effect any more: use --print FORMAT or append_output"
            )
        else:
            namespace.appended.append(text)


def add_rules(group: argparse._ArgumentGroup) -> None:
    """Add the options about which rules are loaded, and what becomes of them."""
    group.add_argument("-r", "--rules", metavar="FILE|FOLDER", action="append", type=Path, default=[],
        help="rules to load: a file, or a folder of .yaml and .yml files; may be repeated")  # fmt: skip
    group.add_argument("-V", "--validate", metavar="FILE", action="extend", nargs="+", type=Path, default=[],
        help="load the files, say everything that is wrong with them, and end")  # fmt: skip
    group.add_argument("-L", dest="describe_all", action="store_true",
        help="describe every rule, macro and list; in JSON with -o json_output=true")  # fmt: skip
    group.add_argument("-l", dest="describe_rule", metavar="RULE",
        help="describe one rule")  # fmt: skip
    group.add_argument("-t", dest="only_tags", metavar="TAG", action="append", default=[],
        help="run only rules with this tag; may be repeated (short for rules[].disable.rule=* and rules[].enable.tag=TAG)")  # fmt: skip
    group.add_argument("-T", dest="without_tags", metavar="TAG", action="append", default=[],
        help="run no rule with this tag; may be repeated (short for rules[].disable.tag=TAG)")  # fmt: skip
    group.add_argument("-D", dest="without_names", metavar="TEXT", action="append", default=[],
        help="run no rule whose name contains this; may be repeated (short for rules[].disable.rule=*TEXT*)")  # fmt: skip
    group.add_argument("--dry-run", action="store_true",
        help="do everything but watch: load configuration and rules, check the backend if there is one, and end")  # fmt: skip


def add_events(group: argparse._ArgumentGroup) -> None:
    """Add the options about where events come from."""
    group.add_argument("--backend", dest="backends", metavar="NAME", action="append", default=[],
        help="where events come from (see --list-backends); auto, the default, chooses by the other options; "
        "may be repeated for several sources at once")  # fmt: skip
    group.add_argument("-p", metavar="PID|FORMAT", action=_PrintOrPid, default=argparse.SUPPRESS,
        help="a number is --pid, anything else is --print, as in Falco")  # fmt: skip
    group.add_argument("--pid", dest="more_pids", metavar="PID", action="append", type=_pid, default=[],
        help="attach to a running process and what it starts from now on; may be repeated")  # fmt: skip
    group.add_argument("--watch", dest="watched", metavar="PATH", action="append", type=Path, default=[],
        help="watch this file, or what is in and below this folder, by fanotify; may be repeated")  # fmt: skip
    group.add_argument("--exact-opens", dest="held", metavar="PATH", action="append", type=Path, default=[],
        help="with fanotify as root: hold opens of this file, or of those in this folder, until their flags are known")  # fmt: skip
    group.add_argument("-e", "--events", dest="recording", metavar="FILE", type=Path,
        help="read the events from a file: a capture, audit events, or JSON lines of field values (- for standard input)")  # fmt: skip
    group.add_argument("-w", "--record", dest="record", metavar="FILE", type=Path,
        help="record the events to a capture file")  # fmt: skip
    group.add_argument("--print-events", action="store_true",
        help="print the events as JSON lines of field values instead of alerts; with rules, what these read")  # fmt: skip
    group.add_argument("--strict-capabilities", action="store_true",
        help="end with an error when the backend cannot evaluate an enabled rule in full")  # fmt: skip
    group.add_argument("--drop-privileges", action="store_true",
        help="before anything is watched, give up all capabilities that the backend does not go on to need; "
        "programs that alerts are written to begin without them, too")  # fmt: skip
    group.add_argument("-M", dest="seconds", metavar="SECONDS", type=_seconds,
        help="stop after so many seconds; 0, the default, is no limit")  # fmt: skip
    group.add_argument("-i", dest="all_events", action="store_true",
        help="print the event types that are left alone unless a rule names them, and end")  # fmt: skip
    group.add_argument("--enable-source", dest="enabled_sources", metavar="SOURCE", action="append", default=[],
        help="use only this event source; may be repeated; without effect on recordings")  # fmt: skip
    group.add_argument("--disable-source", dest="disabled_sources", metavar="SOURCE", action="append", default=[],
        help="do not use this event source; may be repeated; without effect on recordings")  # fmt: skip


def add_listening(group: argparse._ArgumentGroup) -> None:
    """Add the options about receiving what a Kubernetes API server posts."""
    group.add_argument("--listen", metavar="URL",
        help="receive audit events at this address, for example http://127.0.0.1:9765/k8s-audit, or https://")  # fmt: skip
    group.add_argument("--tls-certificate", dest="certificate", metavar="FILE", type=Path,
        help="with https: the server's certificates in PEM form, and its key unless --tls-key has it")  # fmt: skip
    group.add_argument("--tls-key", dest="key", metavar="FILE", type=Path,
        help="with https: the key of the certificate")  # fmt: skip
    group.add_argument("--tls-client-ca", dest="client_authority", metavar="FILE", type=Path,
        help="with https: listen only to clients with a certificate from here")  # fmt: skip
    group.add_argument("--max-requests", dest="requests_per_second", metavar="NUMBER", type=_rate,
        help="turn away more requests a second than this")  # fmt: skip


def add_output(group: argparse._ArgumentGroup) -> None:
    """Add the options about outputs and the configuration."""
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
    group.add_argument("--profile-rules", action="store_true",
        help="take the time of each rule, and print at the end what it cost; evaluation is slower then")  # fmt: skip
    group.add_argument("-v", dest="verbose", action="store_true",
        help="say on standard error what is going on")  # fmt: skip


def add_questions(group: argparse._ArgumentGroup) -> None:
    """Add the options about what ends with an answer."""
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


def _seconds(text: str) -> float | None:
    """Return a limit of time; as in Falco, 0 is none."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds")
    return seconds or None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of requests above zero")
    return rate


def _pid(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"'{text}' is not a process id")
    return int(text)
