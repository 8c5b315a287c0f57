"""The program in a process of its own, for tests in which signals, pipes, exit codes or connections matter."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.readiness import Readiness

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
    with (
        Readiness() as readiness,
        subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env={**os.environ, **readiness.environment},
            stdout=stdout,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            readiness.wait(process)
            yield process
        finally:
            process.kill()


def wait_for_text(run: subprocess.Popen[str], path: Path, text: str, patience: float) -> None:
    """Return when the program has written a text to the file at `path`, which it may take `patience` seconds for."""
    limit = time.monotonic() + patience
    while text not in path.read_text(encoding="utf-8", errors="replace"):
        assert run.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.05)


def wait_for(run: subprocess.Popen[str], end: str) -> None:
    """Return when the program has written a line that ends with `end`."""
    assert run.stdout is not None
    lines = []
    while line := run.stdout.readline():
        lines.append(line)
        if line.endswith(end):
            return
    raise AssertionError(f"the program ended without a line that ends with {end!r}: {lines[-20:]}")
