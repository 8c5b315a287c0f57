"""The alert: one rule's match on one event, ready to be written in any form."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from refengine.output.compile import Bind, Observed, compile_template
from refengine.output.render import JsonValue
from refengine.output.template import Template
from refengine.priority import Priority

INTERNAL = "internal"
"""The source of alerts about the program itself."""


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


class ExtraField(NamedTuple):
    """A value to add to the fields of alerts under `name`: a template's text, or, if `raw`, its one field's value."""

    name: str
    template: Template
    raw: bool = False


MakeAlert: TypeAlias = "Callable[[Observed], Alert | None]"
"""Makes the alert of a rule on an event; None where the output asks for values that are absent."""


def compile_alert(
    rule: str,
    priority: Priority,
    source: str,
    tags: tuple[str, ...],
    output: Template,
    bind: Bind,
    *,
    extra_fields: Sequence[ExtraField] = (),
    base64_buffers: bool = False,
) -> MakeAlert:
    """Return the function that makes the alerts of one rule; `bind` gives the reader of a field."""
    fill = compile_template(output, bind, base64_buffers=base64_buffers)
    extras = [
        (extra.name, extra.raw, compile_template(extra.template, bind, base64_buffers=base64_buffers))
        for extra in extra_fields
    ]

    def make(event: Observed) -> Alert | None:
        filled = fill(event)
        if filled is None:
            return None
        fields = dict(filled.fields)
        for name, raw, fill_extra in extras:
            extra = fill_extra(event)
            if extra is None:
                fields[name] = None
            elif raw:
                fields.update(extra.fields)
            else:
                fields[name] = extra.text
        return Alert(rule, priority, source, event.time, event.number, filled.text, fields, tags)

    return make


def hostname() -> str:
    """Return the name that alerts carry: the variable `FALCO_HOSTNAME`, else the machine's own name."""
    return os.environ.get("FALCO_HOSTNAME") or socket.gethostname()
