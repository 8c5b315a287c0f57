"""The comparisons that the kernel side decides, each as an expression in C and as the same thing in Python.

The Python form is what tests hold against the interpreter. Both give three answers: yes, no, and unknown, which
counts as whatever is wanted. Constants go into the C text as numbers only, never as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Final, TypeAlias

from refengine.backends.precondition import Comparison
from refengine.event.paths import normalised
from refengine.tables.errnos import ERRNO_NAMES
from refengine.tables.event_types import EventType
from refengine.tables.syscalls import BY_NAME

NAME_LIMIT: Final = 256
"""Names of this many bytes or more are unknown to the kernel side."""

AT_FDCWD: Final = -100
_O_ACCESS_MODE, _O_WRITE_ONLY, _O_READ_WRITE, _O_DIRECTORY = 3, 1, 2, 0o200000
_COMM_SIZE: Final = 16
_COMPARED_NAMES_MAX: Final = 4
"""More names than this are looked up in a map instead of being compared one by one."""

_ERRORS_MAX: Final = 8
"""A comparison that more errors than this fulfil is not looked at closely when a call has failed."""

_NUMBER_OPERATORS: Final = {"=": "==", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
OPENS: Final = frozenset({"open", "openat", "openat2"})


class Level(IntEnum):
    """What has to be looked at for a fact: what costs least, or excludes most, first."""

    RESULT = 0
    ARGUMENTS = 1
    NAME = 2
    THREAD = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What the kernel side sees of a call. `raw` is the path as given, None where it cannot be read."""

    result: int
    comm: bytes = b""
    uid: int = 0
    flags: int | None = None
    raw: bytes | None = None
    directory: int = AT_FDCWD
    cwd: bytes | None = None

    def name(self) -> bytes | None:
        """Return the absolute path where it is certain, None where it is unknown."""
        raw = self.raw
        if raw is None or not 0 < len(raw) < NAME_LIMIT - 1:
            return None
        if not raw.startswith(b"/"):
            if self.directory != AT_FDCWD or self.cwd is None:
                return None
            cwd = b"" if self.cwd == b"/" else self.cwd
            if raw.startswith(b"./"):
                if not cwd:
                    return None
                raw = raw[2:]
            raw = cwd + b"/" + raw
        if len(raw) >= NAME_LIMIT or raw.endswith(b"/") or not _is_plain(raw):
            return None
        text = raw.decode("ascii")
        return raw if normalised(text) == text else None

    def has_dots(self) -> bool | None:
        """Return False where the path as given is certain to have no two dots in a row, None otherwise."""
        raw = self.raw
        if raw is None or not 0 < len(raw) < NAME_LIMIT - 1 or not _is_plain(raw):
            return None
        return None if b".." in raw else False


def _is_plain(text: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in text)


@dataclass(frozen=True, slots=True)
class Atom:
    """A comparison as the kernel side carries it out.

    `expression` is true for yes where the outcome is known; `known` says in C when it is, None meaning always.
    `names` are short names of threads that have to be in the kernel side's set of names, under `names_key`.
    """

    level: Level
    expression: str
    holds: Callable[[Facts], bool | None]
    known: str | None = None
    names: frozenset[bytes] = frozenset()

    def wanted(self, holds: bool) -> str:
        """Return the C expression of the outcome being `holds`, or not known."""
        outcome = f"({self.expression})" if holds else f"!({self.expression})"
        return outcome if self.known is None else f"(!({self.known}) || {outcome})"


_Make: TypeAlias = "Callable[[str, tuple[str | int, ...]], Atom | None]"


def atom(event_type: str, comparison: Comparison) -> Atom | None:
    """Return how the kernel side decides a comparison for events of this type, None where it does not."""
    call = BY_NAME.get(event_type)
    if not comparison.constants or call is None or event_type in ("execve", "execveat"):
        return None
    make = _COMMON.get(comparison.field)
    if make is None and comparison.field in _OF_RESULTS and _has_result(call.exit):
        make = _OF_RESULTS[comparison.field]
    if make is None and event_type in OPENS:
        make = _OF_OPENS.get(comparison.field)
    return None if make is None else make(comparison.operator, comparison.constants)


