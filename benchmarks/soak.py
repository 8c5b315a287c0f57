"""Whether watching can go on for long: memory, descriptors, threads and drops beside a mixed workload.

    python -m benchmarks.soak --minutes 60 [--rules FILE] [--rate 2000] [--every 30] [--json FILE]

Beside opens at a steady rate, programs are started and threaded, files made, renamed and removed, connections made, and
every few seconds something is done that a rule alerts on. The figures of the monitor are printed as they come; in the
end there is a verdict, which is also the exit code: memory that does not grow after the first quarter of the time, the
same descriptors and threads, no event dropped, an alert for each provocation, and nothing left attached.

Needs root, a C compiler, and what the eBPF backend needs.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.monitor import (
    PATIENCE,
    compiled,
    processor_time,
    program_ids,
    programs_left,
    resident,
    wait_until_attached,
)

OPENER = Path(__file__).with_name("event_rate.c")
QUICKSTART = Path(__file__).resolve().parents[1] / "rules" / "quickstart.yaml"

WARM_UP = 0.25
"""The share of the time after which memory must not grow any more."""
GROWTH_MAX = 2.0
"""Megabytes an hour that memory may grow by all the same: what the allocator needs for a busier moment."""
PROVOKED_EVERY = 5.0

RULES = """
- rule: Soaking
  desc: Every open of the workload is looked at.
  condition: evt.type in (open, openat, openat2) and fd.name startswith {folder}/ and proc.pname = nobody
  output: "%fd.name"
  priority: INFO
- rule: Provoked
  desc: What is done to see that alerts still come.
  condition: evt.type in (open, openat, openat2) and fd.name = {folder}/provocation
  output: "%fd.name"
  priority: INFO
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """The monitor at one moment: seconds since the start, memory in megabytes, processor time since the last sample."""

    at: float
    memory: float
    descriptors: int
    threads: int
    processor: float
    seen: int
    evaluated: int
    dropped: int
    alerts: int


class Workload:
    """Everything that goes on beside the monitor, until it is stopped."""

    def __init__(self, folder: Path, rate: int, seconds: float) -> None:
        self.folder = folder
        self.provoked = 0
        self._stopped = threading.Event()
        opener = compiled(OPENER, folder)
        file = folder / "opened"
        file.write_text("", encoding="utf-8")
        self._opener = subprocess.Popen(
            [opener, file, str(rate), str(seconds + 600)], stdout=subprocess.DEVNULL
        )
        jobs = (
            (0.05, self._start),
            (0.02, self._write),
            (0.05, self._connect),
            (PROVOKED_EVERY, self._provoke),
        )
        self._workers = [threading.Thread(target=self._repeat, args=job) for job in jobs]
        self._server = socket.create_server(("127.0.0.1", 0))
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Stop everything, and wait until it has."""
        self._stopped.set()
        for worker in self._workers:
            worker.join()
        self._opener.terminate()
        self._opener.wait()
        self._server.close()

    def _repeat(self, seconds: float, action: object) -> None:
        assert callable(action)
        while not self._stopped.wait(seconds):
            action()

    def _start(self) -> None:
        subprocess.run(["sh", "-c", "cat /proc/self/stat | wc -c"], stdout=subprocess.DEVNULL, check=True)

    def _write(self) -> None:
        name = self.folder / f"made-{time.monotonic_ns()}"
        name.write_bytes(b"x" * 100)
        name.rename(name.with_suffix(".new"))
        name.with_suffix(".new").unlink()

    def _connect(self) -> None:
        with socket.create_connection(self._server.getsockname()) as near, self._server.accept()[0] as far:
            near.sendall(b"x")
            far.recv(1)
        worker = threading.Thread(target=time.sleep, args=(0.01,))
        worker.start()
        worker.join()

    def _provoke(self) -> None:
        (self.folder / "provocation").write_text("", encoding="utf-8")
        self.provoked += 1


def free_port() -> int:
    """Return the number of a port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Watcher:
    """The monitor, with its figures."""

    def __init__(self, rules: Sequence[Path]) -> None:
        self._port = free_port()
        settings = {
            "webserver.enabled": "true",
            "webserver.listen_address": "127.0.0.1",
            "webserver.listen_port": str(self._port),
            "webserver.prometheus_metrics_enabled": "true",
            "metrics.enabled": "true",
        }
        options = [part for item in settings.items() for part in ("-o", "=".join(item))]
        for path in rules:
            options += ["-r", str(path)]
        command = [sys.executable, "-m", "refengine", "--backend", "ebpf", "-U", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.provoked = 0
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._started = time.monotonic()
        self._spent = 0.0

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.rstrip().endswith("/provocation"):
                self.provoked += 1
            self.said = [*self.said[-40:], line.rstrip()]

    def sample(self) -> Sample:
        """Return the figures of now."""
        pid, spent = self.process.pid, self._spent
        self._spent = processor_time(pid)
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=30) as answer:
            metrics = answer.read().decode()
        return Sample(
            time.monotonic() - self._started,
            resident(pid) / 1024,
            len(list(Path(f"/proc/{pid}/fd").iterdir())),
            len(list(Path(f"/proc/{pid}/task").iterdir())),
            self._spent - spent,
            _counter(metrics, "falcosecurity_scap_n_evts_total"),
            _counter(metrics, "falcosecurity_falco_n_evts_total"),
            _counter(metrics, "falcosecurity_scap_n_drops_total"),
            self.provoked,
        )

    def stop(self) -> tuple[int, float]:
        """Tell it to end; return its exit code and the seconds that took."""
        asked = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self._reader.join()
        return code, time.monotonic() - asked


