"""How many relevant events a second are evaluated without a loss.

    python -m benchmarks.event_rate [--rate 50000 --rate 100000] [--seconds 10] [--names 500]

A program opens some hundred files in turn at each of the rates for so many seconds. The rules want every such open, and read the name, the
program and its parent, so that the kernel can decide nothing of it; none of them matches in the end. Needs root, a C
compiler, two processors, and what the eBPF backend needs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.monitor import Monitor, compiled, processor_time

SOURCE = Path(__file__).with_suffix(".c")
RATES = (25_000, 50_000, 75_000, 100_000, 125_000, 150_000, 175_000, 200_000)

RULES = """
- rule: Open that has to be looked at
  desc: d
  condition: evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name startswith {folder}/
    and proc.name != nobody and proc.pname = nobody
  output: "%proc.name %fd.name"
  priority: INFO
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one rate: events made, evaluated and dropped, and seconds of time and of the monitor's processor."""

    asked: int
    made: int
    seconds: float
    evaluated: int
    dropped: int
    processor: float
    resident: int


def measure(program: Path, rules: Path, files: Sequence[Path], rate: int, seconds: float) -> Result:
    """Return what comes of opening the files at one rate."""
    command = [sys.executable, "-m", "refengine", "--backend", "ebpf", "-r", str(rules)]
    monitor = Monitor("ebpf", command)
    with monitor.running() as pid:
        before = processor_time(pid)
        last = str((os.cpu_count() or 1) - 1)
        work = ["taskset", "-c", last, str(program), str(rate), str(seconds), *map(str, files)]
        made, took = subprocess.check_output(work, text=True).split()
        # What is in the ring buffer at the end is taken up before the monitor is told to stop.
        spent = 0.0
        while True:
            subprocess.run(["sleep", "0.5"], check=True)
            now = processor_time(pid) - before
            if now - spent < 0.1:
                break
            spent = now
    found = monitor.counters
    return Result(
        rate, int(made), float(took), found["evaluated"], found["dropped"], now, monitor.resident // 1024
    )


def main() -> None:
    """Measure each rate, and print a table."""
    parser = argparse.ArgumentParser(description="Measure how many events a second are evaluated.")
    parser.add_argument("--rate", action="append", type=int, help=f"events a second (repeat; {RATES})")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long, at each rate (10)")
    parser.add_argument("--names", type=int, default=500, help="how many files are opened in turn (500)")
    options = parser.parse_args()
    print(f"{'asked':>9} {'made/s':>9} {'evaluated':>10} {'dropped':>9} {'agent us each':>14} {'MB':>5}")
    highest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules, files = folder / "rules.yaml", [folder / f"file-{number}" for number in range(options.names)]
        rules.write_text(RULES.format(folder=folder), encoding="utf-8")
        for file in files:
            file.write_text("", encoding="utf-8")
        program = compiled(SOURCE, folder)
        for rate in options.rate or RATES:
            found = measure(program, rules, files, rate, options.seconds)
            each = found.processor / max(found.evaluated, 1) * 1e6
            print(
                f"{rate:>9} {found.made / found.seconds:>9.0f} {found.evaluated:>10} {found.dropped:>9} "
                f"{each:>14.2f} {found.resident:>5}"
            )
            if not found.dropped:
                highest = max(highest, found.made / found.seconds)
    print(
        f"without a loss for {options.seconds:.0f} s, with {options.names} names: {highest:.0f} events a second"
    )


if __name__ == "__main__":
    main()
