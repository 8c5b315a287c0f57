"""Events written in a test: fields by their full texts, each value of its field's type.

Beside fields an event may have `like`, the name of a shared event whose values it takes where it gives none of its
own, `source`, `time` (nanoseconds since the epoch) and `number`. A null takes a value of the shared event away.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyMapping

from refengine.authoring.testing.format import Form, nearest
from refengine.condition.constants import ConstantError, check_event_name
from refengine.event import RecordedEvent
from refengine.event.written import Json, value_of
from refengine.fields.catalogue import SYSCALL
from refengine.fields.readers import typed_value
from refengine.fields.reading import FieldError, FieldRead, Many, read_key
from refengine.rulefile.options import SOURCES
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence
from refengine.values import Value, ValueType

LIKE = "like"
CHECK = "test-event"

_Keys = dict[str, tuple[Scalar, Node]]


class EventReader:
    """Reads events; `shared` are the named ones that others may be like."""

    def __init__(self, form: Form, shared: ReadOnlyMapping[str, Mapping]) -> None:
        self._form = form
        self._shared = shared
        self._fields: dict[tuple[str, str], FieldRead | FieldError] = {}

    def event(self, node: Node, number: int) -> RecordedEvent | None:
        """Return the event that `node` describes, None where it has a fault, which is reported."""
        before = len(self._form.report)
        keys = self._keys(node, ())
        if keys is None:
            return None
        source = self._source(keys)
        values: dict[str, Value] = {}
        about = {"time": 0, "number": number}
        for key, (written, value) in keys.items():
            if isinstance(value, Scalar) and value.is_null:
                self._field(written, source)
            elif key in about:
                about[key] = self._whole(key, value)
            elif key != "source":
                found = self._value(written, value, source)
                if found is not None:
                    values[key] = found
        if len(self._form.report) > before:
            return None
        return RecordedEvent(values, source=source, time=about["time"], number=about["number"])

    def _keys(self, node: Node, path: tuple[str, ...]) -> _Keys | None:
        """Return the keys of an event and of those that it is like."""
        if self._form.mapping(node, "an event", ()) is None or not isinstance(node, Mapping):
            return None
        keys: _Keys = {}
        like = node.by_key.get(LIKE)
        if like is not None:
            name = self._form.text(like, "'like'")
            if name is None:
                return None
            base = self._shared.get(name)
            if base is None:
                suggestion = nearest(name, self._shared) or "name it under 'shared'"
                self._form.fault(like, f"there is no shared event '{name}'", suggestion, check=CHECK)
                return None
            if name in path:
                self._form.fault(like, f"the shared event '{name}' is like itself", check=CHECK)
                return None
            inherited = self._keys(base, (*path, name))
            if inherited is None:
                return None
            keys.update(inherited)
        for key, value in node.pairs:
            if isinstance(key, Scalar) and key.value != LIKE:
                keys[key.value] = (key, value)
        return keys

    def _source(self, keys: _Keys) -> str:
        if "source" not in keys:
            return SYSCALL
        node = keys["source"][1]
        name = self._form.text(node, "'source'")
        if name is not None and name not in SOURCES:
            known = ", ".join(sorted(SOURCES))
            self._form.fault(node, f"there is no event source '{name}'", f"there are {known}", check=CHECK)
        return name if name in SOURCES else SYSCALL

    def _whole(self, key: str, node: Node) -> int:
        text = self._form.text(node, f"'{key}'")
        if text is not None and not (text.isascii() and text.isdigit()):
            self._form.fault(node, f"'{key}' is a whole number, not '{text}'", check=CHECK)
            return 0
        return int(text or 0)

    def _field(self, key: Scalar, source: str) -> FieldRead | None:
        found = self._fields.get((key.value, source))
        if found is None:
            try:
                found = read_key(key.value, source)
            except FieldError as error:
                found = error
            self._fields[key.value, source] = found
        if isinstance(found, FieldError):
            suggestion = found.suggestion or nearest(key.value, (LIKE, "source", "time", "number"))
            self._form.fault(key, str(found), suggestion, check=CHECK)
            return None
        return found

    def _value(self, key: Scalar, node: Node, source: str) -> Value | None:
        field = self._field(key, source)
        if field is None:
            return None
        try:
            value = _typed(field, node)
            if field.key == "evt.type" and isinstance(value, str):
                check_event_name(value)
        except ConstantError as error:
            self._form.fault(node, str(error), error.suggestion, check=CHECK)
            return None
        except ValueError as error:
            self._form.fault(node, str(error), check=CHECK)
            return None
        return value


def _typed(field: FieldRead, node: Node) -> Value | None:
    if not (field.is_list or field.many is not Many.ONE):
        return _one(field, node)
    items = node.items if isinstance(node, Sequence) else (node,)
    return tuple(_one(field, item) for item in items) or None


def _one(field: FieldRead, node: Node) -> Value:
    written = _plain(node)
    if field.type is ValueType.DOUBLE and isinstance(written, str):
        return float(written)
    value = value_of(written)
    if isinstance(value, tuple):
        raise ValueError(f"field '{field.key}' has one value, not a list of them")
    return typed_value(field.key, field.type, value)


def _plain(node: Node) -> Json:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {key.value: _plain(value) for key, value in node.pairs if isinstance(key, Scalar)}
