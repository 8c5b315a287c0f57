"""Running scenarios under a backend: each gives the alerts of its own rule on its own processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from refengine.backends.base import Connection, Interest
from refengine.backends.capture.snapshot import tables_of
from refengine.backends.capture.writer import CaptureWriter
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.engine import Engine
from refengine.event import Event
from refengine.interest import interest_of
from tests.backends.scenarios.scenario import Scenario, reading

SETTLING = 1.0
"""Seconds after which a backend tells of what it held back, to see what else belongs to it.

One that watches the whole machine is read after the last program's end until it tells of what happened so much later,
or of nothing for as long.
"""

LONGEST = 60.0
"""Seconds after which a program counts as hanging."""

Alerts = list[tuple[str, ...]]


@dataclass(frozen=True)
class Outcome:
    """The alerts of each scenario by its name, and the causes of events that were lost meanwhile."""

    alerts: Mapping[str, Alerts]
    dropped: frozenset[str] = frozenset()


@dataclass
class Prepared:
    """A scenario with its folder, made ready, and the number of its first process once it runs.

    `started` says that this process has become the program, and is no copy of us any more.
    """

    scenario: Scenario
    folder: Path
    alerts: Alerts = field(default_factory=list)
    pid: int = 0
    started: bool = False

    def command(self) -> list[str]:
        return self.scenario.command(self.folder)


def prepare(scenarios: Sequence[Scenario], root: Path) -> list[Prepared]:
    """Make a folder for each scenario."""
    prepared = []
    for number, scenario in enumerate(scenarios):
        folder = root / f"s{number}"
        folder.mkdir(parents=True)
        subprocess.run(["/bin/sh", "-c", scenario.prepare], cwd=folder, check=True)
        prepared.append(Prepared(scenario, folder))
    return prepared


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Be in a folder, as a program that is started from there will be."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_ptrace(scenarios: Sequence[Scenario], root: Path) -> Outcome:
    """Run each scenario as a command under ptrace."""
    for one in (prepared := prepare(scenarios, root)):
        rule = one.scenario.rule(one.folder)
        engine = Engine([rule])
        with inside(one.folder), _silent():
            connection = connect("ptrace", Target(command=tuple(one.command())))
            _evaluate(connection, interest_of([rule]), engine, one.alerts)
    return Outcome(_by_name(prepared))


def run_replay(scenarios: Sequence[Scenario], root: Path) -> Outcome:
    """Record each scenario under ptrace, all its events, and evaluate its rule on the recording."""
    for one in (prepared := prepare(scenarios, root)):
        file = root / f"{one.folder.name}.scap"
        with inside(one.folder), _silent():
            record(connect("ptrace", Target(command=tuple(one.command()))), file)
        rule = one.scenario.rule(one.folder)
        connection = connect("capture", Target(files=(file,)))
        _evaluate(connection, interest_of([rule]), Engine([rule]), one.alerts)
    return Outcome(_by_name(prepared))


def record(connection: Connection, file: Path) -> None:
    """Write all events of a command to a capture file."""
    backend, state = connection.backend, connection.state
    assert state is not None
    try:
        backend.open(Interest(None))
        with CaptureWriter(file) as writer:
            begun = False
            while (events := backend.read(LONGEST)) is not None:
                for event in events:
                    assert isinstance(event, Event)
                    connection.observe(event)
                    if not begun:
                        begun = True
                        writer.write_tables(tables_of(state))
                    writer.write(event)
    finally:
        backend.close()


def run_machine(name: str) -> Callable[[Sequence[Scenario], Path], Outcome]:
    """Return what runs scenarios one after another while a backend watches the whole machine."""

    def run(scenarios: Sequence[Scenario], root: Path) -> Outcome:
        prepared = prepare(scenarios, root)
        rules = [one.scenario.rule(one.folder) for one in prepared]
        engine = Engine(rules, "all")
        connection = connect(name, Target())
        by_rule = {one.scenario.name: one for one in prepared}
        by_pid: dict[int, Prepared] = {}
        backend = connection.backend

        def read(seconds: float) -> int:
            """Take in the next events, and return the time of the last, 0 where there is none."""
            last = 0
            for event in backend.read(seconds) or ():
                assert isinstance(event, Event)
                connection.observe(event)
                if event.name == "execve" and event.tid in by_pid:
                    by_pid[event.tid].started = True
                for alert in engine.process(event):
                    one = by_rule[alert.rule]
                    if one.started and one.pid in _line(event):
                        one.alerts.append(reading(alert.message))
                last = event.time
            return last

        try:
            backend.open(interest_of(rules, backend.capabilities.decides))
            for one in prepared:
                process = subprocess.Popen(
                    one.command(),
                    cwd=one.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                one.pid = process.pid
                by_pid[one.pid] = one
                until = time.monotonic() + LONGEST
                while process.poll() is None and time.monotonic() < until:
                    read(0.02)
                process.kill()
                process.wait()
            end = time.time_ns() + int(SETTLING * 1e9)
            until = time.monotonic() + LONGEST
            while time.monotonic() < until and 0 < read(SETTLING) < end:
                pass
        finally:
            backend.close()
        return Outcome(_by_name(prepared), frozenset(backend.statistics().dropped))

    return run


def _by_name(prepared: Sequence[Prepared]) -> dict[str, Alerts]:
    return {one.scenario.name: sorted(one.alerts) for one in prepared}


RUNNERS: Mapping[str, Callable[[Sequence[Scenario], Path], Outcome]] = {
    "ptrace": run_ptrace,
    "replay": run_replay,
    "fanotify": run_machine("fanotify"),
    "ebpf": run_machine("ebpf"),
}
"""How scenarios are run under each backend; `replay` is that of captures, of recordings made under ptrace."""


def _evaluate(connection: Connection, interest: Interest, engine: Engine, alerts: Alerts) -> None:
    backend = connection.backend
    until = time.monotonic() + LONGEST
    try:
        backend.open(interest)
        while time.monotonic() < until and (events := backend.read(1.0)) is not None:
            for event in events:
                connection.observe(event)
                alerts += [reading(alert.message) for alert in engine.process(event)]
    finally:
        backend.close()


def _line(event: Event) -> set[int]:
    """Return the numbers of the process of an event and of all that it descends from."""
    thread = event.thread
    if thread is None:
        return {event.tid}
    return {event.tid, thread.pid, *(ancestor.pid for ancestor in thread.ancestors())}


@contextmanager
def _silent() -> Iterator[None]:
    """Have what a watched command says go nowhere."""
    kept = [os.dup(number) for number in (0, 1, 2)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        for number, before in enumerate(kept):
            os.dup2(before, number)
            os.close(before)
        os.close(nowhere)
