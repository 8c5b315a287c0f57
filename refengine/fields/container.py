"""The container that the process runs in (`container.*`), as far as its control groups tell.

What only a container runtime knows, names and images and mounts, is absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.evt import absent
from refengine.fields.extractor import Extractor, plain
from refengine.state.containers import HOST, short_container_id

_KINDS: Mapping[str, str] = {
    "libpod": "podman",
    "crio": "cri-o",
    "containerd": "containerd",
    "docker": "docker",
}
"""The part of a control group's path that gives a container's kind away, and the kind."""


def container_id(event: Event) -> str | None:
    """`container.id`: the first twelve digits of the id, `host` outside of any container."""
    if event.thread is None:
        return None
    full = event.thread.container()
    return HOST if full is None else short_container_id(full)


def full_id(event: Event) -> str | None:
    """`container.full_id`: all digits of the id, `host` outside of any container."""
    if event.thread is None:
        return None
    return event.thread.container() or HOST


def name(event: Event) -> str | None:
    """`container.name`: `host` outside of any container."""
    return _host_only(event)


def kind(event: Event) -> str | None:
    """`container.type`: the runtime that made the container, `host` outside of any."""
    thread = event.thread
    if thread is None:
        return None
    if thread.container() is None:
        return HOST
    for _, path in thread.cgroups:
        for mark, found in _KINDS.items():
            if mark in path:
                return found
    return None


def is_probe(event: Event) -> bool | None:
    """`proc.is_container_healthcheck` and its like: false, as no container's checks are known."""
    return None if event.thread is None else False


def _host_only(event: Event) -> str | None:
    thread = event.thread
    return HOST if thread is not None and thread.container() is None else None


_RUNTIME_ONLY = (
    "container.image",
    "container.image.id",
    "container.privileged",
    "container.mounts",
    "container.mount",
    "container.mount.source",
    "container.mount.dest",
    "container.mount.mode",
    "container.mount.rdwr",
    "container.mount.propagation",
    "container.image.repository",
    "container.image.tag",
    "container.image.digest",
    "container.healthcheck",
    "container.liveness_probe",
    "container.readiness_probe",
    "container.start_ts",
    "container.duration",
    "container.ip",
    "container.cni.json",
    "container.host_pid",
    "container.host_network",
    "container.host_ipc",
    "container.label",
    "container.labels",
)

EXTRACTORS: Mapping[str, Extractor] = {
    "container.id": plain(container_id),
    "container.full_id": plain(full_id),
    "container.name": plain(name),
    "container.type": plain(kind),
    **{field: plain(absent) for field in _RUNTIME_ONLY},
    "proc.is_container_healthcheck": plain(is_probe),
    "proc.is_container_liveness_probe": plain(is_probe),
    "proc.is_container_readiness_probe": plain(is_probe),
}
