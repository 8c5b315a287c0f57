"""Reading of the JSON tables that ship with the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

# Not by `importlib.resources`, whose import takes longer than all the tables together.
_DATA: Final = Path(__file__).with_name("data")


def read_table(name: str) -> Any:
    """Return the content of `data/NAME.json`.

    :raises FileNotFoundError: when there is no such table, which means a broken installation.
    """
    return json.loads(_DATA.joinpath(f"{name}.json").read_bytes())
