"""The main job: watch, evaluate the rules on each event, write the alerts, and say at the end what there was."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from refengine.cli.collection import spared_by_collection
from refengine.cli.configuration import Configuration
from refengine.cli.container_names import container_names
from refengine.cli.event_sources import with_sources
from refengine.cli.exit_codes import OK
from refengine.cli.load import load_rules
from refengine.cli.messages import Messages
from refengine.cli.observation import Observation, observations
from refengine.cli.options import Options
from refengine.cli.outputs import Outputs
from refengine.cli.privileges import keep_only, needed_capabilities
from refengine.cli.profile_table import profile_table
from refengine.cli.request import Request
from refengine.cli.rule_captures import RuleCaptures
from refengine.cli.service import Service
from refengine.cli.signals import interruption
from refengine.cli.summary import Tally, summary, total, total_tally, unmatched_summary
from refengine.cli.taps import Taps
from refengine.cli.together import run_together
from refengine.cli.watch import Watch
from refengine.errors import UsageError
from refengine.recursion import deep_recursion
from refengine.rulefile.rule import Rule


def run(request: Request) -> int:
    """Watch until the end, a signal or the time limit; return the program's exit code.

    :raises RefengineError: when something cannot start or go on; what was started has been ended then.
    """
    configuration, messages = request.configuration, request.messages
    options = with_sources(request.options, configuration)
    loaded = _loaded(options, configuration, messages)
    observed = observations(options, configuration, loaded, messages)
    if options.dry_run:
        messages.note("dry run: configuration and rules load, and no events are looked at")
        return OK
    if options.drop_privileges:
        _drop_privileges(observed)  # before there are other threads, which would keep theirs
    outputs = Outputs(
        configuration,
        report=messages.warn,
        unbuffered=options.unbuffered,
        silent=options.print_events,
        patient=all(each.connection.progress is not None for each in observed),
    )
    # A hangup asks for a reload, but of who runs a command in a terminal it is the end.
    reloads = not options.command
    names = container_names(observed, configuration.container_engines, messages)
    with (
        _pid_file(options.pid_file),
        interruption(reloads=reloads) as asked,
        deep_recursion(),
        names,
        spared_by_collection(),
    ):
        watches = [
            Watch(
                each.connection,
                each.rules,
                each.engine,
                outputs,
                Taps(each.connection, None if loaded is None else each.rules, options),
                Tally(),
                asked,
                captures=(
                    RuleCaptures(configuration.captures, each.connection)
                    if configuration.captures.enabled
                    else None
                ),
                warn=messages.warn,
            )
            for each in observed
        ]
        jobs = [(watch, each.interest) for watch, each in zip(watches, observed, strict=True)]
        with closing(Service(options, configuration, watches, outputs, messages, asked)):
            finished = run_together(jobs, asked, options.seconds)
    outputs.close()
    _say_what_there_was(watches, messages)
    # JSON lines are read by programs, which a summary among them would disturb.
    stream = sys.stderr if configuration.format.json or options.print_events else sys.stdout
    backends = [watch.connection.backend for watch in watches]
    counted = total_tally(watch.tally for watch in watches)
    print(summary(counted, total(watch.statistics() for watch in watches)), file=stream)
    held_back = outputs.held_back.total()
    if held_back:
        print(f"Alerts held back since there were too many like them: {held_back}", file=stream)
    for name, count in outputs.lost.items():
        print(f"Alerts lost by {name} output: {count}", file=stream)
    if options.profile_rules:
        print(unmatched_summary(counted), file=stream)
        print(profile_table(line for watch in watches for line in watch.engine.profile()), file=stream)
    if finished:
        return next((backend.exit_code for backend in backends if backend.exit_code is not None), OK)
    return OK if asked.signal is None or not options.command else 128 + asked.signal


def _drop_privileges(observed: Sequence[Observation]) -> None:
    """Keep what the backends go on to need.

    :raises UsageError: when that is not known, or the kernel refuses.
    """
    needed = needed_capabilities([each.connection.backend for each in observed])
    try:
        keep_only(needed)
    except OSError as error:
        raise UsageError(f"--drop-privileges: {error.strerror or error}") from None


def _say_what_there_was(watches: Iterable[Watch], messages: Messages) -> None:
    """Say what was found wrong with the events, and how many of each type there were to whom asked for it."""
    for watch in watches:
        watch.say_warnings()
        if watch.taps.counts is not None:
            for event_type, count in watch.taps.counts.most_common():
                messages.tell(f"{count:>10} {event_type}")


def _loaded(options: Options, configuration: Configuration, messages: Messages) -> tuple[Rule, ...] | None:
    """Return the rules, None where events are only to be printed or recorded and no rules are named."""
    if (options.print_events or options.record is not None) and not options.rules:
        return None
    loaded = load_rules(options, configuration)
    messages.warnings_of(loaded)
    for selection in configuration.selections:
        if not any(selection.fits(rule) for rule in loaded.rules):
            named = f"name '{selection.rule}'" if selection.tag is None else f"tag '{selection.tag}'"
            messages.warn(
                f"no rule has the {named}, so nothing is {'en' if selection.enable else 'dis'}abled by it"
            )
    return loaded.rules


@contextmanager
def _pid_file(path: Path | None) -> Iterator[None]:
    """Have the process id in a file while the body runs.

    :raises UsageError: when it cannot be written.
    """
    if path is None:
        yield
        return
    try:
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        raise UsageError(f"cannot write the process id to {path}: {error.strerror or error}") from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
