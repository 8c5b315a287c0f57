"""The two ends of a tracee's sockets."""

from __future__ import annotations

import os
import re
import socket
import struct

from refengine.backends.ptrace.binding import borrow_descriptor
from refengine.backends.ptrace.process import read_link
from refengine.backends.syscalls.addresses import Ends
from refengine.event.sockets import InetAddress, SocketAddress, UnixAddress
from refengine.state.open_files import local_socket, table_rows
from refengine.state.proc_file import read_file

_SOCKET_LINK = re.compile(r"socket:\[(\d+)\]\Z")


class TraceeSockets:
    """Looks at the sockets of tracees.

    A descriptor is borrowed where the kernel allows it, which is exact and works for every state of a socket;
    otherwise the tables of the tracee's network namespace in `/proc` are searched.
    """

    __slots__ = ("_processes",)

    def __init__(self) -> None:
        self._processes: dict[int, int] = {}

    def forget(self, tid: int) -> None:
        """Drop what is remembered of a thread that has ended."""
        self._processes.pop(tid, None)

    def borrow(self, tid: int, number: int) -> socket.socket | None:
        """Return a duplicate of descriptor `number` of thread `tid`, None where it is no socket or not to be had."""
        descriptor = borrow_descriptor(self._process(tid), number)
        if descriptor is None:
            return None
        try:
            return socket.socket(fileno=descriptor)
        except OSError:
            os.close(descriptor)
            return None

    def ends(self, tid: int, number: int) -> Ends:
        """Return both ends of descriptor `number` of thread `tid`, empty where it is no socket."""
        borrowed = self.borrow(tid, number)
        if borrowed is None:
            return _search_tables(tid, number)
        with borrowed:
            return ends_of(borrowed)

    def _process(self, tid: int) -> int:
        """Return the process of a thread, since only a process has a descriptor to borrow through."""
        process = self._processes.get(tid)
        if process is None:
            found = re.search(rb"^Tgid:\t(\d+)", read_file(f"/proc/{tid}/status"), re.MULTILINE)
            process = tid if found is None else int(found[1])
            self._processes[tid] = process
        return process


def ends_of(endpoint: socket.socket) -> Ends:
    """Return both ends of a socket of our own."""
    family = endpoint.family
    try:
        local = _from_python(family, endpoint.getsockname())
    except OSError:
        local = None
    try:
        peer = _from_python(family, endpoint.getpeername())
    except OSError:
        peer = None
    return Ends(local, peer)


def _from_python(family: int, address: object) -> SocketAddress | None:
    """Return our form of an address as Python's socket module gives it."""
    if family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
        host = str(address[0]).partition("%")[0]
        return InetAddress(socket.inet_pton(family, host), int(address[1]))
    if family == socket.AF_UNIX:
        if isinstance(address, bytes):
            return UnixAddress(address.decode("utf-8", "surrogateescape"))
        if isinstance(address, str):
            return UnixAddress(address)
    return None


def _search_tables(tid: int, number: int) -> Ends:
    """Find the socket by its inode in the tables of the tracee's network namespace."""
    link = _SOCKET_LINK.match(read_link(f"/proc/{tid}/fd/{number}") or "")
    if link is None:
        return Ends(None, None)
    inode = link[1]
    for table in ("tcp", "udp", "tcp6", "udp6"):
        for row in table_rows(f"/proc/{tid}/net/{table}"):
            columns = row.split()
            if len(columns) > 9 and columns[9] == inode:
                return Ends(_from_table(columns[1]), _from_table(columns[2]))
    return _search_unix(tid, inode)


def _from_table(entry: str) -> InetAddress | None:
    """Return the address of a table entry, words of it in the host's byte order; None for an unset one."""
    host, _, port = entry.partition(":")
    words = [int(host[start : start + 8], 16) for start in range(0, len(host), 8)]
    if not any(words) and int(port, 16) == 0:
        return None
    return InetAddress(b"".join(struct.pack("=I", value) for value in words), int(port, 16))


def _search_unix(tid: int, inode: str) -> Ends:
    entry = local_socket(table_rows(f"/proc/{tid}/net/unix"), inode)
    if entry is None:
        return Ends(None, None)
    path = entry.name
    return Ends(UnixAddress("\0" + path[1:] if path.startswith("@") else path), None)
