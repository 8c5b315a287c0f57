"""From the state of the machine to the tables of a capture, to be written in front of its events."""

from __future__ import annotations

import os

from refengine.backends.capture.sections import (
    PROTOCOLS,
    DescriptorRecord,
    GroupRecord,
    InterfaceRecord,
    MachineInfo,
    ProcessRecord,
    UserRecord,
)
from refengine.backends.capture.tables import SystemTables
from refengine.state.descriptors import Descriptor
from refengine.state.procfs import ProcProbe
from refengine.state.system import SystemState
from refengine.state.threads import CLONE_FILES, CLONE_THREAD, Thread


def tables_of(state: SystemState) -> SystemTables:
    """Return what `state` knows, and on a live machine what else there is; `state` stays as it is."""
    tables = SystemTables(machine=_this_machine(state))
    for thread in state.threads.values():
        tables.processes.append(_process_record(thread))
        if thread.shares_descriptors:
            continue
        for number, descriptor in thread.descriptors.items():
            tables.descriptors.append(_descriptor_record(thread.tid, number, descriptor))
    if isinstance(state.probe, ProcProbe):
        _add_others(tables, state, state.probe)
    tables.users = [
        UserRecord(user.uid, user.gid, user.name, user.home, user.shell) for user in state.users.users()
    ]
    tables.groups = [GroupRecord(group.gid, group.name) for group in state.users.groups()]
    tables.interfaces = [
        InterfaceRecord(item.name, item.address, item.netmask or b"\xff" * len(item.address))
        for item in state.interfaces
    ]
    return tables


def _add_others(tables: SystemTables, state: SystemState, probe: ProcProbe) -> None:
    """Add the threads that no event has made known so far, and what their processes have open."""
    for tid in probe.thread_numbers():
        thread = None if tid in state.threads else probe.thread(tid, state.threads)
        if thread is None:
            continue
        if not thread.is_main:
            thread.flags |= CLONE_FILES | CLONE_THREAD
        tables.processes.append(_process_record(thread))
        if thread.is_main:
            for number in probe.descriptor_numbers(tid):
                descriptor = probe.descriptor(tid, number)
                if descriptor is not None:
                    tables.descriptors.append(_descriptor_record(tid, number, descriptor))


def _this_machine(state: SystemState) -> MachineInfo:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return MachineInfo(os.cpu_count() or 1, memory, 0, state.hostname, state.boot_time)


def _process_record(thread: Thread) -> ProcessRecord:
    return ProcessRecord(
        thread.tid,
        thread.pid,
        thread.ptid,
        thread.comm,
        thread.exe,
        thread.args,
        thread.cwd.rstrip("/") or thread.cwd[:1],
        thread.fdlimit,
        thread.flags,
        thread.uid,
        thread.gid,
        sid=thread.sid,
        vpgid=thread.vpgid,
        pgid=thread.pgid,
        exepath=thread.exepath,
        vmsize=thread.vmsize,
        vmrss=thread.vmrss,
        vmswap=thread.vmswap,
        pfmajor=thread.pfmajor,
        pfminor=thread.pfminor,
        env=thread.env,
        vtid=thread.vtid,
        vpid=thread.vpid,
        cgroups=tuple(f"{name}={path}" for name, path in thread.cgroups),
        root=thread.root,
        pidns_init_start_time=thread.pidns_init_start_time,
        tty=thread.tty,
        loginuid=thread.loginuid,
        exe_writable=thread.exe_writable,
        cap_inheritable=thread.cap_inheritable,
        cap_permitted=thread.cap_permitted,
        cap_effective=thread.cap_effective,
        exe_upper_layer=thread.exe_upper_layer,
        exe_ino=thread.exe_ino,
        exe_ino_ctime=thread.exe_ino_ctime,
        exe_ino_mtime=thread.exe_ino_mtime,
        exe_from_memfd=thread.exe_from_memfd,
        exe_lower_layer=thread.exe_lower_layer,
    )


def _descriptor_record(tid: int, number: int, descriptor: Descriptor) -> DescriptorRecord:
    protocol = next((code for code, name in PROTOCOLS.items() if name == descriptor.protocol), 0)
    return DescriptorRecord(
        tid,
        number,
        descriptor.ino,
        descriptor.type,
        descriptor.name,
        descriptor.open_flags,
        descriptor.dev,
        descriptor.tuple,
        descriptor.listening if descriptor.tuple is None else None,
        protocol,
    )
