"""How fast file events are drained by fanotify, and whether any are lost: `python -m benchmarks.fanotify_drain`.

A child process writes many files, one after another: opens one, writes a byte, closes it. As root the whole machine is
watched, else the folder. Three rates are given: that of the writer; that of the reader while the writer runs, in
file events a second of its own processor time; and what is left when the rules of a file are evaluated on them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from refengine.backends.base import Backend, Connection, Interest, Statistics
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.engine import Engine
from refengine.interest import interest_of
from refengine.rulefile.loader import load

WRITER = """
import os, sys
folder, count, names = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.stdin.readline()
for number in range(count):
    descriptor = os.open(f"{folder}/{number % names}", os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"x")
    os.close(descriptor)
"""

QUIET = 1.0
"""Seconds without an open of the writer's after which the reader has seen everything."""


@dataclass(frozen=True)
class Run:
    """What one run measured; times in seconds."""

    writes: int
    written_in: float
    drained_in: float
    processor: float
    opens: int
    alerts: int
    statistics: Statistics


def drain(connection: Connection, interest: Interest, engine: Engine | None, count: int, names: int) -> Run:
    """Have a child write while the backend is read to the end of it."""
    with tempfile.TemporaryDirectory() as folder:
        backend: Backend = connection.backend
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, str(count), str(names)], stdin=subprocess.PIPE
        )
        assert writer.stdin is not None
        backend.open(interest)
        try:
            ready = time.perf_counter() + QUIET
            while time.perf_counter() < ready:
                backend.read(0.2)
            opens = alerts = 0
            before = backend.statistics().seen
            start, processor = time.perf_counter(), time.process_time()
            writer.stdin.write(b"\n")
            writer.stdin.close()
            written_in = 0.0
            quiet_since = start
            while not written_in or time.perf_counter() - quiet_since < QUIET:
                events = backend.read(0.2)
                if not written_in and writer.poll() is not None:
                    written_in = time.perf_counter() - start
                for event in events or ():
                    connection.observe(event)
                    if event.name == "openat" and str(event.param("name")).startswith(folder):
                        quiet_since = time.perf_counter()
                        opens += 1
                    if engine is not None:
                        alerts += len(engine.process(event))
            drained_in, processor = quiet_since - start, time.process_time() - processor
            statistics = backend.statistics()
            statistics.seen -= before
        finally:
            backend.close()
            writer.wait()
    return Run(count, written_in, drained_in, processor, opens, alerts, statistics)


def show(title: str, run: Run) -> None:
    """Print the figures of a run."""
    statistics = run.statistics
    lost = ", ".join(f"{cause}: {number}" for cause, number in statistics.dropped.items())
    print(title)
    print(
        f"  writer       {run.writes:>9,} files in {run.written_in:6.2f} s, {run.writes / run.written_in:>9,.0f}/s"
    )
    print(
        f"  file events  {statistics.seen:>9,} in {run.drained_in:6.2f} s, {statistics.seen / run.drained_in:>9,.0f}/s"
    )
    print(
        f"  reader       {run.processor:9.2f} s on the processor, {statistics.seen / run.processor:,.0f} events/s of it"
    )
    print(f"  opens told   {run.opens:>9,}; alerts {run.alerts:,}")
    print(f"  lost         {lost or 'nothing'}")


def main() -> None:
    """Measure without rules and with those of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=100_000)
    parser.add_argument("--names", type=int, default=20_000, help="how many different files are written")
    parser.add_argument("--rules", type=Path, default=Path("rules/quickstart.yaml"))
    options = parser.parse_args()
    target = Target() if os.geteuid() == 0 else Target(watched=(Path(tempfile.gettempdir()),))
    opens = Interest(frozenset({"openat"}))
    show(
        "all opens, no rules", drain(connect("fanotify", target), opens, None, options.writes, options.names)
    )
    loaded = load([options.rules])
    loaded.check()
    rules = [rule for rule in loaded.rules if rule.enabled]
    engine = Engine(rules)
    run = drain(connect("fanotify", target), interest_of(rules), engine, options.writes, options.names)
    show(f"{options.rules}", run)


if __name__ == "__main__":
    main()
