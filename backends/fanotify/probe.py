"""The probe of the live machine that asks the kernel for the names of sockets."""

from __future__ import annotations

import os
import stat

from refengine.backends.netlink.sockets import SocketNames
from refengine.state.descriptors import Descriptor
from refengine.state.file_status import file_status
from refengine.state.open_files import encoded_device
from refengine.state.procfs import ProcProbe


class NetlinkProbe(ProcProbe):
    """Asks the kernel by netlink what a socket is, where it is one of our network namespace; else `/proc`."""

    __slots__ = ("_names", "_namespace")

    def __init__(self) -> None:
        super().__init__()
        self._names = SocketNames()
        self._namespace = _namespace_of("self")

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return what the process has open as `number`: `known` itself where it still is that."""
        try:
            file = file_status(f"/proc/{pid}/fd/{number}")
        except OSError:
            return None
        if not stat.S_ISSOCK(file.st_mode) or _namespace_of(str(pid)) != self._namespace:
            return super().descriptor(pid, number, known)
        if known is not None and known.name and known.ino == file.st_ino:
            return super().descriptor(pid, number, known)
        found = self._names.describe(file.st_ino)
        if found is None:
            return super().descriptor(pid, number, known)
        found.dev, found.ino = encoded_device(file.st_dev), file.st_ino
        found.reported_name = found.name
        return found


def _namespace_of(pid: str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115  (the text of the link is no path)
    except OSError:
        return None
