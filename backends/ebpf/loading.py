"""Starting the compiler, and what it hands over."""

from __future__ import annotations

import inspect
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from refengine.backends.ebpf import compiler
from refengine.errors import BackendError

_PATIENCE: Final = 120.0
"""Seconds after which a compiler that does not answer is given up."""

_PACKAGES: Final = Path(inspect.getfile(BackendError)).resolve().parents[1]
"""The folder that the package is in."""

_REMEDIES: Final[Mapping[str, str]] = {
    "bcc": "install the system package python3-bpfcc (Debian, Ubuntu) or python3-bcc (Fedora)",
    "types": "use a kernel that is built with CONFIG_DEBUG_INFO_BTF",
    "compile": "run 'refengine doctor' to see what is missing",
    "verifier": "the kernel may be older than 5.15, which is the oldest that is known to take the program",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The descriptors of maps and programs by name, and which prefilters the kernel rejected, with its reason."""

    descriptors: Mapping[str, int]
    rejected: Mapping[str, str]

    def close(self) -> None:
        """Let go of everything."""
        for descriptor in self.descriptors.values():
            os.close(descriptor)


class Compiler:
    """The process that compiles and loads, which has begun to make itself ready; to be used as a context."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed at the end of the context)
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, compiler.__file__, str(theirs.fileno()), str(_PACKAGES)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=[theirs.fileno()],
            )
        self._channel.settimeout(_PATIENCE)

    def __enter__(self) -> Compiler:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, if it is still there."""
        self._child.kill()
        self._child.communicate()
        self._channel.close()
        self._complaints.close()

    def load(
        self, prefilters: str, programs: Sequence[str], *, ring_pages: int, names_max: int, raw: bool
    ) -> Loaded:
        """Compile the kernel side with the generated `prefilters`, whose functions are `programs`, and load it.

        `ring_pages` is the size of the ring buffer, `names_max` the room for names that prefilters look up. With
        `raw` the programs are for the one tracepoint of all exits, else for those of single system calls.

        :raises BackendError: with the reason and the remedy.
        """
        request = {
            "prefilters": prefilters,
            "programs": list(programs),
            "ring_pages": ring_pages,
            "names_max": names_max,
            "raw": raw,
        }
        try:
            self._child.communicate(json.dumps(request).encode(), timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            raise BackendError("the compiler of the kernel programs does not come to an end") from None
        answer, descriptors = _receive(self._channel)
        self._complaints.seek(0)
        said = self._complaints.read().decode("utf-8", "replace").strip()
        if answer is None:
            raise BackendError(f"the compiler of the kernel programs ended early: {_last(said)}")
        if "error" in answer:
            kind, text = answer["error"]
            details = f": {_last(said)}" if kind in ("compile", "verifier") and said else ""
            raise BackendError(f"the kernel programs cannot be loaded: {text}{details}; {_REMEDIES[kind]}")
        return Loaded(dict(zip(answer["descriptors"], descriptors, strict=True)), answer["rejected"])


def _receive(channel: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    head = channel.recv(4)
    if len(head) < 4:
        return None, []
    length = int.from_bytes(head, "little")
    data = b""
    descriptors: list[int] = []
    # The descriptors come with single bytes between the head and the answer.
    while len(data) < length:
        part, sent, _, _ = socket.recv_fds(channel, 65536, 256)
        if not part:
            return None, descriptors
        if sent:
            descriptors += sent
            part = part[1:]
        data += part
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    answer: dict[str, Any] = json.loads(data)
    return answer, descriptors


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) if lines else "it said nothing"
