"""Asking in the background: how long events wait, what is asked again, and what is counted."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag

import pytest

from refengine.state.containers import directory as module
from refengine.state.containers.directory import MakeListener, NoDirectory, RuntimeDirectory
from refengine.state.containers.engines import ENGINES, Engine, EngineRuntime, runtimes
from refengine.state.containers.facts import ContainerFacts
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.runtime import NO_RUNTIME, NOT_FOUND, TIMED_OUT, UnknownError

Answer = Callable[[ContainerId], ContainerFacts]


class Told:
    """A runtime that answers by a function, and remembers what it was asked."""

    def __init__(self, answer: Answer, kind: str = "docker") -> None:
        self.kinds = frozenset({kind})
        self.answer = answer
        self.asked: list[str] = []

    def ask(self, container: ContainerId) -> ContainerFacts:
        self.asked.append(container.id)
        return self.answer(container)


def known(container: ContainerId) -> ContainerFacts:
    return ContainerFacts(container.kind, name=f"name of {container.id}")


def fails(cause: str, *, lasting: bool = False) -> Answer:
    def answer(_container: ContainerId) -> ContainerFacts:
        raise UnknownError(cause, lasting=lasting)

    return answer


def of(id: str, kind: str = "docker") -> ContainerId:
    return ContainerId(id, kind, "")


class LaterBy:
    """A clock that is ahead by so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._seconds


class Listener:
    """Tells of a container when it starts."""

    def __init__(self, found: Callable[[str], None]) -> None:
        self.found = found
        self.closed = False

    def start(self) -> None:
        self.found("a")

    def close(self) -> None:
        self.closed = True


Start = Callable[..., RuntimeDirectory]


@pytest.fixture
def start() -> Iterator[Start]:
    made: list[RuntimeDirectory] = []

    def begin(
        *runtimes: Told, listeners: tuple[tuple[str, MakeListener], ...] = (), wait: float = 60
    ) -> RuntimeDirectory:
        made.append(RuntimeDirectory(runtimes, listeners, wait))
        return made[-1]

    yield begin
    for each in made:
        each.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DELAYS", (0.01, 0.01))
    monkeypatch.setattr(module, "_RESERVE", 60.0)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_first_question_waits_for_the_answer_which_is_kept(start: Start) -> None:
    runtime = Told(known)
    directory = start(runtime)
    for _ in range(3):
        facts = directory.facts(of("a"))
        assert facts is not None
        assert facts.name == "name of a"
    assert runtime.asked == ["a"]
    assert directory.unknown() == {}
    assert NoDirectory().facts(of("a")) is None


def test_only_runtimes_of_the_kind_are_asked_and_all_for_kubernetes(start: Start) -> None:
    docker, podman = Told(fails(NOT_FOUND, lasting=True)), Told(known, "podman")
    directory = start(docker, podman)
    assert directory.facts(of("a", "podman")) is not None
    assert docker.asked == []
    assert directory.facts(of("b", "kubernetes")) is not None
    assert docker.asked == ["b"]
    assert directory.facts(of("c", "lxc")) is None
    assert directory.unknown() == {NO_RUNTIME: 1}


def test_a_container_that_is_not_there_yet_is_asked_for_again(start: Start) -> None:
    def later(container: ContainerId) -> ContainerFacts:
        if len(runtime.asked) < 3:
            raise UnknownError(NOT_FOUND)
        return known(container)

    runtime = Told(later)
    assert start(runtime).facts(of("a")) is not None
    assert runtime.asked == ["a", "a", "a"]


def test_what_stays_unknown_is_counted_by_cause(start: Start) -> None:
    runtime = Told(fails(NOT_FOUND))
    other = Told(fails(NO_RUNTIME, lasting=True))
    directory = start(runtime, other)
    assert [directory.facts(of(id)) for id in "aabc"] == [None] * 4
    assert directory.unknown() == {NOT_FOUND: 3}
    assert len(runtime.asked) == 9


def test_a_fault_costs_one_container_only(start: Start) -> None:
    def faulty(container: ContainerId) -> ContainerFacts:
        if container.id == "a":
            raise ZeroDivisionError
        return known(container)

    directory = start(Told(faulty))
    assert directory.facts(of("a")) is None
    assert directory.facts(of("b")) is not None
    assert directory.unknown() == {"fault: ZeroDivisionError": 1}


def test_nothing_waits_beyond_the_bound_and_the_answer_is_known_later(start: Start) -> None:
    go = Flag()

    def slow(container: ContainerId) -> ContainerFacts:
        go.wait(60)
        return known(container)

    directory = start(Told(slow), wait=0.1)
    began = time.monotonic()
    assert directory.facts(of("a")) is None
    assert 0.09 < time.monotonic() - began < 30
    began = time.monotonic()
    assert [directory.facts(of("a")) for _ in range(1000)] == [None] * 1000
    assert time.monotonic() - began < 30, "each would have waited for a tenth of a second"
    go.set()
    wait_for(lambda: directory.facts(of("a")) is not None)


