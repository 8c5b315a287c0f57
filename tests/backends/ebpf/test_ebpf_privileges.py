"""A monitor that has given its privileges up watches as before, and takes other rules."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from refengine.tables.capabilities import CAPABILITIES
from tests.ebpf import require_ebpf

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULE = """
- rule: Marked
  desc: d
  condition: evt.type = {call} and evt.arg.path endswith {folder}/marked
  output: "{call}"
  priority: INFO
"""
KEPT = frozenset({"CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"})


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    require_ebpf()
    path = tmp_path / "rules.yaml"
    path.write_text(RULE.format(call="mkdir", folder=tmp_path), encoding="utf-8")
    return path


@pytest.fixture
def monitor(rules: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "refengine", "--backend", "ebpf", "--drop-privileges", "-U", "-r", rules],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def sets(status: Path) -> dict[str, int]:
    """Return the sets of capabilities of a process or thread."""
    lines = status.read_text(encoding="ascii").splitlines()
    return {
        name: int(value, 16) for name, _, value in (line.partition(":\t") for line in lines) if "Cap" in name
    }


def alert_of(monitor: subprocess.Popen[str], folder: Path, word: str) -> None:
    """Provoke until there is the alert of that word: the rules may still be on their way."""
    assert monitor.stdout is not None
    provoking = subprocess.Popen(
        ["sh", "-c", f"while sleep 0.2; do mkdir {folder}/marked; rmdir {folder}/marked; done"],
        stderr=subprocess.DEVNULL,
    )
    try:
        while not monitor.stdout.readline().rstrip().endswith(f" {word}"):
            assert monitor.poll() is None
    finally:
        provoking.kill()
        provoking.wait()


def test_alerts_come_without_privileges_also_after_a_reload(
    monitor: subprocess.Popen[str], rules: Path, tmp_path: Path
) -> None:
    alert_of(monitor, tmp_path, "mkdir")
    kept = sum(1 << CAPABILITIES.index(name) for name in KEPT)
    for thread in Path(f"/proc/{monitor.pid}/task").iterdir():
        found = sets(thread / "status")
        assert not found["CapEff"] & ~kept
        assert not found["CapPrm"] & ~kept
        assert not found["CapBnd"] & ~kept
    # The tracepoint of another call is needed now, which was looked up while that was allowed.
    rules.write_text(RULE.format(call="rmdir", folder=tmp_path), encoding="utf-8")
    monitor.send_signal(signal.SIGHUP)
    alert_of(monitor, tmp_path, "rmdir")
