"""Giving up privileges for good: the capabilities of the process, once all that needs them has been had."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from refengine.backends.base import Backend
from refengine.errors import UsageError
from refengine.tables.capabilities import CAPABILITIES

_VERSION: Final = 0x20080522
"""Of the sets that `capset` takes: two words of 32 bits for each."""

_BOUNDING_DROP: Final = 24

_libc = ctypes.CDLL(None, use_errno=True)


def needed_capabilities(backends: Sequence[Backend]) -> frozenset[str]:
    """Return the capabilities that backends go on to need.

    :raises UsageError: when one of them does not tell.
    """
    needed: frozenset[str] = frozenset()
    for backend in backends:
        keeps = backend.capabilities.keeps
        if keeps is None:
            raise UsageError(
                f"--drop-privileges: the {backend.name} backend may need all the privileges it has"
            )
        needed |= keeps
    return needed


def keep_only(names: Iterable[str]) -> None:
    """Give up all capabilities but these, for this thread, the threads it starts and the programs these start.

    To be called while there is one thread. What is not held is not gained (see capabilities(7)).

    :raises OSError: when the kernel refuses.
    """
    wanted = sum(1 << CAPABILITIES.index(name) for name in names)
    header = struct.pack("=Ii", _VERSION, 0)
    held = ctypes.create_string_buffer(24)
    _check(_libc.capget(header, held))
    low = struct.unpack_from("=III", held.raw, 0)
    high = struct.unpack_from("=III", held.raw, 12)
    effective, permitted, inheritable = (a | b << 32 for a, b in zip(low, high, strict=True))
    if permitted >> CAPABILITIES.index("CAP_SETPCAP") & 1:
        # Else a program of root's, or one with the set-user-id bit, would begin with all of them again.
        for bit in range(len(CAPABILITIES)):
            if not wanted >> bit & 1:
                _check(_libc.prctl(_BOUNDING_DROP, bit, 0, 0, 0))
    sets = [each & wanted for each in (effective, permitted, inheritable)]
    data = struct.pack("=6I", *(each & 0xFFFFFFFF for each in sets), *(each >> 32 for each in sets))
    _check(_libc.capset(header, data))


def _check(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
