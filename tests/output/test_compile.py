from __future__ import annotations

import pytest

from refengine.condition.reader import bind_operand
from refengine.condition.typed import Transform
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import RecordedReader
from refengine.fields.reading import FieldRead
from refengine.output.compile import Filled, Read, compile_template
from refengine.output.template import parse_template
from refengine.source import Text
from refengine.values import Value

EVENT = RecordedEvent(
    {
        "evt.num": 7,
        "evt.time": "12:00:00.000000005",
        "proc.name": "bash",
        "proc.aname[2]": "init",
        "proc.exepath": "/bin/bash",
        "fd.types": ("file", "ipv4"),
        "fd.sip": b"\x7f\0\0\1",
        "evt.buffer": b"\x7fELF",
        "evt.is_open_read": True,
    },
    time=1_500_000_000_000_000_005,
)


def bind(operand: FieldRead | Transform) -> Read:
    if isinstance(operand, FieldRead):
        key = operand.key

        def read(event: Event | RecordedEvent) -> Value | None:
            assert isinstance(event, RecordedEvent)
            return event.values.get(key)

        return read
    argument = operand.arguments[0]
    assert isinstance(argument, FieldRead)
    inner, apply, selector = bind(argument), operand.transformer.apply, operand.selector

    def transform(event: Event | RecordedEvent) -> Value | None:
        value = inner(event)
        return None if value is None else apply((value,), selector)

    return transform


def fill(text: str, **options: bool) -> Filled | None:
    return compile_template(parse_template(Text.of(text)), bind, **options)(EVENT)


def text_of(text: str) -> str:
    filled = fill(text)
    assert filled is not None
    return filled.text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("nothing to fill in", "nothing to fill in"),
        ("%proc.name did %evt.num", "bash did 7"),
        ("%proc.name%proc.name", "bashbash"),
        ("[%6proc.name][%2proc.name][%3evt.num][%0proc.name]", "[bash  ][ba][7  ][]"),
        ("%fd.types %fd.sip %evt.buffer %evt.is_open_read", "(file,ipv4) 127.0.0.1 .ELF true"),
        ("%evt.time", "12:00:00.000000005"),
        ("%toupper(proc.name) %len(proc.name)", "BASH 4"),
        ("*%user.name|%6user.name|%toupper(user.name)", "<NA>|<NA>  |<NA>"),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert text_of(template) == text


def test_without_the_star_an_absent_value_voids_the_output() -> None:
    assert fill("%proc.name %user.name") is None
    assert fill("*%proc.name %user.name") is not None


def test_fields_are_named_as_written_and_typed_as_in_json() -> None:
    filled = fill("*%10proc.name %proc.aname[2] %evt.num %fd.types %user.name %evt.time %toupper(proc.name)")
    assert filled is not None
    assert filled.fields == {
        "proc.name": "bash",
        "proc.aname[2]": "init",
        "evt.num": 7,
        "fd.types": ["file", "ipv4"],
        "user.name": None,
        "evt.time": 1_500_000_000_000_000_005,
    }


def test_buffers_can_be_base64() -> None:
    filled = fill("%evt.buffer", base64_buffers=True)
    assert filled == Filled("f0VMRg==", {"evt.buffer": "f0VMRg=="})


def test_static_fields_need_no_event() -> None:
    template = parse_template(Text.of("%static.region"), "syscall", {"region": "eu"})
    reader = RecordedReader()
    filled = compile_template(template, lambda operand: bind_operand(operand, reader))(EVENT)
    assert filled == Filled("eu", {"static.region": "eu"})


def test_each_field_is_read_once_an_event() -> None:
    reads = 0

    def counting(operand: FieldRead | Transform) -> Read:
        read = bind(operand)

        def counted(event: Event | RecordedEvent) -> Value | None:
            nonlocal reads
            reads += 1
            return read(event)

        return counted

    compile_template(parse_template(Text.of("%proc.name %5proc.name %proc.name")), counting)(EVENT)
    assert reads == 1
