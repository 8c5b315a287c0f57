"""The main job: watch, evaluate the rules on each event, write the alerts, and say at the end what there was."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refengine.backends.base import Connection
from refengine.backends.registry import connect
from refengine.cli.backends import choose
from refengine.cli.configuration import Configuration
from refengine.cli.coverage import coverage
from refengine.cli.exit_codes import OK
from refengine.cli.load import load_rules, with_extra_fields
from refengine.cli.messages import Messages
from refengine.cli.options import Options
from refengine.cli.outputs import Outputs
from refengine.cli.signals import Interruption, interruption
from refengine.cli.summary import Tally, summary
from refengine.engine import Engine
from refengine.errors import UsageError
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule

_PATIENCE = 0.25
"""Seconds that a backend may wait for events before signals and the time limit are looked at again."""


def run(options: Options, configuration: Configuration, messages: Messages) -> int:
    """Watch until the end, a signal or the time limit; return the program's exit code.

    :raises RefengineError: when something cannot start or go on; what was started has been ended then.
    """
    loaded = load_rules(options, configuration)
    messages.warnings_of(loaded)
    for selection in configuration.selections:
        if not any(selection.fits(rule) for rule in loaded.rules):
            named = f"name '{selection.rule}'" if selection.tag is None else f"tag '{selection.tag}'"
            messages.warn(
                f"no rule has the {named}, so nothing is {'en' if selection.enable else 'dis'}abled by it"
            )
    name, target = choose(options, configuration)
    connection = connect(name, target)
    backend = connection.backend
    source = backend.capabilities.source
    rules = tuple(
        with_extra_fields(rule, configuration) for rule in _rules_for(source, loaded.rules, options)
    )
    for line in coverage(loaded.rules, rules, backend):
        messages.warn(line)
    engine = Engine(rules, configuration.matching.value, base64_buffers=configuration.base64_buffers)
    engine.require_fields(source)
    if not engine.rules:
        messages.warn("no rule is enabled, so that there can be no alerts")
    messages.tell(f"{len(engine.rules)} rules are enabled for events of {source} by the {name} backend")
    if options.dry_run:
        messages.tell("dry run: nothing is watched")
        return OK
    with _pid_file(options.pid_file), interruption() as asked:
        code = _watch(connection, engine, options, configuration, asked)
    for warning in connection.warnings():
        messages.warn(warning)
    return code


def _rules_for(source: str, rules: tuple[Rule, ...], options: Options) -> tuple[Rule, ...]:
    """Return the enabled rules for events of `source`; none where the options switch the source off."""
    if source in options.disabled_sources or (
        options.enabled_sources and source not in options.enabled_sources
    ):
        raise UsageError(f"the event source '{source}', which the backend delivers, is switched off")
    return tuple(rule for rule in rules if rule.enabled and rule.source == source)


def _watch(
    connection: Connection,
    engine: Engine,
    options: Options,
    configuration: Configuration,
    asked: Interruption,
) -> int:
    outputs = Outputs(configuration, unbuffered=options.unbuffered)
    tally = Tally()
    backend = connection.backend
    try:
        backend.open(interest_of(engine.rules))
        finished = _evaluate(connection, engine, outputs, tally, asked, options.seconds)
    finally:
        backend.close()
    outputs.close()
    # JSON lines are read by programs, which a summary among them would disturb.
    stream = sys.stderr if configuration.format.json else sys.stdout
    print(summary(tally, backend.statistics()), file=stream)
    if finished:
        return OK if backend.exit_code is None else backend.exit_code
    return OK if asked.signal is None or not options.command else 128 + asked.signal


def _evaluate(
    connection: Connection,
    engine: Engine,
    outputs: Outputs,
    tally: Tally,
    asked: Interruption,
    seconds: float | None,
) -> bool:
    """Evaluate events until there are no more, then return True; or until told to stop, then return False."""
    read, observe, process = connection.backend.read, connection.observe, engine.process
    end = None if seconds is None else time.monotonic() + seconds
    while asked.signal is None:
        patience = _PATIENCE
        if end is not None:
            patience = min(patience, end - time.monotonic())
            if patience <= 0:
                return False
        events = read(patience)
        if events is None:
            return True
        if asked.reopen:
            asked.reopen = False
            outputs.reopen()
        for event in events:
            observe(event)
            for alert in process(event):
                tally.add(alert)
                outputs.write(alert)
    return False


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
