"""A fanotify group: the queue of events that the kernel keeps for us."""

from __future__ import annotations

import errno
import os
from typing import Final

from refengine.backends.fanotify import binding
from refengine.errors import BackendError

_CHUNK: Final = 1 << 18
"""Bytes of a read: some 3,000 records."""


class Group:
    """One group, open until `close`.

    :raises BackendError: when the kernel gives none, with the reason and the remedy.
    """

    def __init__(self, flags: int) -> None:
        try:
            self._descriptor = binding.fanotify_init(flags | binding.CLOEXEC | binding.NONBLOCK)
        except OSError as error:
            raise BackendError(_why_no_group(error)) from None

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def mark(self, flags: int, mask: int, path: str) -> None:
        """Ask for the events in `mask` of a file, a mount or a filesystem.

        :raises OSError: when the kernel refuses it.
        """
        binding.fanotify_mark(self._descriptor, binding.MARK_ADD | flags, mask, path)

    def read(self) -> bytes:
        """Return the bytes of the records that are there, at most a chunk of them; none where there are none."""
        try:
            return os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Give the group back; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def no_mark(path: str, error: OSError) -> BackendError:
    """Return the error that says why a file or filesystem is not watched."""
    if error.errno == errno.ENOSPC:
        return BackendError(
            f"{path}: no more marks are allowed: raise fs.fanotify.max_user_marks, or watch a smaller folder"
        )
    if error.errno == errno.EPERM:
        return BackendError(f"{path}: watching a filesystem needs CAP_SYS_ADMIN: name folders with --watch")
    return BackendError(f"{path}: cannot be watched: {error.strerror or error}")


def _why_no_group(error: OSError) -> str:
    if error.errno == errno.ENOSYS:
        return "the kernel has no fanotify, or a seccomp filter forbids it"
    if error.errno == errno.EPERM:
        return "fanotify is not allowed: the whole machine needs CAP_SYS_ADMIN; folders of our own can be named with --watch"
    if error.errno == errno.EINVAL:
        return "the kernel's fanotify is too old: Linux 5.17 or later is needed"
    if error.errno == errno.EMFILE:
        return "no more fanotify groups are allowed: raise fs.fanotify.max_user_groups, or end other programs that watch files"
    return f"fanotify is refused: {error.strerror}"
