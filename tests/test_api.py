"""The package's own names: what there is, that it is documented, and that it does what the README says."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import pickle
from importlib import import_module

import pytest

import refengine
from refengine import Code, ConditionError, Phase, RecordedEvent, Source


def test_the_names_are_sorted_and_exist() -> None:
    assert list(refengine.__all__) == sorted(refengine.__all__)
    for name in refengine.__all__:
        assert getattr(refengine, name) is not None
    assert {
        "Engine", "check_condition", "load_rules", "parse_condition", "RulesError", "RecordedEvent",
    } <= set(refengine.__all__)  # fmt: skip


def test_names_are_imported_from_where_type_checkers_see_them() -> None:
    tree = ast.parse(inspect.getsource(refengine))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: getattr(import_module(found.module or ""), alias.name)
        for found in block.body
        if isinstance(found, ast.ImportFrom)
        for alias in found.names
    }
    assert set(seen) == set(refengine.__all__) <= set(dir(refengine))
    for name, value in seen.items():
        assert getattr(refengine, name) is value
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = refengine.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name in refengine.__all__ if name != "Node"])
def test_every_name_is_documented(name: str) -> None:
    thing = getattr(refengine, name)
    document = inspect.getdoc(thing)
    assert document
    assert document.split("\n")[0].endswith((".", ":", ","))
    for member, value in vars(thing).items() if inspect.isclass(thing) else ():
        if inspect.isfunction(value) and not member.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{member}"


@pytest.mark.parametrize(
    "name", [name for name in refengine.__all__ if inspect.isfunction(getattr(refengine, name))]
)
def test_functions_are_typed(name: str) -> None:
    signature = inspect.signature(getattr(refengine, name))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(parameter.annotation is not parameter.empty for parameter in signature.parameters.values())


def test_errors_have_one_root() -> None:
    errors = [
        value
        for name in refengine.__all__
        if inspect.isclass(value := getattr(refengine, name)) and issubclass(value, Exception)
    ]
    assert len(errors) >= 6
    assert all(issubclass(error, refengine.RefengineError) for error in errors)


def test_codes_are_a_closed_list_with_summaries() -> None:
    for code in Code:
        assert code.summary
        assert str(code).startswith("LOAD_")
        assert code.is_error is str(code).startswith("LOAD_ERR_")
    assert len({code.summary for code in Code}) == len(Code)
    assert Code("LOAD_ERR_VALIDATE") is Code.VALIDATE


def test_conditions_are_parsed_and_printed() -> None:
    tree = refengine.parse_condition("proc.name=cat and not open")
    assert refengine.print_condition(tree) == "(proc.name = cat and not open)"
    assert dataclasses.is_dataclass(tree)
    with pytest.raises(ConditionError) as raised:
        refengine.parse_condition("proc.name = 'x")
    assert str(raised.value).count("^") == 1


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("proc.name = cat", "syscall", []),
        ("proc.name = proc.pname", "syscall", []),  # warnings are left out
        ("evt.dir = <", "syscall", []),
        ("ka.verb = get", "k8s_audit", []),
        ("", "syscall", [(Code.COMPILE_CONDITION, Phase.PARSE, (0, 0))]),
        ("proc.name = (", "syscall", [(Code.COMPILE_CONDITION, Phase.PARSE, (12, 13))]),
        ("ka.verb = get", "syscall", [(Code.COMPILE_CONDITION, Phase.CHECK, (0, 7))]),
        ("open and proc.pid = x", "syscall", [(Code.VALIDATE, Phase.RESOLVE, (0, 4))]),
        (
            "proc.pid = x or proc.name bcontains 00",
            "syscall",
            [(Code.COMPILE_CONDITION, Phase.CHECK, (11, 12)), (Code.COMPILE_CONDITION, Phase.CHECK, (26, 35))],
        ),
    ],
)  # fmt: skip
def test_a_condition_is_checked_as_in_a_rule(
    text: str, source: str, expected: list[tuple[Code, Phase, tuple[int, int]]]
) -> None:
    found = refengine.check_condition(text, source)
    assert isinstance(found, tuple)
    assert [(fault.code, fault.phase, fault.span) for fault in found] == expected
    assert all(fault.is_error and fault.message for fault in found)


def test_rules_raise_alerts() -> None:
    rules = refengine.load_rules(
        Source(
            "rules.yaml",
            "- rule: Shell\n  desc: a shell\n  condition: evt.type = execve and proc.name in (bash, sh)\n"
            "  output: shell %proc.name\n  priority: NOTICE\n",
        )
    )
    alerts = refengine.Engine(rules, matching="first").process(
        RecordedEvent({"evt.type": "execve", "proc.name": "sh"})
    )
    assert [(alert.rule, alert.message, alert.priority) for alert in alerts] == [
        ("Shell", "shell sh", refengine.Priority.NOTICE)
    ]


def test_events_and_alerts_have_useful_representations() -> None:
    assert repr(RecordedEvent({"evt.type": "open"}, number=3)) == "<RecordedEvent 3 open>"
    assert RecordedEvent({}).name == ""
    assert RecordedEvent({"evt.type": 7}).name == ""


def test_trees_can_be_pickled() -> None:
    tree = refengine.parse_condition("proc.name in (a, b) and not tolower(x.y) = z")
    assert pickle.loads(pickle.dumps(tree)) == tree
