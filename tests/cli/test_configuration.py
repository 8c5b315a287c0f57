from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.configuration import AppendOutput, Configuration, FileOutput, Matching, load_configuration
from refengine.cli.configuration_keys import KEYS
from refengine.errors import UsageError
from refengine.output.formats import LineFormat
from refengine.priority import Priority
from refengine.rulefile.selection import Selection


def configure(*overrides: str) -> Configuration:
    return load_configuration(None, overrides)


def test_the_defaults() -> None:
    configuration = configure()
    assert configuration == Configuration()
    assert configuration.matching is Matching.FIRST
    assert configuration.priority is Priority.DEBUG
    assert configuration.stdout
    assert not configuration.format.json


def test_every_key_of_falco_is_known() -> None:
    assert len(KEYS) >= 107


def test_the_options_overlay_the_file(tmp_path: Path) -> None:
    file = tmp_path / "falco.yaml"
    file.write_text("json_output: true\npriority: warning\nrules_files: [a.yaml, b.d]\n")
    configuration = load_configuration(file, ["json_output=false"])
    assert not configuration.format.json
    assert configuration.priority is Priority.WARNING
    assert configuration.rules_files == ("a.yaml", "b.d")


def test_the_form_of_alerts() -> None:
    configuration = configure(
        "json_output=true",
        "json_include_output_property=false",
        "json_include_message_property=true",
        "json_include_output_fields_property=false",
        "json_include_tags_property=false",
        "time_format_iso_8601=true",
    )
    assert configuration.format == LineFormat(True, True, False, True, False, False)


def test_rules_are_selected_in_order() -> None:
    configuration = configure("rules[].disable.rule=*", "rules[].enable.tag=network", "rule_matching=all")
    assert configuration.selections == (Selection(False, rule="*"), Selection(True, tag="network"))
    assert configuration.matching is Matching.ALL


def test_additions_to_outputs() -> None:
    configuration = configure(
        'append_output[]={"match": {"rule": "R", "source": "syscall", "tags": ["a"]}, "extra_output": "x=%evt.num"}',
        'append_output[]={"extra_fields": ["evt.num", {"who": "%user.name"}], "suggested_output": true}',
        "static_fields.region=eu",
    )
    first, second = configuration.append_output
    assert first == AppendOutput("R", "syscall", frozenset({"a"}), "x=%evt.num")
    assert second == AppendOutput(
        extra_fields={"who": "%user.name"}, raw_fields=("evt.num",), suggested_output=True
    )
    assert first.is_for("R", "syscall", ["a", "b"])
    assert not first.is_for("R", "syscall", ["b"])
    assert not first.is_for("Q", "syscall", ["a"])
    assert configuration.static_fields == {"region": "eu"}
    assert configuration.warnings == ()


def test_channels() -> None:
    configuration = configure(
        "file_output.enabled=true", "file_output.filename=/tmp/x", "stdout_output.enabled=no"
    )
    assert configuration.file == FileOutput(Path("/tmp/x"))
    assert not configuration.stdout


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("json_output=maybe", "must be true or false, not 'maybe'"),
        ("priority=loud", "'loud' is no priority"),
        ("rule_matching=some", "must be first or all"),
        ("file_output.enabled=true", "needs 'file_output.filename'"),
        ("rules[].disable=x", "below a plain value"),
        ("rules=x", "must be a list"),
        ("append_output[]=x", "below a plain value"),
        ("static_fields=x", "must be a mapping"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(override: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        configure(override)
