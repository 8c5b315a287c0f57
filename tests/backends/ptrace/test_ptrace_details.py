"""What is left out of the events of executions and births where no rule depends on it."""

from __future__ import annotations

import pytest

from refengine.backends.base import Interest
from refengine.backends.ptrace.details import Details, make_details
from refengine.event import Event, ParamValue
from refengine.fields.catalogue import CATALOGUE
from refengine.fields.reading import read_field
from refengine.fields.registry import EXTRACTORS
from refengine.state.system import SystemState
from refengine.state.threads import Thread
from refengine.tables.syscalls import BY_NAME

OF_STATE = ("proc", "thread", "user", "group", "container", "k8s", "fd")
FIELDS = [
    name
    for name, field in CATALOGUE.items()
    if name in EXTRACTORS
    and not field.argument_required
    and name.partition(".")[0] in OF_STATE
    and not name.startswith("proc.a")
]
POD = "/kubepods/burstable/pod5b4cbe35-0000-0000-0000-000000000000/"

EXECUTION: dict[str, ParamValue] = {
    "res": 0,
    "exe": "/bin/new",
    "args": b"-a\0",
    "tid": 70,
    "pid": 70,
    "ptid": 7,
    "cwd": "/new",
    "fdlimit": 2048,
    "pgft_maj": 3,
    "pgft_min": 4,
    "vm_size": 5,
    "vm_rss": 6,
    "vm_swap": 7,
    "comm": "new",
    "cgroups": f"memory={POD}{'ab' * 32}\0".encode(),
    "env": b"NEW=1\0",
    "tty": 34816,
    "vpgid": 71,
    "loginuid": 1001,
    "flags": 0xFFFF,
    "cap_inheritable": 1,
    "cap_permitted": 2,
    "cap_effective": 4,
    "exe_ino": 99,
    "exe_ino_ctime": 10**18 + 5,
    "exe_ino_mtime": 10**18 + 6,
    "uid": 1002,
    "trusted_exepath": "/bin/new",
    "pgid": 71,
    "gid": 1003,
    "filename": "/bin/new",
}
BIRTH: dict[str, ParamValue] = {
    "res": 0,
    "exe": "/bin/old",
    "args": b"-o\0",
    "tid": 71,
    "pid": 71,
    "ptid": 70,
    "cwd": "/",
    "fdlimit": 4096,
    "pgft_maj": 3,
    "pgft_min": 4,
    "vm_size": 5,
    "vm_rss": 6,
    "vm_swap": 7,
    "comm": "old",
    "cgroups": f"memory={POD}{'ab' * 32}\0".encode(),
    "flags": 0,
    "uid": 1002,
    "gid": 1003,
    "vtid": 71,
    "vpid": 71,
    "pidns_init_start_ts": 5,
}


def shown(kind: str, params: dict[str, ParamValue], kept: frozenset[str]) -> dict[str, object]:
    """Return the fields after an event of which only some parameters are told."""
    state = SystemState(boot_time=10**18)
    parent = Thread(7, 7, state.threads, comm="parent", exe="parent")
    thread = Thread(70, 70, state.threads, comm="old", exe="/bin/old")
    thread.args, thread.exepath = ("-o",), "/bin/old"
    thread.ptid, thread.clone_time, thread.vtid, thread.vpid = 7, 10**18 + 7, 70, 70
    for each in (parent, thread):
        state.seed(each)
    type = BY_NAME[kind].exit
    values = [params[parameter.name] if parameter.name in kept else None for parameter in type.params]
    tid = params["tid"]
    assert isinstance(tid, int)
    event = Event(type, 10**18 + 10**9, tid, values)
    state.apply(event)
    readers = {name: EXTRACTORS[name].bind(read_field(name).argument) for name in FIELDS}
    return {name: read(event) for name, read in readers.items()}


@pytest.mark.parametrize(("kind", "params"), [("execve", EXECUTION), ("clone", BIRTH)])
def test_no_field_differs_from_what_it_is_with_all_parameters(
    kind: str, params: dict[str, ParamValue]
) -> None:
    everything = shown(kind, params, frozenset(params))
    for name in FIELDS:
        details = make_details(Interest(frozenset({"openat"}), frozenset({name})))
        kept = details.execution if kind == "execve" else details.birth | {"flags"}
        assert shown(kind, params, kept | {"res"})[name] == everything[name], name


def test_something_is_left_out_for_every_field() -> None:
    names = {parameter.name for parameter in BY_NAME["execve"].exit.params}
    for name in FIELDS:
        details = make_details(Interest(frozenset({"openat"}), frozenset({name})))
        assert len(details.execution) < len(names) / 2


@pytest.mark.parametrize("kind", ["execve", "execveat"])
@pytest.mark.parametrize("field", ["evt.arg.filename", "evt.rawarg.filename"])
def test_an_argument_of_executions_is_read_of_those_that_fail_too(kind: str, field: str) -> None:
    details = make_details(Interest(frozenset({kind}), frozenset({field})))
    expected = frozenset({"filename"}) if kind == "execve" else frozenset()
    assert details.failure == expected
    assert expected <= details.execution


def test_all_is_read_where_all_arguments_are_shown_or_one_is_told_by_its_position() -> None:
    names = {parameter.name for parameter in BY_NAME["execve"].exit.params}
    for field in ("evt.args", "evt.info", "evt.arg[3]"):
        details = make_details(Interest(frozenset({"execve"}), frozenset({"evt.arg", field})))
        assert details.failure == names
        assert details.execution >= names


def test_arguments_of_other_events_do_not_count() -> None:
    interest = Interest(
        frozenset({"execve", "openat"}),
        frozenset({"evt.args", "proc.name"}),
        fields_of={"execve": frozenset({"proc.name"}), "openat": frozenset({"evt.args"})},
    )
    assert make_details(interest).failure == frozenset()
    assert "env" not in make_details(interest).execution


def test_nothing_is_left_out_where_there_are_no_rules() -> None:
    details = make_details(Interest(None))
    assert details == Details(
        execution=details.execution,
        failure=frozenset(parameter.name for parameter in BY_NAME["execve"].exit.params),
        birth=details.birth,
    )
    assert {parameter.name for parameter in BY_NAME["clone"].exit.params} <= details.birth
