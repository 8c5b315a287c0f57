"""Watching processes that run already."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from refengine.errors import BackendError
from refengine.event import Event
from tests.backends.ptrace.conftest import Watch

TARGET = """
import os, sys, threading, time
def work(name):
    while True:
        try: os.chdir("/" + name)
        except OSError: pass
        time.sleep(0.01)
for name in ("usr", "nowhere"):
    threading.Thread(target=work, args=(name,), daemon=True).start()
print("ready", flush=True)
while True:
    sys.stdin.readline()
    pid = os.fork()
    if pid == 0:
        os.chdir("/tmp")
        os._exit(0)
    os.waitpid(pid, 0)
    print("done", flush=True)
"""


@pytest.fixture
def target(watch: Watch) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-S", "-c", TARGET],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        # The ends of traced threads are their tracer's to collect: until then their process cannot be waited for.
        watch.close()
        process.kill()
        process.wait(timeout=60)
        process.stdin.close()
        process.stdout.close()


def collect(read: Callable[[float], object], enough: Callable[[list[Event]], bool]) -> list[Event]:
    events: list[Event] = []
    deadline = time.monotonic() + 60
    while not enough(events):
        assert time.monotonic() < deadline, events
        batch = read(0.2)
        assert isinstance(batch, (tuple, list))
        events += batch
    return events


def test_all_threads_and_new_children_are_seen(watch: Watch, target: subprocess.Popen[str]) -> None:
    backend = watch.start((), "chdir", pids=[target.pid])
    assert not backend.filtered
    events = collect(backend.read, lambda found: len({e.param("path") for e in found}) == 2)
    assert {event.param("path") for event in events if event.name == "chdir"} == {"/usr", "/nowhere"}
    assert len({event.tid for event in events}) == 2
    assert target.stdin is not None
    target.stdin.write("\n")
    target.stdin.flush()
    events = collect(backend.read, lambda found: any(e.param("path") == "/tmp" for e in found))
    child = next(event.tid for event in events if event.param("path") == "/tmp")
    assert child not in (target.pid, 0)
    backend.close()
    assert backend.read(0) is None


def test_it_runs_on_after_the_end(watch: Watch, target: subprocess.Popen[str]) -> None:
    backend = watch.start((), "chdir", pids=[target.pid])
    collect(backend.read, lambda found: len(found) > 3)
    backend.close()
    assert backend.exit_code is None
    status = Path(f"/proc/{target.pid}/status").read_text()
    assert "TracerPid:\t0" in status
    assert target.stdin is not None
    assert target.stdout is not None
    target.stdin.write("\n")
    target.stdin.flush()
    assert target.stdout.readline() == "done\n"
    again = watch.start((), "chdir", pids=[target.pid])
    collect(again.read, lambda found: len(found) > 3)
    again.close()


def processor_time(pid: int) -> int:
    columns = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(columns[11]) + int(columns[12]) + int(columns[13]) + int(columns[14])


def test_children_that_are_made_while_letting_go_run_on(watch: Watch) -> None:
    target = subprocess.Popen(["sh", "-c", "while :; do (exit 0); (cd /); done"])
    try:
        for _ in range(20):
            backend = watch.start((), "chdir", pids=[target.pid])
            collect(backend.read, lambda found: len(found) > 2)
            backend.close()
            before, limit = processor_time(target.pid), time.monotonic() + 60
            # It waits for each child: one that were left stopped would stop it for good.
            while processor_time(target.pid) <= before + 1:
                assert time.monotonic() < limit
                time.sleep(0.01)
    finally:
        watch.close()
        target.kill()
        target.wait(timeout=60)


def test_a_process_whose_first_thread_has_ended(watch: Watch, c_program: Callable[[str], list[str]]) -> None:
    text = """
    #include <pthread.h>
    #include <stdio.h>
    #include <unistd.h>
    static void *work(void *nothing) { for (;;) { chdir("/usr"); usleep(1000); } return nothing; }
    int main(void) {
        pthread_t thread;
        pthread_create(&thread, 0, work, 0);
        usleep(100000);
        puts("ready"); fflush(stdout);
        sleep(1);
        pthread_exit(0);
    }
    """
    target = subprocess.Popen(c_program(text), stdout=subprocess.PIPE, text=True)
    assert target.stdout is not None
    try:
        assert target.stdout.readline() == "ready\n"
        backend = watch.start((), "chdir", pids=[target.pid])
        collect(backend.read, lambda _: "Z" in Path(f"/proc/{target.pid}/stat").read_text())
        collect(backend.read, lambda found: len(found) > 3)
        started = time.monotonic()
        backend.close()
        assert time.monotonic() - started < 30, "it hangs"
    finally:
        watch.close()
        target.kill()
        os.waitpid(target.pid, 0)
        target.returncode = 0
        target.stdout.close()


def states(pid: int) -> set[str]:
    """Return the states of the threads of a process."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return {stat.rpartition(")")[2].split()[0] for stat in stats}


def test_a_stopped_process_stays_stopped(watch: Watch, target: subprocess.Popen[str]) -> None:
    os.kill(target.pid, signal.SIGSTOP)
    limit = time.monotonic() + 60
    while states(target.pid) != {"T"}:
        assert time.monotonic() < limit
        time.sleep(0.01)
    backend = watch.start((), "chdir", pids=[target.pid])
    assert backend.read(0.3) in ((), None)
    backend.close()
    time.sleep(0.1)
    assert states(target.pid) == {"T"}
    os.kill(target.pid, signal.SIGCONT)


def test_the_end_of_the_process_ends_the_run(watch: Watch, target: subprocess.Popen[str]) -> None:
    backend = watch.start((), "chdir", pids=[target.pid])
    os.kill(target.pid, signal.SIGKILL)  # Popen.kill would look at the process first, and take a stop away
    events: list[Event] = []
    while (batch := backend.read(0.5)) is not None:
        events += batch
    assert {event.name for event in events[-1:]} == {"procexit"}


def test_who_cannot_be_attached_to(watch: Watch) -> None:
    with pytest.raises(BackendError, match="process 999999999 does not exist"):
        watch.start((), "chdir", pids=[999999999])
    with pytest.raises(BackendError, match=f"cannot trace process {os.getpid()}"):
        watch.start((), "chdir", pids=[os.getpid()])


def test_a_process_that_has_a_tracer_already(watch: Watch, target: subprocess.Popen[str]) -> None:
    first = watch.start((), "chdir", pids=[target.pid])
    with subprocess.Popen(
        [sys.executable, "-c", SECOND, str(target.pid)], stdout=subprocess.PIPE, text=True
    ) as second:
        out, _ = second.communicate(timeout=60)
    assert f"cannot trace process {target.pid}: " in out
    assert "has another tracer already" in out or "ptrace_scope" in out
    first.close()


SECOND = """
import sys
from refengine.backends.base import Interest
from refengine.backends.ptrace.backend import PtraceBackend
from refengine.errors import BackendError
try: PtraceBackend(pids=[int(sys.argv[1])]).open(Interest(frozenset({"chdir"})))
except BackendError as error: print(error)
"""
