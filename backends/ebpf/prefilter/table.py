"""The comparisons that the kernel side decides, by field and event type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from refengine.backends.ebpf.prefilter.arguments import argument
from refengine.backends.ebpf.prefilter.atom import Atom, Make
from refengine.backends.ebpf.prefilter.containers import of_container
from refengine.backends.ebpf.prefilter.ends import FIELDS, NAMES_OF_ADDRESSES
from refengine.backends.ebpf.prefilter.facts import (
    O_ACCESS_MODE,
    O_DIRECTORY,
    O_READ_WRITE,
    O_WRITE_ONLY,
    Facts,
    Level,
)
from refengine.backends.ebpf.prefilter.names import FOLDER, LEAF, WHOLE, raw_name, raw_text, text_of_name
from refengine.backends.ebpf.prefilter.sockets import USES
from refengine.backends.ebpf.prefilter.text import may_end
from refengine.backends.ebpf.prefilter.values import (
    boolean,
    error_name,
    never,
    number,
    opened_kind,
    thread_name,
)
from refengine.backends.precondition import Comparison
from refengine.event.paths import ABSENT
from refengine.tables.event_types import EventType
from refengine.tables.syscalls import BY_NAME
from refengine.values import ValueType

OPENS: Final = frozenset({"open", "openat", "openat2"})
PATHS: Final[Mapping[str, tuple[int | None, int]]] = {
    **dict.fromkeys(("open", "unlink", "rmdir", "mkdir", "chmod", "chown", "lchown", "umount2"), (None, 0)),
    **dict.fromkeys(("openat", "openat2", "unlinkat", "mkdirat", "fchmodat", "fchownat"), (0, 1)),
    **dict.fromkeys(("rename", "link", "symlink", "symlinkat"), (None, 0)),
    **dict.fromkeys(("renameat", "renameat2", "linkat"), (0, 1)),
}
"""Calls of which the kernel side looks at a path, of two at the first: the arguments with the directory and with the path."""

_TARGETED: Final = frozenset({"symlink", "symlinkat"})
"""Calls whose first path is shown as it was given."""

_OF_TWO: Final = frozenset({"rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"})


def atom(event_type: str, comparison: Comparison) -> Atom | None:
    """Return how the kernel side decides a comparison for events of this type, None where it does not."""
    call = BY_NAME.get(event_type)
    if not comparison.constants or call is None or event_type in ("execve", "execveat"):
        return None
    make = never if _is_absent(call.exit, comparison.field) else _COMMON.get(comparison.field)
    if make is None and event_type in USES and comparison.field in FIELDS:
        make = FIELDS[comparison.field](event_type)
    if make is None and comparison.field in _OF_RESULTS and _has_result(call.exit):
        make = _OF_RESULTS[comparison.field]
    if make is None and event_type in OPENS:
        make = _OF_OPENS.get(comparison.field)
    if make is None:
        make = argument(event_type, comparison.field) or of_container(comparison.field)
    if make is None and event_type in PATHS:
        if comparison.field == "fs.path.name" and event_type not in _OF_TWO:
            make = _path_of_open if event_type in OPENS else _path
        elif comparison.field == "evt.arg.target":
            make = raw_text
        elif event_type not in _TARGETED and comparison.field == f"evt.arg.{_path_parameter(call.exit)}":
            make = _path_argument
    return None if make is None else make(comparison.operator, comparison.constants)


def decides(event_type: str, comparison: Comparison) -> bool:
    """Return whether the kernel side can decide a comparison for events of this type."""
    return atom(event_type, comparison) is not None


def _is_absent(type: EventType, field: str) -> bool:
    """Return whether no event of the type has the field: a parameter of others, or something that is not looked up."""
    prefix, _, parameter = field.rpartition(".")
    return field in NAMES_OF_ADDRESSES or (
        prefix in ("evt.arg", "evt.rawarg") and parameter not in type.index
    )


def _has_result(type: EventType) -> bool:
    return bool(type.params) and type.params[0].name in ("res", "fd") and type.is_exit


def _path_parameter(type: EventType) -> str:
    return next(param.name for param in type.params if param.type in (ValueType.FSPATH, ValueType.FSRELPATH))


def _reads(facts: Facts) -> bool | None:
    return None if facts.flags is None else facts.flags & O_ACCESS_MODE != O_WRITE_ONLY


def _writes(facts: Facts) -> bool | None:
    mode = None if facts.flags is None else facts.flags & O_ACCESS_MODE
    return None if mode is None else mode in (O_WRITE_ONLY, O_READ_WRITE)


def _is_file(facts: Facts) -> bool:
    return facts.flags is not None and not facts.flags & O_DIRECTORY


_ACCESS = f"(f->flags & {O_ACCESS_MODE})"
_IS_FILE = f"f->has_flags && !(f->flags & {O_DIRECTORY:#x})"

# Where the call has failed, the field is absent.
_path_of_open: Final = text_of_name(WHOLE, lambda facts: facts.result != -1, present="f->result != -1")
_path: Final = text_of_name(WHOLE, lambda facts: facts.result == 0, present="f->result == 0")


_NOT_READ: Final = ABSENT.encode()
"""A path that reads like one that could not be read is shown as it is, not as what it means."""

_path_argument: Final = text_of_name(
    WHOLE, lambda facts: facts.raw != _NOT_READ, f"!({may_end(b'/' + _NOT_READ).expression})"
)

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
    "fd.name": text_of_name(WHOLE),
    "fd.directory": text_of_name(FOLDER, _is_file, _IS_FILE),
    "fd.filename": text_of_name(
        LEAF, lambda facts: _is_file(facts) and facts.result >= 0, f"{_IS_FILE} && f->result >= 0"
    ),
    "fd.nameraw": raw_name,
}
