from __future__ import annotations

import pytest

from refengine.condition.event_types import ALL
from refengine.priority import Priority
from refengine.rulefile.options import ExtraOutput, LoadOptions
from tests.rulefile.loading import codes, loaded, only, rule, shown, valid


def test_a_rule_knows_the_event_types_that_can_match() -> None:
    result = valid("- {macro: m, condition: 'evt.type in (open, openat)'}\n" + rule("m and evt.num = 5"))
    assert only(result).event_types == {"open", "openat"}


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (rule("proc.name = a", warn_evttypes="true"), True),
        (rule("proc.name = a", warn_evttypes="false"), False),
        (rule("evt.type = open and proc.name = a", warn_evttypes="true"), False),
        (rule("ka.verb = get", warn_evttypes="true", source="k8s_audit"), False),
    ],
)
def test_a_rule_on_nearly_every_event_is_warned_of(text: str, warned: bool) -> None:
    result = valid(text)
    assert codes(result) == ["LOAD_NO_EVTTYPE"] * warned
    if warned:
        assert only(result).event_types == ALL


def test_rules_below_the_least_priority_are_left_out_with_their_faults() -> None:
    text = rule(priority="NOTICE") + rule("evt.nun = 1", "s", priority="INFO")
    result = valid(text, options=LoadOptions(minimum_priority=Priority.NOTICE))
    assert [found.name for found in result.rules] == ["r"]


@pytest.mark.parametrize(
    "keys",
    [
        {"condition": "evt.type = open and evt.nun = 1"},
        {"condition": "evt.type = opem"},
        {"condition": "evt.type in (open, opem)"},
        {"condition": "evt.type = open and toupper(evt.nun) = 1"},
        {"condition": "proc.name = val(proc.nam)"},
        {"condition": "ka.verb = get"},
        {"output": "'%proc.nam'"},
        {"output": "'%ka.verb'"},
    ],
)
def test_unknown_names_leave_out_a_rule_that_allows_for_them(keys: dict[str, str]) -> None:
    result = valid(rule(**keys, skip__if__unknown__filter="true") + rule(name="s"))
    assert codes(result) == ["LOAD_UNKNOWN_FILTER"]
    assert only(result).name == "s"
    assert loaded(rule(**keys)).errors != ()


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"condition": "evt.num = x"}, "LOAD_ERR_COMPILE_CONDITION"),
        ({"condition": "evt.num ="}, "LOAD_ERR_COMPILE_CONDITION"),
        ({"condition": "nothing"}, "LOAD_ERR_VALIDATE"),
        ({"output": "'100%'"}, "LOAD_ERR_COMPILE_OUTPUT"),
    ],
)
def test_other_faults_it_does_not_allow_for(keys: dict[str, str], code: str) -> None:
    assert codes(loaded(rule(**keys, skip__if__unknown__filter="true"))) == [code]


def test_the_output_of_a_rule_that_is_left_out_does_not_matter() -> None:
    text = rule("evt.nun = 1", output="'100%'", skip__if__unknown__filter="true")
    assert codes(valid(text)) == ["LOAD_UNKNOWN_FILTER"]


def test_an_unknown_name_in_a_macro_counts_as_well() -> None:
    text = "- {macro: m, condition: evt.nun = 1}\n" + rule("m", skip__if__unknown__filter="true")
    assert codes(valid(text)) == ["LOAD_UNKNOWN_FILTER"]


def test_faults_of_condition_and_output_are_reported_together() -> None:
    result = loaded(rule("evt.nun = 1", output="'a %proc.nam'"))
    assert {shown(error) for error in result.errors} == {"6:14 evt.nun", "3:15 proc.nam"}


def test_container_info_is_taken_out_of_outputs() -> None:
    result = valid(rule(output="'a %container.info b'"))
    assert codes(result) == ["LOAD_DEPRECATED_ITEM"]
    assert only(result).output.text.value == "*a  b"


def test_extra_outputs_go_to_the_rules_that_they_name() -> None:
    extra = (
        ExtraOutput("pid=%proc.pid"),
        ExtraOutput("one", rule="r"),
        ExtraOutput("two", tags=frozenset({"a", "b"})),
        ExtraOutput("three", source="k8s_audit"),
    )
    text = rule(tags="[a, b, c]") + rule(name="s", tags="[a]")
    result = valid(text, options=LoadOptions(extra_outputs=extra))
    assert [found.output.text.value for found in result.rules] == [
        "*o pid=%proc.pid one two",
        "*o pid=%proc.pid",
    ]
