"""Compiled parts of the kernel side, kept from one start to the next.

A part is kept under a digest of everything that it follows from. Nothing is read that others could have written: what is
kept is loaded into the kernel.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from refengine.backends.ebpf.btf import KERNEL_TYPES
from refengine.backends.ebpf.compiler import HEADERS, HERE, Request
from refengine.backends.ebpf.library import find_library
from refengine.backends.ebpf.part import Part, from_json

VARIABLE: Final = "REFENGINE_CACHE"
"""The variable of the environment that names the folder; nothing is kept where it is empty."""

SIZE_MAX: Final = 32 << 20
"""Bytes that are kept; of what is more, the parts that have not been used for longest go."""

_ROOTS: Final = Path("/var/cache/refengine")
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

_RECIPE: Final = ("compiler.py", "library.py", "part.py", "btf.py", "offsets.py")
"""The modules that say what becomes of a text, beside the compiler itself, the headers and the kernel's types."""


class CacheError(Exception):
    """What is kept cannot be used; the text says why."""


class Contents(NamedTuple):
    """How much is kept."""

    parts: int
    size: int


def folder_of(environment: Mapping[str, str]) -> Path | None:
    """Return the folder for this user's compiled parts, None where none are to be kept."""
    named = environment.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    if os.geteuid() == 0:
        return _ROOTS
    caches = Path(environment.get("XDG_CACHE_HOME", ""))
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "refengine"


class Cache:
    """The parts that are kept in `folder`, nowhere where that is None.

    `refused` gathers why something that is there has not been used, in sentences for people.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._recipe = b""
        self.refused: list[str] = []

    def read(self, request: Request) -> Part | None:
        """Return what the compiler would make of `request`, None where that is not known."""
        if self._folder is None:
            return None
        name = self._name(request)
        try:
            with _trusted(self._folder) as folder:
                data = _read(folder, name)
                part = from_json(json.loads(_undamaged(data)))
                with suppress(OSError):
                    os.utime(name, dir_fd=folder)
                return part
        except FileNotFoundError:
            return None
        except (CacheError, OSError, ValueError) as error:
            self._refuse(f"{self._folder / name}: {error}")
            return None

    def write(self, request: Request, part: Part) -> None:
        """Keep what has been made of `request`; where that is not possible, the next start has to make it again."""
        if self._folder is None:
            return
        data = json.dumps(part.to_json()).encode()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _trusted(self._folder):
                _replace(self._folder, self._name(request), _digest(data) + b"\n" + data)
                _shrink(self._folder)
        except (CacheError, OSError) as error:
            self._refuse(f"{self._folder}: {error}")

    def contents(self) -> Contents | None:
        """Return how much is kept, None where nothing is to be.

        :raises CacheError: when the folder cannot be used.
        """
        if self._folder is None:
            return None
        try:
            with _trusted(self._folder):
                sizes = [file.stat().st_size for file in self._folder.iterdir()]
        except FileNotFoundError:
            return Contents(0, 0)
        except OSError as error:
            raise CacheError(error.strerror or str(error)) from None
        return Contents(len(sizes), sum(sizes))

    def _refuse(self, reason: str) -> None:
        sentence = f"compiled kernel programs that are kept are not used: {reason}"
        if sentence not in self.refused:
            self.refused.append(sentence)

    def _name(self, request: Request) -> str:
        self._recipe = self._recipe or recipe()
        return _digest(
            self._recipe, *(part.encode() + b"\0" for part in (request.text, *request.flags))
        ).decode()


def recipe() -> bytes:
    """Return a digest of what becomes of any text: of the compiler, the headers, the kernel's types and this program.

    :raises OSError: when one of them cannot be read.
    """
    library = find_library()
    found = None if library is None else library.stat()
    compiler = "" if found is None else f"{library} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
    files = [HERE / name for name in _RECIPE]
    files += sorted(file for file in HEADERS.rglob("*") if file.is_file())
    return _digest(compiler.encode(), *(_digest(file.read_bytes()) for file in (KERNEL_TYPES, *files)))


def _digest(*parts: bytes) -> bytes:
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        found.update(part)
    return found.hexdigest().encode()


@contextmanager
def _trusted(folder: Path) -> Iterator[int]:
    """Have a descriptor of the folder while the body runs."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _check(found: os.stat_result) -> None:
    """Raise a `CacheError` where others than root and this user can have written something."""
    if found.st_uid not in (0, os.geteuid()):
        raise CacheError(f"it belongs to the user {found.st_uid}")
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise CacheError("others can write to it")


def _read(folder: int, name: str) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        _check(found)
        if not stat.S_ISREG(found.st_mode):
            raise CacheError("it is no file")
        return file.read()


def _undamaged(data: bytes) -> bytes:
    digest, _, rest = data.partition(b"\n")
    if digest != _digest(rest):
        raise CacheError("it is damaged")
    return rest


def _replace(folder: Path, name: str, data: bytes) -> None:
    """Write a file that is there in full or not at all; nobody else can read it."""
    descriptor, path = tempfile.mkstemp(dir=folder)
    written = Path(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        written.replace(folder / name)
    except BaseException:
        written.unlink()
        raise


def _shrink(folder: Path) -> None:
    """Delete what has not been used for longest until the rest is small enough."""
    found = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another process may have taken it away
            found.append((file.stat(), file))
    size = sum(state.st_size for state, _ in found)
    for state, file in sorted(found, key=lambda each: each[0].st_mtime_ns):
        if size <= SIZE_MAX:
            return
        file.unlink(missing_ok=True)
        size -= state.st_size
