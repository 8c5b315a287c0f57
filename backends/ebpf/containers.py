"""The kernel side's set of the processes that may be in containers, as far as `/proc` has to tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from refengine.backends.ebpf import binding

_COMPLETE, _OVERFULL = 0, 1
_YES: Final = (1).to_bytes(4, "little")


class ContainedProcesses:
    """Marks processes for the kernel side, which takes all others for ones of the host once the set is complete.

    It marks what is born or executed in a container by itself.
    """

    def __init__(self) -> None:
        self._maps: tuple[int, int] | None = None

    def use(self, descriptors: Mapping[str, int]) -> None:
        """Fill the maps of a kernel side that has been loaded from now on."""
        self._maps = descriptors["contained"], descriptors["containers"]

    def add(self, pid: int) -> None:
        """Mark a process."""
        if self._maps is not None:
            contained, containers = self._maps
            try:
                binding.update_map(contained, pid, b"\1")
            except OSError:
                # There is no room: from now on any process may be in a container.
                binding.update_map(containers, _OVERFULL, _YES)

    def complete(self) -> None:
        """Tell the kernel side that all processes of containers that were there have been marked."""
        if self._maps is not None:
            binding.update_map(self._maps[1], _COMPLETE, _YES)

    def leave(self) -> None:
        """Let go of the maps."""
        self._maps = None
