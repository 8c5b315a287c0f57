"""Options that Falco had in earlier versions, and refuses since: what to write, or to know, instead.

They still stand in scripts and manifests that people bring along.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_CONTAINERS: Final = (
    "containers are asked for by themselves; other sockets stand in the settings of the plugin 'container'"
)
_KUBERNETES: Final = "fields of pods come from the container runtime, and the API server is not asked"
_STATISTICS: Final = "write -o metrics.enabled=true -o metrics.output_file=FILE"
_FOREGROUND: Final = "it stays in the foreground, as service managers want it"
_ENGINE: Final = "write --backend ebpf"

FORMER_OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "-A": "which system calls are watched follows from the rules",
        "-b": "write -o buffer_format_base64=true",
        "--print-base64": "write -o buffer_format_base64=true",
        "-S": "buffers are kept as long as rules need them",
        "--snaplen": "buffers are kept as long as rules need them",
        "-s": _STATISTICS,
        "--stats-interval": "write -o metrics.enabled=true -o metrics.interval=TIME",
        "-d": _FOREGROUND,
        "--daemon": _FOREGROUND,
        "-u": "write --backend ptrace",
        "--userspace": "write --backend ptrace",
        "--modern-bpf": _ENGINE,
        "--cri": _CONTAINERS,
        "--disable-cri-async": _CONTAINERS,
        "-k": _KUBERNETES,
        "--k8s-api": _KUBERNETES,
        "-K": _KUBERNETES,
        "--k8s-api-cert": _KUBERNETES,
        "--k8s-node": _KUBERNETES,
    }
)


def instead_of(word: str) -> str | None:
    """Return what to do instead of an option that there is no more, with its value or without; None for any other word."""
    name = word.partition("=")[0] if word.startswith("--") else word[:2]
    return FORMER_OPTIONS.get(name)
