"""`--list-backends`, and the choice of a backend."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from refengine.backends.registry import BACKENDS, availability
from refengine.backends.target import Target
from refengine.cli.configuration import Configuration
from refengine.cli.options import Options
from refengine.errors import UsageError


def run() -> int:
    """Print every backend, whether it can run here, and if not, why and what would help."""
    width = max(map(len, BACKENDS))
    for name, entry in BACKENDS.items():
        print(f"{name:<{width}}  {entry.description}")
        found = availability(name)
        if found.available:
            print(f"{'':<{width}}  available")
            continue
        print(f"{'':<{width}}  not available: {found.reason}")
        if found.remedy:
            print(f"{'':<{width}}  to change that: {found.remedy}")
    return 0


def choose(options: Options, configuration: Configuration) -> tuple[str, Target]:
    """Return the name of the backend to use and what it is to observe.

    :raises UsageError: when nothing is given that could be observed.
    """
    watched = bool(options.watched or options.held)
    named = bool(options.command or options.pids or watched)
    path = options.recording
    if path is None and not named and configuration.engine_kind == "replay" and configuration.capture_file:
        path = Path(configuration.capture_file)
    target = Target(
        options.command,
        options.pids,
        () if path is None else (path,),
        watched=options.watched,
        held=options.held,
    )
    if watched and options.backend not in ("auto", "fanotify"):
        raise UsageError(f"--watch and --exact-opens are for the fanotify backend, not for {options.backend}")
    if options.backend != "auto":
        return options.backend, target
    if path is not None:
        return _reader_of(path), target
    if watched:
        return "fanotify", target
    if named:
        return "ptrace", target
    raise UsageError(
        "nothing to watch: give a command behind --, a process with -p PID, a folder with --watch, or a recording with -e FILE"
    )


def _reader_of(path: Path) -> str:
    """Return the backend that reads a recording, by how it begins: JSON is text, captures are not.

    What cannot be looked into, since reading would use it up, goes by its name.
    """
    if str(path) == "-":
        return "events"
    if not path.is_file():
        return "events" if path.suffix in {".jsonl", ".json"} else "capture"
    beginning = _beginning(path).lstrip()
    if beginning.startswith((b"{", b"[")):
        return "k8s_audit" if any(mark in beginning for mark in _OF_AUDIT_EVENTS) else "events"
    return "capture"


_LOOKED_AT = 1 << 16
"""Bytes of a recording that are looked at."""

_OF_AUDIT_EVENTS = (b'"auditID"', b'"audit.k8s.io/')
"""What stands near the beginning of audit events."""


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked where it is compressed; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            return gzip.open(file).read(_LOOKED_AT) if packed else file.read(_LOOKED_AT)
    except (OSError, EOFError, zlib.error):
        return b""  # whoever reads it says what is wrong with it
