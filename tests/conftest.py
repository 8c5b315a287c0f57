"""What holds for every test: where a test cannot run it is skipped, with the reason."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Tests may use the checkout's benchmarks, which are not installed. Last in the path, the checkout does not hide an
# installed package.
sys.path.append(str(Path(__file__).resolve().parents[1]))

# Times vary with what else the machine does; a test that is really too slow is stopped by its time limit.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell lets what it starts in the background ignore interrupts, and that is inherited: programs under test are to be
# interrupted wherever the tests run.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ASK_TO_BE_TRACED = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
raise SystemExit(ctypes.get_errno() if libc.ptrace(0, 0, 0, 0) else 0)
"""


@functools.cache
def why_not_ptrace() -> str | None:
    """Return why the kernel refuses to let a process be traced by its parent, None where it lets it."""
    if not sys.platform.startswith("linux"):
        return "ptrace is a facility of Linux"
    code = subprocess.run([sys.executable, "-c", ASK_TO_BE_TRACED], check=False, timeout=60).returncode
    return None if code == 0 else f"the kernel refuses ptrace: {os.strerror(code)}"


SLOW = 300
"""Seconds that a slow test may take: a busy machine makes ten of a few."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests more time, where they do not say themselves how much."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW))


def pytest_configure(config: pytest.Config) -> None:
    """Keep what the eBPF backend compiles with what pytest itself keeps, not where the machine's own programs do."""
    kept = getattr(config, "cache", None)
    if kept is not None:
        os.environ.setdefault("REFENGINE_CACHE", str(kept.mkdir("refengine")))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that asks for what this machine does not give."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root")
    if item.get_closest_marker("ptrace"):
        reason = why_not_ptrace()
        if reason is not None:
            pytest.skip(reason)
