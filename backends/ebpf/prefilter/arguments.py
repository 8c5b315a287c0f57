"""Comparisons of arguments that are shown by name: what each value is shown as is asked of the events themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Final

from refengine.backends.ebpf.prefilter.atom import Atom, Constants, Make, any_of, fits, texts_of
from refengine.backends.ebpf.prefilter.facts import Facts, Level
from refengine.backends.syscalls import kernel_bits as kb
from refengine.event import Event
from refengine.event.rendering import arg_text
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import BY_NAME

_NUMBER: Final = re.compile(rb"-?[0-9]+")
_PART_OF_NUMBERS: Final = re.compile(rb"[-0-9]*")
_PERMISSIONS: Final = 0o7777
_MASKS_MAX: Final = 8
"""A comparison of permissions that takes more tests of bits than this is left to the rules."""


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A parameter with one of the values of a list: the argument at `position`, of 32 bits.

    `value` is what the event carries of the argument, `named` are the arguments that are shown by a name. All others
    are shown as their number, or alike where `alike` is true.
    """

    parameter: str
    position: int
    named: Iterable[int]
    value: Callable[[int], int] = int
    alike: bool = False


@dataclass(frozen=True, slots=True)
class OpenFlags:
    """A parameter with the flags of an open, by name."""

    parameter: str


@dataclass(frozen=True, slots=True)
class Permissions:
    """A parameter with the permission bits of the argument at `position`."""

    parameter: str
    position: int


def _signed(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


_REQUESTS: Final = (*range(64), *range(0x4200, 0x4240))

ARGUMENTS: Final[Mapping[str, Enumeration | OpenFlags | Permissions]] = {
    **dict.fromkeys(("open", "openat", "openat2"), OpenFlags("flags")),
    "ptrace": Enumeration("request", 0, _REQUESTS, kb.ptrace_requests, alike=True),
    "socket": Enumeration("domain", 0, FLAG_TABLES["socket_families"].values()),
    "socketpair": Enumeration("domain", 0, FLAG_TABLES["socket_families"].values()),
    "bpf": Enumeration("cmd", 0, FLAG_TABLES["bpf_commands"].values(), _signed),
    "chmod": Permissions("mode", 1),
    "fchmod": Permissions("mode", 1),
    "fchmodat": Permissions("mode", 2),
}
"""The arguments that the kernel side looks at, by event type."""


def argument(event_type: str, field: str) -> Make | None:
    """Return the maker of comparisons of a parameter, by name or by position; None where it is not looked at."""
    found = ARGUMENTS.get(event_type)
    if found is None:
        return None
    place = BY_NAME[event_type].exit.index[found.parameter]
    if field not in (f"evt.arg.{found.parameter}", f"evt.arg[{place}]"):
        return None
    if isinstance(found, Enumeration):
        return _enumerated(event_type, found)
    if isinstance(found, OpenFlags):
        return _flags
    return _permissions(event_type, found)


_BITS_OF_OPENS: Final = {
    name: bit
    for bit in (1 << position for position in range(32))
    for name, mine in FLAG_TABLES["file_flags"].items()
    if mine and kb.file_flags(bit) == mine
}
"""The bits of an open's flags that are shown by a name each."""


def _flags(operator: str, constants: Constants) -> Atom | None:
    """Make comparisons with names of flags, which are shown with bars between them."""
    texts = texts_of(constants)
    if operator != "contains" or not texts or any(not text or b"|" in text for text in texts):
        return None
    names = [name for name in FLAG_TABLES["file_flags"] if any(text in name.encode() for text in texts)]
    if not all(name in _BITS_OF_OPENS for name in names):
        return None
    mask = reduce(or_, (_BITS_OF_OPENS[name] for name in names), 0)
    return Atom(
        Level.ARGUMENTS,
        f"(f->flags & {mask:#x}) != 0",
        lambda facts: None if facts.flags is None else facts.flags & mask != 0,
        "f->has_flags",
    )


def _shown(event_type: str, parameter: str, value: int) -> bytes:
    type = BY_NAME[event_type].exit
    place = type.index[parameter]
    return arg_text(Event(type, 0, 0, [*[None] * place, value]), place).encode()


def _enumerated(event_type: str, found: Enumeration) -> Make:
    position = found.position

    def shown(value: int) -> bytes:
        return _shown(event_type, found.parameter, found.value(value))

    def make(operator: str, constants: Constants) -> Atom | None:
        texts = texts_of(constants)
        if texts is None or fits(operator, b"", texts) is None:
            return None
        values = set(found.named)
        if found.alike:
            others = shown(0xFFFFFFFF)
        else:
            # What is no number is in none, and equals none.
            others = b"\0"
            if operator in ("=", "==", "!=", "in"):
                values |= {int(text) & 0xFFFFFFFF for text in texts if _NUMBER.fullmatch(text)}
            elif any(_PART_OF_NUMBERS.fullmatch(text) for text in texts):
                return None
        others_fit = bool(fits(operator, others, texts))
        differ = sorted(
            value for value in values if bool(fits(operator, shown(value), texts)) is not others_fit
        )
        listed = any_of(f"(u32)f->args[{position}] == {value:#x}" for value in differ)

        def holds(facts: Facts) -> bool | None:
            value = _argument(facts, position)
            return None if value is None else (value & 0xFFFFFFFF in differ) is not others_fit

        return Atom(Level.ARGUMENTS, f"!({listed})" if others_fit else listed, holds)

    return make


def _permissions(event_type: str, found: Permissions) -> Make:
    position = found.position

    def make(operator: str, constants: Constants) -> Atom | None:
        texts = texts_of(constants)
        if texts is None or fits(operator, b"", texts) is None:
            return None
        shown = _all_permissions(event_type, found.parameter)
        fit = {value for value, text in enumerate(shown) if fits(operator, text, texts)}
        masks = _masks(fit)
        if masks is None:
            return None
        parts = (f"(f->args[{position}] & {mask:#x}) == {mask:#x}" for mask in masks)

        def holds(facts: Facts) -> bool | None:
            value = _argument(facts, position)
            return None if value is None else value & _PERMISSIONS in fit

        return Atom(Level.ARGUMENTS, any_of(parts), holds)

    return make


@cache
def _all_permissions(event_type: str, parameter: str) -> tuple[bytes, ...]:
    return tuple(_shown(event_type, parameter, value) for value in range(_PERMISSIONS + 1))


def _masks(fit: set[int]) -> list[int] | None:
    """Return the bits of which those that fit have one set or another in full, None where it is not so simple."""
    masks: list[int] = []
    for value in sorted(fit, key=int.bit_count):
        if not any(value & mask == mask for mask in masks):
            masks.append(value)
            if len(masks) > _MASKS_MAX:
                return None
    covered = {value for value in range(_PERMISSIONS + 1) if any(value & mask == mask for mask in masks)}
    return masks if covered == fit else None


def _argument(facts: Facts, position: int) -> int | None:
    return facts.args[position] if len(facts.args) > position else None
