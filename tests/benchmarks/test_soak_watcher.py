"""The figures of real processes, and the verdict on them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from benchmarks.soak_verdict import growing
from benchmarks.soak_watcher import Watcher

STAND_IN = Path(__file__).with_name("leaking.py")


def watch(kilobytes: int) -> list[str]:
    """Return what is wrong with a program that keeps so many kilobytes a second for good."""
    with Watcher([], [sys.executable, STAND_IN, str(kilobytes)]) as watcher:
        samples = []
        for _ in range(30):
            time.sleep(0.1)
            samples.append(watcher.sample())
        assert watcher.stop()[0] == 0
    assert watcher.told == {"opened opened-0": 1}
    assert samples[-1].alerts == 1
    assert samples[-1].evaluated == 1000
    return growing(samples)


def test_a_program_that_keeps_memory_is_found() -> None:
    (fault,) = watch(5000)
    assert fault.startswith("memory rose by ")


def test_a_program_that_keeps_none_is_not() -> None:
    assert watch(0) == []


def test_a_program_that_ends_is_said_to() -> None:
    with pytest.raises(RuntimeError, match="the program ended"):
        Watcher([], [sys.executable, "-c", "pass"])
