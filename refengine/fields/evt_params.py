"""The event's parameters (`evt.args`, `evt.arg`, `evt.rawarg`, `evt.info`, `evt.buffer`, `evt.abspath`)."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.event.paths import UNKNOWN_DIRECTORY, base_directory, joined
from refengine.event.rendering import arg_text, args_text
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.values import Value


def arg(argument: str | None) -> Extract:
    """`evt.arg`: a parameter as text, by name or by position."""
    if argument is None:
        return lambda _event: None
    if argument.isdecimal():
        position = int(argument)

        def extract_at(event: Event) -> str | None:
            return arg_text(event, position) if position < _count(event) else None

        return extract_at

    def extract(event: Event) -> str | None:
        position = event.type.index.get(argument)
        return arg_text(event, position) if position is not None and position < len(event.params) else None

    return extract


def raw_arg(argument: str | None) -> Extract:
    """`evt.rawarg`: a parameter's own value, by name or by position."""
    if argument is None:
        return lambda _event: None
    if argument.isdecimal():
        position = int(argument)

        def extract_at(event: Event) -> Value | None:
            return _value(event.params[position]) if position < len(event.params) else None

        return extract_at

    def extract(event: Event) -> Value | None:
        position = event.type.index.get(argument)
        return (
            _value(event.params[position]) if position is not None and position < len(event.params) else None
        )

    return extract


def buffer(event: Event) -> bytes | None:
    """`evt.buffer`: the data that was read or written."""
    if not event.type.flags & _TRANSFERS:
        return None
    data = event.param("data")
    return data if isinstance(data, bytes) else None


def absolute_path(argument: str | None) -> Extract:
    """`evt.abspath`: the path of an `*at` call made absolute; of two paths the old one, with `dst` the new one."""
    names = {**_PATHS, **dict.fromkeys(_TWO_PATHS, "newpath" if argument == "dst" else "oldpath")}

    def extract(event: Event) -> str | None:
        kind = event.type
        name = names.get(kind.name) if kind.is_exit and event.thread is not None else None
        position = None if name is None else kind.index.get(name)
        if position is None or position >= len(event.params):
            return None
        path = event.params[position]
        if not isinstance(path, str):
            return None
        if kind.name == "open_by_handle_at":
            number = event.params[0]
            return joined("", path) if isinstance(number, int) and number > 0 else None
        base = base_directory(event, kind.params[position])
        return joined(base or UNKNOWN_DIRECTORY + "/", path)

    return extract


_TRANSFERS = frozenset({"reads_from_fd", "writes_to_fd"})
_TWO_PATHS = ("renameat", "renameat2", "linkat")
_PATHS: Mapping[str, str] = {
    "symlinkat": "linkpath",
    "openat": "name",
    "openat2": "name",
    "unlinkat": "name",
    "mkdirat": "path",
    "fchmodat": "filename",
    "fchownat": "pathname",
    "open_by_handle_at": "path",
}


def _count(event: Event) -> int:
    return min(len(event.params), len(event.type.params))


def _value(value: object) -> Value | None:
    return value if isinstance(value, (str, int, float, bytes)) else None


EXTRACTORS: Mapping[str, Extractor] = {
    "evt.args": plain(args_text),
    "evt.info": plain(args_text),
    "evt.arg": Extractor(arg),
    "evt.rawarg": Extractor(raw_arg),
    "evt.buffer": plain(buffer),
    "evt.abspath": Extractor(absolute_path),
}
