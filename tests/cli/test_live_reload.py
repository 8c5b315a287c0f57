"""A reload of rules that need more than before, while the whole machine is watched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ebpf import require_ebpf

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(600)]

RULE = """
- rule: {name}
  desc: A file of the test is made
  condition: evt.type in (open, openat, openat2, creat) and fd.name startswith {folder}/made
  output: opened %fd.name
  priority: INFO
"""
MORE = """
- rule: More
  desc: It needs events and fields that were not asked for at the start
  condition: evt.type = connect and proc.pname = nobody
  output: connected %proc.cmdline
  priority: INFO
"""


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + 150
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.1)


class Maker(threading.Thread):
    """Makes one file after another."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.count = 0
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            (self.folder / f"made{self.count}").touch()
            self.count += 1
            time.sleep(0.002)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that no other test's paths begin like: their opens do not pass even where only beginnings are looked at."""
    with tempfile.TemporaryDirectory(prefix="again-") as name:
        yield Path(name)


def test_a_second_backend_takes_over_and_no_event_is_lost(tmp_path: Path, folder: Path) -> None:
    require_ebpf()
    rules, out, err = tmp_path / "rules.yaml", tmp_path / "out", tmp_path / "err"
    rules.write_text(RULE.format(name="First", folder=folder))
    maker = Maker(folder)
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "refengine", "--backend", "ebpf", "-r", rules, "-o", "json_output=true"],
            cwd=ROOT, stdout=stdout, stderr=stderr,
        )  # fmt: skip
    try:
        maker.start()
        until(lambda: "First" in out.read_text() or process.poll() is not None)
        assert process.poll() is None, err.read_text()
        rules.write_text(RULE.format(name="Second", folder=folder) + MORE)
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: "Second" in out.read_text() or process.poll() is not None)
        assert process.poll() is None, err.read_text()
        handed_over = maker.count
        until(lambda: maker.count > handed_over + 100)
        maker.ended = True
        maker.join()
        last = f"{folder}/made{maker.count - 1}"
        until(lambda: f'"{last}"' in out.read_text())
    finally:
        maker.ended = True
        process.terminate()
        process.wait(60)
    alerts = [json.loads(line) for line in out.read_text().splitlines()]
    others = [alert for alert in alerts if alert["rule"] not in ("First", "Second")]
    assert not others
    made = Counter(int(alert["output_fields"]["fd.name"].rpartition("made")[2]) for alert in alerts)
    first = min(made)
    assert sorted(made) == list(range(first, maker.count)), err.read_text()
    assert sum(made.values()) - len(made) <= 2, "events of the one millisecond of overlap may come twice"
