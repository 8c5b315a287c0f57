"""A backend that is patient has its prefilters in place in full before it observes, unless that takes too long or fails."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.monitor import PATIENCE
from refengine import Engine, load_rules
from refengine.backends.base import Connection
from refengine.backends.ebpf import backend as backend_module
from refengine.backends.ebpf.backend import EbpfBackend
from refengine.backends.ebpf.part import Part
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.interest import interest_of
from refengine.source import Source
from tests.ebpf import alerts_of, require_ebpf

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- rule: Opened
  desc: Its prefilter has a second part, which decides of names with a dot in them
  condition: evt.type = openat and fd.name = {folder}/wanted
  output: "opened %fd.name"
  priority: INFO
"""
WORK = """
import os, sys
os.chdir(sys.argv[1])
for name in ("./wanted", "./others"):
    for _ in range(100):
        os.close(os.open(name, os.O_RDONLY))
"""

Parts = Generator[Part, None, None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("wanted", "others"):
        (tmp_path / name).write_text("x")
    return tmp_path


@contextmanager
def opened(folder: Path, patience: float) -> Iterator[tuple[Connection, Engine]]:
    require_ebpf()
    rules = load_rules(Source("rules.yaml", RULES.format(folder=folder))).enabled("syscall")
    connection = connect("ebpf", Target(patience=patience))
    connection.backend.open(interest_of(rules, connection.backend.capabilities.decides))
    try:
        yield connection, Engine(rules, "all")
    finally:
        connection.backend.close()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Return a function that has something done before the second parts come."""
    rest = backend_module._rest

    def set_action(action: Callable[[], None]) -> None:
        def later(*arguments: Any) -> Parts:
            parts = rest(*arguments)
            try:
                action()
                yield from parts
            finally:
                parts.close()

        monkeypatch.setattr(backend_module, "_rest", later)

    return set_action


Meanwhile = Callable[[Callable[[], None]], None]


def check_alerts(watched: tuple[Connection, Engine], folder: Path) -> None:
    alerts = alerts_of(watched, [sys.executable, "-c", WORK, folder])
    assert [alert.message for alert in alerts] == [f"opened {folder}/wanted"] * 100


def test_it_waits_for_second_parts(folder: Path, meanwhile: Meanwhile) -> None:
    meanwhile(lambda: time.sleep(0.5))
    attach = EbpfBackend._attach
    with opened(folder, 0.0) as (connection, _):
        backend = connection.backend
        assert isinstance(backend, EbpfBackend)
        assert not connection.complete(), "who is not patient observes already"
        assert backend.complete(PATIENCE)
        assert connection.complete()
        assert not connection.warnings()
    with pytest.MonkeyPatch.context() as patched:

        def attach_complete(self: EbpfBackend, *arguments: Any) -> None:
            assert self.complete(), "nothing is attached before"
            attach(self, *arguments)

        patched.setattr(EbpfBackend, "_attach", attach_complete)
        with opened(folder, PATIENCE) as watched:
            connection, _ = watched
            assert connection.complete()
            check_alerts(watched, folder)
            assert not connection.warnings()


def test_it_does_not_wait_for_ever_and_says_so(folder: Path, meanwhile: Meanwhile) -> None:
    released = threading.Event()
    meanwhile(lambda: assert_released(released))
    try:
        with opened(folder, 0.2) as watched:
            connection, _ = watched
            assert not connection.complete()
            (warning,) = connection.warnings()
            assert warning.startswith(
                "the second parts of prefilters have not been loaded within 0.2 seconds: "
            )
            check_alerts(watched, folder)
            released.set()
            backend = connection.backend
            assert isinstance(backend, EbpfBackend)
            assert backend.complete(PATIENCE)
            check_alerts(watched, folder)
    finally:
        released.set()


def assert_released(released: threading.Event) -> None:
    assert released.wait(PATIENCE)


def test_what_fails_is_not_waited_for_and_said(folder: Path, meanwhile: Meanwhile) -> None:
    def fail() -> None:
        raise BackendError("the compiler does not take them")

    meanwhile(fail)
    with opened(folder, PATIENCE) as watched:
        connection, _ = watched
        assert connection.complete()
        assert connection.warnings() == (
            "prefilters stay without their second parts: the compiler does not take them",
        )
        check_alerts(watched, folder)
