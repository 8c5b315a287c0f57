"""The mounted filesystems, and which of them hold files that rules are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

WITHOUT_FILES: Final = frozenset(
    {
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "sysfs",
        "tracefs",
    }
)
"""Filesystems that show the kernel's own things as files. Watching `/proc` would make us see ourselves watching."""

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted filesystem: where, which part of it, its kind and its device's number."""

    point: str
    root: str
    kind: str
    device: str


def read_mounts(path: Path = Path("/proc/self/mountinfo")) -> list[Mount]:
    """Return the mounts of our mount namespace, in the order in which they were made.

    :raises OSError: when the table cannot be read.
    """
    mounts = []
    for line in path.read_bytes().decode("utf-8", "surrogateescape").split("\n"):
        columns, _, tail = line.partition(" - ")
        fields = columns.split(" ")
        if len(fields) >= 5 and tail:
            mounts.append(Mount(_plain(fields[4]), _plain(fields[3]), tail.split(" ", 1)[0], fields[2]))
    return mounts


def worth_watching(mounts: Iterable[Mount]) -> Iterator[Mount]:
    """Yield one mount of each filesystem that holds files, one that shows the whole of it where there is one."""
    chosen: dict[str, Mount] = {}
    for mount in mounts:
        if mount.kind in WITHOUT_FILES:
            continue
        before = chosen.get(mount.device)
        if before is None or (before.root != "/" and mount.root == "/"):
            chosen[mount.device] = mount
    yield from chosen.values()


def _plain(text: str) -> str:
    """Return a field of the table with the characters that are written as octal numbers in it."""
    if "\\" not in text:
        return text
    data = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
    return data.encode("latin-1", "ignore").decode("utf-8", "surrogateescape") if data.isascii() else data
