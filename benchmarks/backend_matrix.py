"""The scenarios under every backend, as a table: `python -m benchmarks.backend_matrix [--only TEXT] [BACKEND…]`.

`same` are the expected alerts. `unable` says that the backend cannot raise them, for a reason that it tells by its
capabilities or that is known of its source; reasons are listed below the table. `DIFFERS` is a fault: the exit
code is then 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.backends.scenarios.catalogue import SCENARIOS
from tests.backends.scenarios.comparing import Cell, run_column
from tests.backends.scenarios.running import RUNNERS


def main() -> int:
    """Print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backends", nargs="*", metavar="BACKEND")
    parser.add_argument("--only", default="", help="scenarios whose name has this in it")
    options = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    columns: dict[str, dict[str, Cell]] = {}
    for runner in options.backends or RUNNERS:
        with tempfile.TemporaryDirectory(prefix="scenarios") as root:
            columns[runner] = run_column(runner, scenarios, Path(root).resolve())
    width = max(len(scenario.name) for scenario in scenarios)
    print("  ".join(["scenario".ljust(width), *(name.ljust(8) for name in columns)]).rstrip())
    for scenario in scenarios:
        row = (column[scenario.name].verdict.ljust(8) for column in columns.values())
        print("  ".join([scenario.name.ljust(width), *row]).rstrip())
    differences = 0
    for name, column in columns.items():
        counts = Counter(cell.verdict for cell in column.values())
        print(f"\n{name}: {', '.join(f'{number} {verdict}' for verdict, number in counts.most_common())}")
        reasons = Counter(cell.detail for cell in column.values() if cell.verdict in ("unable", "skipped"))
        for reason, number in reasons.most_common():
            print(f"  {number:>3} {reason}")
        for scenario, cell in column.items():
            if cell.verdict == "DIFFERS":
                differences += 1
                print(f"  {scenario}: {cell.detail}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
