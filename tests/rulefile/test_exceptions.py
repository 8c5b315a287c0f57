from __future__ import annotations

import textwrap

import pytest

from tests.rulefile.loading import codes, compiled, loaded, rule, shown, valid


def with_exceptions(written: str, condition: str = "evt.type = open") -> str:
    return (
        rule(condition)
        + "  exceptions:\n"
        + textwrap.indent(textwrap.dedent(written).strip("\n"), "    ")
        + "\n"
    )


@pytest.mark.parametrize(
    ("exception", "added"),
    [
        ("{name: e, fields: proc.name, values: [a, b c]}", 'not proc.name in (a, "b c")'),
        ("{name: e, fields: fd.name, comps: pmatch, values: [/a]}", "not fd.name pmatch (/a)"),
        (
            "{name: e, fields: proc.name, comps: startswith anyof, values: [a, b]}",
            "not proc.name startswith anyof (a, b)",
        ),
        (
            "{name: e, fields: [proc.name, fd.name], values: [[a, b], [c, d e]]}",
            'not ((proc.name = a and fd.name = b) or (proc.name = c and fd.name = "d e"))',
        ),
        (
            "{name: e, fields: [proc.name, fd.name], comps: [=, in], values: [[a, [b, c d]]]}",
            'not (proc.name = a and fd.name in (b, "c d"))',
        ),
        (
            "{name: e, fields: [proc.name, fd.name], comps: [' = ', ' in '], values: [[a, b]]}",
            "not (proc.name = a and fd.name in (b))",
        ),
        (
            "{name: e, fields: [proc.name, fd.name], comps: [in, pmatch], values: [['(a, b)', l]]}",
            "not (proc.name in (a, b) and fd.name pmatch (l))",
        ),
        (
            "{name: e, fields: [fd.name], comps: [endswith oneof], values: [[[a, b]], [c]]}",
            "not (fd.name endswith oneof (a, b) or fd.name endswith oneof (c))",
        ),
        ("{name: e, fields: 'proc.aname[2]', values: [a]}", "not proc.aname[2] in (a)"),
    ],
)
def test_what_an_exception_adds(exception: str, added: str) -> None:
    assert compiled(with_exceptions(f"- {exception}")) == f"(evt.type = open and {added})"


def test_an_exception_applies_to_the_whole_condition() -> None:
    text = with_exceptions("- {name: e, fields: proc.name, values: [a]}", "evt.num = 1 or evt.num = 2")
    assert compiled(text) == "((evt.num = 1 or evt.num = 2) and not proc.name in (a))"


def test_every_exception_adds_its_own() -> None:
    text = with_exceptions(
        "- {name: e, fields: proc.name, values: [a]}\n- {name: f, fields: proc.pname, values: [b]}"
    )
    assert compiled(text) == "(evt.type = open and not proc.name in (a) and not proc.pname in (b))"


def test_lists_are_put_into_values() -> None:
    text = "- {list: l, items: [a, b]}\n" + with_exceptions("- {name: e, fields: proc.name, values: [l, c]}")
    assert compiled(text) == "(evt.type = open and not proc.name in (a, b, c))"


@pytest.mark.parametrize(
    "written", ["- {name: e, fields: proc.name}", "- {name: e, fields: [proc.name], values: []}", ""]
)
def test_without_values_nothing_is_added(written: str) -> None:
    assert compiled(with_exceptions(written)) == "evt.type = open"


def test_two_exceptions_of_one_name_are_warned_of() -> None:
    result = valid(with_exceptions("- {name: e, fields: proc.name}\n- {name: e, fields: proc.pid}"))
    assert codes(result) == ["LOAD_EXCEPTION_NAME_NOT_UNIQUE"]


