"""From the tables of a capture to the state of the machine: threads, descriptors, users, interfaces."""

from __future__ import annotations

from refengine.backends.capture.sections import (
    PROTOCOLS,
    DescriptorRecord,
    ProcessRecord,
)
from refengine.backends.capture.tables import SystemTables
from refengine.event.addresses import endpoint_text, printable, tuple_text
from refengine.event.sockets import InetAddress, InetTuple, UnixTuple
from refengine.state.descriptors import SERVER, Descriptor
from refengine.state.interfaces import Interface, Interfaces
from refengine.state.system import SystemState
from refengine.state.threads import Thread
from refengine.state.transitions.sockets import settle_connections
from refengine.state.users import Group, User, Users


def seed(state: SystemState, tables: SystemTables) -> None:
    """Make `state` know what the tables of a section say; what it knew before stays where they say nothing."""
    if tables.machine is not None:
        state.boot_time = tables.machine.boot_time
    for record in tables.processes:
        state.seed(_thread(state, record))
    for entry in tables.descriptors:
        thread = state.threads.get(entry.tid)
        if thread is not None:
            thread.descriptors.put(entry.number, _descriptor(entry))
    settle_connections(state.threads)
    if tables.users or tables.groups:
        state.users = Users(
            (User(user.uid, user.gid, user.name, user.home, user.shell) for user in tables.users),
            (Group(group.gid, group.name) for group in tables.groups),
        )
    if tables.interfaces:
        state.interfaces = Interfaces(
            Interface(entry.name, entry.address, entry.netmask) for entry in tables.interfaces
        )


def _thread(state: SystemState, record: ProcessRecord) -> Thread:
    thread = Thread(
        record.tid,
        record.pid,
        state.threads,
        ptid=record.ptid,
        vtid=record.vtid,
        vpid=record.vpid,
        pgid=record.pgid,
        vpgid=record.vpgid,
        sid=record.sid,
        tty=record.tty,
        comm=record.comm,
        exe=record.exe,
        exepath=record.exepath,
        args=record.args,
        env=record.env,
        root=record.root,
        uid=record.uid,
        gid=record.gid,
        loginuid=record.loginuid,
        cap_permitted=record.cap_permitted,
        cap_inheritable=record.cap_inheritable,
        cap_effective=record.cap_effective,
        cgroups=tuple((name, path) for name, _, path in (row.partition("=") for row in record.cgroups)),
        flags=record.flags,
        fdlimit=record.fdlimit,
        pidns_init_start_time=record.pidns_init_start_time,
        exe_ino=record.exe_ino,
        exe_ino_ctime=record.exe_ino_ctime,
        exe_ino_mtime=record.exe_ino_mtime,
        exe_writable=record.exe_writable,
        exe_upper_layer=record.exe_upper_layer,
        exe_lower_layer=record.exe_lower_layer,
        exe_from_memfd=record.exe_from_memfd,
        vmsize=record.vmsize,
        vmrss=record.vmrss,
        vmswap=record.vmswap,
        pfmajor=record.pfmajor,
        pfminor=record.pfminor,
    )
    thread.set_cwd(record.cwd)
    return thread


def _descriptor(record: DescriptorRecord) -> Descriptor:
    descriptor = Descriptor(
        record.type, record.name, open_flags=record.open_flags, dev=record.dev, ino=record.ino
    )
    descriptor.protocol = PROTOCOLS.get(record.protocol)
    if isinstance(record.tuple, InetTuple):
        descriptor.tuple = record.tuple
        descriptor.name = tuple_text(record.tuple)
    elif isinstance(record.tuple, UnixTuple):
        descriptor.tuple = record.tuple
        descriptor.name = printable(record.name)
    elif isinstance(record.local, InetAddress):
        descriptor.listening = record.local
        descriptor.role = SERVER
        descriptor.name = endpoint_text(record.local)
    elif record.type in "fdp":
        descriptor.raw_name = record.name
    descriptor.reported_name = descriptor.name
    return descriptor
