"""The choice of backends, by the options and the configuration."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from refengine.backends.target import Target
from refengine.cli.configuration import DRIVERS, Configuration
from refengine.cli.listening import audit_address
from refengine.cli.options import Options
from refengine.errors import UsageError
from refengine.fields.catalogue import K8S_AUDIT, SYSCALL


def choose(options: Options, configuration: Configuration) -> tuple[tuple[str, Target], ...]:
    """Return the names of the backends to use, each with what it is to observe; none for a dry run of nothing.

    :raises UsageError: when nothing is given that could be observed, or nobody observes what is given.
    """
    watched = bool(options.watched or options.held)
    path = recording(options, configuration)
    target = Target(
        options.command,
        options.pids,
        () if path is None else (path,),
        audit_address(options, configuration),
        options.watched,
        options.held,
    )
    if len(options.backends) == 1:
        (name,) = options.backends
        if watched and name != _FILES:
            raise UsageError(f"--watch and --exact-opens are for the {_FILES} backend, not for {name}")
        return ((name, target if name == _AUDIT else replace(target, address=None)),)
    names = options.backends or tuple(_fitting(target, options, configuration))
    if names:
        return _shared_out(target, names)
    if options.dry_run:
        return ()  # the rules and the configuration can be looked at nevertheless
    reason = "engine kind nodriver is without system calls; " if _is_without_driver(configuration) else ""
    raise UsageError(
        f"nothing to watch: {reason}give a command behind --, a process with -p PID, a folder with --watch, "
        "a recording with -e FILE, or an address for audit events with --listen URL"
    )


def recording(options: Options, configuration: Configuration) -> Path | None:
    """Return the file that events are read from, None where there is none.

    :raises UsageError: when the configuration asks for one and does not name it.
    """
    live = options.command or options.pids or options.watched or options.held
    if options.recording is not None or live or configuration.engine_kind != "replay":
        return options.recording
    if configuration.capture_file:
        return Path(configuration.capture_file)
    if options.backends:
        return None
    raise UsageError("configuration key 'engine.kind' is replay, which needs 'engine.replay.capture_file'")


_AUDIT, _FILES = "k8s_audit", "fanotify"

_TAKES: Mapping[str, frozenset[str]] = {
    "ptrace": frozenset({"command", "pids"}),
    _FILES: frozenset({"watched", "held"}),
    "capture": frozenset({"files"}),
    "events": frozenset({"files"}),
    _AUDIT: frozenset({"files", "address"}),
}
"""What of a target the backends take, when several share it."""


def _fitting(target: Target, options: Options, configuration: Configuration) -> Iterator[str]:
    """Yield the backends for a target when nobody has chosen any."""
    if target.files:
        yield reader_of(target.files[0])
    elif target.watched or target.held:
        yield _FILES
    elif target.command or target.pids:
        yield "ptrace"
    elif _is_for_machine(options, configuration):
        yield "ebpf"
    audited = target.address is not None or K8S_AUDIT in options.enabled_sources
    if audited and not (target.files and reader_of(target.files[0]) == _AUDIT):
        yield _AUDIT


def _is_for_machine(options: Options, configuration: Configuration) -> bool:
    """Return whether system calls are asked for, by an option or by the driver that the configuration names."""
    if options.enabled_sources:
        return SYSCALL in options.enabled_sources and not _is_without_driver(configuration)
    return configuration.engine_kind in DRIVERS and SYSCALL not in options.disabled_sources


def _is_without_driver(configuration: Configuration) -> bool:
    return configuration.engine_kind == "nodriver"


def _shared_out(target: Target, names: tuple[str, ...]) -> tuple[tuple[str, Target], ...]:
    """Return each backend with its part of the target; a recording goes to the one that can read it.

    :raises UsageError: when a part is left over.
    """
    given = {
        part for part in ("command", "pids", "files", "address", "watched", "held") if getattr(target, part)
    }
    reader = reader_of(target.files[0]) if target.files else None
    shares = []
    for name in names:
        takes = _TAKES.get(name, frozenset()) - (frozenset() if name == reader else {"files"})
        given -= takes
        shares.append((name, replace(Target(), **{part: getattr(target, part) for part in takes})))
    if given:
        words = {"command": "the command", "pids": "the process", "files": "the recording"}
        left = ", ".join(sorted(words.get(part, part) for part in given))
        raise UsageError(f"none of the backends {', '.join(names)} takes {left}")
    return tuple(shares)


def reader_of(path: Path) -> str:
    """Return the backend that reads a recording, by how it begins: JSON is text, captures are not.

    What cannot be looked into, since reading would use it up, goes by its name.
    """
    if str(path) == "-":
        return "events"
    if not path.is_file():
        return "events" if path.suffix in {".jsonl", ".json"} else "capture"
    beginning = _beginning(path).lstrip()
    if beginning.startswith((b"{", b"[")):
        return "k8s_audit" if _OF_AUDIT_EVENTS.search(beginning) else "events"
    return "capture"


_LOOKED_AT = 1 << 16
"""Bytes of a recording that are looked at."""

_OF_AUDIT_EVENTS = re.compile(rb'(?<!\\)"(?:auditID"|audit\.k8s\.io/)')
"""What stands near the beginning of audit events; within the value of a field there would be a backslash before it."""


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked where it is compressed; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            return gzip.open(file).read(_LOOKED_AT) if packed else file.read(_LOOKED_AT)
    except (OSError, EOFError, zlib.error):
        return b""  # whoever reads it says what is wrong with it
