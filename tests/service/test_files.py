from __future__ import annotations

import os
from pathlib import Path

from refengine.service.files import FileWatch


def test_a_change_is_told_once_and_when_it_is_over(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("a")
    watch = FileWatch(lambda: [file])
    assert not watch.changed()
    file.write_text("ab")
    assert not watch.changed(), "it may still be being written"
    file.write_text("abc")
    assert not watch.changed()
    assert watch.changed()
    assert not watch.changed()


def test_files_that_are_taken_as_known_are_told_at_their_next_change(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("a")
    watch = FileWatch(lambda: [file])
    file.write_text("ab")
    assert not watch.changed()
    watch.take_as_known()
    assert not told(watch)
    file.write_text("abc")
    assert told(watch)


def told(watch: FileWatch) -> bool:
    watch.changed()
    return watch.changed()


def test_a_file_that_is_renamed_into_place_or_removed_is_a_change(tmp_path: Path) -> None:
    file, other = tmp_path / "rules.yaml", tmp_path / "other"
    file.write_text("a")
    watch = FileWatch(lambda: [file])
    other.write_text("b")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.rename(file)
    assert told(watch)
    file.unlink()
    assert told(watch)
    file.write_text("a")
    assert told(watch)


def test_a_folder_changes_with_its_rules_files(tmp_path: Path) -> None:
    watch = FileWatch(lambda: [tmp_path])
    (tmp_path / "a.yaml").write_text("a")
    assert told(watch)
    (tmp_path / "a.yaml").write_text("ab")
    assert told(watch)


def test_a_link_that_points_elsewhere_all_at_once_is_a_change(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.yaml").write_text(name)
    (tmp_path / "data").symlink_to("old")
    (tmp_path / "rules.yaml").symlink_to("data/rules.yaml")
    watch = FileWatch(lambda: [tmp_path / "rules.yaml"])
    (tmp_path / "data_tmp").symlink_to("new")
    (tmp_path / "data_tmp").rename(tmp_path / "data")
    assert told(watch)
