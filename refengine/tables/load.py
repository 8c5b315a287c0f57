"""Reading of the JSON tables that ship with the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def read_table(name: str) -> Any:
    """Return the content of `data/NAME.json`.

    :raises FileNotFoundError: when there is no such table, which means a broken installation.
    """
    return json.loads((files("refengine.tables") / "data" / f"{name}.json").read_bytes())
