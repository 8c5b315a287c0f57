"""The eBPF backend with the state of the live machine; imports the backend itself only when needed."""

from __future__ import annotations

from refengine.backends.base import Availability, Connection, Need
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.state.interface_list import read_interfaces
from refengine.state.system import SystemState
from refengine.state.users import read_users


def availability() -> Availability:
    """Return whether the kernel can be watched from here."""
    for need in needs():
        if not need.met:
            return Availability(False, f"{need.name}: {need.found}", need.remedy)
    return Availability(True)


def needs() -> tuple[Need, ...]:
    """Return all that the backend needs, met or not, and what it would be slower without."""
    from refengine.backends.ebpf.needs import check, kept

    return (*check(), kept())


def connect(target: Target) -> Connection:
    """Return the backend for the whole machine.

    :raises BackendError: when the target is something else.
    """
    if target.command or target.pids or target.files or target.address is not None:
        raise BackendError("the ebpf backend watches the whole machine: it takes no command, process or file")
    from refengine.backends.ebpf.backend import EbpfBackend
    from refengine.backends.ebpf.containers import ContainedProcesses
    from refengine.backends.ebpf.probe import RecordProbe
    from refengine.backends.ebpf.tracepoints import tracepoints_of_exits
    from refengine.backends.ebpf.tracker import Tracker

    tracepoints_of_exits()  # while there is the capability for it, which may be given up before they are needed

    # The records tell what a descriptor is at the moment of the event, so that no event is needed to follow it.
    contained = ContainedProcesses()
    probe = RecordProbe(contained)
    state = SystemState(probe, track_descriptors=False, users=read_users(), interfaces=read_interfaces())
    tracker = Tracker(state, probe)
    backend = EbpfBackend(tracker.seed, contained, patience=target.patience)
    return Connection(
        backend,
        tracker.observe,
        lambda: (*backend.warnings(), *probe.warnings()),
        state,
        complete=backend.complete,
    )
