"""Sessions for the tests of exploring, over events that are written in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from refengine.authoring.exploring.columns import CELLS, Columns
from refengine.authoring.exploring.recordings import LIMIT
from refengine.authoring.exploring.scope import Scope
from refengine.authoring.exploring.session import execute
from refengine.authoring.exploring.workspace import Workspace
from refengine.rulefile.loader import load
from refengine.source import Source
from refengine.terminal import Style

RULES = """\
- list: shells
  items: [bash, sh]
- macro: opened
  condition: (evt.type in (open, openat) and fd.num >= 0)
- rule: Shadow read
  desc: d
  condition: opened and fd.name = /etc/shadow
  output: read
  priority: WARNING
- rule: Shell opens
  desc: d
  condition: opened and proc.name in (shells)
  output: shell
  priority: NOTICE
"""
EVENTS = [
    {"evt.type": "open", "fd.num": 3, "fd.name": "/etc/shadow", "proc.name": "cat"},
    {"evt.type": "open", "fd.num": 4, "fd.name": "/etc/hosts", "proc.name": "bash", "user.name": "root"},
    {"evt.type": "openat", "fd.num": 3, "fd.name": "/etc/shadow", "proc.name": "sh"},
    {"evt.type": "close", "fd.num": 3, "proc.name": "cat"},
]


def events_file(folder: Path, events: Iterable[Mapping[str, Any]] = EVENTS, name: str = "e.jsonl") -> Path:
    """Return a file with events as lines of JSON."""
    path = folder / name
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    return path


def desk(
    *files: Path,
    rules: str = RULES,
    backend: str = "events",
    width: int = 100,
    limit: int = LIMIT,
    cells: int = CELLS,
) -> Workspace:
    """Return a session's workspace with rules and recordings."""
    at = Workspace(
        Columns(limit, cells),
        Scope(load([Source("r.yaml", rules)])),
        lambda _path: backend,
        style=Style(False),
        width=lambda: width,
    )
    for file in files:
        at.load(file)
    return at


def said(at: Workspace, line: str) -> list[str]:
    """Return the lines with which a session answers one."""
    return "\n".join(execute(line, at)).split("\n")
