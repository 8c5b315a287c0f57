from __future__ import annotations

from pathlib import Path

import pytest

from refengine.errors import RulesError
from refengine.rulefile.files import read_source, rule_files


def test_a_folder_stands_for_its_yaml_files_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.txt", "d.yaml.bak"):
        (tmp_path / name).touch()
    (tmp_path / "e.yaml").mkdir()
    assert [file.name for file in rule_files(tmp_path)] == ["a.yml", "b.yaml"]


def test_a_file_stands_for_itself(tmp_path: Path) -> None:
    assert rule_files(tmp_path / "rules.txt") == (tmp_path / "rules.txt",)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbf- rule: \xc3\xa9")
    assert read_source(file).text == "- rule: é"


@pytest.mark.parametrize(
    ("path", "words"),
    [("absent.yaml", "no such file"), (".", "is a directory"), ("a\0b", "can be called")],
)
def test_what_cannot_be_read_is_a_diagnostic(tmp_path: Path, path: str, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        read_source(f"{tmp_path}/{path}")
    (found,) = caught.value.diagnostics
    assert found.code.value == "LOAD_ERR_FILE_READ"
    assert words in found.message


def test_an_endless_device_is_given_up() -> None:
    with pytest.raises(RulesError, match="64 MB"):
        read_source("/dev/zero")


def test_what_is_not_utf8_is_a_diagnostic_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes("- é\n- ".encode() + b"\xff\xfe")
    with pytest.raises(RulesError) as caught:
        read_source(file)
    (found,) = caught.value.diagnostics
    assert found.code.value == "LOAD_ERR_YAML_PARSE"
    assert found.place is not None
    assert (found.place.start.line, found.place.start.column) == (2, 3)
