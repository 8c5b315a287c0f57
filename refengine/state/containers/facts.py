"""What a runtime knows of a container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Mount(NamedTuple):
    """Something of the machine that the container sees at `destination`."""

    source: str
    destination: str
    mode: str = ""
    writable: bool = True
    propagation: str = ""

    def __str__(self) -> str:
        writable = "true" if self.writable else "false"
        return f"{self.source}:{self.destination}:{self.mode}:{writable}:{self.propagation}"


class Image(NamedTuple):
    """An image: the `name` that it was asked for by, its `id` without the word before, and the parts of the name."""

    name: str = ""
    id: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod of Kubernetes that a container belongs to; empty texts are unknown."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    sandbox_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ip: str = ""
    cni: str = ""


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """What a runtime says of a container; empty texts and None are unknown.

    `started` is in nanoseconds since the epoch. `health_check` is the command that checks its health.
    """

    kind: str
    name: str = ""
    image: Image = field(default_factory=Image)
    privileged: bool | None = None
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    started: int | None = None
    ip: str = ""
    host_pid: bool | None = None
    host_network: bool | None = None
    host_ipc: bool | None = None
    health_check: tuple[str, ...] = ()
    pod: Pod | None = None


def image_of(name: str, id: str = "", digest: str = "") -> Image:
    """Return the image of a name as in `host:5000/path/name:tag@sha256:digits`; a tag left out means `latest`."""
    repository, _, named = name.partition("@")
    before, colon, tag = repository.rpartition(":")
    if colon and "/" not in tag:
        repository = before
    else:
        tag = "" if named else "latest"
    return Image(name, id.rpartition(":")[2], repository, tag, named or digest)


_NAME, _NAMESPACE, _UID = (f"io.kubernetes.pod.{part}" for part in ("name", "namespace", "uid"))
"""The labels by which kubelets say the pod of a container."""


def pod_of(labels: Mapping[str, str], sandbox_id: str = "") -> Pod | None:
    """Return the pod that labels of a container tell, None where they tell none."""
    if not any(key in labels for key in (_NAME, _NAMESPACE, _UID)):
        return None
    return Pod(labels.get(_NAME, ""), labels.get(_NAMESPACE, ""), labels.get(_UID, ""), sandbox_id=sandbox_id)
