"""From records to events and to the state, without a kernel that writes them."""

from __future__ import annotations

import gc
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine.backends.ebpf.captures import captures, packed, with_directory
from refengine.backends.ebpf.events import KernelEvent, OpenEvent
from refengine.backends.ebpf.layout import CHILD, DESCRIPTOR, PLAN_SIZE, PROGRAM, RECORD, BlobKind, RecordKind
from refengine.backends.ebpf.record import recorded
from refengine.backends.ebpf.tracker import MET_MAX
from refengine.backends.syscalls.kernel_bits import open_flags
from refengine.event import Event
from refengine.event.sockets import InetAddress, InetTuple
from refengine.fields.registry import extractor_of
from refengine.state.threads import Thread
from refengine.tables.syscalls import BY_NAME
from tests.kernel_records import PATH_ADDRESS, PID, Machine, blob, opened, record


def program(**changed: int) -> bytes:
    names = [
        "inheritable",
        "permitted",
        "effective",
        "inode",
        "changed",
        "modified",
        "mapped",
        "minor",
        "major",
        "limit",
        "tty",
        "pgid",
        "sid",
        "vpgid",
        "vpid",
        "vtid",
        "loginuid",
        "mode",
        "owner",
        "group",
        "upper",
        "lower",
    ]
    values = dict.fromkeys(names, 0) | {"vpid": PID, "vtid": PID, "limit": 1024} | changed
    return blob(BlobKind.PROGRAM, PROGRAM.pack(*values.values()))


def executed(*blobs: bytes, comm: bytes = b"cat", args: bytes = b"cat\0/etc/shadow\0", **head: int) -> bytes:
    return record(
        RecordKind.EXECUTION,
        comm=comm,
        blobs=[
            program(sid=7, upper=1),
            blob(BlobKind.ARGUMENTS, args, 0x7FFF0000),
            blob(BlobKind.PROGRAM_PATH, b"/usr/bin/cat"),
            blob(BlobKind.WORKING_DIRECTORY, b"/home/me"),
            *blobs,
        ],
        **head,  # type: ignore[arg-type]
    )


def value(name: str, event: Event, argument: str | None = None) -> object:
    extractor = extractor_of(name)
    assert extractor is not None
    return extractor.bind(argument)(event)


def test_an_execution_makes_a_process_known_that_proc_never_shows() -> None:
    machine = Machine()
    event = machine.event(executed(uid=1000))
    assert event.name == "execve"
    thread = event.thread
    assert thread is not None
    assert (thread.pid, thread.comm, thread.exe, thread.args) == (PID, "cat", "cat", ("/etc/shadow",))
    assert (thread.exepath, thread.sid, thread.uid, thread.cwd) == ("/usr/bin/cat", 7, 1000, "/home/me/")
    assert thread.exe_upper_layer
    assert thread.cmdline() == "cat /etc/shadow"


def test_a_container_is_known_by_its_control_group() -> None:
    path = b"/docker/" + b"0123456789abcdef" * 4
    machine = Machine()
    event = machine.event(executed(blob(BlobKind.CGROUP, b"/"), blob(BlobKind.CGROUP, path, 1)))
    assert event.thread is not None
    assert value("container.id", event) == "0123456789ab"
    other = Machine().event(executed(blob(BlobKind.CGROUP, b"/"), blob(BlobKind.CGROUP, b"/user.slice", 1)))
    assert value("container.id", other) == "host"


def test_the_life_of_a_process() -> None:
    machine = Machine()
    machine.event(executed())
    child = PID + 1
    birth = record(
        RecordKind.BIRTH,
        name="vfork",
        result=child,
        blobs=[blob(BlobKind.CHILD, CHILD.pack(child, child, child, child, 2, 0x4100, PID))],
    )
    event = machine.event(birth)
    assert event.name == "vfork"
    thread = machine.state.threads[child]
    assert (thread.ptid, thread.comm, thread.args, thread.exepath) == (
        PID,
        "cat",
        ("/etc/shadow",),
        "/usr/bin/cat",
    )
    machine.event(record(RecordKind.END, pid=child, ppid=PID, start=2, args=(1,)))
    machine.event(opened(b"/x"))
    assert child not in machine.state.threads
    assert PID in machine.state.threads


