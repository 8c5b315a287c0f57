"""Every field has an extractor, and every extractor stands any event."""

from __future__ import annotations

from typing import Any

import pytest

from refengine.event import Event
from refengine.event.document import DocumentEvent
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.registry import EXTRACTORS, extractor_of
from refengine.state.system import SystemState
from refengine.tables.event_types import EVENT_TYPES
from tests.events import has_type, machine


def test_every_field_has_an_extractor() -> None:
    assert set(EXTRACTORS) == set(CATALOGUE)
    assert extractor_of("proc.nmae") is None


def events(state: SystemState | None) -> list[Event]:
    made = []
    for kind in EVENT_TYPES:
        for params in ((), [None] * len(kind.params)):
            event = Event(kind, 1_700_000_000_000_000_000, 100, params)
            if state is not None:
                state.apply(event)
            made.append(event)
    documents: tuple[dict[str, Any], ...] = ({}, {"auditID": "1"}, strange(3), {"auditID": 1, **strange(2)})
    made.extend(DocumentEvent(each, 1, source="k8s_audit", plugin="k8saudit") for each in documents)
    return made


def strange(depth: int) -> dict[str, Any]:
    """Return a document in which what is below each key that extractors look for is not what they expect."""
    keys = (
        "user",
        "objectRef",
        "requestObject",
        "spec",
        "containers",
        "subjects",
        "rules",
        "volumes",
        "metadata",
    )
    inner: list[Any] = [None, 1, 1.5, True, "x", [], {}, [[]], [None, {}, "y"], {"0": None}]
    if depth:
        inner = [*inner[:3], strange(depth - 1), [strange(depth - 1), 7]]
    return {key: inner[position % len(inner)] for position, key in enumerate(keys)}


@pytest.mark.parametrize("known", [True, False])
def test_every_field_is_readable_on_every_event_and_has_its_type(known: bool) -> None:
    arguments = {"evt.arg": "res", "evt.rawarg": "res", "evt.around": "5", "evt.type.is": "3"}
    readers = {name: entry.bind(arguments.get(name)) for name, entry in EXTRACTORS.items()}
    for event in events(machine() if known else None):
        for name, read in readers.items():
            value = read(event)
            assert value is None or has_type(name, value), (name, event, value)


def test_every_argument_form_can_be_bound() -> None:
    (event, *_) = events(machine())
    for name, entry in EXTRACTORS.items():
        if CATALOGUE[name].argument_allowed:
            for argument in ("0", "3", "NAME", "", "99999999999999999999"):
                entry.bind(argument)(event)


def test_candidates_are_absent_or_present_values() -> None:
    for event in events(machine((1, 0, "init"), (100, 1, "shell"))):
        for name, entry in EXTRACTORS.items():
            if entry.candidates is not None:
                found = entry.candidates(event)
                assert found is None or list(found), name
