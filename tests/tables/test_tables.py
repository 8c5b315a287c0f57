"""The tables that ship agree with one another, and with facts that are known from elsewhere."""

from __future__ import annotations

import errno
import stat

import pytest

from refengine.fields.catalogue import CATALOGUE
from refengine.tables.event_types import BY_ENUM, EVENT_TYPES
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.load import read_table
from refengine.tables.syscalls import BY_CODE, BY_NAME, BY_NUMBER, SYSCALLS
from refengine.values import ValueType

FLAG_VALUES = {
    ValueType.FLAGS8,
    ValueType.FLAGS16,
    ValueType.FLAGS32,
    ValueType.ENUMFLAGS8,
    ValueType.ENUMFLAGS16,
    ValueType.ENUMFLAGS32,
    ValueType.MODE,
}


def test_event_codes_are_positions_and_pair_entry_with_exit() -> None:
    assert [row.code for row in EVENT_TYPES] == list(range(len(EVENT_TYPES)))
    assert len(BY_ENUM) == len(EVENT_TYPES)
    for enter, exit in zip(EVENT_TYPES[::2], EVENT_TYPES[1::2], strict=True):
        assert (enter.is_exit, exit.is_exit) == (False, True)


def test_parameters_refer_to_what_exists() -> None:
    for row in EVENT_TYPES:
        for position, param in enumerate(row.params):
            assert row.index[param.name] <= position
            if param.flag_table is not None:
                assert FLAG_TABLES[param.flag_table], row.enum
            if param.dirfd_param is not None:
                assert row.params[param.dirfd_param].type is ValueType.FD, row.enum
            assert bool(param.alternatives) == (param.type is ValueType.DYN), row.enum


def test_only_flags_and_modes_have_names() -> None:
    typed = {param.type for row in EVENT_TYPES for param in row.params if param.flag_table is not None}
    assert typed <= FLAG_VALUES


@pytest.mark.parametrize(
    ("event", "param", "flag", "value"),
    [
        ("SYSCALL_OPENAT_2_X", "flags", "O_WRONLY", 2),
        ("SYSCALL_CHMOD_X", "mode", "S_ISUID", stat.S_ISUID),
        ("SYSCALL_FLOCK_X", "operation", "LOCK_EX", 2),
        ("SYSCALL_MOUNT_X", "flags", "NOSUID", 2),
        ("SYSCALL_UNLINKAT_2_X", "flags", "AT_REMOVEDIR", 0x200),
        ("SYSCALL_MLOCK2_X", "flags", "MLOCK_ONFAULT", 1),
        ("SYSCALL_MEMFD_CREATE_X", "flags", "MFD_CLOEXEC", 1),
        ("SYSCALL_CLOSE_RANGE_X", "flags", "CLOSE_RANGE_CLOEXEC", 4),
        ("SYSCALL_PTRACE_X", "request", "PTRACE_ATTACH", 11),
        ("SOCKET_SOCKET_X", "domain", "AF_INET6", 10),
        ("SYSCALL_LSEEK_X", "whence", "SEEK_END", 2),
        ("SYSCALL_FCNTL_X", "cmd", "F_GETFL", 4),
        ("SYSCALL_PRCTL_X", "option", "PR_SET_NAME", 15),
    ],
)
def test_a_parameter_has_the_names_of_its_own_flags(event: str, param: str, flag: str, value: int) -> None:
    row = BY_ENUM[event]
    table = row.params[row.index[param]].flag_table
    assert table is not None
    assert FLAG_TABLES[table][flag] == value


def test_system_calls_are_unique_by_name_code_and_number() -> None:
    assert len(BY_NAME) == len(BY_CODE) == len(SYSCALLS)
    assert len(BY_NUMBER) == sum(call.number is not None for call in SYSCALLS)
    for call in SYSCALLS:
        assert (call.enter.is_exit, call.exit.is_exit) == (False, True)
        assert call.enter.code + 1 == call.exit.code


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("read", 0),
        ("open", 2),
        ("execve", 59),
        ("kill", 62),
        ("openat", 257),
        ("execveat", 322),
        ("openat2", 437),
    ],
)
def test_numbers_are_those_of_x86_64(name: str, number: int) -> None:
    assert BY_NUMBER[number] is BY_NAME[name]


def test_the_catalogue_is_coherent() -> None:
    for name, field in CATALOGUE.items():
        assert field.name == name
        assert name.startswith(f"{field.field_class}.") or field.field_class in {
            "process",
            "evt",
            "k8s",
            "container",
        }
        kinds = field.flags & {"arg_key", "arg_index"}
        assert not kinds or field.argument_allowed, name
        assert not {"arg_required", "arg_allowed"} <= field.flags, name


def test_every_field_of_the_catalogue_has_a_description_line() -> None:
    assert set(read_table("field_descriptions")) >= {row["name"] for row in read_table("fields")}


@pytest.mark.parametrize("field_class", ["ka", "json", "jevt"])
def test_audit_fields_are_described_in_a_sentence(field_class: str) -> None:
    described = [field.description for field in CATALOGUE.values() if field.field_class == field_class]
    assert described
    assert all(text.endswith(".") and text[0].isupper() for text in described)


def test_an_unknown_table_is_reported_by_its_name() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_table("no_such_table")
    assert caught.value.errno == errno.ENOENT