def test_a_number_that_is_used_again_is_another_process() -> None:
    machine = Machine()
    machine.event(executed(start=1))
    machine.event(executed(start=2, comm=b"sh", args=b"sh\0"))
    event = machine.event(record(RecordKind.SYSCALL_EXIT, name="openat", start=3, comm=b"new", result=-2))
    assert event.thread is not None
    assert (event.thread.comm, event.thread.args) == ("new", ())


def test_name_and_user_come_with_every_record() -> None:
    machine = Machine()
    machine.event(executed(uid=0))
    event = machine.event(opened(b"/x", comm=b"renamed", uid=1000))
    assert (value("proc.name", event), value("user.uid", event)) == ("renamed", 1000)


def test_threads_of_a_process_share_what_it_has() -> None:
    machine = Machine()
    machine.event(executed())
    event = machine.event(
        record(RecordKind.SYSCALL_EXIT, name="openat", tid=PID + 5, comm=b"worker", result=-2)
    )
    thread = event.thread
    assert thread is not None
    assert (thread.pid, thread.comm, thread.args) == (PID, "worker", ("/etc/shadow",))
    assert thread.descriptors is machine.state.threads[PID].descriptors
    machine.event(record(RecordKind.END, tid=PID + 5, args=(1,)))
    machine.event(opened(b"/x", comm=b"other"))
    assert PID + 5 not in machine.state.threads


@pytest.mark.parametrize(
    ("path", "cwd", "name"),
    [
        (b"/etc/shadow", None, "/etc/shadow"),
        (b"shadow", b"/etc", "/etc/shadow"),
        (b"../etc/./shadow", b"/home/me", "/home/etc/shadow"),
        (b"new\nline", b"/", "/newline"),
        (b"\x1b[31mred", b"/", "/[31mred"),
        (b"\xff\xfe", b"/tmp", "/tmp/\udcff\udcfe"),
    ],
)  # fmt: skip
def test_names_of_opened_files(path: bytes, cwd: bytes | None, name: str) -> None:
    event = Machine().event(opened(path, cwd=cwd))
    assert value("fd.name", event) == name


def test_a_connection_has_the_ends_that_the_kernel_tells() -> None:
    address = struct.pack("=H", 2) + (443).to_bytes(2, "big") + bytes((10, 0, 0, 9)) + bytes(8)
    state = DESCRIPTOR.pack(
        11,
        8,
        0o140777,
        2,
        2,
        1,
        6,
        1,
        50000,
        443,
        bytes((10, 0, 0, 1)) + bytes(12),
        bytes((10, 0, 0, 9)) + bytes(12),
        0,
    )
    event = Machine().event(
        record(
            RecordKind.SYSCALL_EXIT,
            name="connect",
            args=(4, PATH_ADDRESS, 16),
            blobs=[blob(BlobKind.DESCRIPTOR, state, 4), blob(BlobKind.MEMORY, address, PATH_ADDRESS)],
        )
    )
    here, there = InetAddress(bytes((10, 0, 0, 1)), 50000), InetAddress(bytes((10, 0, 0, 9)), 443)
    assert event.param("tuple") == InetTuple(here, there)
    assert value("fd.name", event) == "10.0.0.1:50000->10.0.0.9:443"
    assert value("fd.l4proto", event) == "tcp"


def test_a_failed_execution_tells_what_was_to_be_executed() -> None:
    machine = Machine()
    machine.event(executed())
    event = machine.event(
        record(
            RecordKind.SYSCALL_EXIT,
            name="execve",
            result=-2,
            args=(PATH_ADDRESS,),
            blobs=[blob(BlobKind.TEXT, b"/nowhere\0", PATH_ADDRESS)],
        )
    )
    assert event.param("filename") == "/nowhere"
    assert event.thread is not None
    assert event.thread.comm == "cat"