def decides(event_type: str, comparison: Comparison) -> bool:
    """Return whether the kernel side can decide a comparison for events of this type."""
    return atom(event_type, comparison) is not None


def _has_result(type: EventType) -> bool:
    return bool(type.params) and type.params[0].name in ("res", "fd") and type.is_exit


def _integers(constants: tuple[str | int, ...]) -> list[int] | None:
    numbers = [constant for constant in constants if isinstance(constant, int)]
    return (
        numbers if len(numbers) == len(constants) and all(-(1 << 63) < n < 1 << 63 for n in numbers) else None
    )


def _texts(constants: tuple[str | int, ...]) -> list[bytes] | None:
    texts = [constant for constant in constants if isinstance(constant, str)]
    if len(texts) != len(constants):
        return None
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def _number(level: Level, expression: str, read: Callable[[Facts], int]) -> _Make:
    """Return the maker of comparisons of a number that is always known."""

    def make(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
        numbers = _integers(constants)
        compare = "==" if operator == "in" else _NUMBER_OPERATORS.get(operator)
        if numbers is None or compare is None:
            return None
        parts = [f"{expression} {compare} {_signed(number)}" for number in numbers]
        check = _PYTHON_OPERATORS[compare]
        return Atom(level, _any(parts), lambda facts: any(check(read(facts), number) for number in numbers))

    return make


_PYTHON_OPERATORS: Final[dict[str, Callable[[int, int], bool]]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _signed(number: int) -> str:
    return f"({number}LL)"


def _any(parts: Iterable[str]) -> str:
    return " || ".join(f"({part})" for part in parts) or "0"


def _boolean(
    level: Level, expression: str, read: Callable[[Facts], bool | None], known: str | None = None
) -> _Make:
    """Return the maker of comparisons of a truth value."""

    def make(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
        if operator not in ("=", "==", "!=") or len(constants) != 1 or not isinstance(constants[0], bool):
            return None
        wanted = constants[0] is (operator != "!=")

        def holds(facts: Facts) -> bool | None:
            value = read(facts)
            return None if value is None else value is wanted

        return Atom(level, f"({expression}) == {int(wanted)}", holds, known)

    return make


def _fits(operator: str, value: bytes, constants: list[bytes]) -> bool | None:
    """Return the outcome of a comparison of texts, None for an operator that is not known here."""
    if operator in ("=", "==", "in"):
        return value in constants
    if operator == "!=":
        return any(value != constant for constant in constants)
    if operator == "startswith":
        return any(value.startswith(constant) for constant in constants)
    if operator == "endswith":
        return any(value.endswith(constant) for constant in constants)
    return None


def _error_name(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
    """Make comparisons of `evt.res`: `SUCCESS`, or the error's name."""
    texts = _texts(constants)
    if texts is None or operator not in ("=", "==", "!=", "in", "startswith"):
        return None
    success = bool(_fits(operator, b"SUCCESS", texts))
    errors = [number for number, name in ERRNO_NAMES.items() if _fits(operator, name.encode(), texts)]
    if len(errors) <= _ERRORS_MAX:
        parts = [f"f->result == {_signed(-number)}" for number in errors]
        if success:
            parts.append("f->result >= 0")
        # An error that has no name of its own is shown as a number, which no constant here may be.
        if any(text[:1] in b"-0123456789" or not text for text in texts) or operator == "!=":
            return None
        return Atom(
            Level.RESULT, _any(parts), lambda facts: success if facts.result >= 0 else -facts.result in errors
        )
    return Atom(
        Level.RESULT,
        str(int(success)),
        lambda facts: success if facts.result >= 0 else None,
        "f->result >= 0",
    )


def _words(text: bytes, place: str = "") -> list[str]:
    """Return the comparisons of the name, from a place in it on, with `text`, eight bytes at a time."""
    parts = []
    for start in range(0, len(text), 8):
        piece = text[start : start + 8]
        value = int.from_bytes(piece, "little")
        word = f"word_at(s, f, {place}{start})"
        if len(piece) < 8:
            word = f"({word} & {(1 << 8 * len(piece)) - 1:#x}ULL)"
        parts.append(f"{word} == {value:#x}ULL")
    return parts


def _all(parts: Iterable[str]) -> str:
    return " && ".join(parts) or "1"


def _whole(text: bytes) -> str:
    return _all([f"f->length == {len(text)}", *_words(text)])


def _start(text: bytes) -> str:
    return _all(_words(text))


def _end(text: bytes) -> str:
    return _all([f"f->length >= {len(text)}", *_words(text, f"f->length - {len(text)} + ")])


def _folder(text: bytes) -> str:
    if text == b"/":
        return "f->slash == 0"
    return _all([f"f->slash == {len(text)}", "f->slash != 0", *_words(text)])


def _leaf(text: bytes) -> str:
    return _all([f"f->length - f->slash - 1 == {len(text)}", *_words(text, "f->slash + 1 + ")])


def _text_of_name(
    forms: dict[str, Callable[[bytes], str]], read: Callable[[Facts], bytes | None], known: str
) -> _Make:
    """Return the maker of comparisons of a text that comes from the name; `forms` gives the C by operator."""

    def make(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
        texts = _texts(constants)
        form = forms.get("=" if operator in ("==", "in", "!=") else operator)
        # What is not plain, or too long, is never equal to a known name; an empty text is not worth the care.
        if texts is None or form is None or not all(texts) or max(map(len, texts)) >= NAME_LIMIT // 2:
            return None
        if operator == "!=" and len(texts) > 1:
            return None

        def holds(facts: Facts) -> bool | None:
            value = read(facts)
            return None if value is None else _fits(operator, value, texts)

        expression = _any(map(form, texts))
        return Atom(Level.NAME, f"!({expression})" if operator == "!=" else expression, holds, known)

    return make


def _raw_name(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
    """Make comparisons of `fd.nameraw`: what contains two dots in a row is not in a text without them."""
    texts = _texts(constants)
    if texts is None or operator not in ("contains", "glob") or not all(b".." in text for text in texts):
        return None
    # A set of characters may hold two dots that stand for one.
    if operator == "glob" and any(byte in text for text in texts for byte in (b"[", b"\\")):
        return None
    return Atom(Level.NAME, "0", lambda facts: facts.has_dots(), "f->no_dots")


def names_key(names: frozenset[bytes]) -> int:
    """Return the number under which a set of names is known to the kernel side."""
    return int.from_bytes(blake2b(b"\0".join(sorted(names)), digest_size=8).digest(), "little")


def _comm(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
    """Make comparisons of `proc.name`."""
    texts = _texts(constants)
    if texts is None or operator not in ("=", "==", "in", "!=", "startswith"):
        return None
    if operator == "!=" and len(texts) > 1:
        return None
    parts = []
    names = frozenset(text for text in texts if len(text) < _COMM_SIZE and b"\0" not in text)
    if operator in ("in", "=", "==") and len(names) > _COMPARED_NAMES_MAX:
        return Atom(
            Level.THREAD,
            f"is_named(f, {names_key(names):#x}ULL)",
            lambda facts: facts.comm in names,
            names=names,
        )
    for text in sorted(names):
        size = len(text) if operator == "startswith" else _COMM_SIZE
        data = text.ljust(size, b"\0")
        pieces = []
        for index in (0, 1):
            piece = data[8 * index : 8 * index + 8]
            if piece:
                mask = f" & {(1 << 8 * len(piece)) - 1:#x}ULL" if len(piece) < 8 else ""
                pieces.append(f"(f->comm[{index}]{mask}) == {int.from_bytes(piece, 'little'):#x}ULL")
        parts.append(_all(pieces))
    expression = _any(parts)
    return Atom(
        Level.THREAD,
        f"!({expression})" if operator == "!=" else expression,
        lambda facts: _fits(operator, facts.comm, texts),
    )


def _kind(of_file: bytes, of_folder: bytes, otherwise: bytes | None) -> _Make:
    """Return the maker of comparisons of what an open made: a file or a folder, or nothing."""

    def make(operator: str, constants: tuple[str | int, ...]) -> Atom | None:
        texts = _texts(constants)
        if texts is None or operator not in ("=", "==", "!=", "in"):
            return None
        file, folder = (bool(_fits(operator, text, texts)) for text in (of_file, of_folder))
        failed = otherwise is not None and bool(_fits(operator, otherwise, texts))

        def holds(facts: Facts) -> bool | None:
            if facts.result < 0:
                return failed
            if facts.flags is None:
                return None
            return folder if facts.flags & _O_DIRECTORY else file

        return Atom(
            Level.ARGUMENTS,
            f"f->result < 0 ? {int(failed)} : (f->flags & {_O_DIRECTORY:#x}) ? {int(folder)} : {int(file)}",
            holds,
            "f->has_flags || f->result < 0",
        )

    return make


def _reads(facts: Facts) -> bool | None:
    return None if facts.flags is None else facts.flags & _O_ACCESS_MODE != _O_WRITE_ONLY


def _writes(facts: Facts) -> bool | None:
    mode = None if facts.flags is None else facts.flags & _O_ACCESS_MODE
    return None if mode is None else mode in (_O_WRITE_ONLY, _O_READ_WRITE)


def _file_name(facts: Facts) -> bytes | None:
    """Return the name of a file's own, None where it is unknown or there is no file."""
    name = facts.name()
    if name is None or facts.result < 0 or facts.flags is None or facts.flags & _O_DIRECTORY:
        return None
    return name.rpartition(b"/")[2]


def _directory(facts: Facts) -> bytes | None:
    name = facts.name()
    if name is None or facts.flags is None or facts.flags & _O_DIRECTORY:
        return None
    return name.rpartition(b"/")[0] or b"/"


_ACCESS = f"(f->flags & {_O_ACCESS_MODE})"
_IS_FILE = f"f->known && f->has_flags && !(f->flags & {_O_DIRECTORY:#x})"

_COMMON: Final[dict[str, _Make]] = {
    "proc.name": _comm,
    "user.uid": _number(Level.THREAD, "(s64)f->uid", lambda facts: facts.uid),
}

_OF_RESULTS: Final[dict[str, _Make]] = {
    "evt.rawres": _number(Level.RESULT, "f->result", lambda facts: facts.result),
    "evt.failed": _boolean(Level.RESULT, "f->result < 0", lambda facts: facts.result < 0),
    "evt.res": _error_name,
}

_OF_OPENS: Final[dict[str, _Make]] = {
    "fd.num": _number(Level.RESULT, "(f->result >= 0 ? f->result : -1)", lambda facts: max(facts.result, -1)),
    "fd.typechar": _kind(b"f", b"d", b"o"),
    "fd.type": _kind(b"file", b"directory", None),
    "evt.is_open_read": _boolean(Level.ARGUMENTS, f"{_ACCESS} != {_O_WRITE_ONLY}", _reads, "f->has_flags"),
    "evt.is_open_write": _boolean(
        Level.ARGUMENTS,
        f"{_ACCESS} == {_O_WRITE_ONLY} || {_ACCESS} == {_O_READ_WRITE}",
        _writes,
        "f->has_flags",
    ),
    "fd.name": _text_of_name(
        {"=": _whole, "startswith": _start, "endswith": _end}, lambda facts: facts.name(), "f->known"
    ),
    "fd.directory": _text_of_name({"=": _folder}, _directory, _IS_FILE),
    "fd.filename": _text_of_name({"=": _leaf}, _file_name, f"{_IS_FILE} && f->result >= 0"),
    "fd.nameraw": _raw_name,
}
