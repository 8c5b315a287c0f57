"""Backends by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from refengine.backends.registry import BACKENDS, availability, connect
from refengine.backends.target import Target
from refengine.errors import BackendError


def test_ptrace_is_registered() -> None:
    connection = connect("ptrace", Target(command=("true",)))
    backend = connection.backend
    assert backend.name == "ptrace"
    assert backend.capabilities.source == "syscall"
    assert backend.exit_code is None
    backend.close()


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_every_registered_backend_can_be_asked(name: str) -> None:
    assert BACKENDS[name].description
    can = availability(name)
    assert can.available or can.reason


def test_a_name_that_is_none() -> None:
    with pytest.raises(BackendError, match=r"no backend 'sysdig': there are .*ptrace"):
        availability("sysdig")
    with pytest.raises(BackendError, match="did you mean 'ptrace'"):
        availability("ptrac")


def test_a_target_that_is_not_for_the_backend() -> None:
    with pytest.raises(BackendError, match="watches a command or processes"):
        connect("ptrace", Target(address=":1"))


def test_listing_backends_imports_none() -> None:
    code = (
        "import sys; from refengine.backends import registry; registry.BACKENDS;"
        "raise SystemExit(any(n.split('.')[0] == 'ptrace' or n.endswith('.backend') for n in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
