"""The table of mounts."""

from __future__ import annotations

from pathlib import Path

from refengine.backends.fanotify.mounts import Mount, read_mounts, worth_watching

TABLE = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 /part /mnt/a\040b rw,relatime - ext4 /dev/vda rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 25 0:27 / /dev/shm rw - tmpfs tmpfs rw
broken
"""


def test_the_table_is_read_with_its_escapes(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(TABLE)
    mounts = read_mounts(tmp_path / "mountinfo")
    assert mounts[1] == Mount("/mnt/a b", "/part", "ext4", "254:0")
    assert len(mounts) == 4


def test_each_filesystem_is_watched_once_where_the_whole_of_it_is_seen(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(TABLE)
    found = list(worth_watching(read_mounts(tmp_path / "mountinfo")))
    assert [mount.point for mount in found] == ["/", "/dev/shm"]


def test_the_files_of_the_kernel_are_not_watched() -> None:
    assert not any(mount.kind in ("proc", "sysfs") for mount in worth_watching(read_mounts()))
