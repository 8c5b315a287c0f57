"""The tables in front of a section's events, as one collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from refengine.backends.capture import blocks
from refengine.backends.capture.cursor import Cursor
from refengine.backends.capture.sections import (
    DescriptorRecord,
    GroupRecord,
    InterfaceRecord,
    MachineInfo,
    ProcessRecord,
    UserRecord,
    read_descriptors,
    read_interfaces,
    read_machine_info,
    read_processes,
    read_users,
)

MAX_ENTRIES = 1 << 20
"""More processes, descriptors or users than this are not kept, so that no file can ask for all the memory."""

_Entry = TypeVar("_Entry")


@dataclass(slots=True)
class SystemTables:
    """What a section of a capture says of the machine before its events."""

    machine: MachineInfo | None = None
    processes: list[ProcessRecord] = field(default_factory=list)
    descriptors: list[DescriptorRecord] = field(default_factory=list)
    users: list[UserRecord] = field(default_factory=list)
    groups: list[GroupRecord] = field(default_factory=list)
    interfaces: list[InterfaceRecord] = field(default_factory=list)

    def add(self, kind: int, cursor: Cursor) -> None:
        """Read the block of type `kind` that `cursor` stands before; unknown types are left alone.

        :raises CaptureError: when an entry makes no sense; those before it have been added.
        """
        if kind in blocks.PROCESS_LISTS:
            for process in read_processes(cursor, blocks.PROCESS_LISTS[kind]):
                _keep(self.processes, process, cursor)
        elif kind in blocks.DESCRIPTOR_LISTS:
            for descriptor in read_descriptors(cursor, blocks.DESCRIPTOR_LISTS[kind]):
                _keep(self.descriptors, descriptor, cursor)
        elif kind in blocks.USER_LISTS:
            for account in read_users(cursor, blocks.USER_LISTS[kind]):
                if isinstance(account, UserRecord):
                    _keep(self.users, account, cursor)
                else:
                    _keep(self.groups, account, cursor)
        elif kind in blocks.INTERFACE_LISTS:
            for interface in read_interfaces(cursor, blocks.INTERFACE_LISTS[kind]):
                _keep(self.interfaces, interface, cursor)
        elif kind in blocks.MACHINE_INFO:
            self.machine = read_machine_info(cursor)


def _keep(entries: list[_Entry], entry: _Entry, cursor: Cursor) -> None:
    if len(entries) >= MAX_ENTRIES:
        raise cursor.fault(f"a list has more than {MAX_ENTRIES} entries")
    entries.append(entry)
