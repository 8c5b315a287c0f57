"""What the program uses of the machine, and what else is going on there, from `/proc`."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from refengine.service.metrics import Group, Metric, gauge

_PROC: Final = Path("/proc")
_KILOBYTES = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)
_CGROUP_MEMORY: Final = (
    Path("/sys/fs/cgroup/memory.current"),
    Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def resource_metrics() -> Iterator[Metric]:
    """Yield the metrics; what cannot be read here is left out."""

    def used(name: str, help: str, value: float | None, group: Group = Group.RESOURCES) -> Iterator[Metric]:
        if value is not None:
            yield gauge(f"falcosecurity_falco_{name}", group, help, value)

    status, rollup = _kilobytes("self/status"), _kilobytes("self/smaps_rollup")
    memory = _kilobytes("meminfo")
    yield from used(
        "cpu_usage_ratio", "Processor time used, as a share of the time since the start.", _own_share()
    )
    yield from used("memory_rss_bytes", "Memory resident.", status.get("VmRSS"))
    yield from used("memory_vsz_bytes", "Address space.", status.get("VmSize"))
    yield from used("memory_pss_bytes", "Memory resident, shared pages by share.", rollup.get("Pss"))
    yield gauge(
        "refengine_memory_blocks",
        Group.RESOURCES,
        "Blocks of memory that objects have.",
        sys.getallocatedblocks(),
    )
    yield from used("container_memory_used_bytes", "Memory of the control group.", _container_memory())
    yield from used("host_num_cpus_total", "Processors of the machine.", os.cpu_count(), Group.PROGRAM)
    if "MemTotal" in memory and "MemAvailable" in memory:
        yield from used(
            "host_memory_used_bytes", "Memory in use.", memory["MemTotal"] - memory["MemAvailable"]
        )
    yield from used(
        "host_cpu_usage_ratio", "Processor time in use since the machine started, as a share.", _host_share()
    )
    yield from used("host_procs_running_total", "Processes that run or could.", _running())
    yield from used("host_open_fds_total", "Files that are open.", _open_files())
    yield from used(
        "host_boot_timestamp_nanoseconds",
        "When the machine started, since the epoch.",
        _boot(),
        Group.PROGRAM,
    )


def _text(name: str) -> str:
    try:
        return (_PROC / name).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _kilobytes(name: str) -> dict[str, int]:
    """Return the sizes in a table of `/proc`, in bytes."""
    return {key: int(size) * 1024 for key, size in _KILOBYTES.findall(_text(name))}


def _container_memory() -> int | None:
    for path in _CGROUP_MEMORY:
        try:
            return int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return None


def _own_share() -> float | None:
    fields = _text("self/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return None
    begun = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    times = os.times()
    return (times.user + times.system) / max(time.clock_gettime(time.CLOCK_BOOTTIME) - begun, 0.01)


def _host_share() -> float | None:
    fields = [int(field) for field in _text("stat").partition("\n")[0].split()[1:9]]
    if len(fields) < 5 or not sum(fields):
        return None
    return 1 - (fields[3] + fields[4]) / sum(fields)  # idle, and waiting for disks


def _running() -> int | None:
    found = re.search(r"^procs_running (\d+)$", _text("stat"), re.MULTILINE)
    return None if found is None else int(found[1])


def _open_files() -> int | None:
    fields = _text("sys/fs/file-nr").split()
    return int(fields[0]) if fields else None


def _boot() -> int | None:
    found = re.search(r"^btime (\d+)$", _text("stat"), re.MULTILINE)
    return None if found is None else int(found[1]) * 1_000_000_000
