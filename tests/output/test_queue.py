from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from refengine.output.channel import ChannelClosedError, ChannelError, LineRefusedError
from refengine.output.queue import OutputQueue
from refengine.priority import Priority


class Sink:
    """A channel whose behaviour each test chooses; `gate` holds every write until it is set."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fault: Exception | None = None
        self.is_ready = False
        self.closes = 0
        self.writers: set[threading.Thread] = set()

    def write(self, line: str, priority: Priority) -> None:
        self.writers.add(threading.current_thread())
        self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.lines.append(line)

    def ready(self, line: str) -> bool:
        return self.is_ready

    def close(self) -> None:
        self.closes += 1


def queue(sink: Sink, said: list[str] | None = None, **options: object) -> OutputQueue:
    report: Callable[[str], None] = print if said is None else said.append
    return OutputQueue("test", sink, report=report, **{"capacity": 10, **options})  # type: ignore[arg-type]


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.005)


def put(outputs: OutputQueue, *lines: str) -> None:
    for line in lines:
        outputs.put(line, Priority.ERROR)


def test_lines_arrive_in_order_and_the_channel_is_closed() -> None:
    sink = Sink()
    outputs = queue(sink, capacity=None)
    put(outputs, *map(str, range(1000)))
    outputs.close(60)
    assert sink.lines == [str(number) for number in range(1000)]
    assert outputs.written == 1000
    assert sink.closes == 1


def test_a_ready_channel_is_written_to_by_the_caller() -> None:
    sink = Sink()
    sink.is_ready = True
    outputs = queue(sink)
    put(outputs, "one")
    assert sink.lines == ["one"]
    assert sink.writers == {threading.current_thread()}
    outputs.close(60)


def test_a_stuck_channel_holds_nobody_up_and_what_does_not_fit_is_counted() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.gate.clear()
    outputs = queue(sink, said, slow_after=0.0)
    put(outputs, *map(str, range(25)))  # which would not return while the gate is closed, if it waited
    assert (outputs.depth, outputs.dropped) == (10, 15)
    assert len(said) == 1, "one alarm until it has recovered"
    assert "slow" in said[0]
    sink.gate.set()
    until(lambda: outputs.depth == 0)
    until(lambda: len(said) == 2)
    assert said[1] == "test output has caught up; 15 alerts were dropped"
    outputs.close(60)
    assert sink.lines == [str(number) for number in range(10)]


def test_a_write_that_takes_too_long_is_reported() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.gate.clear()
    outputs = queue(sink, said, slow_after=0.02)
    put(outputs, "one")

    def watched() -> bool:
        outputs.watch()
        return bool(said)

    until(watched)
    assert "test output is slow: 1 alerts wait" in said[0]
    sink.gate.set()
    outputs.close(60)


def test_a_failing_channel_loses_nothing_while_the_queue_holds() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.fault = ChannelError("no luck")
    outputs = queue(sink, said)
    put(outputs, *"abcde")
    until(lambda: bool(said))
    assert said == ["test output: no luck; alerts wait until it works again"]
    sink.fault = None
    until(lambda: outputs.written == 5)
    outputs.close(60)
    assert sink.lines == list("abcde")
    assert outputs.dropped == 0
    assert said[1].startswith("test output works again")


def test_a_line_that_is_refused_does_not_hold_up_the_others() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.fault = LineRefusedError("not that")
    outputs = queue(sink, said)
    put(outputs, "a")
    until(lambda: outputs.refused == 1)
    sink.fault = None
    put(outputs, "b")
    outputs.close(60)
    assert sink.lines == ["b"]
    assert said == ["test output: not that; 1 alerts have been lost like this"]


def test_a_fault_of_a_channel_does_not_end_its_thread() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.fault = ZeroDivisionError("oh")
    outputs = queue(sink, said)
    put(outputs, "a")
    until(lambda: outputs.refused == 1)
    sink.fault = None
    put(outputs, "b")
    outputs.close(60)
    assert sink.lines == ["b"]
    assert "internal fault: ZeroDivisionError: oh" in said[0]


def test_the_end_waits_for_a_stuck_channel_no_longer_than_it_may() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.gate.clear()
    outputs = queue(sink, said)
    put(outputs, "a", "b")
    outputs.close(0.1)  # while the gate is closed
    assert outputs.dropped == 2
    assert said == ["2 alerts for test could not be written before the end"]
    sink.gate.set()


def test_a_failing_channel_has_until_the_end_to_recover() -> None:
    sink = Sink()
    sink.fault = ChannelError("no luck")
    outputs = queue(sink, [])
    put(outputs, "a")
    threading.Timer(0.2, lambda: setattr(sink, "fault", None)).start()
    outputs.close(60)
    assert sink.lines == ["a"]


def test_a_reader_that_is_gone_is_told_to_the_caller() -> None:
    sink = Sink()
    sink.fault = ChannelClosedError("gone")
    outputs = queue(sink)
    put(outputs, "a")
    until(lambda: outputs.closed)
    with pytest.raises(ChannelClosedError):
        put(outputs, "b")
    with pytest.raises(ChannelClosedError):
        outputs.close(60)


def test_a_patient_queue_waits_for_a_slow_channel_and_loses_nothing() -> None:
    sink, said = Sink(), []  # type: Sink, list[str]
    sink.gate.clear()
    outputs = queue(sink, said, capacity=2, patient=True)
    threading.Timer(0.1, sink.gate.set).start()
    put(outputs, *map(str, range(50)))
    outputs.close(None)
    assert sink.lines == [str(number) for number in range(50)]
    assert said == []


def test_a_patient_queue_does_not_wait_for_a_channel_that_fails() -> None:
    sink = Sink()
    sink.fault = ChannelError("no luck")
    outputs = queue(sink, [], capacity=2, patient=True)
    put(outputs, *map(str, range(20)))
    assert outputs.dropped == 18
    sink.fault = None
    outputs.close(60)


def test_a_channel_is_opened_anew_between_two_lines() -> None:
    sink = Sink()
    outputs = queue(sink)
    outputs.reopen()
    until(lambda: sink.closes == 1)
    put(outputs, "a")
    outputs.close(60)
    assert sink.lines == ["a"]
