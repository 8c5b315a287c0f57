"""The seccomp program: stops the tracee at the system calls that rules need, and at no other."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from refengine.backends.ptrace.binding import AUDIT_ARCH_X86_64, X32_BIT

_LOAD_WORD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_AND: Final = 0x54
_RETURN: Final = 0x06

_NUMBER: Final = 0  # offsets in the kernel's struct seccomp_data
_ARCHITECTURE: Final = 4

_ALLOW: Final = 0x7FFF0000
_TRACE: Final = 0x7FF00000

_INSTRUCTION = struct.Struct("=HBBI")


def compile_filter(numbers: Iterable[int]) -> bytes:
    """Return a program that traces the x86-64 system calls `numbers` and allows all others.

    Calls through the x32 interface share the numbers apart from one bit and are traced too. Calls through
    the 32-bit interface (`int 0x80`) have other numbers and are allowed, unseen. Only instructions that the
    kernel's action cache understands are used, so that an allowed call costs next to nothing.
    """
    traced = sorted(set(numbers))
    program = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD_WORD, 0, 0, _NUMBER),
        (_AND, 0, 0, 0xFFFFFFFF ^ X32_BIT),
    ]
    # One return a number, since a jump reaches no further than 255 instructions.
    for number in traced:
        program.append((_JUMP_IF_EQUAL, 0, 1, number))
        program.append((_RETURN, 0, 0, _TRACE))
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)
