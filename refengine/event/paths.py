"""Paths as events give them, made absolute and plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.tables.event_types import Parameter

if TYPE_CHECKING:
    from refengine.event.event import Event
    from refengine.state.descriptors import Descriptor

AT_FDCWD = -100
"""The directory descriptor that stands for the current working directory."""

UNKNOWN_DIRECTORY = "<UNKNOWN>"
"""What a relative path is shown below when its directory is not known at all."""

ABSENT = "<NA>"
"""What stands for a path that an observer could not read."""

PATH_LIMIT = 1024
TOO_LONG = "/PATH_TOO_LONG"
"""What stands for a path of `PATH_LIMIT` characters or more."""


def normalised(path: str) -> str:
    """Return the path without empty and `.` components, `..` taken back, and no slash at the end."""
    if "//" not in path and "/." not in path and not path.startswith(".") and not path.endswith("/"):
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if kept:
                kept.pop()
        elif part and part != ".":
            kept.append(part)
    plain = "/".join(kept)
    return f"/{plain}" if path.startswith("/") else plain


def joined(base: str, path: str) -> str:
    """Return `path`, below `base` when it is relative, normalised."""
    if not path.startswith("/"):
        path = f"{base}/{path}" if base and not base.endswith("/") else base + path
    if len(path) >= PATH_LIMIT:
        return TOO_LONG
    return normalised(path)


def descriptor_numbered(event: Event, number: int) -> Descriptor | None:
    """Return what the acting thread has open as `number`, None where that is not known."""
    state, thread = event.state, event.thread
    if state is None or thread is None:
        return None
    return state.descriptor(thread, number)


def base_directory(event: Event, param: Parameter) -> str | None:
    """Return the directory that a relative path in `param` is relative to, None where the thread is not known.

    That is the working directory, or the directory that the parameter's directory descriptor names.
    """
    position = param.dirfd_param
    if position is None or position >= len(event.params):
        return working_directory(event)
    number = event.params[position]
    return directory_numbered(event, number) if isinstance(number, int) else working_directory(event)


def directory_numbered(event: Event, number: int) -> str | None:
    """Return the path of the directory that `number` stands for in a call of the `*at` kind."""
    if number == AT_FDCWD:
        return working_directory(event)
    if event.thread is None:
        return None
    descriptor = descriptor_numbered(event, number)
    return "" if descriptor is None else descriptor.name


def working_directory(event: Event) -> str | None:
    """Return the working directory of the acting thread, None where the thread is not known."""
    state, thread = event.state, event.thread
    if state is None or thread is None:
        return None
    return state.working_directory(thread)
