from __future__ import annotations

import pytest

from refengine.priority import Priority
from tests.rulefile.loading import codes, compiled, loaded, only, rule, shown, valid

OPEN = rule("evt.type = open")


def override(body: str, name: str = "r") -> str:
    return f"- {{rule: {name}, {body}}}\n"


# Redefinition


def test_a_later_definition_replaces_an_earlier_one_in_its_place() -> None:
    result = valid(OPEN + rule(name="s") + rule("evt.type = close", priority="ERROR"))
    assert [found.name for found in result.rules] == ["r", "s"]
    assert result.rules[0].priority is Priority.ERROR
    assert result.rules[0].text.value == "evt.type = close"


def test_a_rule_keeps_its_source() -> None:
    result = loaded(OPEN, rule("ka.verb = get", source="k8s_audit"))
    (error,) = result.errors
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert error.notes[0].place is not None
    assert error.notes[0].place.source.name == "1.yaml"
    assert result.files[0].successful
    assert not result.files[1].successful


def test_a_rule_of_an_unknown_source_is_left_out() -> None:
    result = valid(rule("x.y = 1", source="syscal", exceptions="[{name: e, fields: a.b, values: [c]}]"))
    assert (codes(result), result.rules) == (["LOAD_UNKNOWN_SOURCE"], ())
    assert result.diagnostics[0].suggestion == "did you mean 'syscall'?"


# Append


def test_append_joins_texts_with_a_blank() -> None:
    assert compiled(
        rule("evt.type = open or evt.type = close"), override("append: true, condition: and evt.num = 1")
    ) == ("(evt.type = open or (evt.type = close and evt.num = 1))")


def test_append_is_deprecated() -> None:
    result = valid(OPEN + override("append: true, condition: and evt.num = 1"))
    assert codes(result) == ["LOAD_DEPRECATED_ITEM"]


def test_lists_and_macros_can_be_appended_to() -> None:
    for append in ("append: true", "override: {items: append}"):
        text = f"- {{list: l, items: [a]}}\n- {{list: l, items: [b], {append}}}\n"
        assert compiled(text + rule("proc.name in (l)")) == "proc.name in (a, b)"
    for append in ("append: true", "override: {condition: append}"):
        text = "- {macro: m, condition: evt.num = 1}\n"
        text += f"- {{macro: m, condition: or evt.num = 2, {append}}}\n"
        assert compiled(text + rule("m")) == "(evt.num = 1 or evt.num = 2)"


def test_override_replace_of_a_list_or_a_macro_needs_no_earlier_one() -> None:
    text = "- {list: l, items: [a], override: {items: replace}}\n"
    text += "- {macro: m, condition: 'proc.name in (l)', override: {condition: replace}}\n"
    assert compiled(text + rule("m")) == "proc.name in (a)"


@pytest.mark.parametrize(
    "text",
    [
        "- {list: l, items: [a], append: true}",
        "- {list: l, items: [a], override: {items: append}}",
        "- {macro: m, condition: a.b = 1, append: true}",
        "- {rule: x, condition: a.b = 1, append: true}",
        "- {rule: x, condition: a.b = 1, override: {condition: append}}",
        "- {rule: x, condition: a.b = 1, override: {condition: replace}}",
        "- {rule: x, enabled: false}",
    ],
)
def test_there_must_be_something_to_change(text: str) -> None:
    error = loaded(text).errors[0]
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert "there is no" in error.message


def test_the_earlier_item_may_be_misspelt() -> None:
    result = loaded(rule(name="Shell"), override("append: true, condition: or evt.num = 1", "Shel"))
    assert result.errors[0].suggestion == "did you mean 'Shell'?"


def test_nothing_is_said_of_what_follows_from_an_unreadable_item() -> None:
    text = "- {rule: r, condition: 5}\n- {macro: m}\n- {list: l, items: 5}\n"
    result = loaded(
        text + override("append: true, condition: and evt.num = 1") + rule("m and evt.num in (l)", "s")
    )
    assert {error.message.split("'")[1] for error in result.errors} == {
        "output",
        "desc",
        "priority",
        "condition",
        "items",
    }


