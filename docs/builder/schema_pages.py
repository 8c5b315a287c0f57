"""The reference of files that a JSON Schema describes: tests of rules, and rules files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from builder.markdown import code, page, plain, table

Schema = Mapping[str, Any]


def test_file_page(grammar: Path) -> str:
    """Return the page of the form of test files."""
    return _page(
        grammar / "testfile.schema.json",
        "Form of test files",
        "Files called `NAME.test.yaml`, which `refengine test` reads. [For authors of rules](../authoring.md) explains them "
        "with examples. The page is made from the JSON Schema `grammar/testfile.schema.json`, which editors can use.",
    )


def rules_file_page(grammar: Path) -> str:
    """Return the page of the form of rules files."""
    return _page(
        grammar / "rulefile.schema.json",
        "Form of rules files",
        "[Chapter 10](../spec/10-rules-files.md) of the specification and those after it say what the items mean. The "
        "page is made from the JSON Schema that `refengine --rule-schema` prints.",
    )


def _page(path: Path, title: str, about: str) -> str:
    schema = json.loads(path.read_text(encoding="utf-8"))
    definitions = {f"#/$defs/{name}": (name, part) for name, part in schema.get("$defs", {}).items()}
    definitions |= {
        f"#/definitions/{name}": (name, part) for name, part in schema.get("definitions", {}).items()
    }
    shown = {ref: name for ref, (name, part) in definitions.items() if _tables(part)}
    parts = [part for found in _tables(schema) for part in _mapping(found, shown, definitions)]
    for ref, name in shown.items():
        part = definitions[ref][1]
        parts += [f"## {name.capitalize()}", plain(part.get("description", ""))]
        for found in _tables(part):
            parts += _mapping(found, shown, definitions)
    return page(title, about, *parts)


def _tables(schema: Any) -> list[Schema]:
    """Return the descriptions of mappings with keys of their own: the schema itself, or else its alternatives."""
    if not isinstance(schema, Mapping):
        return []
    if "properties" in schema:
        return [schema]
    return [found for key in ("anyOf", "oneOf") for part in schema.get(key, ()) for found in _tables(part)]


def _mapping(
    schema: Schema, shown: Mapping[str, str], definitions: Mapping[str, tuple[str, Schema]]
) -> Iterator[str]:
    required = schema.get("required", ())
    rows = []
    for name, part in schema["properties"].items():
        resolved = definitions.get(part.get("$ref", ""), ("", {}))[1]
        text = part.get("description") or resolved.get("description") or ""
        needed = ", required" if name in required else ""
        rows.append((code(name), f"{_kind(part, shown, definitions)}{needed}", plain(text)))
    for pattern, part in schema.get("patternProperties", {}).items():
        rows.append(
            (
                f"any that matches {code(pattern)}",
                _kind(part, shown, definitions),
                plain(part.get("description", "")),
            )
        )
    yield table(("key", "value", "means"), rows)


def _kind(part: Any, shown: Mapping[str, str], definitions: Mapping[str, tuple[str, Schema]]) -> str:
    """Return in words what a value may be."""
    if not isinstance(part, Mapping):
        return "anything"
    ref = part.get("$ref", "")
    if ref in shown:
        return f"[{shown[ref]}](#{shown[ref].lower()})"
    if ref in definitions:
        return _kind(definitions[ref][1], shown, definitions)
    if "enum" in part:
        return " or ".join(code(str(value)) for value in part["enum"])
    if "const" in part:
        return code(json.dumps(part["const"]))
    for key in ("anyOf", "oneOf"):
        if key in part and not part.get("type"):
            return " or ".join(dict.fromkeys(_kind(each, shown, definitions) for each in part[key]))
    type: Any = part.get("type", "anything")
    if type == "array":
        return f"list of {_kind(part.get('items', {}), shown, definitions)}"
    words = {
        "object": "mapping",
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "null": "null",
    }
    if isinstance(type, list):
        return " or ".join(words.get(each, str(each)) for each in type)
    return words.get(type, str(type))
