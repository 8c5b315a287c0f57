"""Signals, job control, time limits, and the end of a run that is broken off."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from refengine.backends.ptrace.backend import PtraceBackend
from refengine.errors import BackendError
from tests.backends.ptrace.conftest import Watch

MakePython = Callable[[str], list[str]]
MakeC = Callable[[str], list[str]]


def state(pid: int) -> str:
    """Return the state letter of a process, the empty string when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]


def wait_for(condition: Callable[[], bool], limit: float = 60.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it has not come to pass"
        time.sleep(0.01)


def test_signals_reach_handlers(
    watch: Watch, python_program: MakePython, capfd: pytest.CaptureFixture[str]
) -> None:
    program = """
import os, signal
got = []
for number in (signal.SIGUSR1, signal.SIGTRAP, signal.SIGTERM, signal.SIGSTOP + 0 * 1):
    if number != signal.SIGSTOP: signal.signal(number, lambda n, f: got.append(n))
for number in (signal.SIGUSR1, signal.SIGTRAP, signal.SIGTERM): os.kill(os.getpid(), number)
print(*map(int, got), flush=True)
"""
    run = watch(python_program(program), "kill", "signaldeliver")
    assert capfd.readouterr().out.split() == ["10", "5", "15"]
    pid = run.events[0].tid
    assert [event.params for event in run.named("signaldeliver")] == [[pid, pid, n] for n in (10, 5, 15)]
    assert run.exit_code == 0


@pytest.mark.parametrize("use_filter", [True, False])
def test_a_child_is_stopped_and_continued(watch: Watch, use_filter: bool) -> None:
    """The shell sees its child stop, and go on: job control works under the tracer."""
    program = """
import os, signal, sys
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os.chdir("/usr")
    os._exit(9)
_, status = os.waitpid(child, os.WUNTRACED)
assert os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGSTOP
assert open(f"/proc/{child}/stat").read().rpartition(")")[2].split()[0] in "Tt"
os.kill(child, signal.SIGCONT)
_, status = os.waitpid(child, os.WCONTINUED)
if os.WIFCONTINUED(status): _, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    run = watch([sys.executable, "-S", "-c", program], "chdir", use_filter=use_filter)
    assert run.only("chdir", path="/usr").param("res") == 0
    assert run.exit_code == 9


def test_interrupted_calls_go_on(watch: Watch, c_program: MakeC) -> None:
    run = watch(
        c_program(
            "#include <signal.h>\n#include <time.h>\n#include <sys/time.h>\n#include <unistd.h>\n"
            "static void hit(int n) {}\n"
            "int main(void) { struct sigaction a = {.sa_handler = hit, .sa_flags = SA_RESTART}; sigaction(SIGALRM, &a, 0);\n"
            "struct itimerval t = {{0, 20000}, {0, 20000}}; setitimer(ITIMER_REAL, &t, 0);\n"
            'int p[2]; pipe(p); if (!fork()) { usleep(150000); write(p[1], "x", 1); _exit(0); }\n'
            "char c; return read(p[0], &c, 1) == 1 ? 3 : 4; }"
        ),
        "read",
        "nanosleep",
    )
    assert run.exit_code == 3


def test_time_limit_of_read(watch: Watch) -> None:
    backend = watch.start(["sleep", "100"], "chdir", grace=60.0)
    wait_for(lambda: bool(backend.read(0.2)))
    started = time.monotonic()
    while (batch := backend.read(0.3)) and time.monotonic() - started < 60:
        assert batch
    assert batch == ()
    assert 0.25 < time.monotonic() - started < 60, "it returns before the command ends"
    backend.close()
    assert backend.exit_code == 128 + signal.SIGTERM
    assert backend.read(0.1) is None


def test_a_closed_backend_leaves_nothing_behind(watch: Watch, python_program: MakePython) -> None:
    program = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0: os.setsid()
if os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP)
os.chdir("/")
time.sleep(60)
"""
    backend = watch.start(python_program(program), "chdir", grace=0.3)
    tids: set[int] = set()

    def all_are_there_and_quiet() -> bool:
        batch = backend.read(0.2)
        assert batch is not None
        tids.update(event.tid for event in batch)
        return len(tids) >= 3 and not batch

    wait_for(all_are_there_and_quiet)
    started = time.monotonic()
    backend.close()
    assert time.monotonic() - started < 30, "it hangs"
    assert {state(tid) for tid in tids} <= {"", "Z"}  # whoever inherits them may still have to reap them
    backend.close()


def test_opening_twice_and_wrong_targets() -> None:
    from refengine.backends.base import Interest

    for backend in (PtraceBackend(), PtraceBackend(["true"], [1])):
        with pytest.raises(BackendError, match="either a command to run or a process to attach to"):
            backend.open(Interest(frozenset()))
        assert backend.read(0) is None
        assert backend.exit_code is None
        assert backend.statistics().seen == 0
        backend.close()


ENGINE = """
import sys
from refengine.backends.base import Interest
from refengine.backends.ptrace.backend import PtraceBackend
what, names = sys.argv[1], sys.argv[2].split(",")
backend = PtraceBackend(pids=[int(what)]) if what.isdecimal() else PtraceBackend(["sh", "-c", what])
backend.open(Interest(frozenset(names)))
print("open", flush=True)
while (batch := backend.read(0.2)) is not None:
    for event in batch:
        print(event.tid, event.name, *event.params[:2], flush=True)
"""

BUSY = "while :; do cd /; cd /usr; (exit 0); done"


@pytest.fixture
def engine(watch: Watch) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a tracer in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(what: str, names: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", ENGINE, what, names], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.parametrize("told", [0, 1, 30])
@pytest.mark.parametrize("moment", [0.0, 0.003, 0.02])
def test_a_killed_tracer_leaves_no_process_behind(
    engine: Callable[..., subprocess.Popen[str]], told: int, moment: float
) -> None:
    tracer = engine(BUSY, "chdir,clone,execve")
    assert tracer.stdout is not None
    lines = [tracer.stdout.readline() for _ in range(told)]
    time.sleep(moment)
    tracer.kill()
    tids = {int(line.split()[0]) for line in (*lines, *tracer.stdout) if line[:1].isdecimal()}
    assert tids or not told
    tracer.wait(timeout=60)
    for tid in tids:
        wait_for(lambda tid=tid: state(tid) in ("", "Z"))  # type: ignore[misc]


@pytest.mark.parametrize("moment", [0.0, 0.005, 0.02, 0.1])
def test_a_killed_tracer_leaves_an_attached_process_running(
    engine: Callable[..., subprocess.Popen[str]], moment: float
) -> None:
    with subprocess.Popen(["sh", "-c", BUSY]) as target:
        try:
            tracer = engine(str(target.pid), "chdir")
            time.sleep(moment)
            tracer.kill()
            tracer.wait(timeout=60)
            wait_for(lambda: "TracerPid:\t0" in Path(f"/proc/{target.pid}/status").read_text())
            wait_for(lambda: state(target.pid) in "RS")
            before = Path(f"/proc/{target.pid}/stat").read_text().split()[13]
            wait_for(lambda: Path(f"/proc/{target.pid}/stat").read_text().split()[13] != before)
        finally:
            target.kill()
