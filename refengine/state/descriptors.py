"""File descriptors: what is known of each, and the table that a process keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from refengine.event.sockets import InetAddress, SocketTuple

CLIENT, SERVER = "client", "server"
"""The roles of a process at its end of a connection."""

DESCRIPTOR_LIMIT = 4096
"""How many descriptors of a process are kept."""


@dataclass(slots=True, eq=False)
class Descriptor:
    """One open file, socket, pipe or the like, as a process holds it.

    `type` is the one-character kind (see `DESCRIPTOR_TYPES`); `name` is what `fd.name` shows: an absolute,
    normalised path for files, `client:port->server:port` for connections. `raw_name` is the path as the
    program gave it. `open_flags` are in the capture format's bits. `tuple` holds both ends of a connection,
    `listening` the bound address of a socket that waits for some. `protocol` is `tcp`, `udp`, `icmp`, `raw`, or
    None for what is not an IP socket. `role` is `client`, `server` or None where not known yet. `reported_name`
    is the name at the end of the last event that concerned the descriptor, `process` the
    number of the process that a `pidfd` stands for.
    """

    type: str
    name: str = ""
    raw_name: str = ""
    open_flags: int = 0
    dev: int = 0
    ino: int = 0
    mount_id: int = 0
    process: int = 0
    tuple: SocketTuple | None = None
    listening: InetAddress | None = None
    protocol: str | None = None
    role: str | None = None
    connected: bool = False
    upper_layer: bool = False
    lower_layer: bool = False
    reported_name: str = ""

    @property
    def shown_protocol(self) -> str | None:
        """The transport protocol where it is shown: once a role is known, and for raw sockets."""
        return self.protocol if self.role is not None or self.protocol == "raw" else None

    def copy(self) -> Descriptor:
        """Return an independent descriptor with the same content, as `dup` and `fork` make it."""
        return Descriptor(
            self.type,
            self.name,
            self.raw_name,
            self.open_flags,
            self.dev,
            self.ino,
            self.mount_id,
            self.process,
            self.tuple,
            self.listening,
            self.protocol,
            self.role,
            self.connected,
            self.upper_layer,
            self.lower_layer,
            self.name,
        )


class OpenedFile(Descriptor):
    """A file or directory that has just been opened.

    It is made empty, and who makes it sets all that a descriptor has: so it costs a third of what it else would.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self) -> None: ...

    else:
        __init__ = object.__init__


DESCRIPTOR_TYPES = {
    "f": "file",
    "d": "directory",
    "4": "ipv4",
    "6": "ipv6",
    "u": "unix",
    "p": "pipe",
    "e": "event",
    "s": "signalfd",
    "l": "eventpoll",
    "i": "inotify",
    "t": "timerfd",
    "n": "netlink",
    "b": "bpf",
    "U": "userfaultfd",
    "r": "io_uring",
    "m": "memfd",
    "P": "pidfd",
    "o": "unknown",
    "X": "unsupported",
}
"""The value of `fd.type` by that of `fd.typechar`."""


class DescriptorTable(dict[int, Descriptor]):
    """The descriptors of one process by number, bounded in size.

    They enter by `put`: one that would make the table larger than `limit` is not recorded and is counted in
    `refused`.
    """

    __slots__ = ("limit", "refused")

    def __init__(self, limit: int = DESCRIPTOR_LIMIT) -> None:
        super().__init__()
        self.limit = limit
        self.refused = 0

    def put(self, number: int, descriptor: Descriptor) -> None:
        """Record `descriptor` under `number`, in the place of an older one."""
        if len(self) >= self.limit and number not in self:
            self.refused += 1
            return
        self[number] = descriptor

    def copy(self) -> DescriptorTable:
        """Return a table of copies, as a child process receives it."""
        table = DescriptorTable(self.limit)
        for number, descriptor in self.items():
            table[number] = descriptor.copy()
        return table
