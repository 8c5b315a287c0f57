"""The macros for audit rules."""

from __future__ import annotations

from importlib.resources import files

import pytest

from refengine import Engine, RecordedEvent, Source, load_rules
from refengine.values import Value
from tests.corpus import corpus

RULE = Source(
    "rule.yaml",
    """
- rule: Finished request
  desc: A request is over.
  condition: kevt and k8s_audit
  output: request %ka.auditid
  priority: INFO
  source: k8s_audit
""",
)


def macros() -> Source:
    return Source(
        "k8s_audit_macros.yaml", (files("refengine.rules") / "k8s_audit_macros.yaml").read_text("utf-8")
    )


@pytest.mark.parametrize(
    ("stage", "matched"), [("ResponseComplete", True), ("RequestReceived", False), (None, False)]
)
def test_they_hold_for_finished_requests_only(stage: str | None, matched: bool) -> None:
    values: dict[str, Value] = {"jevt.rawtime": "1"}
    if stage is not None:
        values["jevt.value[/stage]"] = stage
    engine = Engine(load_rules(macros(), RULE))
    assert bool(engine.process(RecordedEvent(values, source="k8s_audit"))) is matched


@pytest.mark.corpus
def test_they_are_what_rules_in_circulation_lack() -> None:
    path = corpus("rules/wiki_rules.yaml")
    rules = load_rules(macros(), path)
    assert len(rules) == 5
    reading = {
        "jevt.rawtime": "1",
        "jevt.value[/stage]": "ResponseComplete",
        "ka.verb": "get",
        "ka.target.resource": "configmaps",
        "ka.target.labels.sensitive": "true",
        "ka.user.name": "eve",
    }

    def alerts(groups: tuple[str, ...]) -> list[str]:
        event = RecordedEvent({**reading, "ka.user.groups": groups}, source="k8s_audit")
        return [alert.rule for alert in Engine(rules).process(event)]

    assert alerts(("dev", "ops")) == ["unauthorized_configmap_access"]
    assert alerts(("dev", "system:masters")) == []
