"""How the parameters of each event type lie in the bytes of an event: lengths first, then the values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from struct import Struct

from refengine.backends.capture.conversion import Source
from refengine.backends.capture.params import FIXED_FORMATS, Decoders, Parameters
from refengine.event import ParamValue
from refengine.tables.event_types import EventType

MAX_PARAMETERS = 256
"""More parameters than any event type has or will have; a higher number is corruption."""


class Layout:
    """The layout of one event type in one byte order.

    The types whose parameters are all numbers are read in one step; others become `Parameters`.
    """

    def __init__(self, type: EventType, decoders: Decoders) -> None:
        self.type = type
        self.count = len(type.params)
        self.decoders = decoders.of_event(type)
        self._length_code = "I" if "large_payload" in type.flags else "H"
        self._length_size = 4 if "large_payload" in type.flags else 2
        self._order = decoders.order
        self._lengths = Struct(f"{decoders.order}{self.count}{self._length_code}")
        self._fixed: Struct | None = None
        self._fixed_lengths = b""
        formats = [FIXED_FORMATS.get(param.type) for param in type.params]
        if all(formats):
            codes = [code for code in formats if code is not None]
            self._fixed = Struct(decoders.order + "".join(codes))
            sizes = [Struct(decoders.order + code).size for code in codes]
            self._fixed_lengths = self._lengths.pack(*sizes)

    def read(self, buffer: bytes, start: int, stop: int) -> Sequence[ParamValue | None] | None:
        """Return the parameters of an event that has all of them; None where they do not fit before `stop`."""
        first = start + self._lengths.size
        fixed = self._fixed
        if fixed is not None and buffer[start:first] == self._fixed_lengths and first + fixed.size <= stop:
            return fixed.unpack_from(buffer, first)
        if first > stop:
            return None
        bounds = tuple(accumulate(self._lengths.unpack_from(buffer, start), initial=first))
        if bounds[-1] > stop:
            return None
        return Parameters(buffer, bounds, self.decoders)

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

    def __init__(self, target: Layout, sources: tuple[Source, ...]) -> None:
        self.target = target
        self._sources = sources

    def read(
        self, buffer: bytes, bounds: tuple[int, ...], enter: StoredEnter | None
    ) -> Sequence[ParamValue | None]:
        """Return the parameters of the current type; those that nobody recorded are absent."""
        own = len(bounds) - 1
        stored = 0 if enter is None else len(enter.bounds) - 1
        items: list[ParamValue | None] = []
        for source, decode in zip(self._sources, self.target.decoders, strict=True):
            position = source.own
            if 0 <= position < own:
                items.append(decode(buffer, bounds[position], bounds[position + 1]))
            elif enter is not None and 0 <= source.enter < stored:
                position = source.enter
                items.append(decode(enter.buffer, enter.bounds[position], enter.bounds[position + 1]))
            else:
                items.append(0 if source.zero else None)
        return items
