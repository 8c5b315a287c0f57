"""How the parameters of each event type lie in the bytes of an event: lengths first, then the values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from struct import Struct
from typing import TypeAlias

from refengine.backends.capture.params import FIXED_FORMATS, Decode, Decoders
from refengine.event import ParamValue
from refengine.tables.event_types import EVENT_TYPES, EventType

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


@cache
def layouts_of(order: str) -> tuple[Layout, ...]:
    """Return the layout of every event type in the byte order `<` or `>`, at the index of its code."""
    decoders = Decoders(order)
    return tuple(Layout(row, decoders) for row in EVENT_TYPES)
