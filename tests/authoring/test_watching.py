"""Tests run again when a file changes."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from refengine.authoring.testing.watching import marks, wait_for_change
from tests.authoring.suites import RULES


def test_changes_are_seen(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "later")]
    for path in paths[:2]:
        path.write_text("1", encoding="utf-8")
    before = marks(paths)
    assert wait_for_change(before, 0) == ()
    timer = threading.Timer(0.1, lambda: paths[1].write_text("22", encoding="utf-8"))
    timer.start()
    assert wait_for_change(before, 60) == (paths[1],)
    timer.join()
    paths[2].write_text("new", encoding="utf-8")
    paths[0].unlink()
    assert wait_for_change(before, 0) == tuple(paths)


def test_the_command_runs_again_until_it_is_interrupted(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "r.yaml").write_text(RULES, encoding="utf-8")
    test = tmp_path / "t.test.yaml"
    text = (
        "rules: r.yaml\ntests:\n  - {event: {evt.type: open, fd.num: 3, proc.name: %s}, alerts: Any shell}\n"
    )
    test.write_text(text % "cat", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "refengine", "test", "--watch", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any("waiting for a file to change" in line for line in lines)
        # It is replaced at once: what is written in place is for a moment an empty file, which may be tested, too.
        # What is beside it is in a folder of its own, since a new name in the folder that is watched is a change.
        beside = tmp_path_factory.mktemp("beside") / "saving"
        beside.write_text(text % "bash", encoding="utf-8")
        beside.replace(test)
        # The folder changes with the file; one look may fall between the two and see either first.
        until = list(itertools.takewhile(lambda line: "1 of 1 passed" not in line, lines))
        assert any(line.startswith(str(tmp_path)) and line.endswith(" changed\n") for line in until)
        assert any("waiting for a file to change" in line for line in lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
