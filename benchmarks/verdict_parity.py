"""Compare the verdicts of conditions on replayed captures with those that another engine recorded.

    python -m benchmarks.verdict_parity FOLDER RECORD

FOLDER holds captures `NAME.scap`. RECORD has a JSON object a line: the name of a `capture`, a `condition`, and
the numbers of the `events` on which the other engine matched it. Each condition is evaluated on every event by the
interpreter and by a function compiled for the event's type; both must match on the recorded events and on no other.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.field_parity import replay
from refengine.condition.check import Checker
from refengine.condition.compile import Match, compile_conditions
from refengine.condition.interpret import Interpreter
from refengine.condition.parser import parse
from refengine.condition.typed import Condition
from refengine.errors import RefengineError
from refengine.fields.readers import SystemReader
from refengine.source import Text


@dataclass(slots=True)
class Verdicts:
    """A condition, the events on which it should match, and those on which it does, by either evaluator."""

    text: str
    condition: Condition
    wanted: frozenset[int]
    interpreted: set[int] = field(default_factory=set)
    compiled: set[int] = field(default_factory=set)
    functions: dict[str, Match] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """True when both evaluators match on the wanted events only."""
        return self.wanted == self.interpreted == self.compiled


def read_record(path: Path) -> dict[str, list[Verdicts]]:
    """Return the recorded conditions by capture.

    :raises RefengineError: for a condition that is not valid.
    """
    by_capture: dict[str, list[Verdicts]] = defaultdict(list)
    checker = Checker()
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = Text.of(row["condition"])
        condition = checker.check(parse(text), text).condition
        if condition is None:
            raise RefengineError(f"the condition is not valid: {text.value}")
        by_capture[row["capture"]].append(Verdicts(text.value, condition, frozenset(row["events"])))
    return by_capture


def evaluate(capture: Path, verdicts: list[Verdicts]) -> None:
    """Evaluate the conditions on every event of a capture."""
    reader = SystemReader()
    interpreter = Interpreter(reader)
    for event in replay(capture):
        for row in verdicts:
            if interpreter.holds(row.condition, event):
                row.interpreted.add(event.number)
            function = row.functions.get(event.name)
            if function is None:
                function = row.functions[event.name] = compile_conditions(
                    [(0, row.condition)], reader, event_type=event.name, first_only=True
                )
            if function(event):
                row.compiled.add(event.number)


def differences(folder: Path, record: Path) -> Iterator[tuple[str, Verdicts]]:
    """Yield each condition of the record, with its capture, on which the engines do not agree."""
    for name, verdicts in read_record(record).items():
        evaluate(folder / f"{name}.scap", verdicts)
        yield from ((name, row) for row in verdicts if not row.agrees)


def main() -> None:
    """Print the differences and how many conditions agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("record", type=Path)
    options = parser.parse_args()
    total = sum(map(len, read_record(options.record).values()))
    different = 0
    for name, row in differences(options.folder, options.record):
        different += 1
        print(f"{name}: {row.text}")
        for evaluator, matched in (("interpreted", row.interpreted), ("compiled", row.compiled)):
            missing, unwanted = sorted(row.wanted - matched), sorted(matched - row.wanted)
            if missing or unwanted:
                print(
                    f"    {evaluator}: {len(missing)} missing {missing[:5]}, {len(unwanted)} unwanted {unwanted[:5]}"
                )
    print(f"{total - different} of {total} conditions agree")


if __name__ == "__main__":
    main()
