"""What becomes of a monitor that is stopped, goes on, and is killed: nothing of it stays in the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.monitor import program_ids, programs_left
from tests.ebpf import require_ebpf
from tests.running import ready

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- rule: Marked
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name = {folder}/marked
  output: "%fd.name"
  priority: INFO
"""


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    require_ebpf()
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(folder=tmp_path), encoding="utf-8")
    with ready("--backend", "ebpf", "-U", "-r", rules) as process:
        yield process


def test_what_happens_while_it_is_stopped_is_told_afterwards(
    monitor: subprocess.Popen[str], tmp_path: Path
) -> None:
    os.kill(monitor.pid, signal.SIGSTOP)
    (tmp_path / "marked").write_text("x")
    os.kill(monitor.pid, signal.SIGCONT)
    assert monitor.stdout is not None
    assert monitor.stdout.readline().rstrip().endswith(f"{tmp_path}/marked")


def test_nothing_stays_in_the_kernel_when_it_is_killed(monitor: subprocess.Popen[str]) -> None:
    programs = program_ids(monitor.pid)
    assert programs
    monitor.kill()
    monitor.wait()
    assert not programs_left(programs)
