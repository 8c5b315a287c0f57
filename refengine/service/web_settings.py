"""What the web server is to do; apart from the server, which only runs that have one need to import."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class WebSettings(NamedTuple):
    """Where to listen and what to answer.

    At most `threads` requests are answered at once; more of them are turned away. `certificate` is a file with a
    certificate and its key, for TLS. `metrics` says whether `/metrics` is there.
    """

    address: str = "0.0.0.0"  # noqa: S104  # Falco's default; who probes a node's health is not on it
    port: int = 8765
    healthz: str = "/healthz"
    threads: int = 8
    certificate: Path | None = None
    metrics: bool = False
