"""A short-lived process that compiles parts of the kernel side with bcc, side by side, and hands over what they are.

The compiler takes about 130 MB of memory, which go with this process and its children. It reads requests from its
standard input, a line of JSON each, with the text of a part and flags of its own, and answers each with a line: its place
among the requests, and the part or what is wrong. Parts are compiled by children, as many at a time as there are processors.
What is the same for all of them it does before: it loads bcc, and finds the offsets in the kernel's structures.

The file is run as it is; its argument is the folder that the package is in.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from refengine.backends.ebpf.library import Library

HERE: Final = Path(__file__).resolve().parent
HEADERS: Final = HERE / "headers"

FLAGS: Final = (
    "-Wno-unused-function",
    "-g0",  # nobody debugs the programs, and writing down their types takes an eighth of the time
    # bcc optimises what clang makes anyway; doing it twice takes longer, and loops that are unrolled too early
    # give the verifier more to look at.
    "-Xclang",
    "-disable-llvm-passes",
)

_NEW_MOUNTS: Final = 0x20000
_BIND: Final = 0x1000
_RECURSIVE: Final = 0x4000
_PRIVATE: Final = 0x40000

_INCLUDE: Final = re.compile(r'^#include "([a-z_]+\.h)"$', re.MULTILINE)


class Request(NamedTuple):
    """The text of a part, and the flags that it is compiled with beside those of all."""

    text: str
    flags: tuple[str, ...]


def read_program(name: str) -> str:
    """Return a C text of the folder `program` with its own headers in place; bcc rewrites what is in the main text only."""
    folder = HERE / "program"

    def included(match: re.Match[str]) -> str:
        return (folder / match[1]).read_text(encoding="utf-8")

    return _INCLUDE.sub(included, (folder / name).read_text(encoding="utf-8"))


class _Children:
    """The children that compile, by their process's number: the place of the request, and the file with the answer."""

    def __init__(self, library: Library, flags: Sequence[str]) -> None:
        self._library = library
        self._flags = flags
        self._running: dict[int, tuple[int, int]] = {}
        self._limit = len(os.sched_getaffinity(0))

    def start(self, place: int, request: Request) -> None:
        """Have a part compiled, once there is a processor for it."""
        if len(self._running) >= self._limit:
            self._reap()
        file = os.memfd_create("answer")
        child = os.fork()
        if not child:
            with os.fdopen(file, "wb") as answer:
                answer.write(_line(place, self._answer(request)))
            # bcc's own end would take its time and has nothing to do that the kernel does not.
            os._exit(0)
        self._running[child] = place, file

    def _answer(self, request: Request) -> dict[str, Any]:
        from refengine.backends.ebpf.library import CompileError

        try:
            part = self._library.compile(request.text, (*self._flags, *request.flags), HEADERS)
        except CompileError:
            return {"error": ["compile", "the compiler does not take them"]}
        return {"part": part.to_json()}

    def finish(self) -> None:
        """Wait for all of them."""
        while self._running:
            self._reap()

    def _reap(self) -> None:
        child, status = os.wait()
        place, file = self._running.pop(child)
        with os.fdopen(file, "rb") as answer:
            answer.seek(0)
            _tell(
                _line(place, {"error": ["compile", "the compiler ended early"]}) if status else answer.read()
            )


def _line(place: int, answer: Mapping[str, Any]) -> bytes:
    return json.dumps({"place": place, **answer}).encode() + b"\n"


def _tell(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _hide_symbols() -> None:
    """Let this process and its children see no symbols of the kernel, where that is allowed.

    For each text bcc reads all of them, to find out whether the kernel can do what the programs take for granted
    anyway. It takes longer than to compile a short one.
    """
    libc = ctypes.CDLL(None)
    if not libc.unshare(_NEW_MOUNTS):
        libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
        libc.mount(b"/dev/null", b"/proc/kallsyms", None, _BIND, None)


def main() -> None:
    """Answer all requests."""
    from refengine.backends.ebpf.btf import TypesError, read_kernel_types
    from refengine.backends.ebpf.library import NAME, Library, find_library
    from refengine.backends.ebpf.offsets import find_offsets

    try:
        path = find_library()
        if path is None:
            raise OSError(f"there is no {NAME}")
        library = Library(path)
        offsets = find_offsets(read_kernel_types())
    except OSError as error:
        _tell(_line(0, {"error": ["bcc", str(error)]}))
        return
    except TypesError as error:
        _tell(_line(0, {"error": ["types", str(error)]}))
        return
    _hide_symbols()
    children = _Children(library, (*(f"-D{name}={value}" for name, value in offsets.items()), *FLAGS))
    for place, line in enumerate(sys.stdin):
        children.start(place, Request(**json.loads(line)))
    children.finish()


if __name__ == "__main__":
    # Whoever has started it can end it with its children so. (A session of its own would have its own share of a busy machine,
    # a smaller one than that of the monitor, which waits for it.)
    os.setpgid(0, 0)
    # The modules beside this one are no modules of their own.
    sys.path = [sys.argv[1], *(folder for folder in sys.path if Path(folder or ".").resolve() != HERE)]
    # Little of what is made here goes before the process does.
    gc.disable()
    with suppress(BrokenPipeError):
        main()
    os._exit(0)
