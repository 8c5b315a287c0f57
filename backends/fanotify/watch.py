"""Watching files: of the whole machine, or below given folders."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.folders import Folders, key_of
from refengine.backends.fanotify.group import Group, no_mark
from refengine.backends.fanotify.mounts import Mount, read_mounts, worth_watching
from refengine.backends.fanotify.records import Record, decode

PATH_UNKNOWN: Final = "folder gone before its path was known"
QUEUE_OVERFLOW: Final = "queue overflow (each of unknown size)"
_BY_DESCRIPTOR: Final = (
    binding.OPEN | binding.OPEN_EXEC | binding.CLOSE_WRITE | binding.CLOSE_NOWRITE | binding.ONDIR
)
"""The events that there are for mounts."""


class Seen(NamedTuple):
    """What happened to a file: the bits of it, the thread (0 where unknown), its path, and its new one if moved."""

    mask: int
    tid: int
    path: str
    target: str | None = None


class FileWatch(Protocol):
    """What file events come from; `dropped` counts those that are lost, by cause."""

    dropped: dict[str, int]

    def descriptors(self) -> Sequence[int]:
        """Return the descriptors to wait on."""

    def fetch(self) -> None:
        """Take from the kernel what has happened until now; `read` tells it."""

    def read(self) -> list[Seen]:
        """Return what had happened when `fetch` was last called, in order; nothing where nothing did."""

    def refresh(self) -> None:
        """Take notice of what has come or gone that is to be watched."""

    def close(self) -> None:
        """Stop watching; may be called twice."""


class HostWatch:
    """Watches all filesystems that hold files.

    Those that cannot name files by handles are watched mount by mount, which tells of opens and closes only.

    :raises BackendError: when the kernel does not allow that.
    """

    def __init__(self, mask: int) -> None:
        self.dropped: dict[str, int] = {}
        self._mask = mask
        self._folders = Folders()
        self._group = Group(binding.REPORT_DFID_NAME | binding.REPORT_TID)
        self._mounts: Group | None = None
        self._fetched = self._fetched_of_mounts = b""
        self._watched: set[Mount] = set()
        try:
            self.refresh()
        except BaseException:
            self.close()
            raise

    def descriptors(self) -> Sequence[int]:
        """Return the descriptors to wait on."""
        groups = (self._group,) if self._mounts is None else (self._group, self._mounts)
        return [group.fileno() for group in groups]

    def fetch(self) -> None:
        """Take from the kernel what has happened until now; `read` tells it."""
        self._fetched = self._group.read()
        if self._mounts is not None:
            self._fetched_of_mounts = self._mounts.read()

    def read(self) -> list[Seen]:
        """Return what had happened when `fetch` was last called, in order; nothing where nothing did."""
        fetched, self._fetched = self._fetched, b""
        found = list(_named(decode(fetched), self._folders, self.dropped))
        if self._fetched_of_mounts:
            fetched, self._fetched_of_mounts = self._fetched_of_mounts, b""
            found += _opened(decode(fetched), self.dropped)
        return found

    def refresh(self) -> None:
        """Watch filesystems that have been mounted since."""
        for mount in worth_watching(read_mounts()):
            if mount not in self._watched:
                self._watched.add(mount)
                self._watch(mount)

    def close(self) -> None:
        """Stop watching; may be called twice."""
        self._group.close()
        if self._mounts is not None:
            self._mounts.close()
        self._folders.close()

    def _watch(self, mount: Mount) -> None:
        try:
            self._folders.add_mount(mount.point)
            self._group.mark(binding.MARK_FILESYSTEM, self._mask, mount.point)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.ENOSPC):
                raise no_mark(mount.point, error) from None
            if error.errno not in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
                self._watch_mount(mount)

    def _watch_mount(self, mount: Mount) -> None:
        mask = self._mask & _BY_DESCRIPTOR
        if not mask & ~binding.ONDIR:
            return
        if self._mounts is None:
            self._mounts = Group(binding.REPORT_TID)
        with contextlib.suppress(OSError):  # one that can be watched in no way is not
            self._mounts.mark(binding.MARK_MOUNT, mask, mount.point)


class FolderWatch:
    """Watches the files `paths` and what lies in and below those that are folders; needs no privileges.

    `tells_threads` asks for the threads that do it, which needs CAP_SYS_ADMIN.

    :raises BackendError: when the kernel does not allow that, or there is nothing of that name.
    """

    def __init__(self, paths: Iterable[Path], mask: int, *, tells_threads: bool) -> None:
        self.dropped: dict[str, int] = {}
        self._mask = mask | binding.CREATE | binding.RENAME | binding.ONDIR
        self._folders = Folders()
        self._fetched = b""
        self._only: dict[str, set[str] | None] = {}
        """The names that are asked for in the folders of single files, None where all are."""
        self._group = Group(binding.REPORT_DFID_NAME | (binding.REPORT_TID if tells_threads else 0))
        try:
            for path in paths:
                self._watch_named(Path(os.path.abspath(path)))  # noqa: PTH100  (links stay what they are)
        except BaseException:
            self.close()
            raise

    def descriptors(self) -> Sequence[int]:
        """Return the descriptors to wait on."""
        return [self._group.fileno()]

    def fetch(self) -> None:
        """Take from the kernel what has happened until now; `read` tells it."""
        self._fetched = self._group.read()

    def read(self) -> list[Seen]:
        """Return what had happened when `fetch` was last called, in order; nothing where nothing did."""
        fetched, self._fetched = self._fetched, b""
        found = []
        for seen in _named(decode(fetched), self._folders, self.dropped):
            folder = seen.path if seen.mask & binding.CREATE else seen.target
            if seen.mask & binding.ONDIR and folder is not None and self._wants(folder):
                self._watch_below(folder)
            if self._wants(seen.path) or (seen.target is not None and self._wants(seen.target)):
                found.append(seen)
        return found

    def refresh(self) -> None:
        """Return at once: new folders are taken notice of as they are made."""

    def close(self) -> None:
        """Stop watching; may be called twice."""
        self._group.close()
        self._folders.close()

    def _watch_named(self, path: Path) -> None:
        if path.is_dir():
            self._only[str(path)] = None
            self._watch_folder(str(path))
            self._watch_below(str(path))
            return
        folder = str(path.parent)
        names = self._only.setdefault(folder, set())
        if names is not None:
            names.add(path.name)
        self._watch_folder(folder)

    def _watch_folder(self, path: str) -> None:
        try:
            self._folders.learn(key_of(path), path)
            self._group.mark(binding.MARK_ONLYDIR, self._mask | binding.EVENT_ON_CHILD, path)
        except OSError as error:
            raise no_mark(path, error) from None

    def _watch_below(self, path: str) -> None:
        """Watch the folders in a folder; what vanishes meanwhile, or is closed to us, is left out."""
        for folder, _, _ in os.walk(path, onerror=None):
            try:
                self._folders.learn(key_of(folder), folder)
                self._group.mark(binding.MARK_ONLYDIR, self._mask | binding.EVENT_ON_CHILD, folder)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise no_mark(folder, error) from None

    def _wants(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        names = self._only.get(folder or "/")
        return names is None or name in names


def _named(records: Iterable[Record], folders: Folders, dropped: dict[str, int]) -> Iterator[Seen]:
    """Yield what happened with the paths of the files, taking notice of folders that move."""
    for mask, tid, place, target, _ in records:
        if mask & binding.Q_OVERFLOW or place is None:
            _count(dropped, QUEUE_OVERFLOW)
            continue
        path = folders.path(place)
        if path is None:
            _count(dropped, PATH_UNKNOWN)
            continue
        new = None if target is None else folders.path(target)
        if target is not None and mask & binding.ONDIR:
            folders.moved(path, new)
        yield Seen(mask, tid, path, new)


def _opened(records: Iterable[Record], dropped: dict[str, int]) -> Iterator[Seen]:
    """Yield what happened with the paths of the files that the kernel has opened for us."""
    for mask, tid, _, _, descriptor in records:
        if mask & binding.Q_OVERFLOW or descriptor < 0:
            _count(dropped, QUEUE_OVERFLOW)
            continue
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  (the text of the link is no path)
        finally:
            os.close(descriptor)
        yield Seen(mask, tid, path.removesuffix(" (deleted)"))


def _count(dropped: dict[str, int], cause: str) -> None:
    dropped[cause] = dropped.get(cause, 0) + 1


def check_folder_marks() -> None:
    """Return when folders can be watched without privileges.

    :raises BackendError: with the reason when not.
    """
    group = Group(binding.REPORT_DFID_NAME)
    try:
        group.mark(binding.MARK_ONLYDIR, binding.OPEN | binding.RENAME, "/")
        Folders().learn(key_of("/"), "/")
    except OSError as error:
        raise no_mark("/", error) from None
    finally:
        group.close()


def check_host_marks() -> None:
    """Return when the whole machine can be watched.

    :raises BackendError: with the reason when not.
    """
    HostWatch(binding.OPEN).close()
