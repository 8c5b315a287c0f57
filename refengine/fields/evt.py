"""The event itself: number, time, type, category (`evt.*`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from time import localtime, strftime

from refengine.event import Event
from refengine.event.document import DocumentEvent
from refengine.fields.extractor import AttributePath, Extract, Extractor, plain
from refengine.fields.json_values import text_of
from refengine.values import Value

_SECOND = 10**9

_IO_CATEGORIES = frozenset({"io_read", "io_write", "io_other"})
_DESCRIPTOR_CATEGORIES: Mapping[str, str] = {
    "f": "file",
    "d": "file",
    "4": "net",
    "6": "net",
    "u": "ipc",
    "p": "ipc",
    "e": "ipc",
    "s": "ipc",
    "i": "ipc",
    "U": "ipc",
}
"""What an input or output event is about, by the kind of its descriptor."""


def clock_time(event: Event) -> str:
    """`evt.time`: local time of day with nanoseconds."""
    return f"{strftime('%H:%M:%S', localtime(event.time // _SECOND))}.{event.time % _SECOND:09d}"


def clock_time_seconds(event: Event) -> str:
    """`evt.time.s`: local time of day."""
    return strftime("%H:%M:%S", localtime(event.time // _SECOND))


def iso8601_time(event: Event) -> str:
    """`evt.time.iso8601`: date and time with nanoseconds, UTC."""
    seconds, rest = divmod(event.time, _SECOND)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:09d}+0000"


def date_time(event: Event) -> str:
    """`evt.datetime`: local date and time with nanoseconds."""
    return f"{date_time_seconds(event)}.{event.time % _SECOND:09d}"


def date_time_seconds(event: Event) -> str:
    """`evt.datetime.s`: local date and time."""
    return strftime("%Y-%m-%d %H:%M:%S", localtime(event.time // _SECOND))


def raw_time(event: Event) -> int:
    """`evt.rawtime`: nanoseconds since the epoch."""
    return event.time


def relative_time(event: Event) -> int:
    """`evt.reltime`: nanoseconds since the first event; since the epoch before there was one."""
    state = event.state
    return event.time if state is None else event.time - state.first_event_time


def seconds_of(extract: Callable[[Event], int]) -> Extract:
    """Return the reader of the whole seconds of a time."""
    return lambda event: extract(event) // _SECOND


def nanoseconds_of(extract: Callable[[Event], int]) -> Extract:
    """Return the reader of the part of a time below a second."""
    return lambda event: extract(event) % _SECOND


def time_since_previous(event: Event) -> int:
    """`evt.deltatime`: nanoseconds since the previous event, 0 for the first."""
    state = event.state
    return 0 if state is None or not state.previous_event_time else event.time - state.previous_event_time


def absent(_event: Event) -> None:
    """Read a field that nothing has: measured on entry events, or by plugins and tracers that do not exist here."""
    return


def plugin_name(event: Event) -> str | None:
    """`evt.pluginname`: the plugin of Falco that brings such events; those of the system have none."""
    return event.plugin if isinstance(event, DocumentEvent) else None


def plugin_info(event: Event) -> str | None:
    """`evt.plugininfo`: the document that the event is, in one line."""
    return text_of(event.document) if isinstance(event, DocumentEvent) else None


def is_async(event: Event) -> bool:
    """`evt.is_async`: true for events that the observer made up itself."""
    return event.type.source == "metaevent"


def async_type(event: Event) -> str | None:
    """`evt.asynctype`: the kind of an event that the observer made up."""
    if event.type.source != "metaevent":
        return None
    if event.type.name == "asyncevent":
        name = event.param("name")
        return name if isinstance(name, str) else None
    return event.type.name


def direction(event: Event) -> str:
    """`evt.dir`: `<` for what is reported when it is over, `>` for the rest."""
    return "<" if event.type.is_exit else ">"


def type_is(argument: str | None) -> Extract:
    """`evt.type.is[N]`: 1 where the event type's number is N, else 0."""
    code = int(argument) if argument is not None and argument.isdecimal() else -1
    return lambda event: int(event.type.code == code)


def syscall_type(event: Event) -> str | None:
    """`syscall.type`: the system call's name, absent where the event is none."""
    return event.name if event.type.source == "syscall" else None


def category(event: Event) -> str:
    """`evt.category`."""
    kind = event.type.category
    if kind in _IO_CATEGORIES:
        descriptor = event.descriptor
        return "unknown" if descriptor is None else _DESCRIPTOR_CATEGORIES.get(descriptor.type, "unknown")
    return "IPC" if kind == "ipc" else kind


def output_time(_event: Event) -> str:
    """`evt.outputtime`: local time of day, with nanoseconds, at which the output is made."""
    now = datetime.now().astimezone()
    return f"{now:%H:%M:%S}.{now.microsecond * 1000:09d}"


def around(argument: str | None) -> Extract:
    """`evt.around[TIME]`: the distance in milliseconds from TIME, nanoseconds since the epoch."""
    moment = int(argument) if argument is not None and argument.isdecimal() else 0

    def extract(event: Event) -> Value | None:
        return -(-abs(event.time - moment) // 10**6)

    return extract


EXTRACTORS: Mapping[str, Extractor] = {
    "evt.num": plain(AttributePath("number")),
    "evt.time": plain(clock_time),
    "evt.time.s": plain(clock_time_seconds),
    "evt.time.iso8601": plain(iso8601_time),
    "evt.datetime": plain(date_time),
    "evt.datetime.s": plain(date_time_seconds),
    "evt.rawtime": plain(AttributePath("time")),
    "evt.rawtime.s": plain(seconds_of(raw_time)),
    "evt.rawtime.ns": plain(nanoseconds_of(raw_time)),
    "evt.reltime": plain(relative_time),
    "evt.reltime.s": plain(seconds_of(relative_time)),
    "evt.reltime.ns": plain(nanoseconds_of(relative_time)),
    "evt.pluginname": plain(plugin_name),
    "evt.plugininfo": plain(plugin_info),
    "evt.source": plain(AttributePath("source")),
    "evt.is_async": plain(is_async),
    "evt.asynctype": plain(async_type),
    "evt.hostname": plain(AttributePath("state.hostname")),
    "evt.latency": plain(absent),
    "evt.latency.s": plain(absent),
    "evt.latency.ns": plain(absent),
    "evt.latency.quantized": plain(absent),
    "evt.latency.human": plain(absent),
    "evt.wait_latency": plain(absent),
    "evt.deltatime": plain(time_since_previous),
    "evt.deltatime.s": plain(seconds_of(time_since_previous)),
    "evt.deltatime.ns": plain(nanoseconds_of(time_since_previous)),
    "evt.outputtime": plain(output_time),
    "evt.dir": plain(direction),
    "evt.type": plain(AttributePath("name")),
    "evt.type.is": Extractor(type_is),
    "syscall.type": plain(syscall_type),
    "evt.category": plain(category),
    "evt.cpu": plain(AttributePath("cpu")),
    "evt.around": Extractor(around),
    "evt.infra.docker.name": plain(absent),
    "evt.infra.docker.container.id": plain(absent),
    "evt.infra.docker.container.name": plain(absent),
    "evt.infra.docker.container.image": plain(absent),
}
