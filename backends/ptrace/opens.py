"""Opens that no rule can match, told at their entry, so that they need no second stop and no event.

Most opens fail or read files that no rule speaks of, and programs make them by the thousand. At the entry the
result is not known yet, so each precondition is asked twice: as if the call were going to succeed and as if it
were going to fail. What a field's value would be is worked out as `state` and `fields` do it at the exit;
what cannot be known counts as whatever is wanted. The answers are remembered, since programs open the same
files again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

from refengine.backends.precondition import AllOf, Comparison, Precondition
from refengine.backends.syscalls import kernel_bits as kb
from refengine.event.addresses import printable
from refengine.event.paths import joined, normalised
from refengine.state.descriptors import DESCRIPTOR_TYPES
from refengine.tables.errnos import ERRNO_NAMES
from refengine.tables.flags import FLAG_TABLES

OPENS: Final = frozenset({"open", "openat", "openat2"})

_FILE = FLAG_TABLES["file_flags"]
_READS, _WRITES, _FOLDER = _FILE["O_RDONLY"], _FILE["O_WRONLY"], _FILE["O_DIRECTORY"]
ACCESS_MODES: Final = 3
"""The kernel's bits for the access mode."""

_REMEMBERED: Final = 8192
_RESULT_MAX: Final = (1 << 31) - 1
_ERROR_MAX: Final = 4095
_ERROR_NAMES: Final = frozenset(ERRNO_NAMES.values())


class Acquaintance(Protocol):
    """What is known of a thread before its next event, as its fields will show it. None is what is not known."""

    def name(self, tid: int) -> str | None:
        """Return `proc.name`."""

    def directory(self, tid: int, number: int) -> str | None:
        """Return the path that relative ones are below, with a slash at the end; `AT_FDCWD` is a number, too."""


class _Unknown:
    """The type of `UNKNOWN`."""


UNKNOWN: Final = _Unknown()
"""The value of a field that cannot be told."""


class Opening:
    """An open that is being made: flags in the capture format, the path as given, what it is relative to.

    `base` is the empty string for an absolute path, None where it is not known, and `in_cwd` tells that it is the
    working directory. `comm` is the short name of the thread, None where it is not known; `text` is the absolute
    path, as `fd.name` shows it.
    """

    __slots__ = ("base", "comm", "flags", "in_cwd", "path", "text")

    def __init__(self, flags: int, path: str, base: str | None, in_cwd: bool, comm: str | None) -> None:
        self.flags = flags
        self.path = path
        self.base = base
        self.in_cwd = in_cwd
        self.comm = comm
        self.text: str | _Unknown = UNKNOWN if base is None else printable(joined(base, path))


Read: TypeAlias = "Callable[[Opening], Any]"
"""Tells the value of a field: None where it is absent, `UNKNOWN` where it cannot be told."""

Outcome: TypeAlias = "Callable[[Comparison], bool | None]"
"""Tells how a comparison comes out whatever the value is, None where that depends on the value."""

Decision: TypeAlias = "Callable[[Opening], bool]"
"""Tells whether a precondition may hold."""


def _is_folder(opening: Opening) -> bool:
    return bool(opening.flags & _FOLDER)


def _comm(opening: Opening) -> Any:
    return UNKNOWN if opening.comm is None else opening.comm


def _raw_name(opening: Opening) -> str:
    path = printable(opening.path)
    while "//" in path:
        path = path.replace("//", "/")
    return path


def _directory(opening: Opening) -> Any:
    return _folder_of(opening.text) if isinstance(opening.text, str) else UNKNOWN


def _folder_of(path: str) -> str:
    position = path.rfind("/")
    if position <= 0:
        return "/"
    return path if position == len(path) - 1 else path[:position]


def _directory_opened(opening: Opening) -> Any:
    return opening.text if _is_folder(opening) else _directory(opening)


def _file_opened(opening: Opening) -> Any:
    path = opening.text
    if _is_folder(opening):
        return None
    if not isinstance(path, str):
        return UNKNOWN
    position = path.rfind("/")
    return "/" if position < 0 else path[position + 1 :] or path


def _path_opened(opening: Opening) -> Any:
    """Tell `fs.path.name`, which is below the working directory whatever directory the call names."""
    if opening.path.startswith("/"):
        return opening.path
    return normalised(opening.base + opening.path) if opening.in_cwd and opening.base else UNKNOWN


_BY_FLAGS: Final[Mapping[str, Read]] = {
    "evt.is_open_read": lambda opening: bool(opening.flags & _READS),
    "evt.is_open_write": lambda opening: bool(opening.flags & _WRITES),
}
"""Fields that depend on the access mode only."""

_ALWAYS: Final[Mapping[str, Read]] = {
    **_BY_FLAGS,
    "proc.name": _comm,
    "fd.name": lambda opening: opening.text,
    "fd.nameraw": _raw_name,
}

_ON_SUCCESS: Final[Mapping[str, Read]] = {
    **_ALWAYS,
    "fd.typechar": lambda opening: "d" if _is_folder(opening) else "f",
    "fd.type": lambda opening: DESCRIPTOR_TYPES["d" if _is_folder(opening) else "f"],
    "fd.directory": _directory_opened,
    "fd.filename": _file_opened,
    "fs.path.name": _path_opened,
    "evt.res": lambda _: "SUCCESS",
    "evt.failed": lambda _: False,
}

