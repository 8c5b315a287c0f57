"""From the tables that people write (`spec/cases/*.yaml`) to the one file that programs read (`spec/cases.json`).

A YAML file is a mapping with the key `cases`, a sequence of cases and tables, and maybe `features`, which gives clauses
the features that all their cases have. A table is a case with `rows` (and
`columns`, the names of what stands in them) or `each` (a mapping of names to alternatives), and stands for one
case a row: every `{name}` in its texts is replaced by the row's value, and a text that is nothing but `{name}`
becomes the value itself, whatever its type; `{name*20}` is the value twenty times. A column that is called like a key of cases sets that key. With both, and with several names in `each`, all combinations are made.
An alternative that is a mapping sets several names at once. Fields of events whose value is null are left out.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from refengine.conformance.case import EXPECTATIONS, SPEC
from refengine.errors import RefengineError

EDITION = "0.44"
FORMAT_VERSION = 1

_TABLE_KEYS = frozenset({"rows", "columns", "each"})
_PLAIN_KEYS = ("about", "features", "source", "condition", "template", "settings")
_CASE_KEYS = frozenset({"id", "clause", "rules", "event", "events", *_PLAIN_KEYS, *EXPECTATIONS})
_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\*([0-9]+))?\}")
_EVENT_KEYS = {"$time": "time", "$source": "source", "$number": "number"}


class CaseFormatError(RefengineError):
    """A file of cases that is not in the authors' form."""


def build(folder: Path = SPEC / "cases") -> dict[str, Any]:
    """Return the suite that the YAML files of `folder` describe, in the order of their names.

    :raises CaseFormatError: when one of them is not in the authors' form.
    """
    cases: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
        by_clause = content.get("features", {})
        for position, entry in enumerate(content["cases"], 1):
            try:
                cases.extend(_finished(row, by_clause) for row in _expanded(entry))
            except (KeyError, TypeError, ValueError) as error:
                name = entry.get("id", "?") if isinstance(entry, dict) else "?"
                raise CaseFormatError(f"{path.name}, entry {position} ({name}): {error}") from error
    return {"format": FORMAT_VERSION, "edition": EDITION, "cases": cases}


def written(suite: Mapping[str, Any]) -> str:
    """Return the text of `cases.json`: one case a line, so that changes can be read."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in suite["cases"])
    head = f'{{"format": {suite["format"]}, "edition": {json.dumps(suite["edition"])}, "cases": [\n'
    return f"{head}{lines}\n]}}\n"


class _Loader(yaml.SafeLoader):
    """YAML whose plain scalars are text but for numbers, `true`, `false` and `~`: operators stay operators."""


_Loader.yaml_implicit_resolvers = {}


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:null", r"~", "~"),
    ("tag:yaml.org,2002:int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("tag:yaml.org,2002:float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def _expanded(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the cases that an entry stands for: itself, or one for each row and alternative."""
    template = {key: value for key, value in entry.items() if key not in _TABLE_KEYS}
    axes: list[list[dict[str, Any]]] = []
    for name, alternatives in entry.get("each", {}).items():
        axes.append([item if isinstance(item, dict) else {name: item} for item in alternatives])
    if "rows" in entry:
        columns = entry["columns"]
        for row in entry["rows"]:
            if len(row) != len(columns):
                raise ValueError(f"a row has {len(row)} values for {len(columns)} columns: {row}")
        axes.append([dict(zip(columns, row, strict=True)) for row in entry["rows"]])
    for combination in itertools.product(*axes):
        values: dict[str, Any] = {}
        for part in combination:
            values.update(part)
        case = _filled(template, values) if values else template
        direct = {
            key: _filled(value, values)
            for key, value in values.items()
            if key in _CASE_KEYS and key not in case
        }
        yield {**case, **direct}


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    """Return `part` with the placeholders in its texts, keys of mappings included, replaced."""
    if isinstance(part, str):
        whole = _PLACEHOLDER.fullmatch(part)
        if whole is not None and whole[1] in values and whole[2] is None:
            found = values[whole[1]]
            return _filled(found, values) if isinstance(found, str) and found != part else found
        return _PLACEHOLDER.sub(
            lambda found: _text(values[found[1]]) * int(found[2] or 1) if found[1] in values else found[0],
            part,
        )
    if isinstance(part, list):
        return [_filled(item, values) for item in part]
    if isinstance(part, dict):
        return {_filled(key, values): _filled(value, values) for key, value in part.items()}
    return part


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _finished(entry: dict[str, Any], features: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the case in the form of `cases.json`, with the features that cases of its clause have."""
    if entry["clause"] in features:
        entry["features"] = features[entry["clause"]]
    case: dict[str, Any] = {"id": entry.pop("id"), "clause": entry.pop("clause")}
    for key in _PLAIN_KEYS:
        if key in entry:
            case[key] = entry.pop(key)
    if "rules" in entry:
        rules = entry.pop("rules")
        files = rules if isinstance(rules, list) else [rules]
        case["rules"] = [
            file
            if isinstance(file, dict)
            else {"name": f"rules{number}.yaml" if number > 1 else "rules.yaml", "text": file}
            for number, file in enumerate(files, 1)
        ]
    if "event" in entry:
        entry["events"] = [entry.pop("event")]
    if "events" in entry:
        case["events"] = [_event(event) for event in entry.pop("events")]
    expectations = [kind for kind in EXPECTATIONS if kind in entry]
    if len(expectations) != 1:
        raise ValueError(f"exactly one expectation is needed, not {len(expectations)}")
    kind = expectations[0]
    expected = entry.pop(kind)
    if kind == "match" and isinstance(expected, bool):
        expected = [expected]
    if kind == "alerts":
        expected = [
            [{"rule": alert} if isinstance(alert, str) else alert for alert in raised] for raised in expected
        ]
    case["expect"] = {kind: expected}
    if entry:
        raise ValueError(f"unknown keys: {', '.join(entry)}")
    return case


def _event(fields: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {"fields": {}}
    for name, value in fields.items():
        if name in _EVENT_KEYS:
            event[_EVENT_KEYS[name]] = value
        elif value is not None:
            event["fields"][name] = value
    return event
