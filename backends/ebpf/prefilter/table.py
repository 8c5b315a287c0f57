"""The comparisons that the kernel side decides, by field and event type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from refengine.backends.ebpf.prefilter.atom import Atom, Make
from refengine.backends.ebpf.prefilter.ends import FIELDS, NAMES_OF_ADDRESSES
from refengine.backends.ebpf.prefilter.facts import (
    O_ACCESS_MODE,
    O_DIRECTORY,
    O_READ_WRITE,
    O_WRITE_ONLY,
    Facts,
    Level,
)
from refengine.backends.ebpf.prefilter.names import PATH_FORMS, folder, leaf, raw_name, text_of_name
from refengine.backends.ebpf.prefilter.sockets import USES
from refengine.backends.ebpf.prefilter.values import (
    boolean,
    error_name,
    named_argument,
    number,
    opened_kind,
    thread_name,
)
from refengine.backends.precondition import Comparison
from refengine.backends.syscalls import kernel_bits as kb
from refengine.tables.event_types import EventType
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import BY_NAME

OPENS: Final = frozenset({"open", "openat", "openat2"})
PATHS: Final[Mapping[str, tuple[int | None, int]]] = {
    **dict.fromkeys(("open", "unlink", "rmdir", "mkdir", "chmod", "chown", "lchown", "umount2"), (None, 0)),
    **dict.fromkeys(("openat", "openat2", "unlinkat", "mkdirat", "fchmodat", "fchownat"), (0, 1)),
}
"""Calls of which the kernel side looks at the path: the arguments with the directory and with the path."""


def atom(event_type: str, comparison: Comparison) -> Atom | None:
    """Return how the kernel side decides a comparison for events of this type, None where it does not."""
    call = BY_NAME.get(event_type)
    if not comparison.constants or call is None or event_type in ("execve", "execveat"):
        return None
    make = _COMMON.get(comparison.field)
    if make is None and comparison.field in NAMES_OF_ADDRESSES:
        make = NAMES_OF_ADDRESSES[comparison.field](event_type)
    if make is None and event_type in USES and comparison.field in FIELDS:
        make = FIELDS[comparison.field](event_type)
    if make is None and comparison.field in _OF_RESULTS and _has_result(call.exit):
        make = _OF_RESULTS[comparison.field]
    if make is None and event_type in OPENS:
        make = _OF_OPENS.get(comparison.field)
    if make is None and event_type == "ptrace":
        make = _OF_PTRACE.get(comparison.field)
    if make is None and event_type in PATHS and comparison.field == "fs.path.name":
        make = _path_of_open if event_type in OPENS else _path
    return None if make is None else make(comparison.operator, comparison.constants)


def decides(event_type: str, comparison: Comparison) -> bool:
    """Return whether the kernel side can decide a comparison for events of this type."""
    return atom(event_type, comparison) is not None


def _has_result(type: EventType) -> bool:
    return bool(type.params) and type.params[0].name in ("res", "fd") and type.is_exit


def _reads(facts: Facts) -> bool | None:
    return None if facts.flags is None else facts.flags & O_ACCESS_MODE != O_WRITE_ONLY


def _writes(facts: Facts) -> bool | None:
    mode = None if facts.flags is None else facts.flags & O_ACCESS_MODE
    return None if mode is None else mode in (O_WRITE_ONLY, O_READ_WRITE)


def _file_name(facts: Facts) -> bytes | None:
    """Return the name of a file's own, None where it is unknown or there is no file."""
    name = facts.name()
    if name is None or facts.result < 0 or facts.flags is None or facts.flags & O_DIRECTORY:
        return None
    return name.rpartition(b"/")[2]


def _directory(facts: Facts) -> bytes | None:
    name = facts.name()
    if name is None or facts.flags is None or facts.flags & O_DIRECTORY:
        return None
    return name.rpartition(b"/")[0] or b"/"


_ACCESS = f"(f->flags & {O_ACCESS_MODE})"
_IS_FILE = f"f->known && f->has_flags && !(f->flags & {O_DIRECTORY:#x})"


def _named(succeeded: Callable[[int], bool]) -> Callable[[Facts], bytes | None]:
    """Return the reader of the name of calls that succeeded; for others the comparisons are not looked at."""
    return lambda facts: facts.name() if succeeded(facts.result) else None


# The field is absent where the call failed: then the kernel side says no, and the Python form leaves it open.
_path_of_open: Final = text_of_name(
    PATH_FORMS, _named(lambda result: result != -1), "f->known", "f->result != -1"
)
_path: Final = text_of_name(PATH_FORMS, _named(lambda result: result == 0), "f->known", "f->result == 0")

_COMMON: Final[dict[str, Make]] = {
    "proc.name": thread_name,
    "user.uid": number(Level.THREAD, "(s64)f->uid", lambda facts: facts.uid),
}

_OF_RESULTS: Final[dict[str, Make]] = {
    "evt.rawres": number(Level.RESULT, "f->result", lambda facts: facts.result),
    "evt.failed": boolean(Level.RESULT, "f->result < 0", lambda facts: facts.result < 0),
    "evt.res": error_name,
}

_OF_OPENS: Final[dict[str, Make]] = {
    "fd.num": number(Level.RESULT, "(f->result >= 0 ? f->result : -1)", lambda facts: max(facts.result, -1)),
    "fd.typechar": opened_kind(b"f", b"d", b"o"),
    "fd.type": opened_kind(b"file", b"directory", None),
    "evt.is_open_read": boolean(Level.ARGUMENTS, f"{_ACCESS} != {O_WRITE_ONLY}", _reads, "f->has_flags"),
    "evt.is_open_write": boolean(
        Level.ARGUMENTS,
        f"{_ACCESS} == {O_WRITE_ONLY} || {_ACCESS} == {O_READ_WRITE}",
        _writes,
        "f->has_flags",
    ),
    "fd.name": text_of_name(PATH_FORMS, lambda facts: facts.name(), "f->known"),
    "fd.directory": text_of_name({"=": folder}, _directory, _IS_FILE),
    "fd.filename": text_of_name({"=": leaf}, _file_name, f"{_IS_FILE} && f->result >= 0"),
    "fd.nameraw": raw_name,
}


def _requests() -> Make:
    """Return the maker of comparisons of what a `ptrace` call asks for, by the names that events show."""
    shown = {value: name.encode() for name, value in FLAG_TABLES["ptrace_requests"].items()}
    named = {request: shown[kb.ptrace_requests(request)] for request in (*range(64), *range(0x4200, 0x4240))}
    return named_argument(0, named, shown[kb.ptrace_requests(0xFFFFFFFF)])


_OF_PTRACE: Final[dict[str, Make]] = {"evt.arg.request": _requests()}
