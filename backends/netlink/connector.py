"""The process events connector: a socket on which the kernel tells of every process of the machine.

The socket is read directly: a library that makes an object of each message is some fifty times slower, and all
that there is to control are two messages of forty bytes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
from typing import Final

from refengine.backends.netlink.process_events import ACKNOWLEDGEMENT, ProcessEvent, decode
from refengine.errors import BackendError
from refengine.state.procfs import is_first_namespace

_NETLINK_CONNECTOR: Final = 11
_PROCESS_GROUP: Final = 1
_NLMSG_DONE: Final = 3
_LISTEN, _IGNORE = 1, 2
_SO_RCVBUFFORCE: Final = 33
_BUFFER: Final = 32 << 20
"""Bytes of messages that the kernel keeps for us: some 60,000, of which none takes memory until it is there."""

_PATIENCE: Final = 1.0
"""Seconds that the kernel may take to say whether it will tell us; it answers at once or not at all."""

_DATAGRAM: Final = 1 << 16


class ProcessConnector:
    """Listens to the process events of the whole machine; needs CAP_NET_ADMIN and the first PID namespace.

    `received` counts events, `lost` those that the kernel numbered and that did not arrive.

    :raises BackendError: when the kernel does not let us listen.
    """

    def __init__(self) -> None:
        self.received = 0
        self.lost = 0
        self._next: dict[int, int] = {}
        if not is_first_namespace():
            # Where others have asked, their answers would come here, too, with numbers that are not those of this /proc.
            raise BackendError("process events are told in the first PID namespace only")
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_CONNECTOR
            )
        except OSError as error:
            raise _refused(error) from None
        try:
            self._socket.bind((0, _PROCESS_GROUP))
            with contextlib.suppress(OSError):  # where that is not allowed, the system's own size has to do
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._control(_LISTEN)
            self._socket.setblocking(False)
            self._await_consent()
        except BaseException as error:
            self._socket.close()
            if isinstance(error, OSError):
                raise _refused(error) from None
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def read(self, limit: int) -> list[ProcessEvent]:
        """Return the events that are there, about `limit` of them at most."""
        events: list[ProcessEvent] = []
        receive, following = self._socket.recv, self._next
        while len(events) < limit:
            try:
                message = receive(_DATAGRAM)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    continue  # said once after messages were lost; the numbers tell how many
                raise BackendError(f"process events cannot be read: {error.strerror}") from None
            for number, event in decode(message):
                expected = following.get(event.cpu)
                if expected is not None and event.kind != ACKNOWLEDGEMENT:
                    self.lost += number - expected & 0xFFFFFFFF
                following[event.cpu] = number + 1 & 0xFFFFFFFF
                if event.pid:
                    events.append(event)
        self.received += len(events)
        return events

    def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._socket.fileno() >= 0:
            with contextlib.suppress(OSError):
                self._control(_IGNORE)
            self._socket.close()

    def _control(self, operation: int) -> None:
        self._socket.send(
            struct.pack(
                "=IHHII IIIIHHI",
                *(40, _NLMSG_DONE, 0, 0, os.getpid()),
                *(1, _PROCESS_GROUP, 0, 0, 4, 0, operation),
            )
        )

    def _await_consent(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while poll.poll(_PATIENCE * 1000):
            for _, event in decode(self._socket.recv(_DATAGRAM)):
                if event.kind != ACKNOWLEDGEMENT:
                    return  # events come in, so that the consent has been given
                if event.numbers[0]:
                    raise OSError(event.numbers[0], os.strerror(event.numbers[0]))
                return
        raise BackendError("the kernel does not answer to the request for process events")


def _refused(error: OSError) -> BackendError:
    if error.errno in (errno.EPERM, errno.EACCES):
        return BackendError("process events need CAP_NET_ADMIN in the first user namespace: run as root")
    if error.errno in (errno.EPROTONOSUPPORT, errno.ECONNREFUSED):
        return BackendError("the kernel has no process events connector (CONFIG_PROC_EVENTS)")
    return BackendError(f"process events are refused: {error.strerror}")
