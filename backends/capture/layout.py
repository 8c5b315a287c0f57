"""How the parameters of each event type lie in the bytes of an event: lengths first, then the values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from struct import Struct

from refengine.backends.capture.conversion import CONVERSIONS, Source
from refengine.backends.capture.params import FIXED_FORMATS, Decode, Decoders
from refengine.event import ParamValue
from refengine.tables.event_types import EVENT_TYPES, EventType
from refengine.values import ValueType

MAX_PARAMETERS = 256
"""More parameters than any event type has or will have; a higher number is corruption."""


class Layout:
    """The layout of one event type in one byte order.

    Between parameters of variable size, the numbers lie in runs of known width that are read in one step each.
    """

    def __init__(self, type: EventType, decoders: Decoders) -> None:
        self.type = type
        self.count = len(type.params)
        self.decoders = decoders.of_event(type)
        self._order = decoders.order
        self._length_code = "I" if "large_payload" in type.flags else "H"
        self._length_size = Struct(self._order + self._length_code).size
        self._lengths_size = self.count * self._length_size
        runs, variable = [""], []
        lengths = self._order
        for param, decode in zip(type.params, self.decoders, strict=True):
            code = FIXED_FORMATS.get(param.type)
            if code is not None:
                runs[-1] += code
                lengths += f"{self._length_size}x"
            else:
                runs.append("")
                variable.append(decode)
                lengths += self._length_code
        structs = [Struct(self._order + run) for run in runs]
        self._variable_lengths = Struct(lengths)
        self._first = structs[0]
        self._rest: tuple[tuple[Decode, Struct], ...] = tuple(zip(variable, structs[1:], strict=True))
        self._fixed_size = sum(run.size for run in structs)

    def read(self, buffer: bytes, start: int, stop: int) -> tuple[ParamValue | None, ...] | None:
        """Return the parameters of an event that has all of them in their usual sizes, else None."""
        position = start + self._lengths_size
        if position > stop:
            return None
        lengths = self._variable_lengths.unpack_from(buffer, start)
        if position + self._fixed_size + sum(lengths) != stop:
            return None
        values = self._first.unpack_from(buffer, position)
        if lengths:
            position += self._first.size
            for length, (decode, run) in zip(lengths, self._rest, strict=True):
                end = position + length
                values += (decode(buffer, position, end), *run.unpack_from(buffer, end))
                position = end + run.size
        return values

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
