"""Audit events for tests."""

from __future__ import annotations

from typing import Any

from refengine.backends.base import Interest

EVERYTHING = Interest(None)


def audit(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return an audit event; `more` are further members of it."""
    return {"kind": "Event", "auditID": str(number), "stageTimestamp": "2024-05-06T07:08:09.123456Z", **more}


def listed(*events: dict[str, Any]) -> dict[str, Any]:
    """Return the list that an API server posts."""
    return {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": list(events)}
