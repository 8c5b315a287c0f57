"""The connector on the live machine."""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from refengine.backends.netlink.connector import ProcessConnector
from refengine.backends.netlink.process_events import EXEC, EXIT, ProcessEvent
from refengine.errors import BackendError

pytestmark = pytest.mark.root


@pytest.fixture
def connector() -> Iterator[ProcessConnector]:
    try:
        made = ProcessConnector()
    except BackendError as error:
        pytest.skip(str(error))
    yield made
    made.close()


def events_of(connector: ProcessConnector, pid: int) -> list[ProcessEvent]:
    found: list[ProcessEvent] = []
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(event.kind == EXIT for event in found):
        poll = select.poll()
        poll.register(connector, select.POLLIN)
        poll.poll(1000)
        found += [event for event in connector.read(100) if event.pid == pid]
    return found


def test_a_program_is_told_of_from_its_start_to_its_end(connector: ProcessConnector) -> None:
    process = subprocess.Popen([sys.executable, "-S", "-E", "-c", "raise SystemExit(3)"])
    process.wait()
    found = events_of(connector, process.pid)
    assert [event.kind for event in found][-2:] == [EXEC, EXIT]
    assert found[-1].numbers[0] == 3 << 8
    assert abs(found[-1].time - time.monotonic_ns()) < 60 * 10**9


def test_nothing_is_lost_in_quiet_times_and_closing_twice_does_no_harm(connector: ProcessConnector) -> None:
    for _ in range(20):
        subprocess.run(["true"], check=True)
        connector.read(1000)
    assert connector.received >= 20
    assert connector.lost == 0
    connector.close()
    connector.close()


def test_what_does_not_fit_is_counted(connector: ProcessConnector) -> None:
    connector._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel makes it its least
    for _ in range(3):
        subprocess.run(["sh", "-c", "for i in $(seq 50); do /bin/true; done"], check=True)
        connector.read(1000)
    assert connector.received > 0
    assert connector.lost > 0


ASK = """
from refengine.backends.ebpf.needs import check
from refengine.backends.netlink.connector import ProcessConnector
from refengine.errors import BackendError
print(*[need.name for need in check() if need.name == "processes" and not need.met])
try: ProcessConnector()
except BackendError as error: print(error)
"""


def test_numbers_of_another_namespace_are_refused() -> None:
    """Where somebody else listens, events come also to who may not ask for them."""
    inside = ("unshare", "--pid", "--fork", "--mount-proc")
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("there can be no PID namespace here")
    said = subprocess.check_output([*inside, sys.executable, "-c", ASK], text=True).splitlines()
    assert said == ["processes", "process events are told in the first PID namespace only"]
