"""Programs that watch the machine while a benchmark works: started, waited for, and asked what they cost."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.readiness import Readiness

PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_BPF, _PROGRAM_BY_ID = 321, 13
_PROGRAM_ID = re.compile(r"^prog_id:\s*(\d+)", re.MULTILINE)
_PRIVATE = re.compile(r"^(?:Private_Dirty|Swap):\s+(\d+)", re.MULTILINE)
_COUNTERS = re.compile(r"^Events (detected|seen|evaluated|dropped): (\d+)", re.MULTILINE)


@dataclass(slots=True)
class Monitor:
    """A program that watches the machine. Without a command there is none.

    It `says` when it is ready as to a service manager, and when all is in place that makes events cheaper; one that does not is taken to be ready when it has attached to
    the kernel. `counters` are those of its last run: alerts `detected`, events `seen`, `evaluated` and `dropped`.
    `dropped` adds up over all runs, `resident` is the most memory at an end in kilobytes, `left` the seconds that the
    last end took.
    """

    name: str
    command: Sequence[str | Path] = ()
    says: bool = True
    dropped: int = 0
    resident: int = 0
    left: float = 0.0
    counters: dict[str, int] = field(default_factory=dict)

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Have it watch while the body runs; give its process id, 0 for none."""
        if not self.command:
            yield 0
            return
        with tempfile.TemporaryFile("w+") as output, Readiness() as readiness:
            environment = {**os.environ, **readiness.environment}
            process = subprocess.Popen(self.command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            try:
                if self.says:
                    readiness.wait(process)
                    readiness.wait_until_complete(process)  # what it loads meanwhile is no cost of events
                else:
                    _wait_until_attached(process)
                    time.sleep(1.0)  # the processes that are there already are taken in after that
                yield process.pid
                if process.poll() is None:
                    self.resident = max(self.resident, resident(process.pid))
            finally:
                asked = time.monotonic()
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE)
                self.left = time.monotonic() - asked
                output.seek(0)
                self.counters = {name: int(count) for name, count in _COUNTERS.findall(output.read())}
                self.dropped += self.counters.get("dropped", 0)


def _wait_until_attached(process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"the monitor ended: {process.args!r}")
        if _is_attached(process.pid):
            return
        time.sleep(0.05)
    raise RuntimeError("the monitor has not attached to anything")


def _is_attached(pid: int) -> bool:
    links = [_link(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return any("perf_event" in link or "bpf_link" in link or "bpf-raw" in link for link in links)


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def program_ids(pid: int) -> set[int]:
    """Return the numbers of the BPF programs that a process has descriptors of."""
    found: set[int] = set()
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            found.update(map(int, _PROGRAM_ID.findall(entry.read_text(encoding="ascii"))))
    return found


def programs_left(ids: Iterable[int]) -> set[int]:
    """Return those of the BPF programs that are still in the kernel, which lets go of them a moment after their end."""
    left = set(ids)
    limit = time.monotonic() + PATIENCE
    while left and time.monotonic() < limit:
        left = {id for id in left if _is_loaded(id)}
        if left:
            time.sleep(0.1)
    return left


def _is_loaded(id: int) -> bool:
    attributes = ctypes.create_string_buffer(struct.pack("=I", id), 128)
    descriptor = ctypes.CDLL(None).syscall(_BPF, _PROGRAM_BY_ID, attributes, 128)
    if descriptor < 0:
        return False
    os.close(descriptor)
    return True


def processor_time(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    columns = text[text.rfind(")") + 2 :].split()
    return (int(columns[11]) + int(columns[12])) / _TICKS


def resident(pid: int) -> int:
    """Return the resident memory of a process in kilobytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found is not None else 0


def private(pid: int) -> int:
    """Return the memory in kilobytes that a process shares with nobody and that the system cannot take back."""
    sizes = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(size) for size in _PRIVATE.findall(sizes))


def compiled(source: Path, folder: Path) -> Path:
    """Return the program that a C file is compiled to."""
    program = folder / source.stem
    subprocess.run(["gcc", "-O2", "-o", program, source], check=True)
    return program
