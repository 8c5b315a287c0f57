"""What the text of a path tells of the name that it means, before anything else is looked at.

A text is plain when the name has it as it is: it is the whole name, or the end of it where it is relative. Its ends
are then compared with those of the names that rules ask for. `program/text.h` has the same in C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from refengine.backends.ebpf.prefilter.atom import all_of
from refengine.backends.ebpf.prefilter.facts import AT_FDCWD, Facts, is_plain

_START: Final = 16
_END: Final = 8
COMPONENT_MAX: Final = 31
"""A last component of the working directory that is longer is not looked at."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a plain text tells: the first bytes of the name, its last ones, and the last ones of its directory.

    `start` is None where the text is relative; `folder_end` is empty where it is absolute, or nothing is known.
    """

    start: bytes | None
    end: bytes
    folder_end: bytes = b""


def text_of(facts: Facts) -> Text | None:
    """Return what the text tells, None where it is not plain."""
    text = facts.plain_text()
    if text is None:
        return None
    if text.startswith(b"/"):
        return Text(text[:_START], text[-_END:])
    is_here = facts.directory == AT_FDCWD
    folder, slash, _ = text.rpartition(b"/")
    if not slash:
        folder_end = _end_of(facts.cwd) if is_here else b""
    else:
        folder_end = (b"/" + folder if is_here else folder)[-_END:]
    return Text(None, (b"/" + text if is_here else text)[-_END:], folder_end)


def _end_of(directory: bytes | None) -> bytes:
    """Return the known end of a working directory."""
    component = b"" if directory is None else directory.rpartition(b"/")[2]
    end = (b"/" + component)[-_END:]
    return end if 0 < len(component) <= COMPONENT_MAX and is_plain(end) else b""


@dataclass(frozen=True, slots=True)
class Hint:
    """Whether a comparison may hold, as far as a plain text tells: in C, and the same in Python."""

    expression: str
    may_hold: Callable[[Text], bool]


def may_start(start: bytes) -> Hint:
    """Return whether the name may start with `start`."""
    expression = f"!f->absolute || ({_starts(start)})"
    return Hint(expression, lambda text: text.start is None or _is_start(start, text.start))


def may_end(end: bytes) -> Hint:
    """Return whether the name may end with `end`."""
    return Hint(_ends("end", end), lambda text: _is_end(end, text.end))


def may_be(name: bytes) -> Hint:
    """Return whether the name may be `name`."""
    return Hint(
        f"f->absolute ? ({_starts(name)}) : {_ends('end', name)}",
        lambda text: _is_end(name, text.end) if text.start is None else _is_start(name, text.start),
    )


def may_be_in(folder: bytes) -> Hint:
    """Return whether the name may be that of something in the directory `folder`."""
    start = folder if folder == b"/" else folder + b"/"
    return Hint(
        f"f->absolute ? ({_starts(start)}) : {_ends('folder_end', folder)}",
        lambda text: _is_end(folder, text.folder_end) if text.start is None else _is_start(start, text.start),
    )


def _starts(start: bytes) -> str:
    parts = []
    for place in range(0, min(len(start), _START), 8):
        piece = start[place : place + 8]
        mask = "" if len(piece) == 8 else f" & {(1 << 8 * len(piece)) - 1:#x}ULL"
        parts.append(f"(text.words[{place // 8}]{mask}) == {int.from_bytes(piece, 'little'):#x}ULL")
    return all_of(parts)


def _is_start(start: bytes, known: bytes) -> bool:
    return known.startswith(start[:_START])


def _ends(member: str, end: bytes) -> str:
    """Return in C that the known bytes of an end of the text are those of `end`."""
    piece = end[-_END:]
    value = int.from_bytes(piece.rjust(_END, b"\0"), "little")
    mask = "" if len(piece) == _END else f" & {-1 << 8 * (_END - len(piece)) & (1 << 64) - 1:#x}ULL"
    return f"!((f->{member} ^ {value:#x}ULL) & f->{member}_known{mask})"


def _is_end(end: bytes, known: bytes) -> bool:
    size = min(len(end), len(known))
    return size == 0 or end[-size:] == known[-size:]