@pytest.mark.parametrize(
    ("exception", "place", "words"),
    [
        ("{name: e, fields: proc.nmae, values: [a]}", "proc.nmae", "no field 'proc.nmae'"),
        ("{name: e, fields: [proc.name, x.y]}", "x.y", "no field 'x.y'"),
        ("{name: e, fields: tolower(proc.name)}", "tolower(proc.name)", "no field"),
        ("{name: e, fields: ka.verb}", "ka.verb", "no field"),
        ("{name: e, fields: proc.name, comps: =}", "=", "cannot compare a single field"),
        ("{name: e, fields: proc.name, comps: [in]}", "{name: e", "must be a single operator"),
        ("{name: e, fields: [proc.name], comps: [foo]}", "foo", "no comparison operator"),
        ("{name: e, fields: [proc.name], comps: [=, =]}", "{name: e", "1 item, but 'comps' has 2 items"),
        ("{name: e, fields: [proc.name], comps: in}", "{name: e", "1 item, but 'comps' has 0 items"),
        ("{name: e, fields: [proc.name], values: [[a, b]]}", "a", "1 item, but this entry of 'values' has 2"),
        ("{name: e, fields: [proc.name], values: [a]}", "a", "1 item, but this entry of 'values' has 0"),
        ("{name: e, fields: proc.name, values: [[a]]}", "{name: e", "must be a single value"),
        ("{name: e, fields: []}", "{name: e", "no 'fields'"),
        ("{name: e, fields: }", "{name: e", "no 'fields'"),
    ],
)
def test_faults_of_an_exception(exception: str, place: str, words: str) -> None:
    (error,) = loaded(with_exceptions(f"- {exception}")).errors
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert shown(error).split(" ", 1)[1].startswith(place)
    assert words in error.message
    assert [item.kind for item in error.path] == ["rules content", "rule", "exception"]


def test_a_value_that_does_not_fit_its_field_has_its_place() -> None:
    text = with_exceptions(
        "- name: e\n  fields: [proc.name, proc.pid]\n  values:\n    - [a, 1]\n    - [b, x]"
    )
    (error,) = loaded(text).errors
    assert error.code.value == "LOAD_ERR_COMPILE_CONDITION"
    assert shown(error) == "12:15 x"


def test_unknown_keys_of_an_exception_are_warned_of() -> None:
    result = valid(with_exceptions("- {name: e, fields: proc.name, vales: [a]}"))
    assert codes(result) == ["LOAD_UNKNOWN_KEY"]
    assert result.diagnostics[0].suggestion == "did you mean 'values'?"


APPENDS = ["append: true", "override: {exceptions: append}"]


@pytest.mark.parametrize("how", APPENDS)
def test_values_are_appended_to_an_exception_and_exceptions_to_a_rule(how: str) -> None:
    text = with_exceptions("- {name: e, fields: proc.name, values: [a]}")
    more = "[{name: e, values: [b]}, {name: f, fields: proc.pname, values: [c]}]"
    assert compiled(text, f"- {{rule: r, {how}, exceptions: {more}}}") == (
        "(evt.type = open and not proc.name in (a, b) and not proc.pname in (c))"
    )


def test_exceptions_are_replaced() -> None:
    text = with_exceptions("- {name: e, fields: proc.name, values: [a]}")
    more = "[{name: f, fields: proc.pname, values: [c]}]"
    change = f"- {{rule: r, override: {{exceptions: replace}}, exceptions: {more}}}"
    assert compiled(text, change) == "(evt.type = open and not proc.pname in (c))"


@pytest.mark.parametrize(
    ("exception", "words"),
    [
        ("{name: e, fields: proc.name, values: [b]}", "not 'fields'"),
        ("{name: e, comps: in, values: [b]}", "not 'comps'"),
        ("{name: f, fields: proc.name}", "needs 'values'"),
        ("{name: f, values: [b]}", "no 'fields'"),
    ],
)
def test_faults_of_appending(exception: str, words: str) -> None:
    text = with_exceptions("- {name: e, fields: proc.name, values: [a]}")
    (error,) = loaded(text, f"- {{rule: r, append: true, exceptions: [{exception}]}}").errors
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert words in error.message


def test_appending_no_values_is_warned_of() -> None:
    text = with_exceptions("- {name: e, fields: proc.name, values: [a]}")
    result = valid(text, "- {rule: r, override: {exceptions: append}, exceptions: [{name: e}]}")
    assert codes(result) == ["LOAD_APPEND_NO_VALUES"]


def test_aliases_in_values_are_bounded() -> None:
    wide = "[" + ", ".join(["x"] * 300) + "]"
    text = f"- list: l\n  items: &a {wide}\n" + rule(
        exceptions=f"[{{name: e, fields: {['fd.name'] * 300}, comps: {['in'] * 300},"
        f" values: &v [{', '.join(['&t [' + ', '.join(['*a'] * 300) + ']'] + ['*t'] * 299)}]}}]"
    )
    (error,) = loaded(text).errors
    assert "longer than" in error.message
