"""What the user points a backend at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

BODY_LIMIT: Final = 12 << 20
"""Bytes that a request may have, if nobody says otherwise."""


class Address(NamedTuple):
    """An address to listen at for events that are posted, and how.

    `url` is `http://HOST:PORT/PATH` or `https://…`, an empty host meaning every address of the machine; the latter
    needs `certificate`, a PEM file with the server's certificates, and with its key unless `key` names that file.
    With `client_authority`, a PEM file, only clients with a certificate from there are listened to. A request may
    have at most `body_limit` bytes; more than `requests_per_second` requests in a second are turned away, None
    meaning any number.
    """

    url: str
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None
    body_limit: int = BODY_LIMIT
    requests_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What to observe: a command to run, processes that run already, recorded files, or an address to listen at.

    `watched` are files and folders of which all that happens in them is to be told, `held` those of which opens are
    to be held until their exact flags are known. All empty means the whole machine. A backend takes what it understands, and says so when it gets what it
    does not. For so many seconds of `patience` it may wait, when it is opened, for what would else come after it has begun to
    observe: where another one observes meanwhile, nothing is missed.
    """

    command: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    files: tuple[Path, ...] = ()
    address: Address | None = None
    watched: tuple[Path, ...] = ()
    held: tuple[Path, ...] = ()
    patience: float = 0.0