def _counter(metrics: str, name: str) -> int:
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)", metrics, re.MULTILINE)
    return int(float(found[1])) if found is not None else 0


def slope(samples: Sequence[Sample]) -> float:
    """Return by how many megabytes an hour memory grows: the line with the least squares of distances."""
    count = len(samples)
    if count < 3:
        return 0.0
    mean_at = sum(sample.at for sample in samples) / count
    mean = sum(sample.memory for sample in samples) / count
    spread = sum((sample.at - mean_at) ** 2 for sample in samples)
    return 3600 * sum((sample.at - mean_at) * (sample.memory - mean) for sample in samples) / spread


def verdict(samples: Sequence[Sample], provoked: int, code: int, left: int) -> list[str]:
    """Return what is not as it should be."""
    faults = []
    settled = samples[int(len(samples) * WARM_UP) :]
    last = samples[-1]
    growth = slope(settled)
    hours = (settled[-1].at - settled[0].at) / 3600
    if growth * hours > max(GROWTH_MAX * hours, 1.0):
        faults.append(f"memory grows by {growth:.1f} MB an hour")
    if max(sample.descriptors for sample in settled) > settled[0].descriptors + 2:
        faults.append("descriptors grow in number")
    if max(sample.threads for sample in settled) > settled[0].threads + 2:
        faults.append("threads grow in number")
    if last.dropped:
        faults.append(f"{last.dropped} events were dropped")
    if last.alerts < provoked:
        faults.append(f"of {provoked} provocations {last.alerts} were told of")
    if code:
        faults.append(f"the exit code was {code}")
    if left:
        faults.append(f"{left} programs were left in the kernel")
    return faults


def main() -> None:
    """Soak, and print the figures and the verdict."""
    parser = argparse.ArgumentParser(description="Watch for long, beside a mixed workload.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rules", action="append", type=Path, default=[], help="a rules file (repeat)")
    parser.add_argument("--rate", type=int, default=2000, help="opens a second that are looked at (2000)")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between samples (30)")
    parser.add_argument("--json", type=Path, help="write the samples there")
    options = parser.parse_args()
    seconds = options.minutes * 60
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        rules = folder / "soak.yaml"
        rules.write_text(RULES.format(folder=folder), encoding="utf-8")
        watcher = Watcher([*(options.rules or [QUICKSTART]), rules])
        wait_until_attached(watcher.process)
        time.sleep(2.0)
        workload = Workload(folder, options.rate, seconds)
        try:
            print(
                f"{'s':>6} {'MB':>7} {'fds':>4} {'threads':>7} {'cpu s':>6} {'seen':>11} {'evaluated':>11} "
                f"{'dropped':>8} {'alerts':>7}"
            )
            end = time.monotonic() + seconds
            while time.monotonic() < end and watcher.process.poll() is None:
                time.sleep(max(0.0, min(options.every, end - time.monotonic())))
                found = watcher.sample()
                samples.append(found)
                print(
                    f"{found.at:>6.0f} {found.memory:>7.1f} {found.descriptors:>4} {found.threads:>7} "
                    f"{found.processor:>6.2f} {found.seen:>11} {found.evaluated:>11} {found.dropped:>8} "
                    f"{found.alerts:>7}",
                    flush=True,
                )
        finally:
            workload.stop()
        time.sleep(2.0)
        samples.append(watcher.sample())
        programs = program_ids(watcher.process.pid)
        code, took = watcher.stop()
    left = len(programs_left(programs))
    print("\n".join(line for line in watcher.said if line.startswith("Events ")))
    print(f"ended in {took:.1f} s; memory {slope(samples[int(len(samples) * WARM_UP) :]):+.2f} MB an hour")
    if options.json is not None:
        options.json.write_text(
            json.dumps([asdict(sample) for sample in samples], indent=1), encoding="utf-8"
        )
    faults = verdict(samples, workload.provoked, code, left)
    print("sound" if not faults else "\n".join(f"not sound: {fault}" for fault in faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
