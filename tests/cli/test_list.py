from __future__ import annotations

import json

import pytest

from refengine.cli import schemas, version
from refengine.cli.field_classes import field_classes
from refengine.cli.messages import Messages
from refengine.cli.options import parse_options
from refengine.cli.questions import answer
from refengine.cli.request import Request
from refengine.errors import UsageError
from refengine.fields.catalogue import CATALOGUE
from refengine.terminal import Style


def request(*arguments: str) -> Request:
    return Request(parse_options(arguments, Style(False)), arguments, Messages())


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert answer(request(*arguments)) == 0
    return capsys.readouterr().out


def test_names_are_those_of_the_catalogue_without_what_is_for_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = listed(capsys, "--list", "-N").split()
    assert set(names) == {name for name, field in CATALOGUE.items() if "table_only" not in field.flags}
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("source", "has", "lacks"), [("syscall", "proc.name", "ka.verb"), ("k8s_audit", "ka.verb", "fd.name")]
)
def test_a_source_has_its_own_fields_and_those_of_all(
    capsys: pytest.CaptureFixture[str], source: str, has: str, lacks: str
) -> None:
    names = listed(capsys, f"--list={source}", "-N").split()
    assert {has, "evt.num"} <= set(names)
    assert lacks not in names


def test_the_text_has_a_block_for_each_class(capsys: pytest.CaptureFixture[str]) -> None:
    text = listed(capsys, "--list")
    assert text.count("Field Class:") == len(field_classes())
    assert "Field Class:                  evt\n" in text
    assert "\nproc.aname                    (Type: CHARBUF) (Tags: " in text
    assert max(map(len, text.splitlines())) <= 110


def test_the_json_tells_types_and_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(listed(capsys, "--list", "--format", "json"))
    fields = {field["name"]: field for each in document["fieldclasses"] for field in each["fields"]}
    assert fields["proc.aname"]["argument"]["required"] is False
    assert fields["evt.arg"]["argument"]["required"] is True
    assert fields["proc.name"]["argument"] is None
    assert fields["proc.name"]["type"] == "CHARBUF"
    assert fields["fd.types"]["is_list"] is True
    assert fields["evt.dir"]["is_deprecated"] is True
    assert "is_deprecated" not in fields["proc.name"]
    assert {each["name"] for each in document["fieldclasses"]} >= {"evt", "process", "fd", "user", "ka"}
    for each in document["fieldclasses"]:
        assert each["desc"]
        assert each["event_sources"]


def test_names_alone_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert "proc.name" in json.loads(listed(capsys, "--list", "-N", "--format", "json"))["fieldnames"]


def test_markdown_has_tables(capsys: pytest.CaptureFixture[str]) -> None:
    text = listed(capsys, "--list", "--format", "markdown")
    assert "## Field Class: process" in text
    assert "`proc.name` | CHARBUF |" in text


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(UsageError, match="there are syscall, k8s_audit"):
        answer(request("--list=nothing"))


def test_events_have_parameters_with_their_flags(capsys: pytest.CaptureFixture[str]) -> None:
    text = listed(capsys, "--list-events")
    line = next(line for line in text.splitlines() if line.startswith("< openat("))
    assert "FSRELPATH name" in line
    assert "O_RDONLY" in line
    assert "## Syscall events" in text
    assert "\n< getrandom(" in text or "\n< getpriority(" in text


def test_events_in_json_and_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(listed(capsys, "--list-events", "--format", "json"))
    openat = [each for each in document["syscall_events"] if each["name"] == "openat" and each["dir"] == "<"]
    assert openat[0]["params"][0]["name"] == "fd"
    assert "`<` | `openat` | FD **fd**" in listed(capsys, "--list-events", "--format", "markdown")


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    text = listed(capsys, "--version")
    assert "Engine:" in text
    assert version.FALCO_VERSION in text
    document = json.loads(listed(capsys, "--version", "-o", "json_output=true"))
    assert document["falco_version"] == version.FALCO_VERSION
    assert document["engine_version_semver"].split(".")[1] == document["engine_version"]


def test_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Name: k8saudit" in listed(capsys, "--list-plugins")
    assert listed(capsys, "--plugin-info", "container").startswith("Name: container\n")
    with pytest.raises(UsageError, match="there is no plugin 'x'"):
        answer(request("--plugin-info", "x"))


def test_the_schemas_are_schemas_and_accept_what_is_right() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    configuration, rules = schemas.configuration_schema(), schemas.rules_schema()
    for schema in (configuration, rules):
        jsonschema.Draft6Validator.check_schema(schema)
    good = {
        "json_output": True,
        "rules": [{"disable": {"tag": "x"}}],
        "append_output": [{"match": {"rule": "x"}}],
    }
    jsonschema.Draft6Validator(configuration).validate(good)
    assert list(jsonschema.Draft6Validator(configuration).iter_errors({"json_outptu": True}))
    rule = {"rule": "R", "condition": "evt.num > 1", "output": "x", "desc": "d", "priority": "WARNING"}
    jsonschema.Draft6Validator(rules).validate(
        [rule, {"list": "l", "items": [1, "b"]}, {"macro": "m", "condition": "c"}]
    )
    assert list(jsonschema.Draft6Validator(rules).iter_errors([{"rule": "R", "priority": "loud"}]))


def test_fields_that_the_configuration_defines_are_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("-o", "static_fields.site=home", "-o", "static_fields.area=eu")
    names = listed(capsys, "--list", "-N", *given).split()
    assert [name for name in names if name.startswith("static.")] == ["static.area", "static.site"]
    text = listed(capsys, "--list=k8s_audit", *given)
    assert "Field Class:                  static\n" in text
    assert "static.site                   (Type: CHARBUF)\n" in f"{text}\n"
    assert "static" not in listed(capsys, "--list", "-N")
