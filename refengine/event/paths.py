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
    """Return `path`, normalised, below `base` when it is relative; `base` is plain and ends in a slash.

    A base without a slash at the end is put before the path as it is.
    """
    if len(base) + len(path) >= PATH_LIMIT:
        return TOO_LONG
    if path.startswith("/"):
        return normalised(path)
    if not path.startswith(".") and "//" not in path and "/." not in path and not path.endswith("/"):
        return base + path
    folder, _, start = base.rpartition("/")
    kept = folder.split("/") if base.endswith("/") else []
    for part in (start + path).split("/"):
        if part == "..":
            if kept != [""] and kept:
                kept.pop()
        elif part and part != ".":
            kept.append(part)
    return "/".join(kept) if kept != [""] else "/"


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
    return "" if descriptor is None else slashed(descriptor.name)


def slashed(path: str) -> str:
    """Return the path of a directory with a slash at the end; the empty string stays what it is."""
    return path if not path or path.endswith("/") else f"{path}/"


def working_directory(event: Event) -> str | None:
    """Return the working directory of the acting thread, None where the thread is not known."""
    state, thread = event.state, event.thread
    if state is None or thread is None:
        return None
    return state.working_directory(thread)
