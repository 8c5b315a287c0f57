"""Fields that the configuration defines: read everywhere like others, and never of an event."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from refengine import Engine, LoadOptions, Source, load_rules
from refengine.condition.prefilter import NEVER, PASS, Formula, prefilter
from refengine.engine import Evaluator
from refengine.errors import RulesError
from refengine.event import RecordedEvent
from refengine.fields.reading import FieldError, UnknownFieldError, read_field
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule

GIVEN = {"site": "home", "empty": "", "a.b": "c"}


def rule(condition: str, given: Mapping[str, str] = GIVEN) -> Rule:
    text = f"- {{rule: r, desc: d, condition: '{condition}', output: '%static.site', priority: INFO}}"
    (only,) = load_rules(Source("r.yaml", text), options=LoadOptions(static_fields=given))
    return only


def test_the_value_comes_with_the_field() -> None:
    read = read_field("static.a.b", static_fields=GIVEN)
    assert (read.key, read.given, read.field.field_class) == ("static.a.b", "c", "static")


def test_an_argument_is_refused() -> None:
    with pytest.raises(FieldError, match=r"'static\.site' takes no argument"):
        read_field("static.site", "0", static_fields=GIVEN)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownFieldError, match=r"unknown field 'static\.sites'") as caught:
        read_field("static.sites", static_fields=GIVEN)
    assert caught.value.suggestion == "did you mean 'static.site'?"


def test_undefined_they_are_unknown() -> None:
    with pytest.raises(RulesError, match=r"unknown field 'static\.site'"):
        rule("evt.type = open and static.site = home", {})


def test_a_rule_that_may_name_what_is_unknown_is_left_out() -> None:
    text = (
        "- {rule: r, desc: d, condition: evt.type = open and static.site = home, output: o, priority: INFO,"
        " skip-if-unknown-filter: true}"
    )
    assert not list(load_rules(Source("r.yaml", text)))
    assert list(load_rules(Source("r.yaml", text), options=LoadOptions(static_fields=GIVEN)))


@pytest.mark.parametrize("evaluator", ["interpret", "compile"])
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("static.site = home", True),
        ("static.site = work", False),
        ("not static.site in (work, school)", True),
        ('static.empty exists and static.empty = ""', True),
        ("static.a.b startswith c", True),
        ("len(static.site) = 4", True),
        ("concat(static.site, proc.name) = homecat", True),
        ("proc.name = val(static.site)", False),
        ("static.site != val(proc.name)", True),
    ],
)
def test_conditions_compare_them(evaluator: Evaluator, condition: str, holds: bool) -> None:
    engine = Engine([rule(f"evt.type = open and {condition}")], evaluator=evaluator)
    event = RecordedEvent({"evt.type": "open", "proc.name": "cat"})
    assert bool(engine.process(event)) is holds


def formula(condition: str) -> Formula:
    return prefilter(rule(condition).condition, "open", lambda _test: False)


def test_prefilters_know_their_verdicts() -> None:
    assert formula("evt.type = open and static.site = work") is NEVER
    assert formula("evt.type = open and static.site = home") is PASS
    assert formula("evt.type = open and not toupper(static.site) = HOME") is NEVER


def test_no_backend_is_asked_for_them() -> None:
    assert interest_of([rule("evt.type = open and static.site = val(proc.name)")]).fields == {
        "evt.type",
        "proc.name",
    }
