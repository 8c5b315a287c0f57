"""One case of the suite, as `spec/cases.json` holds it and as the harness protocol carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refengine.event.written import value_of
from refengine.values import Value

SPEC = Path(__file__).resolve().parents[1] / "spec"
"""The folder of the specification, in a checkout and in an installation alike."""

EXPECTATIONS = ("match", "alerts", "lines", "text", "error", "warnings")
"""The kinds of answers; every case expects exactly one."""

FEATURES = ("extensions", "deviations")
"""What cases may be about besides what Falco does: things that it does not have, and things that it does otherwise."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of a case: its field values, decoded, and what an alert needs besides them."""

    fields: Mapping[str, Value]
    source: str
    time: int
    number: int


@dataclass(frozen=True, slots=True)
class RulesText:
    """A rules file of a case; a `text` of None is a file that cannot be read."""

    name: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A case: what an engine is given, and what is expected of it.

    Exactly one of `condition`, `template` and `rules` is given. `kind` is the expectation's kind, one of
    `EXPECTATIONS`, and `expected` its JSON value.
    """

    id: str
    clause: str
    about: str
    source: str
    features: frozenset[str]
    condition: str | None
    template: str | None
    rules: tuple[RulesText, ...]
    settings: Mapping[str, Any]
    events: tuple[Occurrence, ...]
    kind: str
    expected: Any
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Case:
        """Return the case that a JSON object of the suite describes.

        :raises ValueError: when an event has a value that the format does not know.
        """
        source = raw.get("source", "syscall")
        kinds = [kind for kind in EXPECTATIONS if kind in raw["expect"]]
        return cls(
            id=raw["id"],
            clause=raw["clause"],
            about=raw.get("about", ""),
            source=source,
            features=frozenset(raw.get("features", ())),
            condition=raw.get("condition"),
            template=raw.get("template"),
            rules=tuple(RulesText(file["name"], file["text"]) for file in raw.get("rules", ())),
            settings=raw.get("settings", {}),
            events=tuple(
                Occurrence(
                    {name: value_of(value) for name, value in event["fields"].items()},
                    event.get("source", source),
                    int(event.get("time", 0)),
                    event.get("number", position),
                )
                for position, event in enumerate(raw.get("events", ()), 1)
            ),
            kind=kinds[0],
            expected=raw["expect"][kinds[0]],
            raw=raw,
        )

    @classmethod
    def from_request(cls, raw: Mapping[str, Any]) -> Case:
        """Return the case that a runner asks about: without clause and expectation, but with what it wants."""
        return cls.from_json({"clause": "", **raw, "expect": {raw["want"]: None}})


def load_suite(path: Path | None = None) -> tuple[Case, ...]:
    """Return the cases of the built suite, by default of the one that comes with this version."""
    text = (path or SPEC / "cases.json").read_text(encoding="utf-8")
    return tuple(Case.from_json(raw) for raw in json.loads(text)["cases"])
