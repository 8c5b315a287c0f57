from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.configuration import AppendOutput, Configuration, Matching, load_configuration
from refengine.cli.configuration_keys import KEYS
from refengine.cli.configuration_outputs import FileOutput, ProgramOutput
from refengine.errors import UsageError
from refengine.output.formats import LineFormat
from refengine.output.http_settings import HttpOutput
from refengine.priority import Priority
from refengine.rulefile.selection import Selection


def configure(*overrides: str) -> Configuration:
    return load_configuration(None, overrides)


def test_the_defaults() -> None:
    configuration = configure()
    assert configuration == Configuration()
    assert configuration.matching is Matching.FIRST
    assert configuration.priority is Priority.DEBUG
    assert configuration.outputs.stdout
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
    assert configuration.outputs.file == FileOutput(Path("/tmp/x"))
    assert not configuration.outputs.stdout


def test_channels_to_elsewhere() -> None:
    outputs = configure(
        "json_output=true",
        "syslog_output.enabled=true",
        'program_output={"enabled": true, "program": "cat"}',
        'http_output={"enabled": true, "url": "https://x/", "mtls": true, "client_cert": "c", "client_key": "k"}',
        "http_output.ca_bundle=b",
        "outputs_queue.capacity=0",
        "output_timeout=500",
    ).outputs
    assert outputs.syslog
    assert outputs.program == ProgramOutput("cat")
    assert outputs.http == HttpOutput(
        "https://x/", json=True, authority=Path("b"), certificate=Path("c"), key=Path("k")
    )
    assert outputs.capacity is None, "as in Falco, 0 is no limit"
    assert outputs.slow_after == 0.5


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("json_output=maybe", "must be true or false, not 'maybe'"),
        ("priority=loud", "'loud' is no priority"),
        ("rule_matching=some", "must be first or all"),
        ("file_output.enabled=true", "needs 'file_output.filename'"),
        ("http_output.enabled=true", "needs 'http_output.url'"),
        (
            'http_output={"enabled": true, "url": "https://a", "mtls": true}',
            "'http_output.mtls' needs 'http_output.client_cert'",
        ),
        ("program_output.enabled=true", "needs 'program_output.program'"),
        ("outputs_queue.capacity=-1", "must be 0 or above"),
        ("outputs_queue.capacity=many", "must be a whole number, not 'many'"),
        ("rules[].disable=x", "below a plain value"),
        ("rules=x", "must be a list"),
        ("append_output[]=x", "below a plain value"),
        ("static_fields=x", "must be a mapping"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(override: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        configure(override)
