"""The program in a process of its own, for tests in which signals, pipes, exit codes or connections matter."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-m", "refengine")

RULES = """
- rule: Opened
  desc: A file below the test's folder is opened
  condition: evt.type in (open, openat, openat2) and fd.name startswith "{folder}"
  output: opened %fd.name by %proc.name
  priority: INFO
  tags: [files]
- rule: Started
  desc: The program true is started
  condition: evt.type = execve and proc.name = true
  output: started %proc.name
  priority: WARNING
  tags: [processes]
"""
"""Rules on what is easily done; `{folder}` is where the first one begins."""


def completed(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program until it ends by itself."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Have the program running while the body does; it is killed then, if it has not ended."""
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def ready(
    *arguments: str | Path, stdout: int | IO[str] = subprocess.PIPE, stderr: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Have the program running while the body does, which begins when the program says that all has been started.

    It says so as to a service manager, once everything is attached and what was there already has been taken in.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("")  # the kernel chooses a name that nobody has, in the abstract name space
        manager.settimeout(1.0)
        name = manager.getsockname().decode()
        with subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env={**os.environ, "NOTIFY_SOCKET": f"@{name[1:]}", "PYTHONFAULTHANDLER": "1"},
            stdout=stdout,
            stderr=stderr,
            text=True,
        ) as process:
            try:
                _wait_until_ready(manager, process)
                yield process
            finally:
                process.kill()


def _wait_until_ready(manager: socket.socket, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 150
    while time.monotonic() < limit:
        try:
            if manager.recv(4096).startswith(b"READY=1"):
                return
        except TimeoutError:
            assert process.poll() is None, f"the program ended: {process.args!r}"
    process.send_signal(signal.SIGABRT)  # so that it says where it is
    process.wait(10)
    raise AssertionError("the program did not say that it is ready")


def wait_for(run: subprocess.Popen[str], end: str) -> None:
    """Return when the program has written a line that ends with `end`."""
    assert run.stdout is not None
    lines = []
    while line := run.stdout.readline():
        lines.append(line)
        if line.endswith(end):
            return
    raise AssertionError(f"the program ended without a line that ends with {end!r}: {lines[-20:]}")
