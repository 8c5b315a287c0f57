from __future__ import annotations

from refengine.condition.nodes import And, MacroUse
from tests.rulefile.loading import codes, compiled, loaded, rule, shown, valid


def macro(name: str, condition: str, **keys: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"- {{macro: {name}, condition: {condition}{more}}}\n"


def test_macros_stand_for_their_conditions() -> None:
    text = macro("a", "evt.num = 1") + macro("b", "not a or evt.num = 2")
    assert compiled(text + rule("b and a")) == "((not evt.num = 1 or evt.num = 2) and evt.num = 1)"


def test_a_body_is_one_object_wherever_it_is_used() -> None:
    result = valid(macro("a", "evt.num = 1") + macro("b", "a") + rule("a and b") + rule("a", "s"))
    both, single = result.rules[0].tree, result.rules[1].tree
    assert isinstance(both, And)
    first, second = both.children
    assert isinstance(first, MacroUse)
    assert isinstance(second, MacroUse)
    assert isinstance(second.body, MacroUse)
    assert isinstance(single, MacroUse)
    assert first.body is second.body.body is single.body
    assert (first.name, second.name) == ("a", "b")


def test_an_undefined_macro_is_a_fault_with_its_place() -> None:
    result = loaded(macro("spawned", "evt.type = execve") + rule("spawnd and (x or evt.num = 1)"))
    assert [shown(error) for error in result.errors] == ["7:14 spawnd", "7:26 x"]
    assert {error.code.value for error in result.errors} == {"LOAD_ERR_VALIDATE"}
    assert result.errors[0].suggestion == "did you mean 'spawned'?"


def test_a_macro_sees_only_earlier_macros() -> None:
    (error,) = loaded(macro("a", "b") + macro("b", "evt.num = 1") + rule("a and b")).errors
    assert shown(error) == "1:25 b"
    assert error.notes[0].place is not None
    assert error.notes[0].place.start.line == 2


def test_a_redefined_or_appended_macro_sees_more() -> None:
    between = macro("b", "evt.num = 2")
    again = macro("a", "evt.num = 1") + between + macro("a", "b")
    assert compiled(again + rule("a")) == "evt.num = 2"
    more = macro("a", "evt.num = 1") + between + macro("a", "or b", append="true")
    assert compiled(more + rule("a")) == "(evt.num = 1 or evt.num = 2)"


def test_a_loop_is_a_fault() -> None:
    text = macro("a", "evt.num = 1") + macro("b", "a or evt.num = 2") + macro("a", "b")
    (error,) = loaded(text + rule("a")).errors
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert "b → a → b" in error.message
    (error,) = loaded(macro("a", "evt.num = 1") + macro("a", "a")).errors
    assert "a → a" in error.message


def test_a_macro_cannot_use_itself() -> None:
    (error,) = loaded(macro("a", "a or evt.num = 1")).errors
    assert shown(error) == "1:25 a"


def test_a_list_is_no_macro() -> None:
    (error,) = loaded("- {list: l, items: [x]}\n" + rule("evt.num = 1 and l")).errors
    assert shown(error) == "7:30 l"
    assert error.message == "there is no macro 'x'"
    assert "items of this list" in error.notes[0].message


def test_a_macro_with_a_fault_is_reported_once() -> None:
    text = macro("a", "evt.num =") + rule("a") + rule("not a", "s") + macro("b", "a")
    (error,) = loaded(text).errors
    assert error.code.value == "LOAD_ERR_COMPILE_CONDITION"
    text = macro("a", "evt.nun = 1") + rule("a") + rule("not a", "s")
    (error,) = loaded(text).errors
    assert shown(error) == "1:25 evt.nun"


def test_a_fault_in_a_macro_that_nothing_uses_does_not_matter() -> None:
    assert codes(valid(macro("a", "evt.nun = 1"))) == ["LOAD_UNUSED_MACRO"]


def test_a_macro_of_a_later_file_does_not_count_and_the_message_says_so() -> None:
    (error,) = loaded(rule("a"), macro("a", "evt.num = 1")).errors
    assert error.suggestion == "load 2.yaml before this file"
    assert compiled(macro("a", "evt.num = 1"), rule("a")) == "evt.num = 1"


def test_macros_that_nest_too_deep_are_a_fault() -> None:
    text = macro("m0", "evt.num = 1") + "".join(macro(f"m{n}", f"m{n - 1}") for n in range(1, 2500))
    (error,) = loaded(text + rule("m2499")).errors
    assert "too deep" in error.message


def test_macros_that_double_at_each_step_cost_little() -> None:
    text = macro("m0", "evt.num = 1")
    text += "".join(macro(f"m{n}", f"m{n - 1} and m{n - 1}") for n in range(1, 60))
    assert len(valid(text + rule("m59")).rules) == 1


def test_unused_macros_are_warned_of_in_the_file_that_defines_them() -> None:
    result = valid(macro("a", "evt.num = 1") + macro("b", "a") + macro("c", "evt.num = 1"), rule("b"))
    assert [found.code.value for found in result.files[0].diagnostics] == ["LOAD_UNUSED_MACRO"]
    assert result.files[1].diagnostics == ()
