"""The grammar, the hand-written parser and a second, general recogniser describe one language."""

from __future__ import annotations

import functools
from pathlib import Path

import lark
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from refengine.condition.nodes import And, Node, Not, Or
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition
from refengine.errors import ConditionError
from refengine.grammar.notation import names, read_grammar
from tests.grammar.sentences import damaged, sentences

GRAMMARS = Path(__file__).resolve().parents[2] / "grammar"
GRAMMAR = read_grammar(GRAMMARS / "condition.ebnf")
PATIENT = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

SENTENCES: SearchStrategy[str] = sentences(GRAMMAR, "Condition")
DAMAGED: SearchStrategy[str] = damaged(SENTENCES)


@functools.cache
def recogniser() -> lark.Lark:
    text = (Path(__file__).parent / "condition.lark").read_text(encoding="utf-8")
    return lark.Lark(text, parser="earley", lexer="dynamic")


def recognises(text: str) -> bool:
    try:
        recogniser().parse(text)
    except lark.exceptions.LarkError:
        return False
    return True


def parses(text: str) -> bool:
    try:
        parse(text)
    except ConditionError:
        return False
    return True


@given(SENTENCES)
@PATIENT
def test_sentences_of_the_grammar_are_judged_alike(text: str) -> None:
    assert parses(text) == recognises(text)


@given(DAMAGED)
@PATIENT
def test_damaged_sentences_are_judged_alike(text: str) -> None:
    assert parses(text) == recognises(text)


@given(st.one_of(SENTENCES, DAMAGED))
@PATIENT
def test_what_parses_prints_and_parses_to_the_same_tree(text: str) -> None:
    try:
        tree = parse(text)
    except ConditionError:
        return
    again = parse(print_condition(tree))
    assert even(again) == even(tree)


def even(node: Node) -> Node:
    """Return the tree with pairs of negations taken out: printing drops the parentheses that kept them apart."""
    if isinstance(node, Not):
        child = even(node.child)
        return child.child if isinstance(child, Not) else Not(child, node.span)
    if isinstance(node, And | Or):
        return type(node)(tuple(map(even, node.children)), node.span)
    return node


@pytest.mark.parametrize("name", ["condition", "template"])
def test_every_name_has_a_production_that_is_used(name: str) -> None:
    grammar = read_grammar(GRAMMARS / f"{name}.ebnf")
    known = {*GRAMMAR, *grammar}
    used = {used for expression in grammar.values() for used in names(expression)}
    assert used <= known
    assert set(grammar) - used == {name.capitalize()}
