"""From compiled parts to the kernel: maps in their places, programs that the verifier refuses, parts that come later."""

from __future__ import annotations

import struct
import threading
from collections.abc import Generator

import pytest

from refengine.backends.ebpf import binding
from refengine.backends.ebpf.completion import Completion
from refengine.backends.ebpf.loading import Loaded, linked
from refengine.backends.ebpf.part import MapDefinition, Part, Program, from_json
from refengine.backends.ebpf.prefilter.program import Prefilters
from refengine.backends.ebpf.requests import grouped, requests
from refengine.errors import BackendError
from tests.ebpf import require_ebpf

PROGRAM_ARRAY = 3
ARRAY = 2


def instruction(code: int, registers: int = 0, constant: int = 0) -> bytes:
    return struct.pack("<BBhi", code, registers, 0, constant)


RETURN_0 = instruction(0xB7) + instruction(0x95)
RETURN_NOTHING = instruction(0x95)
LOADS_MAP = instruction(0x18, 0x11) + instruction(0) + RETURN_0
CONTINUATIONS = MapDefinition("continuations", PROGRAM_ARRAY, 4, 4, 8, 0)


def test_a_part_is_the_same_after_json() -> None:
    part = Part((CONTINUATIONS,), {"f": Program(LOADS_MAP, ((0, 0),)), "g": Program(RETURN_0, ())})
    found = from_json(part.to_json())
    assert found == part
    wrong: tuple[object, ...] = (
        None, [], {"maps": []}, {"maps": [["m", 1]], "programs": {}}, {"maps": 1, "programs": {}},
    )  # fmt: skip
    for value in wrong:
        with pytest.raises(ValueError, match="no part"):
            from_json(value)
    for references in ([[9, 0]], [[0, 1]], [[-1, 0]]):
        with pytest.raises(ValueError, match="fit together"):
            from_json({"maps": part.maps, "programs": {"f": ["AAAAAAAAAAA=", references]}})


def test_maps_are_put_where_they_are_named() -> None:
    text = linked(Program(LOADS_MAP, ((0, 1),)), [7, 0x01020304])
    assert text == instruction(0x18, 0x11, 0x01020304) + LOADS_MAP[8:]
    untied = instruction(0x18, 0x01) + LOADS_MAP[8:]
    assert linked(Program(untied, ((0, 0),)), [5]) == instruction(0x18, 0x11, 5) + LOADS_MAP[8:]
    assert linked(Program(untied, ()), []) == untied


def test_parts_share_their_maps_and_what_is_refused_is_told() -> None:
    require_ebpf()
    loaded = Loaded(raw=False, entries={"sized": 5})
    sized = MapDefinition("sized", ARRAY, 4, 8, 1, 0)
    try:
        loaded.load(Part((CONTINUATIONS,), {"good": Program(LOADS_MAP, ((0, 0),))}), 1)
        continuations = loaded.descriptors["continuations"]
        bad = {f"bad{number}": Program(RETURN_NOTHING, ()) for number in range(5)}
        loaded.load(Part((sized, CONTINUATIONS), {"second": Program(LOADS_MAP, ((0, 1),)), **bad}), 3)
        assert loaded.descriptors["continuations"] == continuations
        assert set(loaded.descriptors) == {"continuations", "sized", "good", "second"}
        assert set(loaded.rejected) == set(bad)
        assert all("R0 !read_ok" in reason for reason in loaded.rejected.values())
        binding.update_map(loaded.descriptors["sized"], 4, bytes(8))
        with pytest.raises(OSError, match="Argument list too long"):
            binding.update_map(loaded.descriptors["sized"], 5, bytes(8))
    finally:
        loaded.close()
    with pytest.raises(BackendError, match="'impossible'"):
        loaded.load(Part((MapDefinition("impossible", 250, 4, 4, 1, 0),), {}), 1)


def test_what_comes_later_is_put_in_its_place() -> None:
    require_ebpf()
    loaded = Loaded(raw=False, entries={})
    loaded.load(Part((CONTINUATIONS,), {}), 1)
    programs = {"good": Program(RETURN_0, ()), "bad": Program(RETURN_NOTHING, ())}
    parts = (part for part in [Part((), programs)])
    completion = Completion(parts, loaded, {"good": 3, "bad": 4}, stop=lambda: None)
    try:
        completion.wait(10)
        assert completion.fault is None
        assert set(loaded.rejected) == {"bad"}
        continuations = loaded.descriptors["continuations"]
        assert binding.read_map(continuations, 3, 4) != bytes(4)
        with pytest.raises(OSError, match="No such file"):
            binding.read_map(continuations, 4, 4)
    finally:
        completion.close()
        loaded.close()


def test_a_compiler_that_fails_later_is_told() -> None:
    def parts() -> Generator[Part, None, None]:
        yield Part((), {})
        raise BackendError("it ended early")

    completion = Completion(parts(), Loaded(raw=False, entries={}), {}, stop=lambda: None)
    completion.wait(10)
    assert completion.fault is not None
    assert "it ended early" in completion.fault
    completion.close()


def test_what_has_not_come_is_left_at_the_end() -> None:
    stopped = threading.Event()

    closed = []

    def parts() -> Generator[Part, None, None]:
        try:
            stopped.wait(10)
            yield Part((), {"f": Program(RETURN_0, ())})
        finally:
            closed.append(True)

    loaded = Loaded(raw=False, entries={})
    completion = Completion(parts(), loaded, {"f": 2}, stop=stopped.set)
    completion.close()
    assert stopped.is_set()
    assert closed
    assert not loaded.descriptors
    assert completion.fault is None


def test_each_processor_gets_as_much() -> None:
    texts = {f"f{number}": "x" * length for number, length in enumerate((9000, 5000, 4000, 300, 200, 100))}
    for processors in (1, 2, 3, 8):
        groups = grouped(texts, processors, 6000)
        assert sorted(name for group in groups for name in group) == sorted(texts)
        assert len(groups) <= processors
        assert all(groups)
    first, second = grouped(texts, 2, 6000)
    assert "f0" in first
    assert "f1" in second
    assert grouped({}, 4, 6000) == []


def test_second_parts_may_come_later() -> None:
    texts = {"prefilter_1": "int prefilter_1;", "prefilter_1_name": "int prefilter_1_name;"}
    prefilters = Prefilters(texts, {1: "prefilter_1"}, {"prefilter_1_name": 2}, frozenset(), {}, {})
    for raw in (False, True):
        found = requests(prefilters, raw=raw, processors=2)
        fixed, first = found.first
        (later,) = found.later
        assert "every_exit" in fixed.text
        assert first.text.endswith(texts["prefilter_1"])
        assert later.text.endswith(texts["prefilter_1_name"])
        assert {request.flags for request in (fixed, first, later)} == {(f"-DBY_RAW_TRACEPOINT={int(raw)}",)}
