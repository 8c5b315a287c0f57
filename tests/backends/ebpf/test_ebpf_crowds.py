"""Many at once: storms of programs, a fork bomb, a folder with 100,000 entries. Nothing is lost, and watching goes on.

What others do at the same time cannot fill the ring buffer: of it only executions, births and ends of processes pass the
prefilters of these rules.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.monitor import resident
from tests.control_groups import control_group
from tests.ebpf import require_ebpf
from tests.running import ready, wait_for_text

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(600)]

RULES = """
- rule: Marked
  desc: Comes after each crowd.
  condition: evt.type = mkdir and evt.arg.path startswith {folder}/marked
  output: "%evt.arg.path"
  priority: INFO
- rule: Program
  desc: Every execution of the storm is looked at.
  condition: evt.type = execve and proc.args startswith {token}
  output: "ran %proc.args"
  priority: INFO
- rule: Entry
  desc: Every file that is made is looked at outside of the kernel.
  condition: evt.type in (open, openat) and evt.is_open_write = true and fd.directory = {folder}/many and proc.pname = {token}
  output: "made %fd.name"
  priority: INFO
"""

PIDS = Path("/sys/fs/cgroup/pids")
ENTRIES = 100_000
BATCH = 10_000
"""Entries that are made at once: their records fit into the ring buffer even if the monitor reads none meanwhile."""

MEMORY_MAX = 150_000
"""Kilobytes."""

PATIENCE = 250.0
"""Seconds for a crowd, or for the monitor to tell of it, on a machine that has a lot else to do."""

MAKE_ENTRIES = """
import os, sys
os.chdir(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    os.close(os.open(f"entry-{number}", os.O_WRONLY | os.O_CREAT, 0o600))
"""


@pytest.fixture
def token() -> str:
    return f"crowd-{secrets.token_hex(4)}"


@pytest.fixture
def monitor(tmp_path: Path, token: str) -> Iterator[subprocess.Popen[str]]:
    require_ebpf()
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(folder=tmp_path, token=token), encoding="utf-8")
    with (
        (tmp_path / "out").open("w") as out,
        ready("--backend", "ebpf", "-U", "-r", rules, stdout=out) as process,
    ):
        yield process


def caught_up(monitor: subprocess.Popen[str], folder: Path) -> None:
    """Return when the monitor has told of all that was done before."""
    marked = folder / f"marked-{secrets.token_hex(4)}"
    marked.mkdir()
    wait_for_text(monitor, folder / "out", str(marked), PATIENCE)


def ended(monitor: subprocess.Popen[str], folder: Path) -> str:
    """Wait until the crowd has been told of, end the monitor, and return all that it said."""
    caught_up(monitor, folder)
    assert resident(monitor.pid) < MEMORY_MAX
    monitor.send_signal(signal.SIGINT)
    assert monitor.wait(PATIENCE) == 0
    return (folder / "out").read_text(encoding="utf-8", errors="replace")


def test_each_program_of_a_storm_is_told_of(
    monitor: subprocess.Popen[str], tmp_path: Path, token: str
) -> None:
    loop = f"n=0; while [ $n -lt 400 ]; do /bin/true {token}-$1-$n; n=$((n+1)); done"
    shells = [subprocess.Popen(["sh", "-c", loop, "sh", str(number)]) for number in range(4)]
    assert [shell.wait(PATIENCE) for shell in shells] == [0] * 4
    output = ended(monitor, tmp_path)
    told = re.findall(rf"ran {token}-(\d)-(\d+)$", output, re.MULTILINE)
    assert len(told) == len(set(told)) == 4 * 400
    assert "Events dropped: 0" in output


def test_a_fork_bomb_does_not_end_it(monitor: subprocess.Popen[str], tmp_path: Path) -> None:
    if not (PIDS / "cgroup.procs").exists():
        pytest.skip("there is no hierarchy of the pids controller to hold a fork bomb")
    with control_group(PIDS, f"bomb-{secrets.token_hex(8)}") as group:
        try:
            (group / "pids.max").write_text("150")
            bomb = f"echo $$ > {group}/cgroup.procs; b() {{ b | b & }}; b"
            subprocess.run(["sh", "-c", bomb], check=False, stderr=subprocess.DEVNULL, timeout=PATIENCE)
            limit = time.monotonic() + PATIENCE
            while refusals(group) == 0:  # the limit is reached
                assert time.monotonic() < limit
                time.sleep(0.02)
        finally:
            kill(group)
    assert "Events dropped: 0" in ended(monitor, tmp_path)


def refusals(group: Path) -> int:
    """Return how often a control group was refused a process since it has as many as it may have."""
    return int((group / "pids.events").read_text().split()[1])


def kill(group: Path) -> None:
    """Kill the processes of a control group, and those that they start meanwhile."""
    limit = time.monotonic() + PATIENCE
    while members := (group / "cgroup.procs").read_text().split():
        for member in members:
            with suppress(ProcessLookupError):
                os.kill(int(member), signal.SIGKILL)
        assert time.monotonic() < limit


def test_a_folder_of_very_many_entries(monitor: subprocess.Popen[str], tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for first in range(0, ENTRIES, BATCH):
        command = [sys.executable, "-c", MAKE_ENTRIES, str(folder), str(first), str(first + BATCH)]
        subprocess.run(command, check=True, timeout=PATIENCE)
        caught_up(monitor, tmp_path)
    assert sum(1 for _ in os.scandir(folder)) == ENTRIES
    output = ended(monitor, tmp_path)
    assert "Events dropped: 0" in output
    seen = re.search(r"Events evaluated: (\d+)", output)
    assert seen is not None
    assert int(seen[1]) >= ENTRIES
