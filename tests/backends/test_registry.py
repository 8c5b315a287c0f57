from __future__ import annotations

from pathlib import Path

import pytest

from refengine.backends.registry import BACKENDS, availability, connect
from refengine.backends.target import Target
from refengine.errors import BackendError

TARGETS = {
    "ebpf": Target(),
    "ptrace": Target(command=("true",)),
    "fanotify": Target(watched=(Path("/tmp"),)),
    "capture": Target(files=(Path("trace.scap"),)),
    "k8s_audit": Target(files=(Path("audit.json"),)),
    "events": Target(files=(Path("events.jsonl"),)),
}


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_is_connected_by_its_name_and_has_no_side_effects(name: str) -> None:
    connection = connect(name, TARGETS[name])
    assert connection.backend.name == name
    assert connection.backend.statistics().seen == 0
    assert not connection.warnings()
    connection.backend.close()


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_says_whether_it_can_run_here(name: str) -> None:
    found = availability(name)
    assert found.available or found.reason


@pytest.mark.parametrize(("name", "target"), [("ptrace", TARGETS["capture"]), ("capture", TARGETS["ptrace"])])
def test_a_target_that_a_backend_cannot_observe_is_refused(name: str, target: Target) -> None:
    with pytest.raises(BackendError):
        connect(name, target)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(BackendError, match="did you mean 'ptrace'"):
        connect("ptrce", Target())
    with pytest.raises(BackendError, match=f"there are {', '.join(BACKENDS)}"):
        availability("zzz")
