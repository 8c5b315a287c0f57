"""The tracepoints at the exits of single system calls, by the numbers that the running kernel has given them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from refengine.backends.ebpf import binding
from refengine.tables.syscalls import SYSCALLS

NAMES: Final[Mapping[str, str]] = {
    "stat": "newstat",
    "fstat": "newfstat",
    "lstat": "newlstat",
    "uname": "newuname",
    "sendfile": "sendfile64",
    "umount2": "umount",
}
"""System calls whose tracepoints the kernel names otherwise, after the functions that carry them out."""


@cache
def tracepoints_of_exits() -> Mapping[int, int] | None:
    """Return the numbers of the tracepoints by those of the system calls, None where they cannot be had.

    The first time that takes CAP_SYS_ADMIN. What was found stays true for as long as the kernel runs, and is kept,
    so that the capability can be given up. A call that the kernel does not have is left out.
    """
    found = {}
    try:
        with binding.tracing_folder() as folder:
            for call in SYSCALLS:
                if call.number is None:
                    continue
                event = f"sys_exit_{NAMES.get(call.name, call.name)}"
                id = binding.tracepoint_number(folder, "syscalls", event)
                if id is not None:
                    found[call.number] = id
    except OSError:
        return None
    return found
