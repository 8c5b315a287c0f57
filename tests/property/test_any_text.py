"""Whatever is written as a condition gets a verdict: a tree, or diagnostics that can be shown."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from refengine import check_condition
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition
from refengine.errors import ConditionError, Phase
from refengine.report import render
from tests.property.generation import Generator

PIECES = ["", " ", "(", ")", ",", '"', "'", "\\", "\\x", "not ", " and ", " or ", "=", "[", "]", " in ", "\0", "é", "\udcff", "val(", "len(", "exists"]  # fmt: skip


def damaged(seed: int) -> str:
    """Return a condition with a few pieces taken out, doubled or put in."""
    random = Random(seed)
    text = Generator(random, random.choice(["syscall", "k8s_audit"])).condition(depth=2)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(text))
        end = min(len(text), at + random.randint(0, 4))
        text = text[:at] + random.choice([*PIECES, text[at:end] * 2]) + text[end:]
    return text


def judge(text: str) -> None:
    for source in ("syscall", "k8s_audit"):
        for found in check_condition(text, source):
            assert found.span is not None
            start, end = found.span
            assert 0 <= start <= end <= len(text)
            shown = render(found)
            assert "^" in shown
            assert shown.encode("utf-8")
            if found.phase is Phase.PARSE:
                assert shown.count("\n") <= 3


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    judge(text)


@given(
    st.lists(st.sampled_from([*PIECES, "proc.name", "fd.types", "a", "1", "evt.type", "open"]), max_size=12)
)
@settings(max_examples=300)
def test_any_sequence_of_words(words: list[str]) -> None:
    judge("".join(words))


@given(st.integers(0, 1 << 32).map(damaged))
@settings(max_examples=300)
def test_damaged_conditions(text: str) -> None:
    judge(text)


@given(st.integers(0, 1 << 32).map(damaged))
def test_what_parses_prints_and_parses_again(text: str) -> None:
    try:
        tree = parse(text)
    except ConditionError:
        return
    again = print_condition(parse(print_condition(tree)))  # pairs of negations have cancelled now
    assert print_condition(parse(again)) == again
