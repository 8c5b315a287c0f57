"""What one backend reports, every capable backend reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.backends.scenarios.catalogue import SCENARIOS
from tests.backends.scenarios.comparing import BLIND, run_column, why_not_here
from tests.backends.scenarios.files import FILES
from tests.backends.scenarios.network import NETWORK
from tests.backends.scenarios.privileges import PRIVILEGES
from tests.backends.scenarios.programs import PROGRAMS
from tests.backends.scenarios.running import RUNNERS
from tests.backends.scenarios.scenario import Scenario

KINDS = {"files": FILES, "programs": PROGRAMS, "network": NETWORK, "privileges": PRIVILEGES}


def test_scenarios_are_many_and_each_has_its_own_name() -> None:
    names = Counter(scenario.name for scenario in SCENARIOS)
    assert len(names) >= 60
    assert [name for name, number in names.items() if number > 1] == []


def test_no_backend_is_excused_from_what_no_scenario_shows() -> None:
    shown = {trait for scenario in SCENARIOS for trait in scenario.traits}
    assert {trait for traits in BLIND.values() for trait in traits} == shown


PUBLIC = frozenset(
    [
        "open",
        "openat",
        "openat2",
        "creat",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
        "unlink",
        "unlinkat",
        "mkdir",
        "mkdirat",
        "rmdir",
        "chmod",
        "fchmod",
        "fchmodat",
        "execve",
        "execveat",
        "connect",
        "accept",
        "accept4",
        "listen",
        "socket",
        "sendto",
        "sendmsg",
        "recvfrom",
        "recvmsg",
        "dup",
        "dup2",
        "dup3",
        "ptrace",
        "init_module",
        "finit_module",
        "setuid",
        "setns",
        "unshare",
        "bpf",
        "userfaultfd",
    ]
)
"""The event types that the public rules name."""

_ANY = 50
"""More types than any scenario names: its rule holds for whatever event."""


def test_every_event_type_of_the_public_rules_is_shown(tmp_path: Path) -> None:
    named = (scenario.rule(tmp_path).event_types for scenario in SCENARIOS)
    assert PUBLIC - {name for types in named if len(types) < _ANY for name in types} == frozenset()


@pytest.mark.slow
@pytest.mark.timeout(600)  # each program is run and waited for, up to three times
@pytest.mark.parametrize("scenarios", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("runner", RUNNERS)
def test_alerts_are_the_same_under_every_capable_backend(
    runner: str, scenarios: Sequence[Scenario], tmp_path: Path
) -> None:
    reason = why_not_here(runner)
    if reason is not None:
        pytest.skip(reason)
    column = run_column(runner, scenarios, tmp_path.resolve())
    assert {name: cell.detail for name, cell in column.items() if cell.verdict == "DIFFERS"} == {}
    assert any(cell.verdict == "same" for cell in column.values()) or runner == "fanotify"
