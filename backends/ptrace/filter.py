"""The seccomp program: stops the tracee at the system calls that rules need, and at no other."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from refengine.backends.ptrace.binding import AUDIT_ARCH_X86_64, X32_BIT

_LOAD_WORD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_AND: Final = 0x54
_RETURN: Final = 0x06

_NUMBER: Final = 0  # offsets in the kernel's struct seccomp_data
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16

_ALLOW: Final = 0x7FFF0000
_TRACE: Final = 0x7FF00000

_INSTRUCTION = struct.Struct("=HBBI")


class ArgumentTest(NamedTuple):
    """A condition on a call's arguments: the bits `mask` of number `position` are one of `values`.

    Only the low 32 bits of arguments are looked at, as the kernel does with what it declares as an `int`.
    """

    position: int
    values: frozenset[int]
    mask: int = 0xFFFFFFFF

    def holds(self, arguments: Sequence[int]) -> bool:
        """Tell whether a call with these arguments is meant."""
        return arguments[self.position] & self.mask in self.values


def compile_filter(calls: Mapping[int, ArgumentTest | None]) -> bytes:
    """Return a program that traces the x86-64 system calls of these numbers and allows all others.

    A call with a test is traced only where the test holds. Calls through the x32 interface share the numbers
    apart from one bit and are traced too. Calls through the 32-bit interface (`int 0x80`) have other numbers and
    are allowed, unseen. A number that is not traced meets only instructions that the kernel's cache of actions
    understands, so that an allowed call costs next to nothing.
    """
    program = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD_WORD, 0, 0, _NUMBER),
        (_AND, 0, 0, 0xFFFFFFFF ^ X32_BIT),
    ]
    # One return a number, since a jump reaches no further than 255 instructions.
    for number, test in sorted(calls.items(), key=lambda item: item[0]):
        steps = [] if test is None else _steps(test)
        program.append((_JUMP_IF_EQUAL, 0, len(steps) + 1, number))
        program += [*steps, (_RETURN, 0, 0, _TRACE)]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)


def _steps(test: ArgumentTest) -> list[tuple[int, int, int, int]]:
    """Return the instructions that allow a call where the test does not hold, and go on where it does."""
    values = sorted(test.values)
    jumps = [(_JUMP_IF_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [
        (_LOAD_WORD, 0, 0, _ARGUMENTS + 8 * test.position),
        (_AND, 0, 0, test.mask),
        *jumps,
        (_RETURN, 0, 0, _ALLOW),
    ]
