"""Events as JSON: one object an event, its fields by their full text.

Field values that JSON has no form of are objects with one key: `bytes` and `text` (text that is no UTF-8) in
hexadecimal, `ip` an address, `int` a whole number too large for other readers. Keys without a dot are not fields:
`source`, `time` (nanoseconds since the epoch) and `number` say these of the event; without them the fields
`evt.source`, `evt.rawtime` and `evt.num` do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TypeAlias

from refengine.event.addresses import address_text
from refengine.event.recorded import RecordedEvent
from refengine.values import Value

Json: TypeAlias = "str | int | float | Sequence[Json] | Mapping[str, Json] | None"


def value_of(written: Json) -> Value:
    """Return the field value that a JSON value stands for; arrays are lists or candidates.

    :raises ValueError: when it stands for none.
    """
    if isinstance(written, str | int | float):
        return written
    if isinstance(written, Mapping) and len(written) == 1:
        (tag, content), *_ = written.items()
        if isinstance(content, str):
            if tag == "bytes":
                return bytes.fromhex(content)
            if tag == "text":
                return bytes.fromhex(content).decode("utf-8", "surrogateescape")
            if tag == "int":
                return int(content)
            if tag == "ip":
                return ip_address(content).packed
    elif isinstance(written, Sequence):
        return tuple(value_of(item) for item in written)
    raise ValueError(f"{written!r} is no value of a field")


def written_value(value: Value, *, is_address: bool = False) -> Json:
    """Return the JSON value that stands for a field value; bytes are those of an address or of a buffer."""
    if isinstance(value, tuple):
        return [written_value(item, is_address=is_address) for item in value]
    if isinstance(value, bytes):
        return {"ip": address_text(value)} if is_address else {"bytes": value.hex()}
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return {"text": value.encode("utf-8", "surrogateescape").hex()}
    return value


def event_of(written: Mapping[str, Json], number: int) -> RecordedEvent:
    """Return the event of a JSON object; `number` is its own where it does not say.

    :raises ValueError: for a value that stands for none, naming its key.
    """
    values: dict[str, Value] = {}
    about: dict[str, Json] = {}
    for key, value in written.items():
        if value is None:
            continue
        if "." not in key:
            about[key] = value
            continue
        try:
            values[key] = value_of(value)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    source = about.get("source", values.get("evt.source", "syscall"))
    if not isinstance(source, str):
        raise ValueError(f"source: {source!r} is no name")
    return RecordedEvent(
        values,
        source=source,
        time=_whole(about, "time", values.get("evt.rawtime", 0)),
        number=_whole(about, "number", values.get("evt.num", number)),
    )


def _whole(about: Mapping[str, Json], key: str, otherwise: Value) -> int:
    value = about.get(key, otherwise)
    if not isinstance(value, int):
        raise ValueError(f"{key}: {value!r} is no whole number")
    return value
