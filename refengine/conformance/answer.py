"""What an engine says about a case, and whether that is what the case expects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refengine.conformance.case import Case

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Answer:
    """An engine's answer to a case.

    `errors` are what it refused the input for, each a mapping with `code` and, where the engine knows them,
    `phase`, `line` and `column`. Without errors, `warnings` are the codes it gave and `result` is what the
    case asks for by its kind. `skipped` is a reason for no answer at all, `failed` what went wrong in the engine.
    """

    errors: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    result: Any = None
    skipped: str | None = None
    failed: str | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Answer:
        """Return the answer that a harness's JSON object carries."""
        return cls(
            errors=tuple(raw.get("errors", ())),
            warnings=tuple(raw.get("warnings", ())),
            result=raw.get("result"),
            skipped=raw.get("skipped"),
            failed=raw.get("failed"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that carries the answer."""
        if self.skipped is not None:
            return {"skipped": self.skipped}
        if self.failed is not None:
            return {"failed": self.failed}
        if self.errors:
            return {"errors": list(self.errors)}
        return {"warnings": list(self.warnings), "result": self.result}


def disagreement(case: Case, answer: Answer) -> str | None:
    """Return in what way `answer` is not what `case` expects, None when it is.

    A place is compared only where both the case and the engine give it; a message never is.
    """
    if answer.failed is not None:
        return f"the engine failed: {answer.failed}"
    if case.kind == "error":
        return _error(case.expected, answer)
    if answer.errors:
        return f"it was refused: {answer.errors[0]}"
    if case.kind == "warnings":
        expected, given = sorted(set(case.expected)), sorted(set(answer.warnings))
        return None if given == expected else f"expected the warnings {expected}, got {given}"
    if case.kind == "alerts":
        return _alerts(case.expected, answer.result)
    if case.kind == "lines":
        return _lines(case.expected, answer.result)
    if answer.result != case.expected:
        return f"expected {case.expected!r}, got {answer.result!r}"
    return None


def _error(expected: Mapping[str, Any], answer: Answer) -> str | None:
    if not answer.errors:
        return f"expected {expected['code']}, but it was accepted"
    if len(answer.errors) != expected.get("count", len(answer.errors)):
        return f"expected {expected['count']} errors, got {len(answer.errors)}: {answer.errors}"
    first = answer.errors[0]
    for key, value in expected.items():
        if key == "count":
            continue
        given = first.get(key, value)
        if given is not None and given != value:
            return f"expected {key} {value!r}, got {given!r} ({first.get('message', 'no message')})"
    return None


def _alerts(expected: Sequence[Sequence[Mapping[str, Any]]], given: Any) -> str | None:
    if not isinstance(given, Sequence) or len(given) != len(expected):
        return f"expected the alerts of {len(expected)} events, got {given!r}"
    for number, (wanted, raised) in enumerate(zip(expected, given, strict=True), 1):
        if [alert["rule"] for alert in wanted] != [alert.get("rule") for alert in raised]:
            return f"event {number}: expected the alerts {wanted}, got {raised}"
        for want, alert in zip(wanted, raised, strict=True):
            for key, value in want.items():
                if alert.get(key, _ABSENT) != value:
                    return f"event {number}: expected {key} {value!r}, got {alert.get(key)!r}"
    return None


def _lines(expected: Sequence[Sequence[Any]], given: Any) -> str | None:
    if not isinstance(given, Sequence) or [len(lines) for lines in given] != [
        len(lines) for lines in expected
    ]:
        return f"expected {expected!r}, got {given!r}"
    for wanted, lines in zip(expected, given, strict=True):
        for want, line in zip(wanted, lines, strict=True):
            if isinstance(want, str):
                if line != want:
                    return f"expected the line {want!r}, got {line!r}"
                continue
            record = json.loads(line)
            if list(record) != sorted(record):
                return f"the keys are not sorted: {line}"
            if not record.pop("hostname", ""):
                return f"there is no hostname: {line}"
            if record != want:
                return f"expected the record {want!r}, got {record!r}"
    return None
