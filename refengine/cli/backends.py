"""`--list-backends`, and the choice of a backend."""

from __future__ import annotations

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
    """Return the backend that reads a recording: lines of JSON begin with a brace, captures with other bytes.

    What cannot be looked into, since reading would use it up, goes by its name.
    """
    if str(path) == "-":
        return "events"
    if not path.is_file():
        return "events" if path.suffix in {".jsonl", ".json"} else "capture"
    try:
        with path.open("rb") as file:
            beginning = file.read(512).lstrip()
    except OSError:
        return "capture"  # which says what is wrong with it
    return "events" if beginning.startswith(b"{") else "capture"
