"""How the parameters of each event type lie in the bytes of an event: lengths first, then the values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from struct import Struct
from typing import TypeAlias

from refengine.backends.capture.conversion import CONVERSIONS, Source
from refengine.backends.capture.params import FIXED_FORMATS, Decode, Decoders
from refengine.event import ParamValue
from refengine.tables.event_types import EVENT_TYPES, EventType
from refengine.values import ValueType

MAX_PARAMETERS = 256
"""More parameters than any event type has or will have; a higher number is corruption."""


Read: TypeAlias = "Callable[[bytes, int, int], Sequence[ParamValue | None] | None]"
"""Reads the parameters of an event between two positions of a buffer; None where they have unusual sizes."""


class Layout:
    """The layout of one event type in one byte order.

    `read` returns the parameters of an event that has all of them in their usual sizes, else None. Between
    parameters of variable size, the numbers lie in runs of known width that are read in one step each.
    """

    def __init__(self, type: EventType, decoders: Decoders) -> None:
        self.type = type
        self.count = len(type.params)
        self.decoders = decoders.of_event(type)
        self._order = decoders.order
        self._length_code = "I" if "large_payload" in type.flags else "H"
        self._length_size = Struct(self._order + self._length_code).size
        self.read = self._reader()

    def _reader(self) -> Read:
        runs, variable = [""], []
        lengths = self._order
        for param, decode in zip(self.type.params, self.decoders, strict=True):
            code = FIXED_FORMATS.get(param.type)
            if code is not None:
                runs[-1] += code
                lengths += f"{self._length_size}x"
            else:
                runs.append("")
                variable.append(decode)
                lengths += self._length_code
        first, *rest = (Struct(self._order + run) for run in runs)
        if not rest:
            return _reader_of_numbers(self.count * self._length_size, first)
        return _reader_of_runs(Struct(lengths), first, tuple(zip(variable, rest, strict=True)))

    def read_bounded(self, buffer: bytes, bounds: Sequence[int]) -> list[ParamValue | None]:
        """Return the parameters that lie between the `bounds`, whatever their sizes; unknown ones are left out."""
        return [
            decode(buffer, begin, end)
            for decode, begin, end in zip(self.decoders, bounds, bounds[1:], strict=False)
        ]

    def bounds(self, buffer: bytes, start: int, stop: int, count: int) -> tuple[int, ...] | None:
        """Return where each of `count` parameters begins and the last ends; None where they do not fit."""
        first = start + count * self._length_size
        if count > MAX_PARAMETERS or first > stop:
            return None
        lengths = Struct(f"{self._order}{count}{self._length_code}").unpack_from(buffer, start)
        bounds = tuple(accumulate(lengths, initial=first))
        return bounds if bounds[-1] <= stop else None

    def count_parameters(self, buffer: bytes, start: int, stop: int) -> int | None:
        """Return how many parameters fill the bytes exactly, for formats that do not say; None where none do.

        The greatest number that fits is meant, as the type may have gained parameters since.
        """
        size = self._length_size
        most = min(self.count, (stop - start) // size)
        lengths = Struct(f"{self._order}{most}{self._length_code}").unpack_from(buffer, start)
        ends = list(accumulate(lengths, initial=start))
        for count in range(most, -1, -1):
            if ends[count] + count * size == stop:
                return count
        return None


def _reader_of_numbers(lengths_size: int, numbers: Struct) -> Read:
    """Return the reader of a type whose parameters are all numbers."""
    size, unpack = lengths_size + numbers.size, numbers.unpack_from

    def read(buffer: bytes, start: int, stop: int) -> Sequence[ParamValue | None] | None:
        return unpack(buffer, start + lengths_size) if start + size == stop else None

    return read


def _reader_of_runs(lengths: Struct, first: Struct, rest: tuple[tuple[Decode, Struct], ...]) -> Read:
    """Return the reader of a type with parameters of variable size; `lengths` reads their lengths alone."""
    unpack_lengths, unpack_first = lengths.unpack_from, first.unpack_from
    lengths_size = lengths.size
    first_end = lengths_size + first.size
    size = first_end + sum(run.size for _, run in rest)
    runs = tuple((decode, run.unpack_from, run.size) for decode, run in rest)

    def read(buffer: bytes, start: int, stop: int) -> Sequence[ParamValue | None] | None:
        if start + size > stop:
            return None
        sizes = unpack_lengths(buffer, start)
        if start + size + sum(sizes) != stop:
            return None
        values = [*unpack_first(buffer, start + lengths_size)]
        position = start + first_end
        for length, (decode, unpack, run_size) in zip(sizes, runs, strict=True):
            end = position + length
            values.append(decode(buffer, position, end))
            if run_size:
                values += unpack(buffer, end)
            position = end + run_size
        return values

    if len(rest) > 1:
        return read
    ((decode, last),) = rest
    unpack_last = last.unpack_from

    def read_one(buffer: bytes, start: int, stop: int) -> Sequence[ParamValue | None] | None:
        if start + size > stop:
            return None
        (length,) = unpack_lengths(buffer, start)
        if start + size + length != stop:
            return None
        position = start + first_end
        end = position + length
        return (
            *unpack_first(buffer, start + lengths_size),
            decode(buffer, position, end),
            *unpack_last(buffer, end),
        )

    return read_one


class StoredEnter:
    """The entry of a system call, kept until its exit: its type's code, bytes and where the parameters lie."""

    __slots__ = ("bounds", "buffer", "code")

    def __init__(self, code: int, buffer: bytes, bounds: tuple[int, ...]) -> None:
        self.code = code
        self.buffer = buffer
        self.bounds = bounds


class Converter:
    """The building of a current event's parameters from an older exit and its entry."""

    def __init__(self, own: Layout, target: Layout, sources: tuple[Source, ...]) -> None:
        self._plan = tuple(
            (source, _decoder(own, source.own, decode), decode)
            for source, decode in zip(sources, target.decoders, strict=True)
        )

    def read(
        self, buffer: bytes, bounds: tuple[int, ...], enter: StoredEnter | None
    ) -> list[ParamValue | None]:
        """Return the parameters of the current type; those that nobody recorded are absent."""
        own = len(bounds) - 1
        stored = 0 if enter is None else len(enter.bounds) - 1
        items: list[ParamValue | None] = []
        for source, decode_own, decode in self._plan:
            position = source.own
            if 0 <= position < own:
                items.append(decode_own(buffer, bounds[position], bounds[position + 1]))
            elif enter is not None and 0 <= source.enter < stored:
                position = source.enter
                items.append(decode(enter.buffer, enter.bounds[position], enter.bounds[position + 1]))
            else:
                items.append(0 if source.zero else None)
        return items


def _decoder(own: Layout, position: int, decode: Decode) -> Decode:
    """Return the decoder of a parameter of an old event: the current one's, unless the old said its type itself."""
    if position >= 0 and own.type.params[position].type is ValueType.DYN:
        return own.decoders[position]
    return decode


@cache
def layouts_of(order: str) -> tuple[Layout, ...]:
    """Return the layout of every event type in the byte order `<` or `>`, at the index of its code."""
    decoders = Decoders(order)
    return tuple(Layout(row, decoders) for row in EVENT_TYPES)


@cache
def converters_of(order: str) -> tuple[Converter | None, ...]:
    """Return what makes current parameters of those of each event type, None where they stay as they are."""
    layouts = layouts_of(order)
    return tuple(
        None if row.sources is None else Converter(own, layouts[row.target.code], row.sources)
        for own, row in zip(layouts, CONVERSIONS, strict=True)
    )
