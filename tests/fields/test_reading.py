"""Fields as they are written: names, arguments in brackets and behind dots, and what is wrong with them."""

from __future__ import annotations

import pytest

from refengine.fields.catalogue import CATALOGUE
from refengine.fields.reading import EVENT_NAMES, FieldError, Many, UnknownFieldError, field_of, read_field
from refengine.values import ValueType

READS = [
    ("proc.name", None, "proc.name", "proc.name", None, ValueType.CHARBUF),
    ("proc.aname", "2", "proc.aname[2]", "proc.aname", "2", ValueType.CHARBUF),
    ("evt.arg", "0", "evt.arg[0]", "evt.arg", "0", ValueType.CHARBUF),
    ("evt.arg.flags", None, "evt.arg.flags", "evt.arg", "flags", ValueType.CHARBUF),
    ("evt.rawarg.flags", None, "evt.rawarg.flags", "evt.rawarg", "flags", ValueType.FLAGS32),
    ("evt.type.is.open", None, "evt.type.is.open", "evt.type.is", "open", ValueType.UINT32),
    ("evt.abspath", None, "evt.abspath", "evt.abspath", None, ValueType.CHARBUF),
    ("evt.abspath.src", None, "evt.abspath.src", "evt.abspath", "src", ValueType.CHARBUF),
    ("thread.cgroup.cpu", None, "thread.cgroup.cpu", "thread.cgroup", "cpu", ValueType.CHARBUF),
    ("proc.env", None, "proc.env", "proc.env", None, ValueType.CHARBUF),
    ("proc.env", "PATH", "proc.env[PATH]", "proc.env", "PATH", ValueType.CHARBUF),
    ("proc.env.PATH", None, "proc.env.PATH", "proc.env", "PATH", ValueType.CHARBUF),
    ("evt.num", None, "evt.num", "evt.num", None, ValueType.UINT64),
]


@pytest.mark.parametrize(("name", "argument", "key", "field", "given", "type"), READS)
def test_a_field_is_read_by_its_text(
    name: str, argument: str | None, key: str, field: str, given: str | None, type: ValueType
) -> None:
    read = read_field(name, argument)
    assert (read.key, read.field.name, read.argument, read.type) == (key, field, given, type)


@pytest.mark.parametrize(
    ("name", "argument", "many"),
    [
        ("fd.ip", None, Many.ENDS),
        ("fd.port", None, Many.ENDS),
        ("fd.net", None, Many.ENDS),
        ("fd.proto", None, Many.ENDS),
        ("fd.sport", None, Many.ONE),
        ("proc.aname", None, Many.ANCESTORS),
        ("proc.apid", None, Many.ANCESTORS),
        ("proc.aname", "1", Many.ONE),
        ("proc.name", None, Many.ONE),
    ],
)
def test_some_fields_have_many_values(name: str, argument: str | None, many: Many) -> None:
    assert read_field(name, argument).many is many


FAULTS = [
    ("proc.nam", None, "unknown field 'proc.nam'", "did you mean 'proc.name'?"),
    ("xyzzy.plugh", None, "unknown field 'xyzzy.plugh'", None),
    ("proc.name", "1", "field 'proc.name' takes no argument", None),
    ("evt.arg", None, "field 'evt.arg' needs an argument, as in evt.arg[...]", None),
    ("evt.arg", "flags", "field 'evt.arg' takes a number in brackets, not 'flags'", None),
    ("evt.arg.flag", None, "no event has a parameter 'flag'", "did you mean 'flags'?"),
    ("evt.rawarg", "0", "'evt.rawarg' takes the name of a parameter, as in evt.rawarg.flags", None),
    (
        "evt.arg.flags",
        "0",
        "'evt.arg.flags' has its argument behind the dot and takes no other in brackets",
        None,
    ),
    ("proc.aname", "x", "field 'proc.aname' takes a number in brackets, not 'x'", None),
    ("proc.aname", "", "field 'proc.aname' takes a number in brackets, not ''", None),
    ("evt.abspath.up", None, "'evt.abspath' may only be followed by .src or .dst", None),
    ("evt.type.is.opn", None, "unknown event type 'opn' for 'evt.type.is'", "did you mean 'open'?"),
]


@pytest.mark.parametrize(("name", "argument", "message", "suggestion"), FAULTS)
def test_a_field_that_does_not_exist_is_explained(
    name: str, argument: str | None, message: str, suggestion: str | None
) -> None:
    with pytest.raises(FieldError) as raised:
        read_field(name, argument)
    assert (str(raised.value), raised.value.suggestion) == (message, suggestion)


def test_fields_belong_to_sources() -> None:
    assert field_of("ka.verb", "k8s_audit") is not None
    assert field_of("ka.verb", "syscall") is None
    assert field_of("proc.name", "k8s_audit") is None
    assert field_of("evt.num", "syscall") is field_of("evt.num", "k8s_audit") is not None
    with pytest.raises(
        UnknownFieldError, match=r"^field 'ka\.verb' exists for events of source k8s_audit, not for syscall$"
    ):
        read_field("ka.verb")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("01", "the index '01' of 'ka.req.pod.containers.image' begins with a zero"),
        ("x", "field 'ka.req.pod.containers.image' takes an index of digits only, not 'x'"),
        ("٣", "field 'ka.req.pod.containers.image' takes an index of digits only, not '٣'"),
        (
            "18446744073709551616",
            "the index '18446744073709551616' of 'ka.req.pod.containers.image' does not fit into 64 bits",
        ),
    ],
)
def test_indices_of_audit_fields_are_plain_numbers(argument: str, message: str) -> None:
    with pytest.raises(FieldError) as raised:
        read_field("ka.req.pod.containers.image", argument, "k8s_audit")
    assert str(raised.value) == message
    read_field("ka.req.pod.containers.image", "0", "k8s_audit")
    read_field("ka.req.pod.containers.image", "18446744073709551615", "k8s_audit")


def test_labels_may_be_a_further_part_of_the_name() -> None:
    read = read_field("ka.target.labels.sensitive", None, "k8s_audit")
    assert (read.argument, read.type) == ("sensitive", ValueType.CHARBUF)
    with pytest.raises(UnknownFieldError):
        read_field("ka.target.labels.sensitive", None, "syscall")


def test_every_field_of_the_catalogue_can_be_read_or_says_what_it_lacks() -> None:
    for field in CATALOGUE.values():
        source = next(iter(sorted(field.sources)), "syscall")
        argument = "1" if field.argument_required else None
        if field.name in ("evt.rawarg", "evt.type.is"):
            name = {"evt.rawarg": "evt.rawarg.flags", "evt.type.is": "evt.type.is.open"}[field.name]
            assert read_field(name, None, source).field is field
        else:
            assert read_field(field.name, argument, source).field is field
        if field.argument_required:
            with pytest.raises(FieldError, match="needs an argument"):
                read_field(field.name, None, source)


def test_event_names_hold_system_calls_without_an_event_of_their_own() -> None:
    assert {"openat", "procexit", "container", "getpgid", "io_getevents"} <= EVENT_NAMES
