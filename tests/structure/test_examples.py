"""The examples run and print what they are there to show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an example against the package that the tests test."""
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, ROOT / "examples" / name, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_rules_are_evaluated_on_events_of_ones_own() -> None:
    done = run("evaluate_events.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "WARNING: Configuration written (file=/etc/hosts program=sed)",
        "WARNING: Configuration written (file=/etc/hosts program=python3)",
    ]


def test_conditions_are_checked_with_a_place_and_advice() -> None:
    done = run("check_conditions.py")
    assert done.returncode == 1, done.stderr
    assert "did you mean 'proc.name'?" in done.stdout
    assert done.stdout.count("^") >= 5


def test_a_right_condition_is_passed_in_silence() -> None:
    done = run("check_conditions.py", "proc.name = cat")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_in_the_list(example: Path) -> None:
    assert f"({example.name})" in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
