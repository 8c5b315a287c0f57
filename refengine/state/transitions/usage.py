"""Sizes of memory and times on the processor, which some events carry along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.threads import Thread
from refengine.state.transitions.params import integer

if TYPE_CHECKING:
    from refengine.state.system import SystemState


def map_memory(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the sizes after `brk`, `mmap` or `munmap`, for the thread alone that made the call."""
    _note_sizes(event, thread)


def switch(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the page faults of the thread that leaves a processor, and the sizes of its process."""
    major, minor = integer(event, "pgft_maj"), integer(event, "pgft_min")
    if major is not None and minor is not None:
        thread.pfmajor, thread.pfminor = major, minor
    _note_sizes(event, thread.main or thread)


def account(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the times that a thread has been on the processor: `procinfo`."""
    user, system = integer(event, "cpu_usr"), integer(event, "cpu_sys")
    if user is not None and system is not None:
        thread.previous_cpu_user, thread.previous_cpu_system = thread.cpu_user, thread.cpu_system
        thread.cpu_user, thread.cpu_system = user, system


def _note_sizes(event: Event, thread: Thread) -> None:
    size, resident, swapped = integer(event, "vm_size"), integer(event, "vm_rss"), integer(event, "vm_swap")
    if size is not None and resident is not None and swapped is not None:
        thread.vmsize, thread.vmrss, thread.vmswap = size, resident, swapped
