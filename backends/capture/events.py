"""The events of a capture: a scan of their headers that decodes only what is of interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from refengine.backends.base import Interest, Statistics
from refengine.backends.capture import blocks
from refengine.backends.capture.blocks import BlockReader
from refengine.backends.capture.conversion import CONVERSIONS, Action
from refengine.backends.capture.layout import Converter, Layout, StoredEnter
from refengine.backends.capture.params import Decoders, Parameters
from refengine.backends.capture.stream import CaptureError
from refengine.event import Event
from refengine.tables.event_types import BY_ENUM, EVENT_TYPES
from refengine.tables.syscalls import SYSCALLS

STATE_FLAGS = frozenset({"modifies_state", "creates_fd", "destroys_fd"})
"""Flags of the event types that change what is known of threads and descriptors."""

GENERIC = BY_ENUM["GENERIC_X"].code
"""The type of the system calls that have no event type of their own; a parameter says which one it was."""


SKIP, COUNT, DELIVER, STORE, STORE_AND_COUNT, STORE_AND_DELIVER, LOOK_INSIDE = range(7)
"""What the scan does with the events of a type."""

WRONG_LENGTHS = frozenset({BY_ENUM["NOTIFICATION_E"].code, BY_ENUM["INFRASTRUCTURE_EVENT_E"].code})
"""Types whose length old recorders wrote three too great."""

UNDECODABLE = "undecodable"
"""The cause of a dropped event whose length or parameters make no sense."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the event lies in a block of some type.

    `header` reads processor, time, thread, length, type and, where `counted`, the number of parameters, from
    behind the block's own header; `start` is where the event, whose length that is, begins in the block.
    """

    header: Struct
    start: int
    counted: bool


def _shapes(order: str) -> Mapping[int, _Shape]:
    plain = _Shape(Struct(order + "HQqIH"), 10, False)
    with_flags = _Shape(Struct(order + "H4xQqIH"), 14, False)
    counted = _Shape(Struct(order + "HQqIHI"), 10, True)
    counted_with_flags = _Shape(Struct(order + "H4xQqIHI"), 14, True)
    return {
        blocks.EVENT: plain,
        blocks.EVENT_INTERNAL: plain,
        blocks.EVENT_WITH_FLAGS: with_flags,
        blocks.EVENT_V2: counted,
        blocks.EVENT_WITH_FLAGS_V2: counted_with_flags,
        blocks.EVENT_V2_LARGE: counted,
        blocks.EVENT_WITH_FLAGS_V2_LARGE: counted_with_flags,
    }


def _steps(interest: Interest) -> list[int]:
    """Return the step for each event type when only `interest`, and what the state needs, is delivered."""
    wanted = [interest.wants(row.target.name) or bool(row.target.flags & STATE_FLAGS) for row in CONVERSIONS]
    steps = []
    for row, conversion in zip(EVENT_TYPES, CONVERSIONS, strict=True):
        if conversion.action is Action.DROP:
            steps.append(SKIP)
        elif row.code == GENERIC and interest.event_types is not None:
            steps.append(LOOK_INSIDE)
        elif conversion.action is Action.DELIVER:
            steps.append(DELIVER if wanted[row.code] else COUNT)
        elif not (row.is_exit or wanted[row.code + 1] or row.code + 1 == GENERIC):
            steps.append(SKIP if conversion.action is Action.STORE else COUNT)
        elif conversion.action is Action.STORE:
            steps.append(STORE)
        else:
            steps.append(STORE_AND_DELIVER if wanted[row.code] else STORE_AND_COUNT)
    return steps


class EventScanner:
    """The events in the blocks that a reader walks over, in order.

    `statistics` counts those that Falco would number. An event whose parameters make no sense is dropped and
    counted there too; `first_fault` is the offset of the first of them.
    """

    def __init__(self, source: BlockReader, interest: Interest, statistics: Statistics) -> None:
        self._source = source
        self._statistics = statistics
        self._steps = _steps(interest)
        self._generic_codes = frozenset(call.code for call in SYSCALLS if interest.wants(call.name))
        self._entered: dict[int, StoredEnter] = {}
        self.first_fault: int | None = None
        self.new_section()

    def new_section(self) -> None:
        """Forget the entries of system calls, and take over the byte order of the section that begins."""
        order = self._source.order
        decoders = Decoders(order)
        self._entered.clear()
        self._shapes = _shapes(order)
        self._layouts = tuple(Layout(row, decoders) for row in EVENT_TYPES)
        self._converters = tuple(
            None if row.sources is None else Converter(self._layouts[row.target.code], row.sources)
            for row in CONVERSIONS
        )
        self._call_code = Struct(order + "H")

    def is_event(self, kind: int) -> bool:
        """Return whether blocks of that type hold an event."""
        return kind in self._shapes

    def read(self, limit: int) -> list[Event]:
        """Return up to `limit` events, fewer only where the blocks end or one without an event comes.

        :raises CaptureError: where a block makes no sense and no event came before it.
        """
        source, shapes, steps = self._source, self._shapes, self._steps
        window, position, end = source.window, source.position, len(source.window)
        unpack = Struct(source.order + "II").unpack_from
        number = self._statistics.seen
        events: list[Event] = []
        while len(events) < limit:
            stop = position
            if position + 8 <= end:
                kind, length = unpack(window, position)
                stop = position + length
            if (
                stop - position < 12
                or stop > end
                or window[stop - 4 : stop] != window[position + 4 : position + 8]
            ):
                source.position = position
                try:
                    header = source.next_header()
                except CaptureError:
                    if events:
                        break
                    raise
                window, position, end = source.window, source.position, len(source.window)
                if header is None:
                    break
                kind, length = header
                stop = position + length
            shape = shapes.get(kind)
            if shape is None:
                break
            if length < shape.header.size + 12:
                self._fault(position)
                position = stop
                continue
            fields = shape.header.unpack_from(window, position + 8)
            code = fields[4]
            step = steps[code] if code < len(steps) else SKIP
            if step == COUNT:
                number += 1
            elif step != SKIP:
                if step != STORE:
                    number += 1
                event = self._event(step, number, shape, fields, window, position, stop)
                if event is not None:
                    events.append(event)
            position = stop
        source.position = position
        self._statistics.seen = number
        self._statistics.delivered += len(events)
        return events

    def _event(
        self,
        step: int,
        number: int,
        shape: _Shape,
        fields: tuple[int, ...],
        window: bytes,
        position: int,
        stop: int,
    ) -> Event | None:
        """Decode or store the event in a block; None where there is nothing to deliver."""
        cpu, time, tid, length, code, *counts = fields
        layout = self._layouts[code]
        first = position + 8 + shape.header.size
        last = position + shape.start + length
        if not shape.counted and code in WRONG_LENGTHS:
            last -= 3
        if not first <= last <= stop - 4:
            self._fault(position)
            return None
        count = counts[0] if shape.counted else layout.count_parameters(window, first, last)
        if count is None:
            self._fault(position)
            return None
        conversion = CONVERSIONS[code]
        if count == layout.count and conversion.target is layout.type and step == DELIVER:
            params = layout.read(window, first, last)
            if params is None:
                self._fault(position)
                return None
            return Event(layout.type, time, tid, params, number=number, cpu=cpu)
        bounds = layout.bounds(window, first, last, count)
        if bounds is None:
            self._fault(position)
            return None
        if step == LOOK_INSIDE and self._call(window, bounds) not in self._generic_codes:
            return None
        if step in (STORE, STORE_AND_COUNT, STORE_AND_DELIVER):
            self._entered[tid] = StoredEnter(
                code, window[first:last], tuple(bound - first for bound in bounds)
            )
            if step != STORE_AND_DELIVER:
                return None
        converter = self._converters[code]
        if converter is None:
            known = bounds[: layout.count + 1]
            return Event(
                layout.type, time, tid, Parameters(window, known, layout.decoders), number=number, cpu=cpu
            )
        enter = self._entered.pop(tid, None)
        if enter is not None and enter.code != code - 1:
            enter = None
        return Event(
            conversion.target, time, tid, converter.read(window, bounds, enter), number=number, cpu=cpu
        )

    def _call(self, window: bytes, bounds: tuple[int, ...]) -> int:
        """Return the code of the system call that a generic event is of."""
        if len(bounds) < 2 or bounds[1] - bounds[0] != self._call_code.size:
            return -1
        code: int = self._call_code.unpack_from(window, bounds[0])[0]
        return code

    def _fault(self, position: int) -> None:
        """Count an event that makes no sense."""
        dropped = self._statistics.dropped
        dropped[UNDECODABLE] = dropped.get(UNDECODABLE, 0) + 1
        if self.first_fault is None:
            self.first_fault = self._source.base + position
