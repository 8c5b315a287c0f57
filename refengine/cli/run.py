"""The main job: watch, evaluate the rules on each event, write the alerts, and say at the end what there was."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refengine.backends.base import Interest
from refengine.backends.registry import connect
from refengine.cli.backends import choose
from refengine.cli.configuration import Configuration
from refengine.cli.coverage import coverage
from refengine.cli.exit_codes import OK
from refengine.cli.load import load_rules, with_extra_fields
from refengine.cli.messages import Messages
from refengine.cli.options import Options
from refengine.cli.outputs import Outputs
from refengine.cli.signals import interruption
from refengine.cli.summary import Tally, summary
from refengine.cli.taps import Taps
from refengine.cli.watch import Watch
from refengine.engine import Engine
from refengine.errors import UsageError
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule


def run(options: Options, configuration: Configuration, messages: Messages) -> int:
    """Watch until the end, a signal or the time limit; return the program's exit code.

    :raises RefengineError: when something cannot start or go on; what was started has been ended then.
    """
    loaded = _loaded(options, configuration, messages)
    name, target = choose(options, configuration)
    connection = connect(name, target)
    backend = connection.backend
    source = backend.capabilities.source
    rules = tuple(
        with_extra_fields(rule, configuration) for rule in _rules_for(source, loaded or (), options)
    )
    gaps = list(coverage(loaded or (), rules, backend))
    if gaps and options.strict_capabilities:
        raise UsageError("\n  ".join(("the backend cannot evaluate the rules in full:", *gaps)))
    for line in gaps:
        messages.warn(line)
    engine = Engine(rules, configuration.matching.value, base64_buffers=configuration.base64_buffers)
    if source is not None:
        engine.require_fields(source)
    if not engine.rules and loaded is not None:
        messages.warn("no rule is enabled, so that there can be no alerts")
    messages.tell(f"{len(engine.rules)} rules are enabled for {source or 'all'} events by the {name} backend")
    if options.dry_run:
        messages.tell("dry run: nothing is watched")
        return OK
    outputs = Outputs(configuration, unbuffered=options.unbuffered, silent=options.print_events)
    with _pid_file(options.pid_file), interruption() as asked:
        taps = Taps(connection, None if loaded is None else rules, options)
        watch = Watch(connection, engine, outputs, taps, Tally(), asked)
        interest = (
            Interest(None) if loaded is None else interest_of(engine.rules, backend.capabilities.decides)
        )
        finished = watch.run(interest, options.seconds)
    outputs.close()
    for warning in connection.warnings():
        messages.warn(warning)
    if taps.counts is not None:
        for event_type, count in taps.counts.most_common():
            messages.tell(f"{count:>10} {event_type}")
    # JSON lines are read by programs, which a summary among them would disturb.
    stream = sys.stderr if configuration.format.json or options.print_events else sys.stdout
    print(summary(watch.tally, backend.statistics()), file=stream)
    if finished:
        return OK if backend.exit_code is None else backend.exit_code
    return OK if asked.signal is None or not options.command else 128 + asked.signal


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


def _rules_for(source: str | None, rules: tuple[Rule, ...], options: Options) -> tuple[Rule, ...]:
    """Return the enabled rules for events of `source`, None meaning those of every source that is not off.

    :raises UsageError: when the options switch the source off.
    """
    if source is None:
        return tuple(
            rule
            for rule in rules
            if rule.enabled
            and rule.source not in options.disabled_sources
            and (not options.enabled_sources or rule.source in options.enabled_sources)
        )
    if source in options.disabled_sources or (
        options.enabled_sources and source not in options.enabled_sources
    ):
        raise UsageError(f"the event source '{source}', which the backend delivers, is switched off")
    return tuple(rule for rule in rules if rule.enabled and rule.source == source)


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
