"""Whether files have changed, found out by looking at them now and then.

Looking is independent of how a file is replaced: written over, renamed into place, or, as in Kubernetes, behind a
symbolic link that points elsewhere all at once. What the kernel tells of changes differs between these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

Look: TypeAlias = tuple[tuple[str, int, int, int], ...]

_MISSING = -1


class FileWatch:
    """Tells changes of the files and folders that `paths` returns, which may be others after each change.

    A change is told once it is over: when two looks in a row find the same. Of a folder the files in it count.
    """

    def __init__(self, paths: Callable[[], Iterable[Path]]) -> None:
        self._paths = paths
        self._known = self._seen = look(paths())

    def changed(self) -> bool:
        """Return whether anything is different from what it was when this was last true, or at the beginning."""
        seen, self._seen = self._seen, look(self._paths())
        if self._seen == self._known or self._seen != seen:
            return False
        self._known = self._seen
        return True

    def take_as_known(self) -> None:
        """Take the files as they are now for known, so that no change until now is told any more."""
        self._known = self._seen = look(self._paths())


def look(paths: Iterable[Path]) -> Look:
    """Return what tells one state of the files from another."""
    return tuple(entry for path in paths for entry in _entries(path))


def _entries(path: Path) -> Iterable[tuple[str, int, int, int]]:
    try:
        found = path.stat()
        inside = sorted(path.iterdir()) if path.is_dir() else []
    except OSError:
        return [(str(path), _MISSING, _MISSING, _MISSING)]
    entries = [(str(path), found.st_ino, found.st_size, found.st_mtime_ns)]
    for child in inside:
        if child.suffix in {".yaml", ".yml"}:
            entries += _entries(child)
    return entries
