"""Loading rules and configuration anew while events are evaluated."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, Thread

from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.cli.backends import choose
from refengine.cli.configuration import Configuration, load_configuration
from refengine.cli.load import load_rules
from refengine.cli.messages import Messages
from refengine.cli.observation import Observation, gaps, observe
from refengine.cli.options import Options
from refengine.cli.outputs import Outputs
from refengine.cli.watch import Change, Watch
from refengine.errors import RefengineError
from refengine.output.alert import INTERNAL, Alert
from refengine.priority import Priority
from refengine.rulefile.rule import Rule
from refengine.service.handover import blind, covers
from refengine.service.notify import Supervisor

FAILURE = "Falco internal: hot restart failure"
"""The name of the alert, which readers of Falco's alerts know."""

_PATIENCE = 10.0
"""Seconds that a second backend may take, before it begins to observe, to be in place in full: the first one goes on meanwhile."""


@dataclass(slots=True)
class Renewal:
    """Renews the rules of watches, and their outputs, whenever asked to.

    That takes place in a thread of its own, while the watches go on. They get everything or nothing: where
    something is wrong with the new files, that is said, and what was loaded before stays. `loaded_at` is the time of
    the last success, in nanoseconds since the epoch; 0 where there was none yet.
    """

    options: Options
    configuration: Configuration
    watches: Sequence[Watch]
    outputs: Outputs
    messages: Messages
    supervisor: Supervisor
    done: int = 0
    refused: int = 0
    loaded_at: int = 0
    _thread: Thread | None = None
    _again: bool = False
    _enabled: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._enabled = sum(len(watch.rules) for watch in self.watches)

    def request(self) -> None:
        """Begin to load; a load that is under way is followed by another one."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                self._again = True
                return
            self._thread = Thread(target=self._run, name="reload", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Return when no load is under way."""
        thread = self._thread  # which the thread itself takes away at its end
        if thread is not None:
            thread.join()

    def files(self) -> Iterable[Path]:
        """Return the files and folders that are loaded."""
        return files_of(self.options, self.configuration)

    def _run(self) -> None:
        while True:
            self._again = False
            self.supervisor.reloading()
            self._renew()
            self.supervisor.ready(status(self._enabled))
            with self._lock:
                if not self._again:
                    self._thread = None
                    return

    def _renew(self) -> None:
        try:
            configuration = load_configuration(self.options.configuration, self.options.overrides)
            loaded = load_rules(self.options, configuration)
            changes = self._changes(configuration, loaded.rules)
            try:
                self.outputs.renew(configuration)
            except RefengineError:
                _discard(changes)
                raise
        except RefengineError as error:
            self._refuse("reload refused", str(error))
            return
        except Exception as error:
            # Also a fault of the program's own must leave what works alone.
            self._refuse("reload failed", f"{type(error).__name__}: {error}")
            return
        for warning in configuration.warnings:
            self.messages.warn(warning)
        self.messages.warnings_of(loaded)
        for watch, change in zip(self.watches, changes, strict=True):
            watch.changes.append(change)
        self.configuration = configuration
        self.done += 1
        self.loaded_at = time.time_ns()
        self._enabled = sum(len(change.rules) for change in changes)
        self.messages.note(f"reloaded: {self._enabled} rules are enabled")

    def _refuse(self, what: str, reason: str) -> None:
        """Say that what was loaded before stays, also where alerts are read: who changed the rules may be there."""
        self.refused += 1
        self.messages.warn(f"{what}, what was loaded before stays: {reason}")
        message = f"{FAILURE}: {reason}"
        self.outputs.write(Alert(FAILURE, Priority.CRITICAL, INTERNAL, time.time_ns(), 0, message))

    def _changes(self, configuration: Configuration, loaded: tuple[Rule, ...]) -> list[Change]:
        targets = dict(choose(self.options, configuration))
        changes: list[Change] = []
        found: list[Observation] = []
        try:
            for watch in self.watches:
                target = targets.get(watch.connection.backend.name)
                observation, change = self._change(watch, target, configuration, loaded)
                found.append(observation)
                changes.append(change)
        except BaseException:
            _discard(changes)
            raise
        for gap in gaps(found, loaded):
            self.messages.warn(gap)
        return changes

    def _change(
        self, watch: Watch, target: Target | None, configuration: Configuration, loaded: tuple[Rule, ...]
    ) -> tuple[Observation, Change]:
        backend = watch.connection.backend
        opened = watch.interest
        observation = observe(watch.connection, self.options, configuration, loaded)
        enough = opened is None or not backend.capabilities.selective or covers(opened, observation.interest)
        connection, interest = None, None
        if not enough and target is not None and _is_for_all(target) and self.options.record is None:
            connection = connect(backend.name, replace(target, patience=_PATIENCE))
            if connection.state is not None and watch.connection.state is not None:
                connection.state.containers = watch.connection.state.containers  # which ask for all backends
            observation = observe(connection, self.options, configuration, loaded)
            interest = observation.interest
        elif not enough and opened is not None and (names := list(blind(observation.rules, opened))):
            self.messages.warn(
                f"the {backend.name} backend was not started for what these rules need, so that they see too little "
                f"until the next start: {', '.join(names)}"
            )
        if backend.capabilities.source is not None and observation.interest.event_types is not None:
            observation.engine.prepare(backend.capabilities.source, observation.interest.event_types)
        if connection is not None and interest is not None:
            # Last of all: from here on it has events for which nobody comes yet.
            connection.backend.open(interest)
        return observation, Change(observation.rules, observation.engine, connection, interest)


def _is_for_all(target: Target) -> bool:
    """Return whether another backend for the same target can take over from one that is open."""
    return not (target.command or target.pids or target.files or target.address)


def _discard(changes: Iterable[Change]) -> None:
    for change in changes:
        if change.connection is not None:
            change.connection.backend.close()


def status(rules: int) -> str:
    """Return in words what is being done."""
    return f"Evaluating {rules} rules"


def files_of(options: Options, configuration: Configuration) -> list[Path]:
    """Return the files of the configuration and of the rules, and the folders that were named."""
    return [*configuration.files, *(options.rules or map(Path, configuration.rules_files))]
