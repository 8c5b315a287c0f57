"""What goes on beside the monitor of a soak: a bit of everything that programs do, at a low and steady rate.

    python -m benchmarks.soak_workload SOCKET RATE SECONDS OPENER < PIPE

works in the current folder until the pipe is closed, then prints how many things of each kind were done, and what went
wrong. `SOCKET` is the number of a descriptor that listens, and is connected to. `OPENER` opens a file that no rule tells of
`RATE` times a second, for `SECONDS` at most.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.control_groups import remove
from benchmarks.soak_rules import address

NICENESS = 10
LIVES = 30.0
"""Seconds that a process lives that lives for long."""
BURST = 5000
"""How many things of the cheap kinds are done at once at the very start: what a busy moment and many different names
take of memory is taken before memory is judged."""
PATIENCE = 60.0

CONTROL_GROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory"))
"""Where those control groups may be that the monitor looks at: the hierarchy of all controllers, or that of memory."""


@dataclass(frozen=True, slots=True)
class Done:
    """How many things of each kind were done, and what went wrong meanwhile."""

    counts: Mapping[str, int]
    errors: Sequence[str]


class Workload:
    """The workload in a process of its own, which is nice to all others. It begins at once.

    It works in `folder` for `seconds` at most, connects to `server`, and has `opener` open a file `rate` times a second.
    """

    def __init__(self, folder: Path, server: socket.socket, opener: Path, rate: int, seconds: float) -> None:
        arguments = [str(server.fileno()), str(rate), str(seconds), str(opener)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.soak_workload", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            pass_fds=[server.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Workload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.communicate()

    def stop(self) -> Done:
        """Have it come to its end, and return what was done."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            return Done({}, [f"the workload ended with {self._process.returncode}"])
        return Done(**json.loads(output))


class _Work:
    """The kinds of things that are done, each with a number, in the current folder."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._port = server.getsockname()[1]
        self._group = next(
            (root for root in CONTROL_GROUPS if os.access(root / "cgroup.procs", os.W_OK)), None
        )
        self._living: deque[tuple[float, subprocess.Popen[bytes]]] = deque()

    def kinds(self) -> dict[str, tuple[float, int, Callable[[int], None]]]:
        """Return the kinds: the seconds from one to the next, how many are done at the start, and how."""
        found: dict[str, tuple[float, int, Callable[[int], None]]] = {
            "opened": (0.05, BURST, self._open),
            "renamed": (0.1, BURST, self._rename),
            "connected": (0.1, BURST, self._connect),
            "threaded": (0.1, BURST, self._open_in_thread),
            "executed": (0.2, 0, self._execute),
            "lived": (2.0, 0, self._live),
        }
        if self._group is not None:
            found["contained"] = (5.0, 0, self._contain)
        return found

    def end(self) -> None:
        """Have what still lives end."""
        while self._living:
            self._living.popleft()[1].communicate(b"\n", timeout=PATIENCE)

    def _open(self, number: int) -> None:
        _make(f"opened-{number}")

    def _open_in_thread(self, number: int) -> None:
        worker = threading.Thread(target=_make, args=(f"threaded-{number}",))
        worker.start()
        worker.join()

    def _rename(self, number: int) -> None:
        Path("renaming").touch()
        Path("renaming").rename(f"renamed-{number}").unlink()

    def _connect(self, number: int) -> None:
        with socket.create_connection((address(number), self._port), PATIENCE), self._server.accept()[0]:
            pass

    def _execute(self, number: int) -> None:
        subprocess.run(["true", Path.cwd() / f"executed-{number}"], check=True, timeout=PATIENCE)

    def _live(self, number: int) -> None:
        """Start a process that opens a file when it is told to end; tell those that have lived for long enough."""
        while self._living and time.monotonic() > self._living[0][0]:
            self._living.popleft()[1].communicate(b"\n", timeout=PATIENCE)
        command = ["sh", "-c", f"read end; : > lived-{number}; rm lived-{number}"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        self._living.append((time.monotonic() + LIVES, process))

    def _contain(self, number: int) -> None:
        assert self._group is not None
        group = self._group / f"docker-{secrets.token_hex(32)}.scope"
        group.mkdir()
        try:
            enter = 'echo $$ > "$0/cgroup.procs" && exec true "$1"'
            command: list[str | Path] = ["sh", "-c", enter, group, Path.cwd() / f"contained-{number}"]
            subprocess.run(command, check=True, timeout=PATIENCE)
        finally:
            remove(group)


class _Repeated(threading.Thread):
    """A thread that does one kind of thing until it is stopped; `count` is how often it did."""

    def __init__(
        self, period: float, at_once: int, do: Callable[[int], None], stopped: threading.Event
    ) -> None:
        super().__init__()
        self._period, self._at_once, self._do, self._stopped = period, at_once, do, stopped
        self.count = 0
        self.error = ""

    def run(self) -> None:
        try:
            while not self._stopped.wait(0.0 if self.count < self._at_once else self._period):
                self._do(self.count)
                self.count += 1
        except Exception:
            self.error = traceback.format_exc()


def _make(name: str) -> None:
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
    Path(name).unlink()


def main() -> None:
    """Work until the standard input is closed, and print what was done."""
    server, rate, seconds, opener = sys.argv[1:]
    os.nice(NICENESS)
    Path("looked-at").touch()
    with subprocess.Popen([opener, rate, seconds, "looked-at"], stdout=subprocess.DEVNULL) as opening:
        work, stopped = _Work(socket.socket(fileno=int(server))), threading.Event()
        threads = {kind: _Repeated(*how, stopped) for kind, how in work.kinds().items()}
        for thread in threads.values():
            thread.start()
        sys.stdin.read()
        stopped.set()
        for thread in threads.values():
            thread.join()
        work.end()
        opening.terminate()
    counts = {kind: thread.count for kind, thread in threads.items()}
    errors = [f"{kind}: {thread.error}" for kind, thread in threads.items() if thread.error]
    print(json.dumps(asdict(Done(counts, errors))))


if __name__ == "__main__":
    main()
