"""What is known of containers: asked for in the background, kept, and waited for only so long."""

from __future__ import annotations

import queue
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final, Protocol, TypeAlias

from refengine.state.containers.facts import ContainerFacts
from refengine.state.containers.identity import KUBERNETES, ContainerId
from refengine.state.containers.runtime import NO_RUNTIME, TIMED_OUT, Runtime, UnknownError

WAIT: Final = 0.25
"""Seconds that the events of a container wait for what its runtime says, all together."""

_SHARE = 0.25
_RESERVE = 1.0
"""The share of time that may be spent waiting at all, and the seconds of it that may be saved up."""

_WORKERS = 4
_QUEUE_LIMIT = 1024
_ENTRIES_LIMIT = 2048
_DELAYS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between one try and the next."""

_ASK_AGAIN = 60.0
"""Seconds after which a container that stayed unknown is asked for again."""

_SILENCE = 10.0
"""Seconds in which a runtime that did not answer in time is not asked again."""

TOO_MANY: Final = "too many at a time"


class Directory(Protocol):
    """Tells what is known of containers."""

    def facts(self, container: ContainerId) -> ContainerFacts | None:
        """Return what is known of a container, None where that is nothing."""


class Listener(Protocol):
    """Hears of containers as they are made, in a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""


MakeListener: TypeAlias = "Callable[[Callable[[str], None]], Listener]"
"""Makes a listener that tells a function the id of each container."""


class NoDirectory:
    """The directory where nobody can be asked: of recorded events, and where rules do not need it."""

    def facts(self, container: ContainerId) -> ContainerFacts | None:
        """Return None."""
        return None


_SETTLED: Final = Flag()
"""What all settled entries have in common: there may be thousands, and a flag of its own is most of an entry."""
_SETTLED.set()


class _Entry:
    """A container that was asked for."""

    __slots__ = ("asked", "cause", "facts", "settled", "waited_until")

    def __init__(self) -> None:
        self.asked = time.monotonic()
        self.settled = Flag()
        self.facts: ContainerFacts | None = None
        self.cause: str | None = None
        self.waited_until: float | None = None

    def settle(self) -> None:
        """Let those go on that wait for an answer."""
        self.settled.set()
        self.settled = _SETTLED


