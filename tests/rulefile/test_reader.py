from __future__ import annotations

import pytest

from refengine.errors import Code
from refengine.priority import Priority
from tests.rulefile.loading import codes, loaded, only, rule, shown, valid

YAML = "LOAD_ERR_YAML_VALIDATE"


def test_a_rule_has_its_defaults() -> None:
    found = only(valid("- {rule: r, desc: d, output: ' o ', priority: Info, condition: evt.type = open}"))
    assert (found.name, found.source, found.enabled, found.tags) == ("r", "syscall", True, ())
    assert found.priority is Priority.INFORMATIONAL
    definition = found.definition
    assert (definition.capture, definition.capture_duration) == (False, 0)
    assert (definition.warn_evttypes, definition.skip_if_unknown_filter) == (True, False)
    assert definition.output.value == "o"


def test_every_key_of_a_rule_is_read() -> None:
    text = rule(
        source="k8s_audit",
        condition="ka.verb = get",
        enabled="off",
        tags="[b, a, b]",
        capture="Yes",
        capture_duration="0x10",
        skip__if__unknown__filter="TRUE",
        priority="emergency",
        warn_evttypes="n",
    )
    found = only(valid(text))
    definition = found.definition
    assert (found.source, found.enabled, found.tags) == ("k8s_audit", False, ("a", "b"))
    assert found.priority is Priority.EMERGENCY
    assert (definition.capture, definition.capture_duration) == (True, 16)
    assert (definition.warn_evttypes, definition.skip_if_unknown_filter) == (False, True)


@pytest.mark.parametrize("written", ["''", "", "~"])
def test_a_source_of_nothing_is_the_default(written: str) -> None:
    assert only(valid(rule(source=written))).source == "syscall"


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("5", YAML, "1:1 5", "must be a list"),
        ("a: b", YAML, "1:1 a: b", "must be a list"),
        ("- 5", YAML, "1:3 5", "must be a mapping"),
        ("- [rule]", YAML, "1:3 [rule]", "must be a mapping"),
        ("- list: l", YAML, "1:3 list: l", "no 'items'"),
        ("- {list: l, items: a}", YAML, "1:20 a", "must be a list"),
        ("- {list: l, items: }", YAML, "1:13 items", "not nothing"),
        ("- {list: l, items: [a, [b], ~]}", YAML, "1:24 [b]", "not a list"),
        ("- {list: '', items: [a]}", YAML, "1:10 ''", "must not be empty"),
        ("- {list: [x], items: [a]}", YAML, "1:10 [x]", "single value"),
        ("- {macro: m}", YAML, "1:3 {macro: m", "no 'condition'"),
        ("- {macro: m, condition: ''}", YAML, "1:25 ''", "must not be empty"),
        ("- {macro: m, condition: a.b exists, append: maybe}", YAML, "1:45 maybe", "true or false"),
        (rule(priority="WARN"), YAML, "4:13 WARN", "Warning"),
        (rule(enabled="tRUE"), YAML, "7:12 tRUE", "true or false"),
        (rule(enabled=""), YAML, "7:3 enabled", "has no value"),
        (rule(capture_duration="-1"), YAML, "7:21 -1", "whole number"),
        (rule(capture_duration="4294967296"), YAML, "7:21 4294967296", "whole number"),
        (rule(tags=""), YAML, "7:3 tags", "must be a list"),
        (rule(source="[a]"), YAML, "7:11 [a]", "single value"),
        ("- rule: r", YAML, "1:3 rule: r", "no 'enabled'"),
        ("- required_engine_version: new", YAML, "1:28 new", "no engine version"),
        ("- required_engine_version: 64", "LOAD_ERR_VALIDATE", "1:3 required_engine_version: 64", "0.64.0"),
        ("- required_plugin_versions: x", YAML, "1:29 x", "must be a list"),
        ("- required_plugin_versions: [x]", YAML, "1:30 x", "'name' and 'version'"),
        ("- required_plugin_versions: [{name: json}]", YAML, "1:30 {name: json", "no 'version'"),
        ("- {? [a] : b, list: l, items: []}", "LOAD_ERR_VALIDATE", "1:6 [a]", "must be a word"),
        (rule(exceptions="x"), YAML, "7:15 x", "must be a list"),
        (rule(exceptions="[x]"), YAML, "7:16 x", "must be a mapping"),
        (rule(exceptions="[{name: e}]"), YAML, "7:16 {name: e", "no 'fields'"),
        (rule(exceptions="[{fields: proc.name}]"), YAML, "7:16 {fields: proc.name", "no 'name'"),
        (rule(exceptions="[{name: e, fields: proc.name, values: x}]"), YAML, "7:53 x", "must be a list"),
        (rule(exceptions="[{name: e, fields: proc.name, values: ['']}]"), YAML, "7:54 ''", "not be empty"),
    ],
)
def test_faults_of_shape(text: str, code: str, place: str, words: str) -> None:
    result = loaded(text)
    first = result.errors[0]
    assert (str(first.code), shown(first)) == (code, place)
    assert words in first.message
    assert result.rules == ()


def test_every_fault_of_an_item_and_of_a_file_is_reported() -> None:
    result = loaded("- rule: r\n  priority: X\n  output: []\n- {list: l}\n- {macro: m}\n")
    assert [error.message.split("'")[1] for error in result.errors] == [
        "condition",
        "output",
        "desc",
        "X",
        "items",
        "condition",
    ]


def test_items_of_nothing_and_empty_documents_are_passed_over() -> None:
    assert valid("---\n---\n-\n- ~\n").rules == ()
    assert valid("", "# nothing\n").diagnostics == ()


def test_unknown_keys_and_items_are_warned_of_and_ignored() -> None:
    result = valid(rule(prio="x") + "- {list: l, item: [], items: []}\n- {rle: r}\n- {}\n")
    assert codes(result)[:4] == ["LOAD_UNKNOWN_KEY"] * 2 + ["LOAD_UNKNOWN_ITEM"] * 2
    assert [found.suggestion for found in result.diagnostics][1] == "did you mean 'items'?"
    assert len(result.rules) == 1


def test_a_misspelt_key_is_named_where_the_right_one_is_missing() -> None:
    result = loaded("- {rule: r, desc: d, output: o, priority: info, conditon: evt.type = open}")
    assert result.errors[0].suggestion == "did you write 'conditon' for 'condition'?"


def test_a_key_given_twice_is_warned_of_and_the_first_counts() -> None:
    result = valid(rule(enabled="true") + "  enabled: false\n")
    assert codes(result) == ["LOAD_UNKNOWN_KEY"]
    assert result.diagnostics[0].notes[0].place is not None
    assert only(result).enabled


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- {list: 'a b', items: [x]}", Code.INVALID_LIST_NAME),
        ("- {macro: a-b, condition: evt.type = open}", Code.INVALID_MACRO_NAME),
        ("- {macro: 1st, condition: evt.type = open}", Code.INVALID_MACRO_NAME),
    ],
)
def test_names_that_no_condition_can_use_are_warned_of(text: str, code: Code) -> None:
    assert valid(text).diagnostics[0].code is code
