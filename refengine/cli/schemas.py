"""`--config-schema` and `--rule-schema`: JSON Schemas for editors and for checks in pipelines."""

from __future__ import annotations

import json
from typing import Any

from refengine.cli.configuration_keys import KEYS, Kind
from refengine.priority import Priority

_DRAFT = "http://json-schema.org/draft-06/schema#"
_TEXT = {"type": "string"}
_BOOLEAN = {"type": "boolean"}
_SCALAR = {"type": ["string", "number", "boolean"]}

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.BOOLEAN: _BOOLEAN,
    Kind.STRING: _TEXT,
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.ARRAY: {"type": "array"},
    Kind.OBJECT: {"type": "object"},
    Kind.ANY: {},
}

_RULE_REPLACEABLE = (
    "capture",
    "capture_duration",
    "condition",
    "desc",
    "enabled",
    "exceptions",
    "output",
    "priority",
    "skip-if-unknown-filter",
    "tags",
    "warn_evttypes",
)
_RULE_APPENDABLE = ("condition", "desc", "exceptions", "output", "tags")


def run_configuration() -> int:
    """Print the schema of configuration files."""
    print(json.dumps(configuration_schema(), indent=2))
    return 0


def run_rules() -> int:
    """Print the schema of rules files."""
    print(json.dumps(rules_schema(), indent=2))
    return 0


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
    return root


def rules_schema() -> dict[str, Any]:
    """Return the JSON Schema of rules files."""
    return {
        "$schema": _DRAFT,
        "title": "rules file",
        "type": "array",
        "items": {
            "anyOf": [
                _item("required_engine_version", {"required_engine_version": {"type": ["string", "integer"]}}),
                _item(
                    "required_plugin_versions",
                    {"required_plugin_versions": {"type": "array", "items": _plugin_version(_alternatives())}},
                ),
                _item("list", {"list": _TEXT, "items": _list_of(_SCALAR), "append": _BOOLEAN,
                               "override": _override(("items",), ("items",))}),
                _item("macro", {"macro": _TEXT, "condition": _TEXT, "append": _BOOLEAN,
                                "override": _override(("condition",), ("condition",))}),
                _item("rule", _rule()),
            ]
        },
    }  # fmt: skip


def _rule() -> dict[str, Any]:
    levels = [level.label for level in Priority]
    return {
        "rule": _TEXT,
        "condition": _TEXT,
        "output": _TEXT,
        "desc": _TEXT,
        "priority": {
            "type": "string",
            "enum": sorted({*levels, *map(str.upper, levels), *map(str.lower, levels)}),
        },
        "source": {"type": ["string", "null"]},
        "enabled": _BOOLEAN,
        "capture": _BOOLEAN,
        "capture_duration": {"type": "integer", "minimum": 0},
        "warn_evttypes": _BOOLEAN,
        "skip-if-unknown-filter": _BOOLEAN,
        "tags": _list_of(_TEXT),
        "append": _BOOLEAN,
        "override": _override(_RULE_APPENDABLE, _RULE_REPLACEABLE),
        "exceptions": _list_of(_item("name", {"name": _TEXT, "fields": {}, "comps": {}, "values": {}})),
    }


def _override(appendable: tuple[str, ...], replaceable: tuple[str, ...]) -> dict[str, Any]:
    properties = {
        name: {
            "enum": [
                word for word, names in (("append", appendable), ("replace", replaceable)) if name in names
            ]
        }
        for name in replaceable
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _alternatives() -> dict[str, Any]:
    return {"alternatives": _list_of(_plugin_version({}))}


def _plugin_version(more: dict[str, Any]) -> dict[str, Any]:
    schema = _item("name", {"name": _TEXT, "version": _TEXT, **more})
    schema["required"].append("version")
    return schema


def _item(required: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": [required]}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "additionalProperties": False}
