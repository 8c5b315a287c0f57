"""The harness protocol: another implementation as a program that answers cases, one JSON object a line.

`spec/RUNNERS.md` describes it for those who write a harness.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from refengine.conformance.answer import Answer
from refengine.conformance.build import EDITION, FORMAT_VERSION
from refengine.conformance.case import Case
from refengine.errors import RefengineError

PATIENCE = 30.0
"""Seconds that a harness may take for one answer."""


class HarnessError(RefengineError):
    """A harness that cannot be started or does not speak the protocol."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """What a harness says of the engine behind it; `skipped` is a reason why it can answer nothing at all."""

    name: str
    version: str
    skipped: str | None = None


def request(case: Case) -> dict[str, Any]:
    """Return the message that asks a harness about `case`: everything but what is expected."""
    asked = {key: value for key, value in case.raw.items() if key not in ("about", "clause", "expect")}
    return {"command": "run", "case": {**asked, "want": case.kind}}


class Harness:
    """A running harness; also a context manager.

    A harness that dies or keeps silent fails the case that it was asked about, and is started again for the
    next.

    :raises HarnessError: when it cannot be started.
    """

    def __init__(self, program: Sequence[str], *, patience: float = PATIENCE) -> None:
        self._program = tuple(program)
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self.implementation = self._start()

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, case: Case) -> Answer:
        """Return what the engine says about `case`."""
        try:
            if self._process is None:
                self._start()
            reply = self._exchange(request(case))
        except HarnessError as error:
            self._kill()
            return Answer(failed=str(error))
        if reply.get("id") != case.id:
            self._kill()
            return Answer(failed=f"answered for {reply.get('id')!r} when asked about {case.id!r}")
        return Answer.from_json(reply)

    def close(self) -> None:
        """Ask the harness to stop, and end it if it does not."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(HarnessError, OSError, subprocess.TimeoutExpired):
            self._exchange({"command": "stop"})
            assert process.stdin is not None
            process.stdin.close()
            process.wait(self._patience)
        self._kill()

    def _start(self) -> Implementation:
        try:
            self._process = subprocess.Popen(self._program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise HarnessError(f"cannot start the harness {self._program[0]!r}: {error.strerror}") from error
        self._buffer = b""
        try:
            reply = self._exchange({"command": "start", "format": FORMAT_VERSION, "edition": EDITION})
            if reply.get("format") != FORMAT_VERSION:
                raise HarnessError(
                    f"the harness speaks format {reply.get('format')!r} of the protocol, not {FORMAT_VERSION}"
                )
        except HarnessError:
            self._kill()
            raise
        return Implementation(
            str(reply.get("name", "?")), str(reply.get("version", "?")), reply.get("skipped")
        )

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise HarnessError(f"the harness ended with code {process.wait()}") from None
        line = self._line(process)
        try:
            reply = json.loads(line)
        except ValueError:
            raise HarnessError(f"not a line of JSON: {line[:200]!r}") from None
        if not isinstance(reply, dict):
            raise HarnessError(f"not a JSON object: {line[:200]!r}")
        return reply

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        deadline = time.monotonic() + self._patience
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise HarnessError(f"no answer within {self._patience:g} seconds")
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    raise HarnessError(f"the harness ended with code {process.wait()}")
                self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
