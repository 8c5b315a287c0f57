"""The event's parameters (`evt.args`, `evt.arg`, `evt.rawarg`, `evt.info`, `evt.buffer`, `evt.abspath`)."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.event.paths import base_directory, joined
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
    """`evt.abspath`: the path of an `*at` call made absolute; `src` and `dst` pick one of two."""
    wanted = {None: _ONE_PATH, "src": _SOURCE_PATH, "dst": _TARGET_PATH}.get(argument, ())

    def extract(event: Event) -> str | None:
        for name in wanted:
            position = event.type.index.get(name)
            if position is None or position >= len(event.params):
                continue
            param = event.type.params[position]
            if param.dirfd_param is None:
                continue
            value = event.params[position]
            base = base_directory(event, param)
            if isinstance(value, str) and base is not None:
                return joined(base, value)
        return None

    return extract


_TRANSFERS = frozenset({"reads_from_fd", "writes_to_fd"})
_ONE_PATH = ("name", "path", "filename", "pathname", "linkpath", "oldpath")
_SOURCE_PATH = ("oldpath",)
_TARGET_PATH = ("newpath",)


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
