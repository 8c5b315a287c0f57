"""The order of file events and process events."""

from __future__ import annotations

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.order import Order
from refengine.backends.fanotify.sightings import Sighting
from refengine.backends.fanotify.watch import Seen
from refengine.backends.netlink.process_events import EXEC, EXIT, FORK, ProcessEvent


def opened(tid: int, path: str) -> Seen:
    return Seen(binding.OPEN | binding.CLOSE_NOWRITE, tid, path)


def executing(tid: int, path: str) -> Seen:
    return Seen(binding.OPEN | binding.OPEN_EXEC, tid, path)


def told(kind: int, pid: int, *numbers: int) -> Sighting:
    return Sighting(ProcessEvent(kind, 0, 0, pid, pid, numbers))


def test_a_process_begins_before_it_does_anything() -> None:
    order, file, start = Order(), opened(2, "/a"), told(FORK, 1, 2, 2)
    assert list(order.round([file], [start])) == [start, file]


def test_an_end_waits_for_the_files_of_the_next_round() -> None:
    order, end, file = Order(), told(EXIT, 2), opened(2, "/a")
    assert list(order.round([], [end])) == []
    assert order.waiting
    assert list(order.round([file], [])) == [file, end]
    assert not order.waiting


def test_a_new_program_begins_where_its_file_was_opened() -> None:
    order = Order()
    before, mark, after, start = opened(2, "/a"), executing(2, "/bin/x"), opened(2, "/b"), told(EXEC, 2)
    assert list(order.round([before, mark, after], [start])) == [before, start, mark, after]


def test_a_new_program_whose_file_was_opened_a_round_before_begins_at_once() -> None:
    order = Order()
    mark, after, start = executing(2, "/bin/x"), opened(2, "/b"), told(EXEC, 2)
    assert list(order.round([mark], [])) == [mark]
    assert list(order.round([after], [start])) == [start, after]


def test_a_new_program_waits_a_round_for_what_came_before_it() -> None:
    order = Order()
    before, mark, start = opened(2, "/a"), executing(2, "/bin/x"), told(EXEC, 2)
    assert list(order.round([], [start])) == []
    assert list(order.round([before, mark], [])) == [before, start, mark]


def test_a_new_program_waits_no_longer_than_that() -> None:
    order, start = Order(), told(EXEC, 2)
    assert list(order.round([], [start])) == []
    assert list(order.round([], [])) == [start]


def test_a_new_program_that_has_made_processes_does_not_wait() -> None:
    order, start, child = Order(), told(EXEC, 2), told(FORK, 2, 3, 3)
    file = opened(3, "/a")
    assert list(order.round([file], [start, child])) == [start, child, file]


def test_what_a_process_does_after_its_new_program_stays_after_it() -> None:
    order, start, child = Order(), told(EXEC, 2), told(FORK, 2, 3, 3)
    before, mark = opened(2, "/a"), executing(2, "/bin/x")
    assert list(order.round([before, mark], [start, child])) == [before, start, child, mark]
