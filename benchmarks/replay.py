"""Measure how fast a capture is replayed through rules, and how much memory that takes.

    python -m benchmarks.replay RULES… [--capture FILE] [--events 1200000] [--matching all] [--profile LINES]

Without `--capture` one is made (see `make_capture`) and removed again. The replay is measured twice, on the whole
capture and on its first quarter, each in a process of its own, so that memory that grows with the length
would show. Seconds are those of the processor, of one core.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import refengine
from benchmarks.make_capture import make_capture
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.interest import interest_of


def replay(capture: Path, rules_files: list[Path], matching: str) -> dict[str, float]:
    """Replay a capture through rules in this process and return the figures."""
    started = time.process_time()
    rules = refengine.load_rules(*rules_files).rules
    engine = refengine.Engine([rule for rule in rules if rule.source == "syscall"], matching)  # type: ignore[arg-type]
    connection = connect("capture", Target(files=(capture,)))
    backend = connection.backend
    backend.open(interest_of(engine.rules))
    loaded = time.process_time()
    alerts = 0
    while (events := backend.read(0)) is not None:
        for event in events:
            connection.observe(event)
            if engine.process(event):
                alerts += 1
    ended = time.process_time()
    statistics = backend.statistics()
    backend.close()
    return {
        "loading": loaded - started,
        "seconds": ended - loaded,
        "events": statistics.seen,
        "delivered": statistics.delivered,
        "alerts": alerts,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(capture: Path, rules_files: list[Path], matching: str) -> dict[str, float]:
    """Return the figures of a replay in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.replay", "--inside", "--capture", str(capture)]
    command += ["--matching", matching, *map(str, rules_files)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    return figures


def show(title: str, figures: dict[str, float]) -> None:
    """Print the figures of one replay."""
    rate = figures["events"] / figures["seconds"]
    print(
        f"{title}: {figures['events']:.0f} events ({figures['delivered']:.0f} decoded, {figures['alerts']:.0f} "
        f"with alerts) in {figures['seconds']:.2f} s: {rate:,.0f} events a second, "
        f"peak memory {figures['memory']:.0f} MB; rules loaded in {figures['loading']:.2f} s"
    )


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rules", type=Path, nargs="+")
    parser.add_argument("--capture", type=Path, help="the capture to replay")
    parser.add_argument("--events", type=int, default=1_200_000, help="events of the capture that is made")
    parser.add_argument("--matching", choices=["first", "all"], default="first")
    parser.add_argument("--profile", type=int, default=0, metavar="LINES", help="show where the time goes")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(replay(options.capture, options.rules, options.matching)))
        return
    with tempfile.TemporaryDirectory() as folder:
        capture, quarter = options.capture, None
        if capture is None:
            capture, quarter = Path(folder) / "whole.scap", Path(folder) / "quarter.scap"
            make_capture(capture, options.events)
            make_capture(quarter, options.events // 4)
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(replay, capture, options.rules, options.matching)
            pstats.Stats(profile).sort_stats("tottime").print_stats(options.profile)
            return
        if quarter is not None:
            show("a quarter", measure(quarter, options.rules, options.matching))
        show("the whole", measure(capture, options.rules, options.matching))


if __name__ == "__main__":
    main()
