"""The events of a capture: a scan of their headers that decodes only what is of interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from refengine.backends.base import Interest, Statistics
from refengine.backends.capture import blocks
from refengine.backends.capture.blocks import BlockReader
from refengine.backends.capture.conversion import CONVERSIONS, Action
from refengine.backends.capture.converter import StoredEnter, converters_of
from refengine.backends.capture.layout import layouts_of
from refengine.backends.capture.stream import CaptureError
from refengine.event import Event
from refengine.state.transitions.table import PLANS
from refengine.tables.event_types import BY_ENUM, EVENT_TYPES
from refengine.tables.syscalls import SYSCALLS

GENERIC = BY_ENUM["GENERIC_X"].code
"""The type of the system calls that have no event type of their own; a parameter says which one it was."""

SKIP, COUNT, DELIVER, STORE, STORE_AND_COUNT, LOOK_INSIDE = range(6)
"""What the scan does with the events of a type."""

WRONG_LENGTHS = frozenset({BY_ENUM["NOTIFICATION_E"].code, BY_ENUM["INFRASTRUCTURE_EVENT_E"].code})
"""Types whose length old recorders wrote three too great."""

ACCOUNTING = frozenset({"brk", "mmap", "mmap2", "munmap", "switch", "procinfo"})
"""Events that change nothing of the state but sizes of memory and times on the processor."""
ACCOUNTED = ("proc.vm", "thread.vm", "thread.pf", "thread.cpu", "thread.exec", "thread.totexec")
"""What the names of the fields that show those begin with."""

OF_ALL_EVENTS = ("evt.reltime", "evt.deltatime")
"""What the names of the fields begin with that are reckoned from events of whatever type."""

BLOCK_HEADER, BLOCK_SIZE = 10, 36
"""Bytes in front of an event in its block, and bytes up to its parameters, in the usual form of a block."""

MAX_ENTERED = 1 << 16
"""Threads of which the entry of a system call is kept until its exit; with more, the oldest is given up."""

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
    if any(name.startswith(OF_ALL_EVENTS) for name in interest.fields):
        interest = Interest(None, interest.fields)
    accounts = interest.event_types is None or any(name.startswith(ACCOUNTED) for name in interest.fields)
    wanted = [
        interest.wants(row.target.name)
        or (PLANS[row.target.code].transition is not None and (accounts or row.target.name not in ACCOUNTING))
        for row in CONVERSIONS
    ]
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
            steps.append(STORE_AND_COUNT)
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
        self._entered.clear()
        self._shapes = _shapes(order)
        self._layouts = layouts_of(order)
        self._converters = converters_of(order)
        self._direct = tuple(
            layout
            if step in (DELIVER, LOOK_INSIDE) and CONVERSIONS[layout.type.code].target is layout.type
            else None
            for layout, step in zip(self._layouts, self._steps, strict=True)
        )
        self._call_code = Struct(order + "H")
        self._length = Struct(order + "I")
        self._kind = Struct(order + "II22xH")
        self._head = Struct(order + "HQqI2xI")

    def is_event(self, kind: int) -> bool:
        """Return whether blocks of that type hold an event."""
        return kind in self._shapes

    def read(self, limit: int) -> list[Event]:
        """Return up to `limit` events, fewer only where the blocks end or one without an event comes.

        :raises CaptureError: where a block makes no sense and no event came before it.
        """
        source, statistics, steps, direct = self._source, self._statistics, self._steps, self._direct
        generic_codes, known = self._generic_codes, len(self._steps)
        unpack_kind, unpack_head = self._kind.unpack_from, self._head.unpack_from
        unpack_length, unpack_call = self._length.unpack_from, self._call_code.unpack_from
        skip, count, deliver, look_inside = SKIP, COUNT, DELIVER, LOOK_INSIDE
        usual, usual_large, shortest = blocks.EVENT_V2, blocks.EVENT_V2_LARGE, BLOCK_SIZE + 4
        events: list[Event] = []
        while len(events) < limit:
            # Here the usual blocks are read, with few steps each; whatever is unusual is left to `_read_block`.
            # What is only counted is not looked at any closer: a wrong length shows at the next block.
            window, position, number = source.window, source.position, statistics.seen
            size, end = len(window), len(window) - BLOCK_SIZE
            while position <= end:
                kind, length, code = unpack_kind(window, position)
                stop = position + length
                if (
                    (kind != usual and kind != usual_large)
                    or length < shortest
                    or stop > size
                    or code >= known
                ):
                    break
                step = steps[code]
                if step == count:
                    number += 1
                elif step in (deliver, look_inside):
                    cpu, time, tid, length_inside, params_count = unpack_head(window, position + 8)
                    if unpack_length(window, stop - 4)[0] != length:
                        break
                    if step == look_inside:
                        if params_count != 2 or length < shortest + 8:
                            break
                        if unpack_call(window, position + BLOCK_SIZE + 4)[0] not in generic_codes:
                            number += 1
                            position = stop
                            continue
                    layout = direct[code]
                    last = position + BLOCK_HEADER + length_inside
                    if layout is None or params_count != layout.count or last > stop - 4:
                        break
                    params = layout.read(window, position + BLOCK_SIZE, last)
                    if params is None:
                        break
                    number += 1
                    events.append(Event(layout.type, time, tid, params, number=number, cpu=cpu))
                    if len(events) == limit:
                        position = stop
                        break
                elif step != skip:
                    break
                position = stop
            source.position = position
            statistics.seen = number
            if len(events) < limit:
                try:
                    if not self._read_block(events):
                        break
                except CaptureError:
                    if events:
                        break
                    raise
        statistics.delivered += len(events)
        statistics.filtered = statistics.seen - statistics.delivered
        return events

    def _read_block(self, events: list[Event]) -> bool:
        """Read the next block, of whatever form; return false where there is none or it is no event's.

        :raises CaptureError: where it makes no sense.
        """
        source = self._source
        header = source.next_header()
        if header is None:
            return False
        kind, length = header
        shape = self._shapes.get(kind)
        if shape is None:
            return False
        position = source.position
        source.position += length
        event = self._event(shape, source.window, position, position + length)
        if event is not None:
            events.append(event)
        return True

    def _event(self, shape: _Shape, window: bytes, position: int, stop: int) -> Event | None:
        """Decode, store or count the event in a block; None where there is nothing to deliver."""
        first = position + 8 + shape.header.size
        if first > stop - 4:
            self._fault(position)
            return None
        cpu, time, tid, size, code, *counts = shape.header.unpack_from(window, position + 8)
        step = self._steps[code] if code < len(self._steps) else SKIP
        if step == SKIP:
            return None
        layout = self._layouts[code]
        last = position + shape.start + size
        if not shape.counted and code in WRONG_LENGTHS:
            last -= 3
        if not first <= last <= stop - 4:
            self._fault(position)
            return None
        count = counts[0] if shape.counted else layout.count_parameters(window, first, last)
        bounds = None if count is None else layout.bounds(window, first, last, count)
        if bounds is None:
            self._fault(position)
            return None
        if step in (STORE, STORE_AND_COUNT):
            if len(self._entered) >= MAX_ENTERED:
                del self._entered[next(iter(self._entered))]
            self._entered[tid] = StoredEnter(
                code, window[first:last], tuple(bound - first for bound in bounds)
            )
        if step == STORE:
            return None
        self._statistics.seen += 1
        if step in (COUNT, STORE_AND_COUNT) or (
            step == LOOK_INSIDE and self._call(window, bounds) not in self._generic_codes
        ):
            return None
        converter = self._converters[code]
        if converter is None:
            type, params = layout.type, layout.read_bounded(window, bounds)
        else:
            enter = self._entered.pop(tid, None)
            if enter is not None and enter.code != code - 1:
                enter = None
            type, params = CONVERSIONS[code].target, converter.read(window, bounds, enter)
        return Event(type, time, tid, params, number=self._statistics.seen, cpu=cpu)

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
