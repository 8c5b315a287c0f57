"""The decode tables: one decoder a system call, from registers and memory to the event's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from refengine.backends.syscalls.call import Decoder
from refengine.backends.syscalls.decode import (
    data,
    files,
    identity,
    kernel,
    memory,
    network,
    objects,
    processes,
)

DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {
        **files.DECODERS,
        **data.DECODERS,
        **network.DECODERS,
        **identity.DECODERS,
        **processes.DECODERS,
        **memory.DECODERS,
        **objects.DECODERS,
        **kernel.DECODERS,
    }
)
"""The decoder of each system call by its name; `execve` and the `clone` family are made by `lifecycle`."""

__all__ = ["DECODERS"]
