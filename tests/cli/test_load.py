from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.configuration import AppendOutput, Configuration, load_configuration
from refengine.cli.load import load_options, rules_paths, with_extra_fields
from refengine.cli.options import parse_options
from refengine.engine import Engine
from refengine.errors import TemplateError, UsageError
from refengine.event import RecordedEvent
from refengine.rulefile.loader import load
from refengine.rulefile.rule import Rule
from refengine.source import Source
from refengine.terminal import Style

RULE = """
- rule: R
  desc: d
  condition: evt.type = open
  output: opened
  priority: INFO
  tags: [a]
"""


def loaded(configuration: Configuration, *appended: str) -> Rule:
    result = load([Source("rules.yaml", RULE)], load_options(configuration, appended))
    result.check()
    return with_extra_fields(result.rules[0], configuration)


def test_outputs_are_extended_in_order() -> None:
    configuration = Configuration(
        append_output=(
            AppendOutput(extra_output="one=%evt.num"),
            AppendOutput(rule="other", extra_output="never"),
            AppendOutput(tags=frozenset({"a"}), suggested_output=True),
            AppendOutput(source="k8s_audit", suggested_output=True),
        ),
        static_fields={"region": "eu"},
    )
    assert loaded(configuration, "last").output.text.value == (
        "*opened one=%evt.num static_region=%static.region container_id=%container.id container_name=%container.name "
        "container_image_repository=%container.image.repository container_image_tag=%container.image.tag "
        "k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name last"
    )


def test_fields_are_added_to_alerts_raw_or_as_text() -> None:
    addition = AppendOutput(extra_fields={"who": "<%proc.name>"}, raw_fields=("evt.num", "user.name"))
    rule = loaded(Configuration(append_output=(addition,)))
    assert {read.key for read in rule.reads()} == {"evt.type", "proc.name", "evt.num", "user.name"}
    event = RecordedEvent({"evt.type": "open", "proc.name": "cat", "evt.num": 7})
    (alert,) = Engine([rule]).process(event)
    assert alert.fields == {"who": "<cat>", "evt.num": 7, "user.name": None}
    assert alert.message == "opened"


def test_an_added_field_must_exist() -> None:
    with pytest.raises(TemplateError, match=r"did you mean 'proc\.name'"):
        loaded(Configuration(append_output=(AppendOutput(raw_fields=("proc.nam",)),)))


def test_rules_come_from_the_command_line_before_the_configuration(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.txt", "d.yaml"):
        (tmp_path / name).write_text(RULE)
    configuration = load_configuration(None, [f"rules_files=[{tmp_path}/d.yaml, {tmp_path}/missing.yaml]"])

    def paths(*arguments: str) -> list[str]:
        return [path.name for path in rules_paths(parse_options(arguments, Style(False)), configuration)]

    assert paths() == ["d.yaml"]
    assert paths("-r", str(tmp_path)) == ["a.yml", "b.yaml", "d.yaml"]
    assert paths("-r", f"{tmp_path}/c.txt") == ["c.txt"]
    with pytest.raises(UsageError, match="no rules"):
        rules_paths(parse_options([], Style(False)), Configuration())