def test_a_successful_execution_is_told_once() -> None:
    data = record(RecordKind.SYSCALL_EXIT, name="execve", result=0)
    assert Machine().decoder.events([data]) == []


PATHS = st.binary(max_size=40).map(lambda tail: tail.replace(b"\0", b""))
DIRECTORIES = st.sampled_from([-100, 0xFFFFFF9C, 5, -1, 1 << 40])


@given(
    st.sampled_from(["open", "openat"]),
    PATHS.map(b"/".__add__) | PATHS,
    DIRECTORIES,
    st.integers(0, (1 << 32) - 1) | st.sampled_from([0, 0o100, 0o20200000]),
    st.integers(0, 0o177777),
    st.integers(-3, 70_000),
    st.booleans(),
)
def test_opens_are_decoded_alike_in_short_and_in_full(
    name: str, path: bytes, directory: int, flags: int, mode: int, result: int, whole: bool
) -> None:
    """What is done at once for an open by an absolute path is what the decoders of all calls come to."""
    own = (flags, mode) if name == "open" else (PATH_ADDRESS, flags, mode)
    args = (PATH_ADDRESS if name == "open" else directory, *own)
    text = blob(BlobKind.TEXT, path + b"\0" * whole, PATH_ADDRESS)
    data = record(RecordKind.SYSCALL_EXIT, name=name, result=result, args=args, blobs=[text])
    machines = Machine(), Machine(opens_plainly=False)
    short, full = (machine.event(data) for machine in machines)
    assert type(full) is KernelEvent
    assert (type(short) is OpenEvent) == (path.startswith(b"/") and result >= 0)
    assert list(short.params) == list(full.params)
    for field in ("fd.name", "fd.nameraw", "fd.num", "fd.type", "proc.name", "evt.is_open_read", "proc.cwd"):
        assert value(field, short) == value(field, full)
    tables = [each.state.threads[PID].descriptors for each in machines]
    assert tables[0].keys() == tables[1].keys()


def test_events_are_numbered_as_they_come() -> None:
    machine = Machine()
    first = machine.decoder.events(
        [executed(), opened(b"/x"), opened(b"x", cwd=b"/"), opened(b"/y", result=-2)]
    )
    second = machine.decoder.events([record(RecordKind.SYSCALL_EXIT, name="close"), opened(b"/z")])
    assert [event.number for event in (*first, *second)] == [1, 2, 3, 4, 5, 6]
    assert machine.decoder.delivered == 6


def test_many_flags_of_opens_are_not_all_kept() -> None:
    machine = Machine()
    for flags in range(3000):
        event = machine.event(opened(b"/x", flags=flags))
        assert event.param("flags") == open_flags(flags)


@given(st.sampled_from(sorted(captures(80))), st.binary(max_size=300), st.integers(-5, 5))
def test_no_content_of_a_record_breaks_its_decoding(name: str, content: bytes, result: int) -> None:
    """What a program has in its memory is its own choice."""
    blobs = [
        blob(BlobKind.TEXT, content, 1),
        blob(BlobKind.MEMORY, content, 1),
        blob(BlobKind.DESCRIPTOR, content[:72].ljust(72, b"\0"), 1),
        blob(BlobKind.UNIX_LOCAL, content[:108], 1),
    ]
    data = record(
        RecordKind.SYSCALL_EXIT, name=name, result=result, args=(1,) * 6, blobs=blobs, comm=content[:16]
    )
    events = Machine().decoder.events([data])
    assert all(len(event.params) == len(event.type.params) for event in events)