def test_there_must_be_something_to_append() -> None:
    (error,) = loaded(OPEN, override("append: true, tags: [a]")).errors
    assert error.code.value == "LOAD_ERR_VALIDATE"


# Override


def test_override_appends_and_replaces_each_key_as_asked() -> None:
    text = rule(tags="[a]", desc="one", output="out")
    text += override(
        "condition: and evt.num = 1, output: more, desc: two, tags: [b], priority: ERROR, enabled: false,"
        " capture: true, capture_duration: 7, skip-if-unknown-filter: true,"
        " override: {condition: append, output: append, desc: append, tags: append, priority: replace,"
        " enabled: replace, capture: replace, capture_duration: replace, skip-if-unknown-filter: replace}"
    )
    found = only(valid(text))
    definition = found.definition
    assert found.text.value == "evt.type = open and evt.num = 1"
    assert definition.output.value == "out more"
    assert (found.description, found.tags, found.enabled) == ("one two", ("a", "b"), False)
    assert found.priority is Priority.ERROR
    assert (definition.capture, definition.capture_duration) == (True, 7)
    assert definition.skip_if_unknown_filter


def test_override_replaces_texts_and_tags() -> None:
    text = rule(tags="[a]") + override(
        "condition: evt.num = 1, output: p, desc: e, tags: [b],"
        " override: {condition: replace, output: replace, desc: replace, tags: replace}"
    )
    found = only(valid(text))
    assert (found.text.value, found.definition.output.value) == ("evt.num = 1", "p")
    assert (found.description, found.tags) == ("e", ("b",))


def test_enabled_alone_switches_an_earlier_rule() -> None:
    result = valid(rule(enabled="false"), "- {rule: r, enabled: true}")
    assert only(result).enabled
    assert codes(result) == ["LOAD_DEPRECATED_ITEM"]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("{rule: r}", "LOAD_ERR_YAML_VALIDATE"),
        ("{rule: r, enabled: maybe}", "LOAD_ERR_YAML_VALIDATE"),
        ("{rule: s, enabled: false}", "LOAD_ERR_VALIDATE"),
    ],
)
def test_a_switch_that_is_wrong_is_not_called_deprecated_as_well(item: str, code: str) -> None:
    result = loaded(OPEN, f"- {item}")
    assert codes(result) == [code]


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ("priority: ERROR, override: {priority: append}", "priority", "cannot be appended to"),
        ("override: {source: replace}", "source", "cannot be overridden"),
        ("condition: a, override: {condition: add}", "add", "by append or replace"),
        ("override: {condition: append}", "condition", "gives no 'condition'"),
        ("desc: d, condition: and evt.num=1, override: {condition: append}", "d", "no entry under"),
        (
            "condition: and evt.num=1, append: true, override: {condition: append}",
            "{rule: r",
            "exclude each other",
        ),
        ("condition: x, override: [condition]", "[condition]", "must be a mapping"),
        ("condition: x, override: {condition: [append]}", "[append]", "an entry of"),
        (
            "condition: x, override: {condition: append, ? condition : replace}",
            "condition",
            "appended to and replaced",
        ),
    ],
)
def test_faults_of_override(body: str, place: str, words: str) -> None:
    (error,) = loaded(OPEN, override(body)).errors
    assert shown(error).split(" ", 1)[1] == place
    assert words in error.message


def test_an_override_of_nothing_is_no_override() -> None:
    assert only(valid(OPEN + rule("evt.num = 1", override=""))).text.value == "evt.num = 1"
    assert only(valid(OPEN + rule("evt.num = 1", override="{}"))).text.value == "evt.num = 1"


# Where messages point


def test_a_fault_in_an_appended_part_points_into_the_file_that_appended_it() -> None:
    result = loaded(
        rule("evt.type = open\n    and evt.num = 1"), override("append: true, condition: and evt.nun = 1")
    )
    (error,) = result.errors
    assert error in result.files[1].errors
    assert error.place is not None
    assert (error.place.source.name, shown(error)) == ("2.yaml", "1:42 evt.nun")
    assert error.path[1].place is not None
    assert error.path[1].place.source.name == "2.yaml"
