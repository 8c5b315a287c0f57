"""Addresses at which nobody else listens, for programs under test that are told where to listen."""

from __future__ import annotations

import itertools
import os
from typing import Final

_FIRST = 20_000  # below the ports that the kernel gives to those who name none

HOST: Final = f"127.{64 + (os.getpid() >> 16)}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
"""A loopback address that this process has for itself, while it lives."""

_ports = itertools.count(_FIRST)


def own_port() -> int:
    """Return a port at `HOST` that was not returned before."""
    return next(_ports)
