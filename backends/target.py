"""What the user points a backend at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """What to observe: a command to run, processes that run already, recorded files, or an address to listen at.

    All empty means the whole machine. A backend takes what it understands, and says so when it gets what it
    does not.
    """

    command: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    files: tuple[Path, ...] = ()
    address: str | None = None
