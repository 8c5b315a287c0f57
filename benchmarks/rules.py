"""Measure the language side: loading rules files, compiling them, and evaluating them on decoded events.

    python -m benchmarks.rules CAPTURE RULES [RULES ...]

The events of the capture are decoded and brought to the state once; then the rules are evaluated on them over and
over, on all of them and on those that some rule can match alone, by compiled functions and by the interpreter.
Times are of the processor, the best of several rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from benchmarks.field_parity import replay
from refengine.condition.event_types import ALL
from refengine.engine import Engine, Evaluator
from refengine.event import Event
from refengine.ruleset import RuleSet, load_rules

ROUNDS = 7
SECONDS = 0.4
"""How long a round of evaluation takes at least."""


def best(work: Callable[[], object]) -> float:
    """Return the least processor time of `work`, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def rate(rules: RuleSet, events: Sequence[Event], evaluator: Evaluator) -> float:
    """Return how many of `events` are evaluated a second."""
    engine = Engine(rules, evaluator=evaluator)
    found = 0.0
    for event in events:
        engine.process(event)
    for _ in range(ROUNDS):
        count, start = 0, time.process_time()
        while time.process_time() - start < SECONDS:
            for event in events:
                engine.process(event)
            count += len(events)
        found = max(found, count / (time.process_time() - start))
    return found


def compile_all(rules: RuleSet) -> None:
    """Compile the rules for every type of event that some rule can match."""
    engine = Engine(rules)
    types = set().union(*(rule.event_types for rule in engine.rules))
    engine.prepare("syscall", types if types < ALL else ALL)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("capture", type=Path)
    parser.add_argument("rules", type=Path, nargs="+")
    options = parser.parse_args()
    for path in options.rules:
        print(f"load {path.name}: {best(lambda path=path: load_rules(path)) * 1000:.0f} ms")  # type: ignore[misc]
    rules = load_rules(*options.rules)
    print(f"{len(rules.enabled('syscall'))} rules on system calls")
    print(f"compile for every event type they can match: {best(lambda: compile_all(rules)) * 1000:.0f} ms")
    types = frozenset().union(*(rule.event_types for rule in rules.enabled("syscall")))
    events = list(replay(options.capture))
    relevant = [event for event in events if event.name in types]
    for name, chosen in (("all events", events), ("those that rules are about", relevant)):
        if not chosen:
            continue
        compiled, interpreted = (rate(rules, chosen, evaluator) for evaluator in get_args(Evaluator))
        print(
            f"{name} ({len(chosen)}): {compiled:,.0f} a second compiled, {interpreted:,.0f} interpreted, "
            f"{compiled / interpreted:.0f} times as many"
        )


if __name__ == "__main__":
    main()
