"""Whatever events say, the state takes them in and every field is readable, with a value of its type."""

from __future__ import annotations

from random import Random
from struct import calcsize

from hypothesis import given, settings
from hypothesis import strategies as st

from refengine.backends.capture.params import FIXED_FORMATS, Decoders
from refengine.event import Event
from refengine.fields.registry import EXTRACTORS
from refengine.tables.event_types import EVENT_TYPES
from refengine.values import ValueType
from tests.events import NOW, has_type, machine

NUMBERS = (0, 1, 2, 3, 5, 100, 101, 102, -1, -2, -9, -100, -115, 1 << 31, 1 << 62)
TEXTS = (b"", b"/", b"..", b"a", b"/tmp/x", b"/a//b/./c/..", b"\xff\x01\n", b"x" * 300, b"::1", b"[12]", b"=/docker/" + b"a" * 64)  # fmt: skip
ENDPOINT_SIZES = {1: 0, 2: 6, 10: 18}
ARGUMENTS = {"evt.arg": "0", "evt.rawarg": "fd", "evt.around": "5", "evt.type.is": "3"}
DECODERS = Decoders("<")


def recorded(random: Random, type: ValueType) -> bytes:
    """Return bytes that a recorder might have written for a parameter of a type, or other bytes."""
    if random.random() < 0.1:
        return random.randbytes(random.randrange(24))
    layout = FIXED_FORMATS.get(type)
    if layout is not None:
        number = random.choice((*NUMBERS, random.getrandbits(64))) & (1 << 64) - 1
        return number.to_bytes(8, "little").ljust(16, b"\0")[: calcsize(layout)]
    if type in (ValueType.SOCKADDR, ValueType.SOCKTUPLE):
        family = random.choice(tuple(ENDPOINT_SIZES))
        ends = 1 + (type is ValueType.SOCKTUPLE)
        return bytes([family]) + random.randbytes(ENDPOINT_SIZES[family] * ends) + random.choice(TEXTS)
    if type is ValueType.DYN:
        return bytes([random.randrange(3)]) + random.randbytes(8)
    return b"\0".join(random.choice(TEXTS) for _ in range(random.randrange(5)))


def event(random: Random, number: int) -> Event:
    """Return an event of any type, with any parameters."""
    kind = random.choice(EVENT_TYPES)
    params = []
    for param in kind.params:
        data = recorded(random, param.type)
        params.append(DECODERS.of(param)(data, 0, len(data)))
    del params[random.choice((0, len(params), len(params), len(params))) :]
    return Event(kind, NOW + number, random.choice((-1, 1, 5, 100, 101, 102)), params, number=number)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_any_events(seed: int, tracked: bool) -> None:
    random = Random(seed)
    state = machine((1, 0, "init"), (100, 1, "shell"), (101, 100, "ls"))
    state.track_descriptors = tracked
    readers = {name: entry.bind(ARGUMENTS.get(name)) for name, entry in EXTRACTORS.items()}
    for number in range(1, 100):
        happened = event(random, number)
        state.apply(happened)
        if number % 3:
            continue
        for name, read in readers.items():
            value = read(happened)
            assert value is None or has_type(name, value), (name, happened, value)
            candidates = EXTRACTORS[name].candidates
            found = None if candidates is None else candidates(happened)
            assert found is None or None not in list(found), (name, happened)
