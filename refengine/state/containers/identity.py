"""The container that a process runs in, as the paths of its control groups tell it.

Only the forms that runtimes are known to make are taken for containers. Long hexadecimal names alone prove nothing:
whoever starts processes may name control groups so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

HOST: Final = "host"
"""The id of what runs in no container."""

KUBERNETES: Final = "kubernetes"
"""The kind of a container that Kubernetes has had made by a runtime that the path does not name."""

_NAMING = frozenset({"lxc", "libvirt-lxc", "systemd-nspawn"})
_SHORT = 12
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")

_NAMED = re.compile(
    r"(?:.*:)?(docker|libpod|crio|cri-containerd|containerd|nerdctl)[-:]([0-9a-f]{64})(?:\.scope)?", re.DOTALL
)
"""A control group whose name says the runtime and the id, as systemd and CRI-O have them."""

_KINDS: Final = {
    "docker": "docker",
    "libpod": "podman",
    "crio": "cri-o",
    "cri-containerd": "containerd",
    "containerd": "containerd",
    "nerdctl": "containerd",
}
"""The words that runtimes are named with in paths, and the kinds of containers that they make."""

_FOLDERS: Final = {
    "docker": "docker",
    "libpod": "podman",
    "libpod_parent": "podman",
    "crio": "cri-o",
    "containerd": "containerd",
    "nerdctl": "containerd",
    "k8s.io": "containerd",
    "default": "containerd",
    "garden": "garden",
    "buildkit": "buildkit",
}
"""Control groups in which runtimes make one for each container, named with its id."""

_CONTAINERD_NAMESPACES = re.compile(r"/(?:k8s\.io|default)/([^/]+)(?:/.*)?", re.DOTALL)
"""The control groups of containers that containerd was asked for directly, which may have any name."""

_LXC = re.compile(r"(?:.*/)?lxc(?:\.payload[./]|/)([^/]+)(?:/.*)?", re.DOTALL)
_NSPAWN = re.compile(r".*/(?:machine-([^/]+)\.scope|systemd-nspawn@([^/]+)\.service)(?:/.*)?", re.DOTALL)
_VIRTUAL_MACHINE = "qemu-"
_LIBVIRT_LXC = re.compile(r"lxc-\d+-(.+)", re.DOTALL)
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class ContainerId:
    """A container: its full `id`, the `kind` of its runtime, and the path of its control group.

    The id has 64 hexadecimal digits, or is the name where the runtime identifies its containers so.
    """

    id: str
    kind: str
    cgroup: str

    @property
    def is_named(self) -> bool:
        """True where the id is the name that the container was given, and there is no runtime to ask for another."""
        return self.kind in _NAMING

    @property
    def short(self) -> str:
        """The first twelve digits, by which people call a container; a name is not shortened."""
        return self.id[:_SHORT] if _HEXADECIMAL.fullmatch(self.id) else self.id


def container_of(cgroups: Iterable[tuple[str, str]]) -> ContainerId | None:
    """Return the container that these control groups, pairs of subsystem and path, belong to; None for the host."""
    for _, path in cgroups:
        if len(path) > 5:
            found = _in_path(path)
            if found is not None:
                return found
    return None


def _in_path(path: str) -> ContainerId | None:
    """Return the innermost container on a path."""
    folders = path.split("/")
    for depth in range(len(folders) - 1, 0, -1):
        name = folders[depth]
        if len(name) < 64:
            continue
        found = _NAMED.fullmatch(name)
        if found is not None:
            return ContainerId(found[2], _KINDS[found[1]], path)
        if _HEXADECIMAL.fullmatch(name):
            kind = _kind_of_folder(folders[1:depth])
            if kind is not None:
                return ContainerId(name, kind, path)
    return _by_name(path)


def _kind_of_folder(folders: list[str]) -> str | None:
    for folder in reversed(folders):
        if folder in _FOLDERS:
            return _FOLDERS[folder]
        if folder.startswith("kubepods"):
            return KUBERNETES
    return None


def _by_name(path: str) -> ContainerId | None:
    """Return the container of a runtime that calls its containers by name."""
    found = _CONTAINERD_NAMESPACES.fullmatch(path)
    if found is not None:
        return ContainerId(found[1], "containerd", path)
    found = _NSPAWN.fullmatch(path)
    if found is not None:
        name = _ESCAPED.sub(lambda digits: chr(int(digits[1], 16)), found[1] or found[2])
        if name.startswith(_VIRTUAL_MACHINE):
            return None
        libvirt = _LIBVIRT_LXC.fullmatch(name)
        if libvirt is not None:
            return ContainerId(libvirt[1], "libvirt-lxc", path)
        return ContainerId(name, "systemd-nspawn", path)
    found = _LXC.fullmatch(path)
    return None if found is None else ContainerId(found[1], "lxc", path)
