"""The least that a monitor of system calls can cost: one tracepoint, at a call that the work never makes."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.monitor import Monitor
from refengine.backends.ebpf import binding

_NOTHING: Final = struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0)
"""The program: `r0 = 0`, `exit`."""

UNRELATED: Final = "sync"
"""The call whose exit is attached to."""


@dataclass(slots=True)
class Floor(Monitor):
    """No monitor, but what the kernel asks of every call as soon as any call has a tracepoint."""

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Have the tracepoint while the body runs; give 0, as there is no process."""
        with binding.tracing_folder() as folder:
            id = binding.tracepoint_number(folder, "syscalls", f"sys_exit_{UNRELATED}")
        if id is None:
            raise SystemExit(f"the kernel has no tracepoint at the exit of {UNRELATED}")
        program = binding.load_program(binding.ProgramKind.TRACEPOINT, _NOTHING)
        try:
            link = binding.attach_tracepoint(id, program)
        finally:
            os.close(program)
        try:
            yield 0
        finally:
            os.close(link)
