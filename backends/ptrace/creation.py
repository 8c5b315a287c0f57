"""Whether an open that is about to be made would make its file, which the kernel does not tell afterwards."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.call import Call, signed

_AT_FDCWD: Final = -100
_FLAGS = struct.Struct("=Q")


def would_create(call: Call, name: str) -> bool:
    """Return whether the open `name`, stopped at its entry, asks for a file that is not there and may be made."""
    directory = _AT_FDCWD
    address, flags = call.args[0], call.args[1]
    if name != "open":
        directory, address, flags = signed(call.args[0]), call.args[1], call.args[2]
    if name == "openat2":
        members = call.memory.unpack(call.tid, flags, _FLAGS)
        flags = 0 if members is None else members[0]
    if not flags & kb.O_CREAT:
        return False
    path = call.memory.string(call.tid, address)
    if not path:
        return False
    process = Path("/proc") / str(call.tid)
    if path.startswith("/"):
        base = process / "root"
    elif directory == _AT_FDCWD:
        base = process / "cwd"
    else:
        base = process / "fd" / str(directory)
    try:
        (base / path.lstrip("/")).stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
