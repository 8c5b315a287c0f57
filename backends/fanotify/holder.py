"""The process that holds opens: `python -m refengine.backends.fanotify.holder PATH…`.

It does nothing else, so that nothing that the evaluation of rules may wait for can keep an opener waiting. It looks at
the system call of the opener, answers, and writes a note to standard output. It ends when its standard input does;
with its end, the kernel lets everything go that it may have held.
"""

from __future__ import annotations

import os
import re
import select
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.answers import DEADLINE, Answers
from refengine.backends.fanotify.group import Group, no_mark
from refengine.backends.fanotify.notes import Note, encode
from refengine.backends.fanotify.records import decode
from refengine.errors import BackendError

BEAT: Final = 0.25
"""Seconds between two signs of life."""

_OPEN, _CREAT, _OPENAT, _OPENAT2 = 2, 85, 257, 437
_HOW: Final = struct.Struct("=QQ")
_CALL: Final = re.compile(rb"(\d+)((?: 0x[0-9a-f]+){6})")


def flags_of_call(tid: int) -> tuple[int, int] | None:
    """Return the flags and the mode of the open that a thread is in, None where it is in none."""
    found = _CALL.match(Path(f"/proc/{tid}/syscall").read_bytes())
    if found is None:
        return None
    number, arguments = int(found[1]), [int(text, 16) for text in found[2].split()]
    if number == _OPENAT:
        return arguments[2] & 0xFFFFFFFF, arguments[3] & 0xFFFF
    if number == _OPEN:
        return arguments[1] & 0xFFFFFFFF, arguments[2] & 0xFFFF
    if number == _CREAT:
        return os.O_CREAT | os.O_WRONLY | os.O_TRUNC, arguments[1] & 0xFFFF
    if number == _OPENAT2:
        with Path(f"/proc/{tid}/mem").open("rb", buffering=0) as memory:
            memory.seek(arguments[2])
            flags, mode = _HOW.unpack(memory.read(_HOW.size))
            return flags & 0xFFFFFFFF, mode & 0xFFFF
    return None


class Holder:
    """Holds the opens of a group and writes notes of them to a pipe."""

    def __init__(self, group: Group, output: int, deadline: float = DEADLINE) -> None:
        self._group = group
        self._output = output
        self._answers = Answers(group.fileno(), deadline)
        self._missed = 0

    def run(self, end: int) -> None:
        """Hold opens until there is something to read from, or nobody left at, the descriptor `end`."""
        poll = select.poll()
        poll.register(self._group, select.POLLIN)
        poll.register(end, select.POLLIN)
        self._tell(Note(0, 0, 0, 0, 0, b""))
        beat_at = time.monotonic() + BEAT
        while True:
            ready = {number for number, _ in poll.poll(BEAT * 1000)}
            if end in ready:
                return
            if self._group.fileno() in ready:
                self.answer(self._group.read())
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT
                self._tell(Note(0, self._missed, self._answers.late, 0, 0, b""))

    def answer(self, data: bytes) -> None:
        """Look at the opens of some records, and let each go on."""
        waiting = [record for record in decode(data) if record.descriptor >= 0]
        for record in waiting:
            self._answers.hold(record.descriptor)
            try:
                self._look(record.tid, record.descriptor)
            finally:
                self._answers.allow()

    def _look(self, tid: int, descriptor: int) -> None:
        try:
            call = flags_of_call(tid)
            path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  (the text of the link is no path)
        except (OSError, struct.error):
            return  # the opener was killed, or hides its memory
        if call is not None:
            self._tell(Note(tid, self._missed, self._answers.late, *call, os.fsencode(path)))

    def _tell(self, note: Note) -> None:
        data = encode(note)
        try:
            if not data or os.write(self._output, data) != len(data):
                self._missed += 1
        except BlockingIOError:
            self._missed += 1


def main(paths: list[str]) -> int:
    """Hold the opens of the paths given until the end of standard input."""
    output = sys.stdout.fileno()
    os.set_blocking(output, False)
    try:
        group = Group(binding.CLASS_CONTENT | binding.REPORT_TID)
        for path in paths:
            try:
                group.mark(0, binding.OPEN_PERM | binding.EVENT_ON_CHILD, path)
            except OSError as error:
                raise no_mark(path, error) from None
    except BackendError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with suppress(BrokenPipeError):  # nobody reads the notes any more
        Holder(group, output).run(sys.stdin.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
