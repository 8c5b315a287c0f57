"""Comparisons of numbers, truth values, results, and names of threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

from refengine.backends.ebpf.prefilter.atom import (
    Atom,
    Constants,
    Make,
    all_of,
    any_of,
    fits,
    integers_of,
    number_text,
    texts_of,
)
from refengine.backends.ebpf.prefilter.facts import O_DIRECTORY, Facts, Level
from refengine.tables.errnos import ERRNO_NAMES

_COMM_SIZE: Final = 16
_COMPARED_NAMES_MAX: Final = 4
"""More names than this are looked up in a map instead of being compared one by one."""

_ERRORS_MAX: Final = 8
"""A comparison that more errors than this fulfil is not looked at closely when a call has failed."""

NUMBER_OPERATORS: Final[Mapping[str, str]] = {
    "=": "==",
    "==": "==",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}


def never(_operator: str, _constants: Constants) -> Atom:
    """Make comparisons of what no event of the type has."""
    return Atom(Level.RESULT, "0", lambda _facts: False)


def number(level: Level, expression: str, read: Callable[[Facts], int]) -> Make:
    """Return the maker of comparisons of a number that is always known."""

    def make(operator: str, constants: Constants) -> Atom | None:
        numbers = integers_of(constants)
        compare = "==" if operator == "in" else NUMBER_OPERATORS.get(operator)
        if numbers is None or compare is None:
            return None
        parts = [f"{expression} {compare} {number_text(number)}" for number in numbers]
        check = PYTHON_OPERATORS[compare]
        return Atom(level, any_of(parts), lambda facts: any(check(read(facts), number) for number in numbers))

    return make


PYTHON_OPERATORS: Final[dict[str, Callable[[int, int], bool]]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def boolean(
    level: Level, expression: str, read: Callable[[Facts], bool | None], known: str | None = None
) -> Make:
    """Return the maker of comparisons of a truth value."""

    def make(operator: str, constants: Constants) -> Atom | None:
        if operator not in ("=", "==", "!=") or len(constants) != 1 or not isinstance(constants[0], bool):
            return None
        wanted = constants[0] is (operator != "!=")

        def holds(facts: Facts) -> bool | None:
            value = read(facts)
            return None if value is None else value is wanted

        return Atom(level, f"({expression}) == {int(wanted)}", holds, known)

    return make


def error_name(operator: str, constants: Constants) -> Atom | None:
    """Make comparisons of `evt.res`: `SUCCESS`, or the error's name."""
    texts = texts_of(constants)
    if texts is None or operator not in ("=", "==", "!=", "in", "startswith"):
        return None
    success = bool(fits(operator, b"SUCCESS", texts))
    errors = [number for number, name in ERRNO_NAMES.items() if fits(operator, name.encode(), texts)]
    if len(errors) <= _ERRORS_MAX:
        parts = [f"f->result == {number_text(-number)}" for number in errors]
        if success:
            parts.append("f->result >= 0")
        # An error that has no name of its own is shown as a number, which no constant here may be.
        if any(text[:1] in b"-0123456789" or not text for text in texts) or operator == "!=":
            return None
        return Atom(
            Level.RESULT,
            any_of(parts),
            lambda facts: success if facts.result >= 0 else -facts.result in errors,
        )
    return Atom(
        Level.RESULT,
        str(int(success)),
        lambda facts: success if facts.result >= 0 else None,
        "f->result >= 0",
    )


def names_key(names: frozenset[bytes]) -> int:
    """Return the number under which a set of names is known to the kernel side."""
    return int.from_bytes(blake2b(b"\0".join(sorted(names)), digest_size=8).digest(), "little")


def thread_name(operator: str, constants: Constants) -> Atom | None:
    """Make comparisons of `proc.name`."""
    texts = texts_of(constants)
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
        parts.append(all_of(pieces))
    expression = any_of(parts)
    return Atom(
        Level.THREAD,
        f"!({expression})" if operator == "!=" else expression,
        lambda facts: fits(operator, facts.comm, texts),
    )


def opened_kind(of_file: bytes, of_folder: bytes, otherwise: bytes | None) -> Make:
    """Return the maker of comparisons of what an open made: a file or a folder, or nothing."""

    def make(operator: str, constants: Constants) -> Atom | None:
        texts = texts_of(constants)
        if texts is None or operator not in ("=", "==", "!=", "in"):
            return None
        file, folder = (bool(fits(operator, text, texts)) for text in (of_file, of_folder))
        failed = otherwise is not None and bool(fits(operator, otherwise, texts))

        def holds(facts: Facts) -> bool | None:
            if facts.result < 0:
                return failed
            if facts.flags is None:
                return None
            return folder if facts.flags & O_DIRECTORY else file

        return Atom(
            Level.ARGUMENTS,
            f"f->result < 0 ? {int(failed)} : (f->flags & {O_DIRECTORY:#x}) ? {int(folder)} : {int(file)}",
            holds,
            "f->has_flags || f->result < 0",
        )

    return make
