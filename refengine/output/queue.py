"""A queue before a channel, so that whoever raises alerts never waits for whoever takes them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from refengine.errors import RefengineError
from refengine.output.channel import Channel, ChannelClosedError, ChannelError, LineRefusedError
from refengine.priority import Priority

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 30.0
"""Seconds between two attempts at a channel that fails: the first, doubled each time up to the longest."""

_FULL: Final = 0.8
"""The share of its capacity at which a queue is reported as filling up."""

PATIENCE: Final = 5.0
"""Seconds that a channel that fails has at the end, where one that is only slow has any time."""

_HASTE: Final = 0.05
"""Seconds between two attempts when the end has come."""


class OutputQueue:
    """Lines on their way to a channel, which a thread of their own takes there.

    At most `capacity` lines wait (None for any number); those that come then are dropped and counted. While a
    channel fails its line is kept and tried again. `slow_after` is the number of seconds that one line may take
    before the channel is reported as slow. `report` gets sentences for people. A `patient` queue that is
    full makes `put` wait as long as the channel is only slow, which is for sources that can wait, too.
    """

    def __init__(
        self,
        name: str,
        channel: Channel,
        *,
        capacity: int | None,
        report: Callable[[str], None],
        slow_after: float = 2.0,
        patient: bool = False,
    ) -> None:
        self.name = name
        self.written = 0
        self.dropped = 0
        self.refused = 0
        self._channel = channel
        self._capacity = capacity
        self._report = report
        self._slow_after = slow_after
        self._patient = patient
        self._lines: deque[tuple[str, Priority]] = deque()
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._reopening = False
        self._since: float | None = None
        """When the attempt began that is being made, None while none is."""
        self._failing = False
        self._alarmed = False
        self._closed: ChannelClosedError | None = None
        self._last_fault: RefengineError | None = None
        """What went wrong when the channel was closed."""

    @property
    def depth(self) -> int:
        """How many lines wait."""
        return len(self._lines)

    @property
    def closed(self) -> bool:
        """True once nobody reads the channel any longer."""
        return self._closed is not None

    @property
    def lost(self) -> int:
        """How many lines have been dropped or refused."""
        return self.dropped + self.refused

    def put(self, line: str, priority: Priority) -> None:
        """Hand over a line; it is written now where that takes no time and none waits before it.

        :raises ChannelClosedError: when nobody reads the channel any longer.
        """
        if self._closed is not None:
            raise self._closed
        with self._changed:
            if not self._lines and not self._reopening and self._channel.ready(line):
                if self._written_at_once(line, priority):
                    return
            elif self._capacity is not None and len(self._lines) >= self._capacity:
                self._alarm()
                if not self._patient or not self._made_room(self._capacity):
                    self.dropped += 1
                    return
            self._lines.append((line, priority))
            if self._thread is None:
                self._start()
            self._changed.notify_all()
        if self._capacity is not None and len(self._lines) >= _FULL * self._capacity:
            self._alarm()

    def watch(self) -> None:
        """Report a channel that takes too long over a line; to be called now and then."""
        since = self._since
        if since is not None and time.monotonic() - since > self._slow_after:
            self._alarm()

    def reopen(self) -> None:
        """Have the channel closed before the next line, which opens it anew."""
        with self._changed:
            self._reopening = True
            if self._thread is None:
                self._start()
            self._changed.notify_all()

    def finish(self) -> None:
        """Let the channel have no more than what waits, and without pauses between attempts."""
        self._ending.set()
        with self._changed:
            self._changed.notify_all()

    def close(self, seconds: float | None) -> float | None:
        """Write what waits, for so many seconds at most (None for any time), and close the channel.

        What is left then is dropped, counted and reported. Return the seconds that are left.

        :raises ChannelClosedError: when nobody reads the channel any longer.
        :raises ChannelError: when the channel cannot write out what it buffers.
        """
        self.finish()
        if self._thread is None:
            self._channel.close()
            return seconds
        start = time.monotonic()
        while self._thread.is_alive() and (seconds is None or time.monotonic() - start < seconds):
            self._thread.join(_HASTE)
            if self._failing and seconds is None:
                seconds = time.monotonic() - start + PATIENCE
        if self._closed is not None:
            raise self._closed
        if self._thread.is_alive():
            left = len(self._lines)
            self.dropped += left
            alerts = "alert" if left == 1 else "alerts"
            self._report(f"{left} {alerts} for {self.name} could not be written before the end")
        elif self._last_fault is not None:
            raise self._last_fault
        return None if seconds is None else max(0.0, seconds - (time.monotonic() - start))

    def _written_at_once(self, line: str, priority: Priority) -> bool:
        try:
            self._channel.write(line, priority)
        except ChannelError:
            return False  # the thread tries again, and reports
        self.written += 1
        return True

    def _made_room(self, capacity: int) -> bool:
        """Wait for room as long as the channel does not fail; return whether there is some."""
        while len(self._lines) >= capacity:
            if self._failing or self._closed is not None:
                return False
            self._changed.wait(_HASTE)
        return True

    def _start(self) -> None:
        # A daemon, so that a channel that never returns cannot keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=f"output {self.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._closed is None:
            with self._changed:
                while not (self._lines or self._reopening or self._ending.is_set()):
                    self._changed.wait()
                reopening, self._reopening = self._reopening, False
                first = self._lines[0] if self._lines else None
            if reopening:
                self._attempt(self._channel.close)
            if first is not None:
                if not self._deliver(*first):
                    break
            elif self._ending.is_set():
                break
        self._last_fault = self._attempt(self._channel.close)

    def _deliver(self, line: str, priority: Priority) -> bool:
        """Write the first line, again and again until that succeeds; return false where nobody reads any longer."""
        delay = FIRST_DELAY
        while True:
            fault = self._attempt(lambda: self._channel.write(line, priority))
            if isinstance(fault, ChannelClosedError):
                return False
            if not isinstance(fault, ChannelError):
                break
            if not self._failing:
                self._failing = True
                self._report(f"{self.name} output: {fault}; alerts wait until it works again")
            if self._ending.wait(delay):
                time.sleep(_HASTE)
            delay = min(2 * delay, LONGEST_DELAY)
        with self._changed:
            self._lines.popleft()
            if fault is None:
                self.written += 1
                self._recover()
            else:
                self.refused += 1
            self._changed.notify_all()
        if fault is not None and self.refused & (self.refused - 1) == 0:
            self._report(f"{self.name} output: {fault}; {self.refused} alerts have been lost like this")
        return True

    def _attempt(self, action: Callable[[], None]) -> RefengineError | None:
        """Carry out something with the channel; return what went wrong."""
        self._since = time.monotonic()
        try:
            action()
        except ChannelClosedError as error:
            self._closed = error
            return error
        except RefengineError as error:
            return error
        except Exception as error:
            # A fault of the channel's own must not end its thread, and with it all further alerts.
            return LineRefusedError(f"internal fault: {type(error).__name__}: {error}")
        finally:
            self._since = None
        return None

    def _recover(self) -> None:
        if self._failing:
            self._report(
                f"{self.name} output works again; {len(self._lines)} alerts wait, {self.dropped} were dropped"
            )
        elif self._alarmed and not self._lines:
            self._report(f"{self.name} output has caught up; {self.dropped} alerts were dropped")
        else:
            return
        self._failing = self._alarmed = False

    def _alarm(self) -> None:
        """Report, once until it has recovered, that the channel is slower than the alerts."""
        if not self._alarmed and not self._patient:
            self._alarmed = True
            self._report(
                f"{self.name} output is slow: {len(self._lines)} alerts wait, {self.dropped} were dropped"
            )
