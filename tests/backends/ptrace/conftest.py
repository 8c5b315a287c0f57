"""Real programs under the ptrace backend."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from refengine.backends.base import Interest, Statistics
from refengine.backends.ptrace.backend import PtraceBackend
from refengine.event import Event


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.ptrace)


@dataclass
class Run:
    """What a watched command did."""

    events: list[Event]
    exit_code: int | None
    statistics: Statistics
    filtered: bool

    def named(self, *names: str) -> list[Event]:
        return [event for event in self.events if event.name in names]

    def only(self, event_type: str, /, **params: object) -> Event:
        """Return the one event of that name whose parameters have those values."""
        found = [
            event
            for event in self.named(event_type)
            if all(event.param(key) == value for key, value in params.items())
        ]
        assert len(found) == 1, f"{len(found)} events {event_type} {params}"
        return found[0]


@dataclass
class Watch:
    """Runs commands under the backend until they end."""

    backends: list[PtraceBackend] = field(default_factory=list)

    def __call__(
        self,
        command: Sequence[str],
        *types: str,
        fields: Sequence[str] = (),
        on_event: Callable[[Event], None] | None = None,
        use_filter: bool = True,
        snap_length: int = 80,
        interest: Interest | None = None,
    ) -> Run:
        backend = self.start(
            command, *types, fields=fields, use_filter=use_filter, snap_length=snap_length, interest=interest
        )
        events = []
        while (batch := backend.read(0.5)) is not None:
            for event in batch:
                events.append(event)
                if on_event is not None:
                    on_event(event)
        run = Run(events, backend.exit_code, backend.statistics(), backend.filtered)
        backend.close()
        return run

    def start(
        self,
        command: Sequence[str] = (),
        *types: str,
        pids: Sequence[int] = (),
        fields: Sequence[str] = (),
        use_filter: bool = True,
        snap_length: int = 80,
        grace: float = 1.0,
        interest: Interest | None = None,
    ) -> PtraceBackend:
        backend = PtraceBackend(command, pids, use_filter=use_filter, snap_length=snap_length, grace=grace)
        self.backends.append(backend)
        backend.open(interest or Interest(frozenset(types), frozenset(fields)))
        return backend

    def close(self) -> None:
        """Close every backend, so that none of the test's processes is traced any more."""
        for backend in self.backends:
            backend.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watcher = Watch()
    try:
        yield watcher
    finally:
        watcher.close()


@pytest.fixture
def python_program(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return a function that gives the command to run a Python text."""

    def make(text: str) -> list[str]:
        return [sys.executable, "-S", "-E", "-c", text]

    return make


@pytest.fixture
def c_program(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return a function that compiles a C text and gives the command to run it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")

    def make(text: str) -> list[str]:
        source = tmp_path / "program.c"
        source.write_text(text)
        program = tmp_path / "program"
        subprocess.run(
            [compiler, "-D_GNU_SOURCE", "-O1", "-pthread", "-o", os.fspath(program), os.fspath(source)],
            check=True,
        )
        return [os.fspath(program)]

    return make
