"""`--config-schema` and `--rule-schema`: JSON Schemas for editors and for checks in pipelines."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from refengine.cli.configuration_files import Strategy
from refengine.cli.configuration_keys import KEYS, Kind
from refengine.cli.exit_codes import OK
from refengine.cli.request import Request

_DRAFT = "http://json-schema.org/draft-06/schema#"
_TEXT = {"type": "string"}
_BOOLEAN = {"type": "boolean"}

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.BOOLEAN: _BOOLEAN,
    Kind.STRING: _TEXT,
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.ARRAY: {"type": "array"},
    Kind.OBJECT: {"type": "object"},
    Kind.ANY: {},
}


_FULLER: dict[str, dict[str, Any]] = {
    "config_files": {
        "type": "array",
        "items": {
            "anyOf": [
                _TEXT,
                {
                    "type": "object",
                    "properties": {"path": _TEXT, "strategy": {"enum": [each.value for each in Strategy]}},
                    "required": ["path"],
                    "additionalProperties": False,
                },
            ]
        },
    },
}
"""Keys of which more can be said than the kind of their values."""


def run(request: Request) -> int:
    """Print the schema of configuration files, or else of rules files."""
    schema = configuration_schema() if request.options.configuration_schema else rules_schema()
    print(json.dumps(schema, indent=2))
    return OK


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of configuration files, made from the table of keys."""
    root: dict[str, Any] = {"$schema": _DRAFT, "title": "configuration", **_object()}
    for key in KEYS.values():
        node = root
        *way, last = key.path.split(".")
        for step in way:
            name, is_list = step.removesuffix("[]"), step.endswith("[]")
            if is_list:
                node = node["properties"].setdefault(name, {"type": "array", "items": _object()})["items"]
            else:
                node = node["properties"].setdefault(name, _object())
        node["properties"][last] = dict(_TYPES[key.kind])
    for name, schema in _FULLER.items():
        root["properties"][name] = schema
    return root


def rules_schema() -> dict[str, Any]:
    """Return the JSON Schema of rules files, which stands beside the grammars."""
    text = resources.files("refengine.grammar").joinpath("rulefile.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "additionalProperties": False}
