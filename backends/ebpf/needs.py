"""What the backend needs of the machine, each with how to get it where it is missing."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from refengine.backends.base import Need
from refengine.backends.ebpf.btf import KERNEL_TYPES
from refengine.backends.ebpf.cache import VARIABLE, Cache, CacheError, folder_of
from refengine.backends.ebpf.library import NAME, find_library
from refengine.state.procfs import is_first_namespace

_CAP_SYS_ADMIN: Final = 21
_OLDEST: Final = (5, 15)
_CAPABILITIES: Final = {
    "CAP_SYS_PTRACE": (19, "to read the processes that are there already"),
    "CAP_PERFMON": (38, "to attach programs to tracepoints"),
    "CAP_BPF": (39, "to load programs"),
}


def check() -> Iterator[Need]:
    """Yield every need, in the order in which they matter."""
    yield _system()
    yield _kernel()
    yield _types()
    yield _capabilities()
    yield _processes()
    yield _compiler()


def _system() -> Need:
    system, machine = platform.system(), platform.machine()
    met = sys.platform.startswith("linux") and machine == "x86_64"
    return Need(
        "system",
        met,
        f"{system} on {machine}",
        "" if met else "watch from Linux on x86-64, or replay a capture",
    )


def _kernel() -> Need:
    release = platform.release()
    digits = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdecimal())
    met = digits >= _OLDEST
    return Need("kernel", met, f"version {release}", "" if met else "use a kernel of version 5.15 or later")


def _types() -> Need:
    try:
        with KERNEL_TYPES.open("rb") as file:
            met = file.read(2) == b"\x9f\xeb"
    except OSError as error:
        return Need(
            "kernel types (BTF)",
            False,
            f"{KERNEL_TYPES}: {error.strerror or error}",
            "use a kernel that is built with CONFIG_DEBUG_INFO_BTF, and mount /sys",
        )
    remedy = "" if met else "use a kernel whose byte order is this machine's"
    return Need("kernel types (BTF)", met, f"{KERNEL_TYPES}", remedy)


def _processes() -> Need:
    met = is_first_namespace()
    return Need(
        "processes",
        met,
        "those of the whole machine" if met else "only those of a PID namespace are in /proc here",
        ""
        if met
        else "run it outside of containers, or in one with the host's processes: --pid=host, hostPID: true",
    )


def _capabilities() -> Need:
    held = 0
    try:
        for line in Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("CapEff:"):
                held = int(line.split()[1], 16)
    except OSError:
        pass
    missing = [f"{name} {purpose}" for name, (bit, purpose) in _CAPABILITIES.items() if not held >> bit & 1]
    if missing:
        return Need(
            "capabilities",
            False,
            f"there is no {', no '.join(missing)}",
            "run as root, or with these capabilities",
        )
    found = ", ".join(_CAPABILITIES)
    if not held >> _CAP_SYS_ADMIN & 1:
        found += "; without CAP_SYS_ADMIN one program watches the exits of all system calls, which costs others more"
    return Need("capabilities", True, found)


def _compiler() -> Need:
    path = find_library()
    if path is not None:
        return Need("bcc", True, str(path))
    return Need(
        "bcc",
        False,
        f"the library {NAME} is not installed",
        "install the system package libbpfcc (Debian, Ubuntu), or bcc (Fedora); it is on no package index",
    )


def kept() -> Need:
    """Return what is kept of earlier starts, without which the backend can do."""
    folder = folder_of(os.environ)
    name, slower = "compiled programs", "each start compiles them anew, which takes most of a second"
    try:
        contents = Cache(folder).contents()
    except CacheError as error:
        return Need(name, True, f"{folder} is not used: {error}; {slower}")
    if contents is None:
        return Need(name, True, f"none are kept, as {VARIABLE} is empty; {slower}")
    return Need(name, True, f"{folder}: {contents.parts} parts, {contents.size + 1023 >> 10} kB")
