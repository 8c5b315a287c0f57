"""Events that are JSON documents, as plugins of Falco bring them: audit events of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refengine.event.event import Event
from refengine.tables.event_types import BY_ENUM

_PLUGIN_EVENT = BY_ENUM["PLUGINEVENT_E"]

NO_THREAD = -1
"""The number of the thread of an event that no thread of this machine has brought about."""


class DocumentEvent(Event):
    """An event that is a JSON object, `document`, as the `json` module reads it; `plugin` names its kind.

    Its `source` is not `syscall`; it has no thread, and no parameters besides the document.
    """

    __slots__ = ("document", "plugin")

    def __init__(
        self, document: Mapping[str, Any], time: int, *, source: str, plugin: str, number: int = 0
    ) -> None:
        super().__init__(_PLUGIN_EVENT, time, NO_THREAD, number=number, source=source)
        self.document = document
        self.plugin = plugin