_ON_FAILURE: Final[Mapping[str, Read]] = {
    **_ALWAYS,
    "fd.typechar": lambda _: "o",
    "fd.type": lambda _: None,
    "fd.directory": _directory,
    "fd.filename": lambda _: None,
    "fd.num": lambda _: -1,
    "evt.failed": lambda _: True,
}

_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_EQUALITY: Final = frozenset({"=", "==", "in"})


def _numbers(lowest: int, highest: int) -> Outcome:
    """Return how a comparison of a number in a range comes out."""

    def outcome(comparison: Comparison) -> bool | None:
        assert comparison.compares is not None
        if comparison.operator in _ORDER:
            first, last = comparison.compares(lowest), comparison.compares(highest)
            return first if first is last else None
        if comparison.operator not in _EQUALITY:
            return None
        numbers = (constant for constant in comparison.constants if isinstance(constant, int))
        return None if any(lowest <= number <= highest for number in numbers) else False

    return outcome


def _error_name(comparison: Comparison) -> bool | None:
    """Return how a comparison of the name of some error comes out; one without a name is shown as a number."""
    texts = (str(constant) for constant in comparison.constants)
    if comparison.operator in _EQUALITY and not any(map(_may_be_error, texts)):
        return False
    return None


def _may_be_error(text: str) -> bool:
    return text in _ERROR_NAMES or text.startswith("-")


_ANY_SUCCESS: Final[Mapping[str, Outcome]] = {
    "fd.num": _numbers(0, _RESULT_MAX),
    "evt.rawres": _numbers(0, _RESULT_MAX),
}
_ANY_FAILURE: Final[Mapping[str, Outcome]] = {
    "evt.rawres": _numbers(-_ERROR_MAX, -1),
    "evt.res": _error_name,
}
"""Fields that may have any of many values."""


def decides(event_type: str, comparison: Comparison) -> bool:
    """Return whether a comparison can be decided at a call's entry, in case of success or of failure."""
    known = comparison.field in _ON_SUCCESS or comparison.field in _ANY_SUCCESS
    return event_type in OPENS and known and comparison.compares is not None


def access_modes(precondition: Precondition) -> frozenset[int]:
    """Return the access modes, as the kernel numbers them, with which an open may fulfil the precondition."""
    decision = _decision(precondition, _BY_FLAGS, {})
    modes = range(ACCESS_MODES + 1)
    return frozenset(mode for mode in modes if decision(Opening(kb.open_flags(mode), "", None, False, None)))


class Foresight:
    """Tells for one kind of open whether an event of it could match.

    `names` is whether the precondition reads the thread's name; where it does not, None may be given for it.
    """

    __slots__ = ("may_match", "names")

    def __init__(self, precondition: Precondition) -> None:
        self.names = "proc.name" in set(_fields(precondition))
        succeeds = _decision(precondition, _ON_SUCCESS, _ANY_SUCCESS)
        fails = _decision(precondition, _ON_FAILURE, _ANY_FAILURE)

        def may_match(flags: int, path: bytes, base: str | None, in_cwd: bool, comm: str | None) -> bool:
            text = path.decode("utf-8", "surrogateescape")
            opening = Opening(kb.open_flags(flags), text, base, in_cwd, comm)
            return succeeds(opening) or fails(opening)

        self.may_match = lru_cache(_REMEMBERED)(may_match)


def _fields(precondition: Precondition) -> Iterable[str]:
    if isinstance(precondition, Comparison):
        yield precondition.field
    elif not isinstance(precondition, bool):
        for part in precondition.parts:
            yield from _fields(part)


def _decision(
    precondition: Precondition, reads: Mapping[str, Read], outcomes: Mapping[str, Outcome]
) -> Decision:
    if isinstance(precondition, bool):
        return _always if precondition else _never
    if isinstance(precondition, Comparison):
        return _comparison(precondition, reads, outcomes)
    decisions = [_decision(part, reads, outcomes) for part in precondition.parts]
    is_all = isinstance(precondition, AllOf)
    neutral, decisive = (_always, _never) if is_all else (_never, _always)
    if decisive in decisions:
        return decisive
    kept = tuple(dict.fromkeys(decision for decision in decisions if decision is not neutral))
    if len(kept) < 2:
        return kept[0] if kept else neutral
    if is_all:
        return lambda opening: all(decision(opening) for decision in kept)
    return lambda opening: any(decision(opening) for decision in kept)


def _always(_: Opening) -> bool:
    return True


def _never(_: Opening) -> bool:
    return False


def _comparison(
    comparison: Comparison, reads: Mapping[str, Read], outcomes: Mapping[str, Outcome]
) -> Decision:
    compares, holds = comparison.compares, comparison.holds
    assert compares is not None, "nothing else is decided"
    any_value = outcomes.get(comparison.field)
    if any_value is not None:
        outcome = any_value(comparison)
        return _always if outcome is None or outcome is holds else _never
    read = reads.get(comparison.field)
    if read is None:
        return _always

    def decide(opening: Opening) -> bool:
        value = read(opening)
        if value is UNKNOWN:
            return True
        return (value is not None and compares(value)) is holds

    return decide