class RuntimeDirectory:
    """Asks the runtimes that there are, in threads of its own, from `start` or the first question to `close`.

    The first event of a container waits until its runtime has answered, `wait` seconds at most; further ones wait
    for what is left of that, and all events together for a quarter of the time. A runtime that does not know the
    container yet is asked again a few times. What stays unknown is counted by cause.

    `listeners` are made with a function that takes the ids of containers as they are made, each of its kind, so that
    they are known before their first event, and as they change, so that they are asked for again.
    """

    def __init__(
        self,
        runtimes: Sequence[Runtime],
        listeners: Sequence[tuple[str, MakeListener]] = (),
        wait: float = WAIT,
    ) -> None:
        self._runtimes = tuple(runtimes)
        self._makers = tuple(listeners)
        self._listeners: list[Listener] = []
        self._wait = wait
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._queue: queue.Queue[tuple[ContainerId, _Entry] | None] = queue.Queue(_QUEUE_LIMIT)
        self._workers: list[Thread] = []
        self._over = Flag()
        self._lock = Lock()
        self._reserve = _RESERVE
        self._reserved = time.monotonic()
        self._forgotten: Counter[str] = Counter()
        self._silent_until: dict[int, float] = {}

    def start(self) -> None:
        """Begin to ask; nothing happens where that is so."""
        with self._lock:
            if self._workers or self._over.is_set():
                return
            self._workers = [
                Thread(target=self._work, name=f"containers-{number}", daemon=True)
                for number in range(_WORKERS)
            ]
        for worker in self._workers:
            worker.start()
        self._listeners = [make(partial(self._expect, kind)) for kind, make in self._makers]
        for listener in self._listeners:
            listener.start()

    def close(self) -> None:
        """End; what is being asked for at the moment is given up."""
        self._over.set()
        for listener in self._listeners:
            listener.close()
        for _ in self._workers:
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                break

    def facts(self, container: ContainerId) -> ContainerFacts | None:
        """Return what is known of a container, None where that is nothing, or nothing yet."""
        entry = self._entries.get(container.id)
        if entry is None or (entry.cause is not None and time.monotonic() - entry.asked > _ASK_AGAIN):
            self.start()
            entry = self._ask(container)
        if not entry.settled.is_set():
            self._await(entry)
        return entry.facts

    def _await(self, entry: _Entry) -> None:
        """Wait for an answer as long as this container, and all of them together, may be waited for."""
        now = time.monotonic()
        self._reserve = min(_RESERVE, self._reserve + (now - self._reserved) * _SHARE)
        self._reserved = now
        if entry.waited_until is None:
            entry.waited_until = now + self._wait
        left = min(entry.waited_until - now, self._reserve)
        if left > 0:
            entry.settled.wait(left)
            waited = time.monotonic() - now
            self._reserve -= waited
            self._reserved += waited

    def _expect(self, kind: str, id: str) -> None:
        """Ask for a container that has just been made, or once more for one that has changed."""
        container, entry = ContainerId(id, kind, ""), self._entries.get(id)
        if entry is None:
            self._ask(container)
        else:
            self._put(container, entry)

    def unknown(self) -> Counter[str]:
        """Return how many containers have stayed unknown so far, by cause."""
        with self._lock:
            found = Counter(self._forgotten)
            for entry in self._entries.values():
                # Once nobody asks any longer, what is still open stays so.
                open_still = self._over.is_set() and not entry.settled.is_set()
                cause = TIMED_OUT if open_still and entry.cause is None else entry.cause
                if cause is not None:
                    found[cause] += 1
        return found

    def _ask(self, container: ContainerId) -> _Entry:
        entry = _Entry()
        with self._lock:
            self._entries.pop(container.id, None)
            if len(self._entries) >= _ENTRIES_LIMIT:
                _, oldest = self._entries.popitem(last=False)
                if oldest.cause is not None:
                    self._forgotten[oldest.cause] += 1
            self._entries[container.id] = entry
        self._put(container, entry)
        return entry

    def _put(self, container: ContainerId, entry: _Entry) -> None:
        try:
            self._queue.put_nowait((container, entry))
        except queue.Full:
            self._fail(entry, TOO_MANY)

    @staticmethod
    def _fail(entry: _Entry, cause: str) -> None:
        if entry.facts is None:
            entry.cause = cause
        entry.settle()

    def _work(self) -> None:
        while not self._over.is_set():
            job = self._queue.get()
            if job is None:
                return
            container, entry = job
            try:
                entry.facts, entry.cause = self._answer(container), None
                entry.settle()
            except UnknownError as unknown:
                self._fail(entry, unknown.cause)
            except Exception as error:
                # A fault here must cost one container its name, and not all of them.
                self._fail(entry, f"fault: {type(error).__name__}")

    def _answer(self, container: ContainerId) -> ContainerFacts:
        able = [
            each for each in self._runtimes if container.kind in each.kinds or container.kind == KUBERNETES
        ]
        # Not the errors themselves, which would keep this very call for as long as it keeps them.
        failures: list[tuple[str, bool]] = []
        for delay in (*_DELAYS, None):
            failures.clear()
            for runtime in able:
                try:
                    return self._asked(runtime, container)
                except UnknownError as unknown:
                    failures.append((unknown.cause, unknown.lasting))
            if delay is None or all(lasting for _, lasting in failures) or self._over.wait(delay):
                break
        raise UnknownError(next((cause for cause, _ in failures if cause != NO_RUNTIME), NO_RUNTIME))

    def _asked(self, runtime: Runtime, container: ContainerId) -> ContainerFacts:
        if self._silent_until.get(id(runtime), 0.0) > time.monotonic():
            raise UnknownError(TIMED_OUT, lasting=True)
        try:
            return runtime.ask(container)
        except UnknownError as unknown:
            if unknown.cause == TIMED_OUT:
                self._silent_until[id(runtime)] = time.monotonic() + _SILENCE
            raise