def test_what_is_still_asked_for_at_the_end_stays_unknown(start: Start) -> None:
    go = Flag()

    def hangs(container: ContainerId) -> ContainerFacts:
        go.wait(60)
        return known(container)

    directory = start(Told(hangs), wait=0.05)
    assert directory.facts(of("a")) is None
    assert directory.unknown() == {}
    directory.close()
    assert directory.unknown() == {TIMED_OUT: 1}
    go.set()


def test_all_waiting_together_is_bounded_too(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RESERVE", 1.0)
    go = Flag()

    def hangs(container: ContainerId) -> ContainerFacts:
        go.wait(60)
        return known(container)

    directory = start(Told(hangs), wait=0.25)
    began = time.monotonic()
    for number in range(200):
        directory.facts(of(str(number)))
    assert time.monotonic() - began < 25, "one after another they would have waited for 50 seconds"
    go.set()
    wait_for(lambda: all(directory.facts(of(str(number))) for number in range(200)))


def test_a_runtime_that_did_not_answer_in_time_is_left_alone_for_a_while(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENCE", 1000.0)
    runtime = Told(fails(TIMED_OUT))
    directory = start(runtime)
    assert [directory.facts(of(id)) for id in "abc"] == [None] * 3
    assert runtime.asked == ["a"]
    monkeypatch.setattr(module, "time", LaterBy(1001.0))
    runtime.answer = known
    assert directory.facts(of("d")) is not None
    assert directory.unknown() == {TIMED_OUT: 3}


def test_what_stayed_unknown_is_asked_for_again_after_a_minute(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Told(fails(NOT_FOUND, lasting=True))
    directory = start(runtime)
    assert directory.facts(of("a")) is None
    runtime.answer = known
    assert directory.facts(of("a")) is None
    monkeypatch.setattr(module, "_ASK_AGAIN", 0.0)
    assert directory.facts(of("a")) is not None
    assert directory.unknown() == {}


def test_the_oldest_are_forgotten_and_stay_counted(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ENTRIES_LIMIT", 2)
    runtime = Told(fails(NOT_FOUND, lasting=True))
    directory = start(runtime)
    for id in "abcd":
        directory.facts(of(id))
    assert directory.unknown() == {NOT_FOUND: 4}
    directory.facts(of("a"))
    assert runtime.asked == list("abcda")


def test_nothing_of_a_failure_waits_for_the_collector_of_garbage(start: Start, tmp_path: Path) -> None:
    (tmp_path / "nobody.sock").touch()
    sockets = (str(tmp_path / "*.sock"),)
    told = EngineRuntime(Engine(frozenset({"docker"}), sockets, lambda path: Told(fails(NOT_FOUND))))
    for runtime in (Told(fails(NOT_FOUND)), told, *runtimes(dict.fromkeys(ENGINES, sockets))):
        directory = start(runtime)
        gc.collect()
        gc.disable()
        try:
            assert directory.facts(of("a")) is None
            wait_for(lambda: not any(isinstance(each, UnknownError) for each in gc.get_objects()))
        finally:
            gc.enable()


def test_containers_that_are_heard_of_are_known_before_they_are_asked_for(start: Start) -> None:
    made: list[Listener] = []

    def make(found: Callable[[str], None]) -> Listener:
        made.append(Listener(found))
        return made[-1]

    runtime = Told(known)
    directory = start(runtime, listeners=(("docker", make),), wait=0.1)
    directory.start()
    directory.start()
    wait_for(lambda: runtime.asked == ["a"])
    wait_for(lambda: directory.facts(of("a")) is not None)
    directory.close()
    assert [each.closed for each in made] == [True]
    assert directory.facts(of("b")) is None


def test_what_has_changed_is_asked_for_again_and_what_was_known_stays(start: Start) -> None:
    made: list[Listener] = []

    def make(found: Callable[[str], None]) -> Listener:
        made.append(Listener(found))
        return made[-1]

    def name() -> str | None:
        facts = directory.facts(of("a"))
        return None if facts is None else facts.name

    runtime = Told(known)
    directory = start(runtime, listeners=(("docker", make),))
    directory.start()
    wait_for(lambda: name() == "name of a")
    runtime.answer = fails(NOT_FOUND, lasting=True)
    made[0].found("a")
    wait_for(lambda: len(runtime.asked) == 2)
    assert name() == "name of a"
    assert directory.unknown() == {}
    runtime.answer = lambda container: ContainerFacts("docker", name="renamed")
    made[0].found("a")
    wait_for(lambda: name() == "renamed")
