"""What a backend made of a scenario, beside what was expected, and why it may differ."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from refengine.backends.base import Availability, Backend
from refengine.backends.registry import BACKENDS, availability, connect
from refengine.cli.coverage import coverage
from refengine.errors import BackendError
from tests.backends.scenarios.running import RUNNERS, Alerts
from tests.backends.scenarios.scenario import (
    AS_GIVEN,
    BOTH_WAYS,
    FAILURE,
    FLAGS,
    FLEETING,
    IO_URING,
    KERNEL_FILES,
    NAMELESS,
    NOT_THERE,
    PATH_ONLY,
    Scenario,
)

_RING = "an open by io_uring is no system call"

BLIND: Mapping[str, Mapping[str, str]] = {
    "ptrace": {IO_URING: _RING},
    "replay": {IO_URING: _RING},
    "ebpf": {
        IO_URING: _RING,
        NOT_THERE: "a call that the kernel was built without has no tracepoint",
    },
    "fanotify": {
        FAILURE: "only what succeeds is seen",
        AS_GIVEN: "symbolic links are followed",
        FLAGS: "other open flags than reading and writing are not told",
        BOTH_WAYS: "of a file that is closed already only writing is known",
        PATH_ONLY: "the kernel does not tell of places that are opened",
        NAMELESS: "a file without a name has no path",
        KERNEL_FILES: "the kernel's own files are not watched",
        FLEETING: "the program had ended, or become another, before it could be looked at",
    },
}
"""By backend, the traits of scenarios of which it cannot see enough, each with the reason."""

ATTEMPTS = 3
"""How often scenarios are run that differ while the backend says that it has lost events: this proves nothing."""

Verdict = Literal["same", "unable", "skipped", "DIFFERS"]


@dataclass(frozen=True)
class Cell:
    """A scenario under a backend: `unable` and `skipped` with the reason, `DIFFERS` with what came instead."""

    verdict: Verdict
    detail: str = ""


def why_not_here(runner: str) -> str | None:
    """Return why scenarios cannot be run under a backend here, None where they can."""
    name = {"replay": "ptrace"}.get(runner, runner)
    found = availability(name) if name in BACKENDS else Availability(False, "there is none of that name")
    if not found.available:
        return found.reason
    if runner in ("ebpf", "fanotify") and os.geteuid() != 0:
        return "watching the whole machine needs root"
    return None


def why_unable(runner: str, scenario: Scenario) -> str | None:
    """Return why a backend cannot raise the alerts of a scenario, by what it says of itself; None where it can."""
    for trait, reason in BLIND.get(runner, {}).items():
        if trait in scenario.traits:
            return reason
    rule = scenario.rule(Path("/folder"))
    for reason in coverage([rule], [rule], _backend(runner)):
        return reason.partition(", so ")[0]
    return None


def compare(
    runner: str, scenarios: Sequence[Scenario], found: Mapping[str, Alerts], root: Path
) -> dict[str, Cell]:
    """Return the cells of a backend's column, by the names of the scenarios that were run in `root`."""
    cells = {}
    for number, scenario in enumerate(scenarios):
        expected, alerts = scenario.alerts(root / f"s{number}"), found[scenario.name]
        if alerts == expected:
            cells[scenario.name] = Cell("same")
        elif (reason := why_unable(runner, scenario)) is not None and (
            FLEETING in scenario.traits or not set(alerts) - set(expected)
        ):
            cells[scenario.name] = Cell("unable", reason)
        else:
            cells[scenario.name] = Cell("DIFFERS", f"expected {expected}, got {alerts}")
    return cells


def run_column(runner: str, scenarios: Sequence[Scenario], root: Path) -> dict[str, Cell]:
    """Run the scenarios under a backend and return its column; all are skipped where it cannot run."""
    reason = why_not_here(runner)
    if reason is not None:
        return {scenario.name: Cell("skipped", reason) for scenario in scenarios}
    runnable = [scenario for scenario in scenarios if _is_root() or not scenario.needs_root]
    cells = {scenario.name: Cell("skipped", "needs root") for scenario in scenarios}
    for attempt in range(ATTEMPTS):
        folder = root / str(attempt)
        outcome = RUNNERS[runner](runnable, folder)
        cells.update(compare(runner, runnable, outcome.alerts, folder))
        runnable = [scenario for scenario in runnable if cells[scenario.name].verdict == "DIFFERS"]
        if not runnable or not outcome.dropped:
            break
    return cells


def _is_root() -> bool:
    """Return whether we are root and may become any other user, which root of a user namespace may not."""
    ids = Path("/proc/self/uid_map").read_text().split()
    return os.geteuid() == 0 and int(ids[2]) > 65534


def _backend(runner: str) -> Backend:
    name = {"replay": "capture"}.get(runner, runner)
    for target in BACKENDS[name].examples:
        try:
            return connect(name, target).backend
        except BackendError:
            continue
    raise BackendError(f"{name} cannot be connected")
