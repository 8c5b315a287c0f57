"""Check conditions one by one, as an editor or a review would: what is wrong, and where.

    python examples/check_conditions.py ["CONDITION" ...]

Without conditions of your own it checks a few that are wrong in different ways.
"""

from __future__ import annotations

import sys

import refengine
from refengine.report import render

WRONG = [
    "proc.nme = cat",
    "evt.type in (open, openat",
    "proc.pid contains 1",
    "fd.sip = 300.0.0.1",
    "evt.type = opn and fd.name startswith /etc",
]


def main(conditions: list[str]) -> int:
    """Print what is wrong with each condition; return 1 if anything is."""
    faults = [fault for condition in conditions for fault in refengine.check_condition(condition)]
    for fault in faults:
        print(render(fault), end="\n\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or WRONG))
