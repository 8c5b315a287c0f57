"""What being watched costs: processor time of work under a monitor, against the same work unwatched.

    python -m benchmarks.overhead --rules rules/quickstart.yaml --rules falco_rules.yaml

Every round runs each kind of work under each monitor in turn, so that what else the machine does falls on all of
them alike; of the rounds the best counts. One of the monitors is but a tracepoint with an empty program, at a call that
no work makes: what it costs (`floor`) no monitor of system calls can go below. Needs root, a C compiler, and what the eBPF
backend needs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.floor import Floor
from benchmarks.monitor import Monitor, compiled, processor_time

SOURCE = Path(__file__).with_suffix(".c")
WORK = {
    "open": 1_000_000,
    "relative": 1_000_000,
    "getppid": 2_000_000,
    "readwrite": 1_000_000,
    "exec": 3_000,
    "connect": 200_000,
}
"""The kinds of work, and how often each is done."""


@dataclass(slots=True)
class Result:
    """The best of the rounds for one kind of work under one monitor; seconds, and events dropped in all."""

    wall: float = float("inf")
    processor: float = float("inf")
    agent: float = float("inf")


def measure(
    monitors: list[Monitor], work: dict[str, int], rounds: int, program: Path
) -> dict[tuple[str, str], Result]:
    """Return the results by monitor and kind of work."""
    results = {(monitor.name, kind): Result() for monitor in monitors for kind in work}
    for _ in range(rounds):
        for monitor in monitors:
            with monitor.running() as pid:
                for kind, count in work.items():
                    before = processor_time(pid) if pid else 0.0
                    output = subprocess.check_output(
                        ["taskset", "-c", str((os.cpu_count() or 1) - 1), program, kind, str(count)],
                        text=True,
                        cwd=SOURCE.parent,
                    )
                    time.sleep(0.3)  # for the monitor to take up what it has still to read
                    agent = processor_time(pid) - before if pid else 0.0
                    wall, processor = map(float, output.split())
                    best = results[monitor.name, kind]
                    best.wall = min(best.wall, wall)
                    best.processor = min(best.processor, processor)
                    best.agent = min(best.agent, agent)
    return results


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description="Measure what being watched costs.")
    parser.add_argument("--rules", action="append", type=Path, default=[], help="a rules file (repeat)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="do that much of the work")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    work = {kind: max(1, int(count * options.scale)) for kind, count in WORK.items()}
    monitors = [Monitor("none"), Floor("one tracepoint")]
    for rules in options.rules:
        command = [sys.executable, "-m", "refengine", "--backend", "ebpf", "-r", str(rules)]
        monitors.append(Monitor(f"ebpf {rules.stem}", command))
    falco = shutil.which("falco")
    if falco is not None:
        monitors.extend(
            Monitor(
                f"falco {rules.stem}", [falco, "-o", "engine.kind=modern_ebpf", "-r", str(rules)], says=False
            )
            for rules in options.rules
        )
    with tempfile.TemporaryDirectory() as folder:
        results = measure(monitors, work, options.rounds, compiled(SOURCE, Path(folder)))
    rows = []
    for (monitor, kind), result in results.items():
        plain, floor = results["none", kind], results["one tracepoint", kind]
        rows.append(
            {
                "monitor": monitor,
                "work": kind,
                "nanoseconds": round(result.processor / work[kind] * 1e9),
                "processor_ratio": round(result.processor / plain.processor, 3),
                "floor_ratio": round(floor.processor / plain.processor, 3),
                "nanoseconds_above_floor": round((result.processor - floor.processor) / work[kind] * 1e9),
                "wall_ratio": round(result.wall / plain.wall, 3),
                "agent_seconds": round(result.agent, 2),
            }
        )
    if options.json:
        agents = {m.name: {"dropped": m.dropped, "resident_kb": m.resident} for m in monitors if m.command}
        print(json.dumps({"rows": rows, "monitors": agents}, indent=2))
        return
    print(
        f"{'monitor':28} {'work':10} {'ns each':>9} {'processor':>9} {'floor':>6} {'above ns':>8} {'wall':>6} {'agent s':>8}"
    )
    for row in rows:
        print(
            f"{row['monitor']:28} {row['work']:10} {row['nanoseconds']:>9} {row['processor_ratio']:>9} "
            f"{row['floor_ratio']:>6} {row['nanoseconds_above_floor']:>8} {row['wall_ratio']:>6} {row['agent_seconds']:>8}"
        )
    for agent in (monitor for monitor in monitors if monitor.command):
        print(f"{agent.name}: {agent.dropped} events dropped, {agent.resident // 1024} MB resident")


if __name__ == "__main__":
    main()
