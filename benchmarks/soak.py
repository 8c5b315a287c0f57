"""Whether watching can go on for long: memory, descriptors, threads, drops and alerts beside a mixed workload.

    python -m benchmarks.soak [--seconds 3600] [--rules FILE] [--rate 500] [--json FILE]

Files are opened, renamed and removed, programs started, threads and connections made; processes live long, and what
looks like containers comes and goes. Each of these things has a number, and a rule tells of every one of them. Besides, a
file is opened at a steady rate that the rules look at and no rule tells of.

The figures of the monitor are printed every minute, in the end a summary as JSON, and the verdict, which is the exit
code as well: 0 when memory, objects, descriptors and threads did not grow after the first quarter of the time, no event
was dropped, each alert came once, and nothing was left in the kernel; 1 when not; 77 where the backend cannot run. Needs
root, a C compiler, and what the eBPF backend needs.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.growth import STRETCHES, Growth
from benchmarks.monitor import compiled, program_ids, programs_left
from benchmarks.soak_rules import RULES, alerts
from benchmarks.soak_verdict import Sample, growing, lost, settled, trend
from benchmarks.soak_watcher import Watcher
from benchmarks.soak_workload import Workload
from refengine.backends.registry import availability

OPENER = Path(__file__).with_name("event_rate.c")
QUICKSTART = Path(__file__).resolve().parents[1] / "rules" / "quickstart.yaml"
CANNOT_RUN = 77
SAMPLES = 180
"""How many samples are taken at least every five seconds."""

FIGURES: dict[str, Callable[[Sample], float]] = {
    "private_mb": lambda sample: sample.private,
    "resident_mb": lambda sample: sample.resident,
    "objects": lambda sample: sample.objects,
    "known_threads": lambda sample: sample.known_threads,
    "known_descriptors": lambda sample: sample.known_descriptors,
}
"""What the summary tells the growth of."""

COLUMNS = (
    f"{'s':>6} {'private':>8} {'resident':>8} {'objects':>8} {'fds':>4} {'threads':>7} {'cpu s':>7} {'seen':>11} "
    f"{'evaluated':>10} {'dropped':>8} {'alerts':>8}"
)


def row(sample: Sample) -> str:
    """Return a line of the table."""
    return (
        f"{sample.at:>6.0f} {sample.private:>8.2f} {sample.resident:>8.2f} {sample.objects:>8} {sample.open:>4} "
        f"{sample.threads:>7} {sample.processor:>7.2f} {sample.seen:>11} {sample.evaluated:>10} {sample.dropped:>8} "
        f"{sample.alerts:>8}"
    )


def watch(watcher: Watcher, seconds: float) -> list[Sample]:
    """Take samples for so many seconds, and print one a minute."""
    samples: list[Sample] = []
    begin = time.monotonic()
    minutes = 1
    while (passed := time.monotonic() - begin) < seconds and watcher.process.poll() is None:
        time.sleep(min(max(5.0, seconds / SAMPLES), seconds - passed))
        samples.append(watcher.sample())
        if time.monotonic() - begin >= 60 * minutes:
            print(row(samples[-1]), flush=True)
            minutes += 1
    return samples


def summary(samples: Sequence[Sample]) -> dict[str, object]:
    """Return by how much each figure grew after the warm-up, likely and certainly, and the last sample."""
    after = settled(samples)
    growth: dict[str, object] = {}
    for name, figure in FIGURES.items():
        change = trend(after, figure)
        growth[name] = {
            "an_hour": _rounded(change.hourly),
            "a_million_events": _rounded(change.by_million),
            "rise": round(change.rise, 2),
        }
    return {"growth": growth, "last": asdict(samples[-1])}


def _rounded(growth: Growth) -> dict[str, float]:
    return {"likely": round(growth.likely, 2), "certain": round(growth.certain, 2)}


def soak(rules: Sequence[Path], rate: int, seconds: float) -> tuple[list[Sample], list[str]]:
    """Return the samples, and what was not as it should be besides what grew."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name, socket.create_server(("", 0)) as server:
        folder = Path(name)
        own = folder / "soak.yaml"
        own.write_text(RULES.format(folder=folder, port=server.getsockname()[1]), encoding="utf-8")
        opener = compiled(OPENER, folder)
        with Watcher([*rules, own]) as watcher:
            with Workload(folder, server, opener, rate, seconds + 60) as workload:
                samples = watch(watcher, seconds)
                done = workload.stop()
            if watcher.process.poll() is not None:
                return samples, [*done.errors, f"the monitor ended: {list(watcher.said)[-5:]}"]
            expected = set(alerts(done.counts))
            watcher.wait_for(expected)
            samples.append(watcher.sample())
            programs = program_ids(watcher.process.pid)
            code, took = watcher.stop()
    print(row(samples[-1]))
    missing = len(expected - watcher.told.keys())
    print(f"done: {dict(done.counts)}; {missing} alerts missing; ended in {took:.1f} s")
    faults = [*done.errors, *lost(expected, watcher.told, samples[-1].dropped)]
    if code:
        faults.append(f"the exit code was {code}")
    left = programs_left(programs)
    if left:
        faults.append(f"{len(left)} programs were left in the kernel")
    return samples, faults


def main() -> None:
    """Soak, and print the figures, the summary and the verdict."""
    parser = argparse.ArgumentParser(description="Watch for long, beside a mixed workload.")
    parser.add_argument("--seconds", type=float, default=600.0, help="for how long (600)")
    parser.add_argument(
        "--rules", action="append", type=Path, default=[], help="a rules file (repeat; the quickstart's)"
    )
    parser.add_argument("--rate", type=int, default=500, help="opens a second that no rule tells of (500)")
    parser.add_argument("--json", type=Path, help="write the samples there")
    options = parser.parse_args()
    found = availability("ebpf")
    if not found.available:
        print(f"the soak cannot run here: {found.reason}; {found.remedy}")
        sys.exit(CANNOT_RUN)
    # The monitor and the workload are not to go on without this program.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    print(COLUMNS, flush=True)
    samples, faults = soak(options.rules or [QUICKSTART], options.rate, options.seconds)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(sample) for sample in samples], indent=1), "utf-8")
    faults = [*growing(samples), *faults]
    if len(settled(samples)) >= STRETCHES:
        print(json.dumps(summary(samples), indent=1))
    print("sound" if not faults else "\n".join(f"not sound: {fault}" for fault in faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
