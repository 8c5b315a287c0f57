"""The alert: one rule's match on one event, ready to be written in any form."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from refengine.output.render import JsonValue
from refengine.priority import Priority


@dataclass(frozen=True, slots=True)
class Alert:
    """What a match says.

    `time` is the event's, in nanoseconds since the epoch, `number` its number. `message` is the rule's output
    with the fields filled in; `fields` are the values that it named, by the text that named them, and None
    where absent. `tags` are in alphabetical order.
    """

    rule: str
    priority: Priority
    source: str
    time: int
    number: int
    message: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def hostname() -> str:
    """Return the name that alerts carry: the variable `FALCO_HOSTNAME`, else the machine's own name."""
    return os.environ.get("FALCO_HOSTNAME") or socket.gethostname()
