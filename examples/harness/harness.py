"""A harness for the conformance suite, as small as one can be: it answers what a toy engine understands.

    refengine conformance --harness "python examples/harness/harness.py"

It shows the protocol of spec/RUNNERS.md without any help from refengine: read a JSON object from each line of
standard input, write one to standard output. The toy knows conditions of the form `field = value`; whatever else it
is asked, it skips with a reason.
"""

import json
import re
import sys

EQUALITY = re.compile(r"\s*([a-z]+(?:\.[a-z]+)+)\s*=\s*([^()\"'\s=,\\]+)\s*")
"""A field, an equals sign and a bare word."""

TEXT_FIELDS = {"proc.name", "proc.pname", "proc.cmdline", "proc.exe", "fd.name", "user.name"}
"""The fields that the toy knows to hold text."""


def answer(case: dict) -> dict:
    """Return what the toy engine says about a case."""
    if case["want"] != "match":
        return {"skipped": f"the toy cannot tell '{case['want']}'"}
    found = EQUALITY.fullmatch(case.get("condition", ""))
    if found is None or found[1] not in TEXT_FIELDS:
        return {"skipped": "the toy understands only text fields that equal a bare word"}
    field, value = found.groups()
    return {"warnings": [], "result": [event["fields"].get(field) == value for event in case["events"]]}


def main() -> None:
    """Answer requests until the runner says stop."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["command"] == "start":
            reply = {"format": 1, "name": "toy", "version": "1"}
        elif request["command"] == "run":
            reply = {"id": request["case"]["id"], **answer(request["case"])}
        else:
            reply = {"stopped": True}
        print(json.dumps(reply), flush=True)
        if request["command"] == "stop":
            break


if __name__ == "__main__":
    main()