def test_who_is_recognised_at_once_is_who_it_was_last() -> None:
    machine = Machine()
    for comm, uid in ((b"one", 0), (b"two", 0), (b"one", 0), (b"one", 7), (b"one", 0)):
        for _ in range(2):
            thread = machine.event(opened(b"/x", comm=comm, uid=uid)).thread
            assert thread is not None
            assert (thread.comm, thread.uid, thread.gid) == (comm.decode(), uid, uid)
    machine.event(executed(comm=b"sh", args=b"sh\0"))
    thread = machine.event(opened(b"/x", comm=b"one")).thread
    assert thread is not None
    assert (thread.comm, thread.exe) == ("one", "sh")


def test_what_is_kept_of_threads_goes_with_them() -> None:
    machine = Machine()
    for number in range(1, 100):
        machine.event(record(RecordKind.SYSCALL_EXIT, name="close", pid=PID + number, tid=PID + number))
        machine.event(record(RecordKind.SYSCALL_EXIT, name="close", pid=PID + number, tid=PID + 500 + number))
        machine.event(record(RecordKind.END, pid=PID + number, args=(1,)))
    machine.event(opened(b"/x"))
    assert not [tid for tid in machine.state.threads if tid > PID]
    assert machine.tracker.known == 1


def test_threads_whose_ends_are_not_recorded_do_not_pile_up() -> None:
    machine = Machine()

    def met(tid: int) -> Thread:
        thread = machine.event(
            record(RecordKind.SYSCALL_EXIT, name="close", tid=PID + tid, comm=b"pool")
        ).thread
        assert thread is not None
        return thread

    machine.event(executed(comm=b"server", args=b"server\0"))
    before = len(machine.state.threads)
    for number in range(1, 2 * MET_MAX):
        met(number)
    group = machine.state.threads.groups[PID]
    assert len(machine.state.threads) <= before + MET_MAX
    assert len(group.members) == group.alive == 1 + MET_MAX
    assert machine.tracker.known <= 1 + MET_MAX
    again = met(1)
    assert (again.tid, again.pid, again.comm, again.exe) == (PID + 1, PID, "pool", "server")
    assert len(machine.state.threads) <= before + MET_MAX


def test_nothing_is_kept_of_threads_that_have_gone_with_their_process() -> None:
    machine = Machine()
    for number in range(100):
        pid = PID + 10 * number
        machine.event(record(RecordKind.SYSCALL_EXIT, name="close", pid=pid))
        machine.event(record(RecordKind.SYSCALL_EXIT, name="close", pid=pid, tid=pid + 1))
        machine.event(record(RecordKind.END, pid=pid, args=(1,)))
    machine.event(opened(b"/x", comm=b"last"))
    gc.collect()
    kept = [each for each in gc.get_objects() if isinstance(each, Thread) and each.pid >= PID]
    assert [each.comm for each in kept] == ["last"]


def test_a_process_that_has_the_number_of_a_forgotten_thread_stays() -> None:
    machine = Machine()
    machine.event(record(RecordKind.SYSCALL_EXIT, name="close", tid=PID + 1))
    machine.event(record(RecordKind.END, args=(1,)))
    machine.event(record(RecordKind.SYSCALL_EXIT, name="close", pid=PID + 1, start=2))
    process = machine.state.threads[PID + 1]
    for number in range(2, 2 + MET_MAX):
        machine.event(record(RecordKind.SYSCALL_EXIT, name="close", pid=PID + 1, tid=PID + number, start=2))
    assert machine.state.threads[PID + 1] is process


def test_a_record_that_is_cut_short_has_what_is_there() -> None:
    data = opened(b"/etc/shadow")
    for end in range(RECORD.size, len(data)):
        recorded(data[:end]).string(0, PATH_ADDRESS)


def test_captures_name_calls_and_fit_the_plan() -> None:
    table = captures(80, identify=True, arguments=True)
    assert set(table) <= set(BY_NAME)
    assert all(len(packed(wanted)) == PLAN_SIZE for wanted in table.values())
    assert all(len(packed(with_directory(wanted))) == PLAN_SIZE for wanted in table.values())
