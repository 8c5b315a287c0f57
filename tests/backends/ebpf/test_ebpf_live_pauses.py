"""A monitor that cannot keep up: what is lost is counted and told, and what comes after it is seen as before."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.monitor import PATIENCE
from tests.ebpf import require_ebpf
from tests.running import ready, wait_for_text

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- rule: Marked
  desc: d
  condition: evt.type = mkdir and evt.arg.path startswith {folder}/
  output: "%proc.name|%proc.pname|%proc.cwd|%evt.arg.path|"
  priority: INFO
- rule: Flood
  desc: Every event has to be told, and none matches.
  condition: evt.type = openat and proc.name = {token} and proc.cmdline = nothing
  output: "%fd.name"
  priority: INFO
- rule: Changed
  desc: d
  condition: evt.type = fchmod and fd.name startswith {folder}/
  output: "%proc.name|%proc.pname|%fd.name|"
  priority: INFO
"""

FLOOD = """
import ctypes, os, sys
token, folder, wanted = sys.argv[1:]
ctypes.CDLL(None).prctl(15, token.encode(), 0, 0, 0)
path = folder + "/" + "x" * 250
for _ in range(int(wanted)):
    try:
        os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        pass
"""

EVENTS = 150_000
"""More than the ring buffer has room for: 16 MB, and these have some 400 bytes each."""

AFTERWARDS = """
import ctypes, os, sys
token, folder = sys.argv[1:]
os.chdir(folder)
if os.fork():
    os.wait()
else:
    ctypes.CDLL(None).prctl(15, token.encode(), 0, 0, 0)
    number = os.open("after", os.O_WRONLY | os.O_CREAT)
    os.fchmod(number, 0o600)
    os.mkdir("made")
"""


@pytest.fixture
def token() -> str:
    return f"s-{secrets.token_hex(5)}"


@pytest.fixture
def monitor(tmp_path: Path, token: str) -> Iterator[subprocess.Popen[str]]:
    require_ebpf()
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(folder=tmp_path, token=token), encoding="utf-8")
    options = ("-o", "syscall_event_drops.threshold=0", "-o", "syscall_event_drops.actions[0]=alert")
    with (
        (tmp_path / "out").open("w") as out,
        ready("--backend", "ebpf", "-U", "-r", rules, *options, stdout=out) as process,
    ):
        yield process


def test_a_pause_under_load_is_told_and_recovered_from(
    monitor: subprocess.Popen[str], token: str, tmp_path: Path
) -> None:
    os.kill(monitor.pid, signal.SIGSTOP)
    try:
        flood = [sys.executable, "-c", FLOOD, token, str(tmp_path), str(EVENTS)]
        subprocess.run(flood, check=True, timeout=PATIENCE)
        # Born, at work and gone while nobody looks, and after the ring buffer is full.
        subprocess.run([sys.executable, "-c", AFTERWARDS, token, str(tmp_path)], check=True, timeout=PATIENCE)
        (tmp_path / "made").rmdir()
    finally:
        os.kill(monitor.pid, signal.SIGCONT)
    wait_for_text(monitor, tmp_path / "out", "Falco internal: syscall event drop", PATIENCE)
    subprocess.run([sys.executable, "-c", AFTERWARDS, token, str(tmp_path)], check=True, timeout=PATIENCE)
    wait_for_text(monitor, tmp_path / "out", f"{tmp_path}/made|", PATIENCE)
    monitor.send_signal(signal.SIGINT)
    assert monitor.wait(PATIENCE) == 0
    output = (tmp_path / "out").read_text(encoding="utf-8")
    python = Path(sys.executable).name[:15]
    assert f" {token}|{python}|{tmp_path}/after|\n" in output
    assert f" {token}|{python}|{tmp_path}/|{tmp_path}/made|\n" in output
    counts = re.search(r"^Events dropped: (\d+) \(the ring buffer is full: (\d+)\)$", output, re.MULTILINE)
    assert counts is not None
    assert counts[1] == counts[2]
    evaluated = re.search(r"^Events evaluated: (\d+)$", output, re.MULTILINE)
    assert evaluated is not None
    # None is lost without being counted.
    assert int(counts[1]) + int(evaluated[1]) >= EVENTS
    # Of what was done while the buffer was full, what is short may still have fitted in.
    assert 1 <= output.count(f"{tmp_path}/made|") <= 2
