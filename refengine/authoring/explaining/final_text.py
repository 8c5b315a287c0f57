"""Items after all overrides, for people: YAML with the origin of each line in a comment; and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from refengine.authoring.explaining.provenance import DEFINED, Final, Fragment
from refengine.authoring.finding import place_json
from refengine.terminal import Style

_WIDE = 72
"""The column of the comments, where what stands before is not longer."""


def final_text(items: Iterable[Final], style: Style) -> str:
    """Return the items as YAML."""
    return "\n".join("\n".join(_item(item, style)) + "\n" for item in items)


def final_json(items: Iterable[Final]) -> list[dict[str, Any]]:
    """Return the items as objects; lines and columns count from 1."""
    return [
        {
            "kind": item.kind,
            "name": item.name,
            "statements": [place_json(place) for place in item.statements],
            "keys": {
                key: [
                    {"text": fragment.text, "how": fragment.how, "place": place_json(fragment.place)}
                    for fragment in fragments
                ]
                for key, fragments in item.keys
            },
        }
        for item in items
    ]


def _item(item: Final, style: Style) -> Iterable[str]:
    origin = ", then ".join(map(str, item.statements))
    yield _commented(f"- {item.kind}: {style.bold(item.name)}", origin, style)
    for key, fragments in item.keys:
        listed = item.kind == "list" or key in ("tags", "exceptions")
        if len(fragments) == 1 and not listed:
            yield _commented(f"  {key}: {fragments[0].text}", _origin(fragments[0]), style)
            continue
        yield f"  {key}:{'' if listed else ' >'}" if fragments else f"  {key}: []"
        for fragment in fragments:
            yield _commented(f"    {'- ' if listed else ''}{fragment.text}", _origin(fragment), style)


def _origin(fragment: Fragment) -> str:
    return str(fragment.place) if fragment.how == DEFINED else f"{fragment.place} {fragment.how}"


def _commented(line: str, comment: str, style: Style) -> str:
    return f"{line:<{_WIDE}}  {style.dim(f'# {comment}')}"
