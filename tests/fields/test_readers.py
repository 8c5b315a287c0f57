"""How values are read out of recorded events and, through the extractors, out of events of the system."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from refengine.errors import UnsupportedFieldError
from refengine.event import Event, RecordedEvent
from refengine.fields import readers
from refengine.fields.extractor import Extract, Extractor
from refengine.fields.readers import RecordedReader, SystemReader, typed_value
from refengine.fields.reading import read_field
from refengine.tables.event_types import EVENT_TYPES
from refengine.values import Value, ValueType

TYPED: list[tuple[ValueType, object, Value]] = [
    (ValueType.CHARBUF, "a", "a"),
    (ValueType.CHARBUF, b"a\xff", "a\udcff"),
    (ValueType.CHARBUF, True, "true"),
    (ValueType.CHARBUF, 7, "7"),
    (ValueType.FSPATH, 1.5, "1.5"),
    (ValueType.BOOL, False, False),
    (ValueType.BOOL, "true", True),
    (ValueType.BYTEBUF, b"\0", b"\0"),
    (ValueType.BYTEBUF, "é\udcff", b"\xc3\xa9\xff"),
    (ValueType.IPADDR, "10.0.0.1", b"\x0a\0\0\1"),
    (ValueType.IPADDR, b"\x0a\0\0\1", b"\x0a\0\0\1"),
    (ValueType.IPNET, "::1", bytes(15) + b"\1"),
    (ValueType.DOUBLE, 1, 1.0),
    (ValueType.INT64, -5, -5),
    (ValueType.UINT32, "5", 5),
    (ValueType.PORT, "-5", -5),
]


@pytest.mark.parametrize(("type", "written", "value"), TYPED)
def test_what_was_written_becomes_a_value_of_the_type(type: ValueType, written: object, value: Value) -> None:
    found = typed_value("x.y", type, written)
    assert found == value
    assert isinstance(found, bool) is (type is ValueType.BOOL)


@pytest.mark.parametrize(
    ("type", "written"),
    [
        (ValueType.CHARBUF, ["a"]),
        (ValueType.BOOL, 1),
        (ValueType.BOOL, "yes"),
        (ValueType.BYTEBUF, 1),
        (ValueType.IPADDR, b"\1\2\3"),
        (ValueType.IPADDR, 1),
        (ValueType.DOUBLE, "1"),
        (ValueType.INT64, "x"),
        (ValueType.INT64, ""),
        (ValueType.INT64, 1.5),
        (ValueType.INT64, b"1"),
    ],
)
def test_what_cannot_be_of_the_type_is_an_error(type: ValueType, written: object) -> None:
    with pytest.raises(ValueError, match="is no value of type") as raised:
        typed_value("x.y", type, written)
    assert "'x.y'" in str(raised.value)


def recorded(name: str, value: object, source: str = "syscall") -> Value | None:
    event = RecordedEvent({name: value})  # type: ignore[dict-item]  # anything may be written down
    return RecordedReader().bind(read_field(name, None, source))(event)


def test_recorded_values_are_found_under_the_text_of_the_field() -> None:
    read = RecordedReader().bind(read_field("proc.aname", "2"))
    assert read(RecordedEvent({"proc.aname[2]": "sshd"})) == "sshd"
    assert read(RecordedEvent({"proc.aname": ("bash",)})) is None
    assert read(RecordedEvent({})) is None


def test_fields_of_many_values_always_give_a_tuple() -> None:
    assert recorded("fd.port", (80, "443")) == (80, 443)
    assert recorded("fd.port", [80]) == (80,)
    assert recorded("fd.port", 80) == (80,)
    assert recorded("fd.types", "file") == ("file",)
    assert recorded("fd.types", ()) is None
    assert recorded("ka.user.groups", ["a", "b"], "k8s_audit") == ("a", "b")
    with pytest.raises(ValueError, match="is no value of type port"):
        recorded("fd.port", ("x",))


EVENT = Event(EVENT_TYPES[0], 0, 1)


def extractor(value: Value | None, candidates: Iterable[Value] | None = None) -> Extractor:
    def bind(argument: str | None) -> Extract:
        return lambda _event: value if argument is None else f"{value!r}[{argument}]"

    return Extractor(bind, lambda _event: candidates)


def system(
    monkeypatch: pytest.MonkeyPatch, given: Extractor | None, name: str, argument: str | None = None
) -> object:
    monkeypatch.setattr(readers, "extractor_of", lambda _name: given)
    return SystemReader().bind(read_field(name, argument))(EVENT)


def test_extractors_are_bound_to_the_argument_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system(monkeypatch, extractor("cat"), "proc.name") == "cat"
    assert system(monkeypatch, extractor("cat"), "proc.aname", "3") == "'cat'[3]"
    assert system(monkeypatch, extractor(None), "proc.name") is None
    assert system(monkeypatch, extractor(""), "proc.name") == ""


def test_candidates_are_asked_for_fields_of_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    several = extractor("first", ("a", "b"))
    assert system(monkeypatch, several, "proc.aname") == ("a", "b")
    assert system(monkeypatch, several, "proc.name") == "first"
    assert system(monkeypatch, extractor("first", None), "proc.aname") is None
    assert system(monkeypatch, extractor("first", iter(())), "proc.aname") is None


def test_an_empty_list_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system(monkeypatch, extractor(()), "fd.types") is None
    assert system(monkeypatch, extractor(("file",)), "fd.types") == ("file",)


def test_a_field_without_extractor_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UnsupportedFieldError, match=r"field 'proc\.aname\[3\]' cannot be read from events yet"
    ):
        system(monkeypatch, None, "proc.aname", "3")
    only_single = Extractor(lambda _argument: lambda _event: "x")
    with pytest.raises(UnsupportedFieldError, match=r"field 'proc\.aname' has no values to compare with"):
        system(monkeypatch, only_single, "proc.aname")
