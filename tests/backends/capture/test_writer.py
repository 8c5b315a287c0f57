"""What the writer writes, the reader reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine.backends.capture.conversion import CONVERSIONS, Action
from refengine.backends.capture.seed import seed
from refengine.backends.capture.snapshot import tables_of
from refengine.backends.capture.tables import SystemTables
from refengine.backends.capture.writer import CaptureWriter
from refengine.errors import BackendError
from refengine.event import Event
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.state.descriptors import Descriptor
from refengine.state.interfaces import Interface, Interfaces
from refengine.state.procfs import ProcProbe
from refengine.state.system import SystemState
from refengine.state.threads import Thread
from refengine.state.users import Group, User, Users
from refengine.tables.event_types import BY_ENUM, EVENT_TYPES, EventType, Parameter
from refengine.values import ValueType
from tests.backends.capture.opened import Read, read_file
from tests.backends.capture.raw import TIME

TYPES = [
    row
    for row, conversion in zip(EVENT_TYPES, CONVERSIONS, strict=True)
    if conversion.action is Action.DELIVER and conversion.target is row
]

SIGNED = {
    ValueType.INT8: 8,
    ValueType.INT16: 16,
    ValueType.INT32: 32,
    ValueType.FD32: 32,
    ValueType.PID32: 32,
}
UNSIGNED = {
    ValueType.UINT8: 8,
    ValueType.FLAGS8: 8,
    ValueType.ENUMFLAGS8: 8,
    ValueType.SIGTYPE: 8,
    ValueType.UINT16: 16,
    ValueType.FLAGS16: 16,
    ValueType.ENUMFLAGS16: 16,
    ValueType.SYSCALLID: 16,
    ValueType.PORT: 16,
    ValueType.UINT64: 64,
    ValueType.RELTIME: 64,
    ValueType.ABSTIME: 64,
}

texts = st.binary(max_size=30).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
some_texts = st.lists(texts.filter(bool), min_size=1, max_size=4).map(tuple)
endpoints4 = st.builds(InetAddress, st.binary(min_size=4, max_size=4), st.integers(0, 65535))
endpoints6 = st.builds(InetAddress, st.binary(min_size=16, max_size=16), st.integers(0, 65535))
addresses = st.integers(0, 2**64 - 1)

SPECIAL: dict[ValueType, st.SearchStrategy[object]] = {
    **dict.fromkeys((ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH), texts),
    ValueType.BYTEBUF: st.binary(max_size=100),
    ValueType.CHARBUFARRAY: some_texts,
    ValueType.CHARBUF_PAIR_ARRAY: st.lists(st.tuples(texts.filter(bool), texts.filter(bool)), min_size=1).map(
        tuple
    ),
    ValueType.FDLIST: st.lists(st.tuples(st.integers(-1, 2**31), st.integers(0, 65535)), max_size=4).map(
        tuple
    ),
    ValueType.SOCKADDR: st.one_of(endpoints4, endpoints6, st.builds(UnixAddress, texts)),
    ValueType.SOCKTUPLE: st.one_of(
        st.builds(InetTuple, endpoints4, endpoints4),
        st.builds(InetTuple, endpoints6, endpoints6),
        st.builds(UnixTuple, addresses, addresses, texts),
    ),
    ValueType.IPV4ADDR: st.binary(min_size=4, max_size=4),
    ValueType.IPV6ADDR: st.binary(min_size=16, max_size=16),
}


def values(param: Parameter) -> st.SearchStrategy[object]:
    if param.type is ValueType.DYN:
        numbers = st.integers(0, 2**31)
        return st.one_of(numbers, texts) if ValueType.CHARBUF in param.alternatives else numbers
    if param.type in SPECIAL:
        present = SPECIAL[param.type]
    elif param.type in UNSIGNED:
        present = st.integers(0, 2 ** UNSIGNED[param.type] - 1)
    elif param.type in (ValueType.INT64, ValueType.ERRNO, ValueType.FD, ValueType.PID):
        present = st.integers(-(2**63), 2**63 - 1)
    elif param.type in SIGNED:
        present = st.integers(-(2 ** (SIGNED[param.type] - 1)), 2 ** (SIGNED[param.type] - 1) - 1)
    else:
        present = st.integers(0, 2**32 - 1)
    # A buffer without bytes and one that is absent look the same in a capture.
    return present if param.type is ValueType.BYTEBUF else st.one_of(st.none(), present)


def events_of(row: EventType) -> st.SearchStrategy[Event]:
    params = st.tuples(*map(values, row.params))
    return st.builds(
        lambda params, time, tid, cpu: Event(row, time, tid, params, cpu=cpu),
        params,
        st.integers(0, 2**63),
        st.integers(-1, 2**40),
        st.integers(0, 65535),
    )


def written(
    folder: Path, events: list[Event], tables: SystemTables | None = None, *, compress: bool = False
) -> Read:
    path = folder / "written.scap"
    with CaptureWriter(path, compress=compress) as writer:
        if tables is not None:
            writer.write_tables(tables)
        for event in events:
            writer.write(event)
    read = read_file(path)
    assert read.warnings == []
    return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@given(st.data())
@settings(max_examples=150)
def test_every_event_comes_back(folder: Path, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    events = [data.draw(events_of(row)) for row in rows]
    read = written(folder, events)
    assert len(read.events) == len(events)
    for number, (event, found) in enumerate(zip(events, read.events, strict=True), 1):
        assert found.number == number
        assert (found.type, found.time, found.tid, found.cpu) == (
            event.type,
            event.time,
            event.tid,
            event.cpu,
        )
        assert tuple(found.params) == tuple(event.params)


def test_a_long_event_is_cut_and_stays_readable(tmp_path: Path) -> None:
    row = BY_ENUM["SYSCALL_SYMLINK_X"]
    read = written(
        tmp_path, [Event(row, TIME, 1, (0, "a" * 100_000, "b")), Event(row, TIME, 1, (0, "c", "d"))]
    )
    first, second = read.events
    target = first.param("target")
    assert isinstance(target, str)
    assert 50_000 < len(target) < 65_536
    assert set(target) == {"a"}
    assert tuple(second.params) == (0, "c", "d")


def test_large_payloads_are_not_cut(tmp_path: Path) -> None:
    event = Event(BY_ENUM["ASYNCEVENT_E"], TIME, 1, (1, "name", b"x" * 200_000))
    (found,) = written(tmp_path, [event]).events
    assert tuple(found.params) == (1, "name", b"x" * 200_000)


def test_compressed_captures(tmp_path: Path) -> None:
    events = [Event(BY_ENUM["SYSCALL_CLOSE_X"], TIME, 1, (0, number)) for number in range(1000)]
    read = written(tmp_path, events, compress=True)
    assert [found.param("fd") for found in read.events] == list(range(1000))
    assert (tmp_path / "written.scap").read_bytes()[:2] == b"\x1f\x8b"


def test_a_value_of_the_wrong_kind_is_an_error(tmp_path: Path) -> None:
    with (
        CaptureWriter(tmp_path / "x.scap") as writer,
        pytest.raises(TypeError, match="a number was expected"),
    ):
        writer.write(Event(BY_ENUM["SYSCALL_CLOSE_X"], TIME, 1, ("zero", 1)))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot write the capture"):
        CaptureWriter(tmp_path / "none" / "x.scap")


def state_of_a_machine() -> SystemState:
    state = SystemState(
        users=Users([User(0, 0, "root", "/root", "/bin/sh")], [Group(5, "tty")]),
        interfaces=Interfaces([Interface("lo", bytes((127, 0, 0, 1)), bytes((255, 0, 0, 0)))]),
        hostname="here",
    )
    shell = Thread(
        7, 7, state.threads, ptid=1, comm="bash", exe="-bash", exepath="/bin/bash", args=("-l", "a b")
    )
    shell.cgroups = (("cpu", "/x"), ("", "/y"))
    shell.env = ("A=1", "B=")
    shell.uid, shell.gid, shell.loginuid, shell.tty, shell.fdlimit = 1000, 100, 1000, 34816, 1024
    shell.sid, shell.pgid, shell.vpgid, shell.vtid, shell.vpid = 6, 7, 8, 9, 10
    shell.cap_effective, shell.exe_ino, shell.exe_writable, shell.exe_lower_layer = 1 << 40, 77, True, True
    shell.set_cwd("/srv/data")
    state.seed(shell)
    table = shell.descriptors
    pair = InetTuple(InetAddress(bytes((10, 0, 0, 1)), 4000), InetAddress(bytes((10, 0, 0, 2)), 80))
    table.put(0, Descriptor("f", "/dev/pts/0", "/dev/pts/0", open_flags=3, dev=2049, ino=5))
    table.put(3, Descriptor("4", "10.0.0.1:4000->10.0.0.2:80", tuple=pair, protocol="tcp", ino=6))
    table.put(4, Descriptor("6", ":::22", listening=InetAddress(bytes(16), 22), protocol="tcp"))
    table.put(5, Descriptor("u", "/run/s", tuple=UnixTuple(1, 2, "/run/s")))
    table.put(6, Descriptor("l", "[eventpoll]"))
    return state


def test_a_state_comes_back(tmp_path: Path) -> None:
    state = state_of_a_machine()
    event = Event(BY_ENUM["SYSCALL_CLOSE_X"], TIME, 7, (0, 0))
    read = written(tmp_path, [event], tables_of(state))
    again = SystemState(hostname="here")
    seed(again, read.tables)
    thread, other = state.threads[7], again.threads[7]
    differing = {
        name
        for name in Thread.__slots__
        if name not in {"threads", "group", "descriptors"} and getattr(thread, name) != getattr(other, name)
    }
    assert differing == set()
    assert again.users.user(0) == User(0, 0, "root", "/root", "/bin/sh")
    assert again.users.group(5) == Group(5, "tty")
    assert list(again.interfaces) == list(state.interfaces)
    for number, descriptor in thread.descriptors.items():
        found = other.descriptors.get(number)
        assert found is not None
        for name in ("type", "name", "open_flags", "dev", "ino", "tuple", "listening", "protocol"):
            assert getattr(found, name) == getattr(descriptor, name), (number, name)


def test_a_recording_of_a_live_machine_begins_with_its_processes(tmp_path: Path) -> None:
    state = SystemState(ProcProbe(), hostname="here")
    tables = tables_of(state)
    assert list(state.threads) == []
    me = os.getpid()
    event = Event(BY_ENUM["SYSCALL_CLOSE_X"], TIME, me, (0, 0))
    again = SystemState(hostname="here")
    seed(again, written(tmp_path, [event], tables).tables)
    thread = again.threads[me]
    assert thread.pid == me
    assert thread.ptid == os.getppid()
    assert thread.cwd == f"{Path.cwd()}/"
    assert thread.uid == os.getuid()
    with (tmp_path / "open").open("w") as file:
        seed(again, written(tmp_path, [event], tables_of(state)).tables)
        descriptor = again.threads[me].descriptors.get(file.fileno())
    assert descriptor is not None
    assert (descriptor.type, descriptor.name) == ("f", str(tmp_path / "open"))
