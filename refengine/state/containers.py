"""Container ids, as the paths of control groups tell them."""

from __future__ import annotations

import re

HOST = "host"
"""The id of what runs in no container."""

_ID = re.compile(
    r"(?:^|/)(?:docker|libpod|crio|cri-containerd|containerd|kubepods|kubepods\.slice|nerdctl|garden|buildkit)"
    r"(?:[^/]*/)*?(?:docker-|libpod-|crio-|cri-containerd-|nerdctl-)?([0-9a-f]{64})(?:\.scope)?(?:/|$)"
)
_SCOPE = re.compile(r"/(?:docker|libpod|crio|cri-containerd|nerdctl)-([0-9a-f]{64})\.scope(?:/|$)")
_SHORT = 12


def full_container_id(cgroups: tuple[tuple[str, str], ...]) -> str | None:
    """Return the 64 hexadecimal digits of the container that these control groups belong to, None for the host.

    Known are the paths that docker, podman, CRI-O, containerd and Kubernetes make.
    """
    for _, path in cgroups:
        if len(path) > 64:
            found = _SCOPE.search(path) or _ID.search(path)
            if found is not None:
                return found[1]
    return None


def short_container_id(full: str) -> str:
    """Return the first twelve digits, by which people call a container."""
    return full[:_SHORT]
