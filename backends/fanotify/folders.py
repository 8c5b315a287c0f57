"""Handles of folders and the paths that they stand for."""

from __future__ import annotations

import contextlib
import os
from typing import Final

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.records import Place

_LIMIT: Final = 1 << 16
"""Folders whose paths are remembered; a full memory is begun anew."""

_FILESYSTEM_SIZE: Final = 8
_DELETED: Final = " (deleted)"


def filesystem_number(path: str) -> bytes:
    """Return the number of the filesystem of a path, as records of events have it.

    :raises OSError: when there is no such path.
    """
    return os.statvfs(path).f_fsid.to_bytes(_FILESYSTEM_SIZE, "little")


def key_of(path: str) -> bytes:
    """Return what stands for a folder in records of events.

    :raises OSError: when there is no such folder, or its filesystem has no handles.
    """
    return filesystem_number(path) + binding.handle_of(path)


class Folders:
    """The paths of folders by what stands for them in records.

    They are asked of the kernel, which needs privileges, on filesystems that were given by `add_mount`; others have
    to be told by `learn`.
    """

    def __init__(self) -> None:
        self._paths: dict[bytes, str | None] = {}
        self._mounts: dict[bytes, int] = {}

    def add_mount(self, path: str) -> None:
        """Let folders of the filesystem that is mounted at `path` be found.

        :raises OSError: when it has no handles, they cannot be opened, or it has a number that another has, too.
        """
        number = filesystem_number(path)
        if not any(number) or number in self._mounts:
            raise OSError("the filesystem has no number of its own")
        mount = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.close(binding.open_by_handle(mount, binding.handle_of(path), os.O_PATH | os.O_CLOEXEC))
        except OSError:
            os.close(mount)
            raise
        self._mounts[number] = mount

    def learn(self, key: bytes, path: str) -> None:
        """Remember the path of a folder."""
        self._paths[key] = path

    def path(self, place: Place) -> str | None:
        """Return the path of a file, None where its folder is not there any more."""
        key, name = place
        if key in self._paths:
            folder = self._paths[key]
        else:
            folder = self._ask(key)
            if len(self._paths) >= _LIMIT:
                self._paths.clear()
            self._paths[key] = folder
        if folder is None or name in (b".", b""):
            return folder
        return f"{folder}/{os.fsdecode(name)}" if folder != "/" else f"/{os.fsdecode(name)}"

    def folder(self, key: bytes) -> str | None:
        """Return the path of a folder as far as it is remembered."""
        return self._paths.get(key)

    def moved(self, old: str | None, new: str | None) -> None:
        """Take notice of a folder that has another path now, and with it all that are below."""
        if self._mounts or old is None or new is None:
            # The kernel can be asked again.
            self._paths = {} if self._mounts else self._paths
            return
        for key, path in self._paths.items():
            if path is not None and (path == old or path.startswith(f"{old}/")):
                self._paths[key] = new + path[len(old) :]

    def close(self) -> None:
        """Give the filesystems back."""
        for mount in self._mounts.values():
            os.close(mount)
        self._mounts.clear()

    def _ask(self, key: bytes) -> str | None:
        mount = self._mounts.get(key[:_FILESYSTEM_SIZE])
        if mount is None:
            return None
        with contextlib.suppress(OSError):
            descriptor = binding.open_by_handle(mount, key[_FILESYSTEM_SIZE:], os.O_PATH | os.O_CLOEXEC)
            try:
                path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  (the text of the link is no path)
            finally:
                os.close(descriptor)
            return path.removesuffix(_DELETED)
        return None
