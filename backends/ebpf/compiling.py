"""The parts of the kernel side: what is kept of earlier starts, and the compiler for the rest."""

from __future__ import annotations

import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from refengine.backends.ebpf import compiler
from refengine.backends.ebpf.cache import Cache
from refengine.backends.ebpf.compiler import Request
from refengine.backends.ebpf.part import Part, from_json
from refengine.errors import BackendError

_PATIENCE: Final = 120.0
"""Seconds without an answer after which the compiler is given up."""

_PACKAGES: Final = Path(inspect.getfile(BackendError)).resolve().parents[1]
"""The folder that the package is in."""

_REMEDIES: Final[Mapping[str, str]] = {
    "bcc": "install the system package libbpfcc (Debian, Ubuntu) or bcc (Fedora)",
    "types": "use a kernel that is built with CONFIG_DEBUG_INFO_BTF",
    "compile": "run 'refengine doctor' to see what is missing",
}


class Compilation:
    """The parts for some requests. `stop` may be called by another thread than the one that takes them."""

    def __init__(self, requests: Sequence[Request], cache: Cache) -> None:
        self._requests = requests
        self._cache = cache
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def parts(self) -> Generator[tuple[int, Part], None, None]:
        """Yield the place of each request and its part, as they come: those that are kept first.

        :raises BackendError: with the reason and the remedy; when one cannot be compiled, after all others.
        """
        missing = []
        for place, request in enumerate(self._requests):
            part = self._cache.read(request)
            if part is None:
                missing.append(place)
            else:
                yield place, part
        if missing and not self._stopped:
            with closing(self._compiled([self._requests[place] for place in missing])) as compiled:
                for number, part in compiled:
                    place = missing[number]
                    self._cache.write(self._requests[place], part)
                    yield place, part

    def stop(self) -> None:
        """End the compiler, if it is running."""
        self._stopped = True
        if self._process is not None:
            _end(self._process)

    def _compiled(self, requests: Sequence[Request]) -> Generator[tuple[int, Part], None, None]:
        ours, theirs = socket.socketpair()
        ours.settimeout(_PATIENCE)
        with ours, theirs, tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as complaints:
            asked.writelines(json.dumps(request._asdict()).encode() + b"\n" for request in requests)
            asked.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, compiler.__file__, str(_PACKAGES)],
                stdin=asked,
                stdout=theirs.fileno(),
                stderr=complaints,
            )
            theirs.close()
            missing, fault = len(requests), None
            try:
                with ours.makefile("rb") as lines:
                    for line in lines:
                        missing -= 1
                        try:
                            place, part = _answer(json.loads(line), complaints)
                        except BackendError as error:
                            fault = error  # the others may be all that has to be there
                            continue
                        yield place, part
            except TimeoutError:
                raise BackendError("the compiler of the kernel programs does not come to an end") from None
            finally:
                process, self._process = self._process, None
                _end(process)
                process.wait()
            if fault is not None:
                raise fault
            if missing:
                raise BackendError(f"the compiler of the kernel programs ended early: {_said(complaints)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the compiler and its children, which make a group of processes of their own as soon as it runs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _answer(answer: Mapping[str, Any], complaints: BinaryIO) -> tuple[int, Part]:
    if "error" in answer:
        kind, text = answer["error"]
        details = f": {_said(complaints)}" if kind == "compile" else ""
        raise BackendError(f"the kernel programs cannot be loaded: {text}{details}; {_REMEDIES[kind]}")
    return answer["place"], from_json(answer["part"])


def _said(complaints: BinaryIO) -> str:
    """Return the beginning of what the compiler has said, its errors where it names some."""
    complaints.seek(0)
    lines = [line for line in complaints.read().decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return " / ".join((errors or lines)[:3]) or "it said nothing"
