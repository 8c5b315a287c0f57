"""Sizes of a process's memory, which some events carry along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.threads import Thread
from refengine.state.transitions.params import integer

if TYPE_CHECKING:
    from refengine.state.system import SystemState


def map_memory(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the sizes after `brk`, `mmap` or `munmap`; they are the process's."""
    process = thread.main or thread
    size, resident, swapped = integer(event, "vm_size"), integer(event, "vm_rss"), integer(event, "vm_swap")
    if size is not None and resident is not None and swapped is not None:
        process.vmsize, process.vmrss, process.vmswap = size, resident, swapped


def switch(state: SystemState, event: Event, thread: Thread) -> None:
    """Note sizes and page faults of the thread that leaves a processor."""
    major, minor = integer(event, "pgft_maj"), integer(event, "pgft_min")
    if major is not None and minor is not None:
        thread.pfmajor, thread.pfminor = major, minor
    map_memory(state, event, thread)
