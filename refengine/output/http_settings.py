"""Where and how alerts are posted; apart from what posts them, which only runs that do need to import."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

USER_AGENT: Final = "refengine"


class HttpOutput(NamedTuple):
    """Where and how alerts are posted.

    With `insecure` the receiver's certificate is not verified. `authority` is a file and `authorities` a folder
    of certificates to verify it against, instead of the system's. `certificate` and `key` identify this side.
    """

    url: str
    json: bool = False
    user_agent: str = USER_AGENT
    insecure: bool = False
    authority: Path | None = None
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    compress: bool = False
    keep_alive: bool = False
