from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from refengine.service.notify import Supervisor


def test_the_words_of_a_life(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(60)
        told = Supervisor({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "3000000"})
        assert told.watchdog == 3.0
        told.ready("Evaluating 7 rules")
        assert manager.recv(1000).decode().split("\n") == [
            "READY=1",
            "STATUS=Evaluating 7 rules",
            f"MAINPID={os.getpid()}",
        ]
        told.complete("Evaluating 7 rules")
        assert manager.recv(1000).decode().split("\n") == ["STATUS=Evaluating 7 rules", "X_COMPLETE=1"]
        told.reloading()
        lines = manager.recv(1000).decode().split("\n")
        assert lines[0] == "RELOADING=1"
        assert lines[1].startswith("MONOTONIC_USEC=")
        told.alive()
        assert manager.recv(1000) == b"WATCHDOG=1"
        told.stopping()
        assert manager.recv(1000) == b"STOPPING=1"


def test_a_socket_without_a_file() -> None:
    name = f"refengine-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(60)
        Supervisor({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        assert manager.recv(1000) == b"STOPPING=1"


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/none"}, {"NOTIFY_SOCKET": "/none", "WATCHDOG_USEC": "x"},
     {"NOTIFY_SOCKET": "/none", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}],
)  # fmt: skip
def test_where_nobody_listens_nothing_happens(environment: dict[str, str]) -> None:
    told = Supervisor(environment)
    told.ready("")
    told.alive()
    assert told.watchdog is None
