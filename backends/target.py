"""What the user points a backend at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """What to observe: a command to run, processes that run already, recorded files, or an address to listen at.

    `watched` are files and folders of which all that happens in them is to be told, `held` those of which opens are
    to be held until their exact flags are known. All empty means the whole machine. A backend takes what it understands, and says so when it gets what it
    does not.
    """

    command: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    files: tuple[Path, ...] = ()
    address: str | None = None
    watched: tuple[Path, ...] = ()
    held: tuple[Path, ...] = ()
