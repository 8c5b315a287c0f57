"""The probe of the state while a tracee stands still: `/proc`, and the tracee's sockets themselves."""

from __future__ import annotations

import socket
from typing import Final

from refengine.backends.ptrace.process import file_status, read_link
from refengine.backends.ptrace.sockets import TraceeSockets, ends_of
from refengine.backends.syscalls.addresses import connection
from refengine.event.sockets import UnixAddress
from refengine.state.descriptors import Descriptor
from refengine.state.endpoints import describe_internet
from refengine.state.procfs import ProcProbe

_FAMILIES: Final = {socket.AF_INET: "4", socket.AF_INET6: "6", socket.AF_UNIX: "u", socket.AF_NETLINK: "n"}
_PROTOCOLS: Final = {
    socket.IPPROTO_TCP: "tcp",
    socket.IPPROTO_UDP: "udp",
    socket.IPPROTO_ICMP: "icmp",
    socket.IPPROTO_ICMPV6: "icmp",
}


class TraceeProbe(ProcProbe):
    """Looks at sockets by borrowing them, which tells the protocol of one that is not bound or connected yet.

    The tables under `/proc/PID/net` have only sockets that are.
    """

    __slots__ = ("_sockets",)

    def __init__(self) -> None:
        super().__init__()
        self._sockets = TraceeSockets()

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return what the thread has open as `number`: `known` itself where it still is that."""
        path = f"/proc/{pid}/fd/{number}"
        if not (read_link(path) or "").startswith("socket:"):
            return super().descriptor(pid, number, known)
        status = file_status(path)
        if status is None or (known is not None and known.name and known.ino == status.st_ino):
            return super().descriptor(pid, number, known)
        borrowed = self._sockets.borrow(pid, number)
        if borrowed is None:
            return super().descriptor(pid, number, known)
        with borrowed:
            found = _describe(borrowed)
        found.dev, found.ino = status.st_dev & 0xFFFFFFFF, status.st_ino
        found.reported_name = found.name
        # A role that an event has told is better than one that the ports suggest.
        if known is not None and known.ino in (0, found.ino) and known.role is not None:
            found.role = known.role
        return found


def _describe(borrowed: socket.socket) -> Descriptor:
    """Return the description of a socket of our own."""
    found = Descriptor(_FAMILIES.get(borrowed.family, "o"))
    ends = ends_of(borrowed)
    if borrowed.family in (socket.AF_INET, socket.AF_INET6):
        found.protocol = "raw" if borrowed.type == socket.SOCK_RAW else _PROTOCOLS.get(borrowed.proto)
        describe_internet(found, ends.local, ends.peer, waits=_waits(borrowed))
    elif isinstance(ends.local, UnixAddress):
        path = ends.local.path
        if not path and isinstance(ends.peer, UnixAddress):
            path = ends.peer.path
        found.name = path
        found.tuple = connection(ends.peer, UnixAddress(path)) if path else None
    return found


def _waits(borrowed: socket.socket) -> bool:
    """Tell whether a socket without a peer waits for one: a listener, or any bound socket for datagrams."""
    if borrowed.type != socket.SOCK_STREAM:
        return True
    try:
        return bool(borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
