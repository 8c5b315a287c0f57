"""The state of the machine under the ptrace backend, over a long run."""

from __future__ import annotations

import sys

import pytest

from refengine.backends.base import Interest
from refengine.backends.registry import connect
from refengine.backends.target import Target

CHILDREN = "for i in $(seq 150); do (exit 1); done; for i in $(seq 20); do sleep 9 & kill -9 $!; done; wait"
THREADS = """
import threading
for _ in range(150):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize(
    "command", [("sh", "-c", CHILDREN), (sys.executable, "-S", "-c", THREADS)], ids=["children", "threads"]
)
def test_what_has_ended_is_forgotten_though_no_rule_asks(command: tuple[str, ...]) -> None:
    connection = connect("ptrace", Target(command=command))
    backend, state = connection.backend, connection.state
    assert state is not None
    backend.open(Interest(frozenset({"mkdir"})))
    try:
        most, born = 0, 0
        while (events := backend.read(5.0)) is not None:
            for event in events:
                connection.observe(event)
                born += event.name in ("clone", "clone3", "vfork", "fork")
                most = max(most, len(state.threads))
    finally:
        backend.close()
    assert born >= 150
    assert most < 100
