"""Records as the kernel side of the eBPF backend writes them, for tests that need no privileges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from refengine.backends.base import Interest
from refengine.backends.ebpf.events import Decoder, KernelEvent
from refengine.backends.ebpf.layout import BLOB, RECORD, BlobKind, RecordKind
from refengine.backends.ebpf.plan import Plan, make_plan
from refengine.backends.ebpf.probe import RecordProbe
from refengine.backends.ebpf.tracker import Tracker
from refengine.state.system import SystemState
from refengine.tables.syscalls import BY_NAME

PATH_ADDRESS = 0x7000_0000
PID = 1 << 28
"""No process has such a number, so that nothing of this machine is found under it."""


def blob(kind: BlobKind, content: bytes, address: int = 0) -> bytes:
    """Return a blob with its head, padded."""
    return BLOB.pack(kind, len(content), address) + content + bytes(-len(content) % 8)


def record(
    kind: RecordKind,
    *,
    name: str = "",
    result: int = 0,
    args: Iterable[int] = (),
    pid: int = PID,
    tid: int = 0,
    ppid: int = 1,
    uid: int = 0,
    comm: bytes = b"cat",
    start: int = 1,
    blobs: Iterable[bytes] = (),
) -> bytes:
    """Return a record; `name` is that of the system call."""
    arguments = [value & 0xFFFFFFFFFFFFFFFF for value in args]
    arguments += [0] * (6 - len(arguments))
    number = BY_NAME[name].number or 0 if name else 0
    head = RECORD.pack(
        1_000, number, kind, result, *arguments, start, pid, tid or pid, ppid, uid, uid, comm, 0
    )
    return head + b"".join(blobs)


def opened(
    path: bytes | None,
    *,
    flags: int = 0,
    result: int = 3,
    directory: int = -100,
    cwd: bytes | None = None,
    comm: bytes = b"cat",
    uid: int = 0,
) -> bytes:
    """Return the record of an `openat`."""
    blobs = [] if path is None else [blob(BlobKind.TEXT, path + b"\0", PATH_ADDRESS)]
    if cwd is not None:
        blobs.append(blob(BlobKind.WORKING_DIRECTORY, cwd))
    return record(
        RecordKind.SYSCALL_EXIT,
        name="openat",
        result=result,
        args=(directory, PATH_ADDRESS, flags),
        comm=comm,
        uid=uid,
        blobs=blobs,
    )


@cache
def _plan(*, opens_plainly: bool) -> Plan:
    plan = make_plan(Interest(None))
    if opens_plainly:
        return plan
    calls = {number: replace(watched, opens_plainly=False) for number, watched in plan.calls.items()}
    return replace(plan, calls=calls)


class Machine:
    """The state of a machine of which nothing is known but what records tell.

    With `opens_plainly` false the events of all opens are made by the decoders of all calls.
    """

    def __init__(self, *, opens_plainly: bool = True) -> None:
        self.probe = RecordProbe()
        self.state = SystemState(self.probe, track_descriptors=False, hostname="machine")
        self.tracker = Tracker(self.state, self.probe)
        self.decoder = Decoder(_plan(opens_plainly=opens_plainly), 80)

    def event(self, data: bytes) -> KernelEvent:
        """Return the event of a record, after the state has taken notice of it."""
        event = self.decoder.events([data])[0]
        assert isinstance(event, KernelEvent)
        self.tracker.observe(event)
        return event
