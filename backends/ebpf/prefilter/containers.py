"""Comparisons of what tells containers: the kernel side knows of a process only that it is on the host for certain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from refengine.backends.ebpf.prefilter.atom import Atom, Constants, Make, fits, texts_of
from refengine.backends.ebpf.prefilter.facts import Facts, Level
from refengine.state.containers.identity import HOST

_NAMED: Final = frozenset({"container.id", "container.full_id", "container.name", "container.type"})
"""What is `host` outside of containers."""

_GROUPED: Final = frozenset({"k8s.pod.uid"})
"""What a control group may tell of a process that is in no container."""


def of_container(field: str) -> Make | None:
    """Return the maker of comparisons of a field of the container or the pod of a process, None for other fields."""
    if field in _NAMED:
        return _named
    if field.startswith(("container.", "k8s.")) and field not in _GROUPED:
        return _absent
    return None


def _on_host(outcome: bool) -> Callable[[Facts], bool | None]:
    return lambda facts: outcome if facts.on_host else None


def _named(operator: str, constants: Constants) -> Atom | None:
    texts = texts_of(constants)
    if texts is None:
        return None
    outcome = fits(operator, HOST.encode(), texts)
    if outcome is None:
        return None
    return Atom(Level.CONTAINER, str(int(outcome)), _on_host(outcome), "on_host")


def _absent(_operator: str, _constants: Constants) -> Atom:
    return Atom(Level.CONTAINER, "0", _on_host(False), "on_host")
