from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.document import (
    Document,
    Node,
    Step,
    assign,
    parse_override,
    parse_path,
    path_text,
    read_document,
    unknown,
    without_effect,
)
from refengine.errors import UsageError


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("json_output", ("json_output",)),
        ("file_output.enabled", ("file_output", "enabled")),
        ("rules[].disable.tag", ("rules", None, "disable", "tag")),
        ("rules[2].enable.rule", ("rules", 2, "enable", "rule")),
        ("a[0][1]", ("a", 0, 1)),
        (r"static_fields.a\.b", ("static_fields", "a.b")),
        (r"a\[0\]", ("a[0]",)),
    ],
)
def test_a_path_has_keys_and_indexes(text: str, steps: tuple[Step, ...]) -> None:
    assert parse_path(text) == steps


def test_a_path_is_written_as_it_is_read() -> None:
    assert path_text(("rules", None, "disable", 3, "tag")) == "rules[].disable[3].tag"


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", ".a", "[0]", "a[", "a[x]", "a]", "a[0]b", "a.[0]"])
def test_a_malformed_path_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_path(text)


@pytest.mark.parametrize("text", ["json_output", "=x", "", " =1"])
def test_an_override_needs_a_key_and_a_value(text: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_override(text)


def test_values_may_be_trees() -> None:
    assert parse_override("a=b=c") == (("a",), "b=c")
    assert parse_override('a={"b": [1, yes]}') == (("a",), {"b": ["1", "yes"]})
    with pytest.raises(UsageError, match="not valid YAML"):
        parse_override("a={")


def test_assignment_makes_the_way() -> None:
    root: dict[str, Node] = {}
    for override in ("rules[].disable.rule=A", "rules[].enable.tag=t", "rules[0].disable.rule=B", "a.b=1"):
        assign(root, *parse_override(override))
    assert root == {"rules": [{"disable": {"rule": "B"}}, {"enable": {"tag": "t"}}], "a": {"b": "1"}}


@pytest.mark.parametrize("override", ["rules[1].x=1", "a.b=1", "a[]=1", "l.x=1"])
def test_assignment_through_something_else_is_refused(override: str) -> None:
    root: dict[str, Node] = {"a": "text", "l": ["x"]}
    with pytest.raises(UsageError, match="cannot set"):
        assign(root, *parse_override(override))


def test_scalars_stay_text_and_variables_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", "/tmp/x")
    monkeypatch.delenv("UNSET_VARIABLE", raising=False)
    file = tmp_path / "falco.yaml"
    file.write_text("a: yes\nb: 0755\nc: ${WHERE}/f${UNSET_VARIABLE}\nd: $${WHERE}\ne:\n")
    assert read_document(file) == {"a": "yes", "b": "0755", "c": "/tmp/x/f", "d": "${WHERE}", "e": ""}


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"- a\n", "not a mapping"),
        (b"a: [", "not valid YAML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"x", "not a mapping"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes, part: str) -> None:
    file = tmp_path / "falco.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=part):
        read_document(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_document(tmp_path / "none.yaml")


def test_an_empty_file_configures_nothing(tmp_path: Path) -> None:
    file = tmp_path / "falco.yaml"
    file.write_text("# nothing\n")
    assert read_document(file) == {}


def test_typed_reading() -> None:
    document = Document(
        {"yes": "YES", "no": "off", "l": ["a", "b"], "one": "a", "m": {"k": "v"}, "empty": ""}
    )
    assert document.boolean("yes", False)
    assert not document.boolean("no", True)
    assert document.boolean("empty", True)
    assert document.boolean("missing", True)
    assert document.texts("l") == ("a", "b")
    assert document.texts("one") == ("a",)
    assert document.mapping("m") == {"k": "v"}
    assert document.text("m.k") == "v"


def test_a_value_of_the_wrong_type_names_its_key() -> None:
    document = Document({"rules": [{"enable": "maybe"}], "a": {"b": ["x"]}})
    with pytest.raises(UsageError, match=r"'rules\[0\]\.enable' must be true or false, not 'maybe'"):
        document.sections("rules")[0].boolean("enable", False)
    with pytest.raises(UsageError, match=r"'a\.b' must be a string, not a list"):
        document.text("a.b")
    with pytest.raises(UsageError, match=r"'a\.b' must be a string, not a list"):
        document.mapping("a")


def test_unknown_and_useless_keys_are_told() -> None:
    document: dict[str, Node] = {
        "json_outptu": "x",
        "json_output": "true",
        "metrics": {"enabled": "true"},
        "append_output": [{"match": {"rule": "x", "tags": ["a"]}, "extra_fields": [{"a": "b"}]}],
        "static_fields": {"anything": "x"},
        "plugins": [{"name": "x", "library_path": "x", "init_config": {"deep": {"er": "x"}}}],
        "rules": [{"disable": {"rle": "x"}}],
    }
    assert unknown(document) == (
        "unknown configuration key 'json_outptu', did you mean 'json_output'?",
        "unknown configuration key 'rules[].disable.rle', did you mean 'rules[].disable.rule'?",
    )
    (note,) = without_effect(document)
    assert note.startswith("configuration key 'plugins[].library_path' has no effect here: ")
