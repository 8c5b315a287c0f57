"""Random sentences of a grammar, and random damage to them."""

from __future__ import annotations

import functools
import re
from random import Random

from hypothesis import strategies as st

from refengine.grammar.notation import Characters, Choice, Expression, Literal, Name, Repeat, Series

_DEEPEST = 14
_LEAVES = {"Not": "a", "ArgumentItem": "1"}
"""What stands for the productions that could go on for ever, below the deepest level."""

_SHORT = {
    "Identifier": ["a", "open", "not_x", "and1", "or", "in", "val", "len"],
    "FieldName": ["proc.name", "evt.type", "a.b.c", "in.x", "not.y"],
    "BareString": ["cat", "/etc/*", "oneof", "and", "1.5", "<NA>", "a\\b", "val"],
    "Blank": [" ", " ", " ", "\t", "\n", "\b"],
    "Space": [" ", "\t", "\v", "\f"],
}
"""Tokens that would be noise if they were made character by character; all others are."""


def sentences(grammar: dict[str, Expression], start: str) -> st.SearchStrategy[str]:
    """Return the texts that the production `start` describes, token limits and order of choices left aside."""
    return st.randoms(use_true_random=False).map(lambda random: _derive(grammar, start, random))


def _derive(grammar: dict[str, Expression], start: str, random: Random) -> str:
    out: list[str] = []

    def derive(expression: Expression, depth: int) -> None:
        if isinstance(expression, Literal):
            out.append(expression.text)
        elif isinstance(expression, Characters):
            out.append(random.choice(_members(expression.pattern)))
        elif isinstance(expression, Name):
            short = _SHORT.get(expression.name)
            if short is not None:
                out.append(random.choice(short))
            elif depth > _DEEPEST and expression.name in _LEAVES:
                out.append(_LEAVES[expression.name])
            else:
                derive(grammar[expression.name], depth + 1)
        elif isinstance(expression, Series):
            for item in expression.items:
                derive(item, depth)
        elif isinstance(expression, Choice):
            derive(random.choice(expression.items), depth)
        else:
            assert isinstance(expression, Repeat)
            least = 1 if expression.times == "+" else 0
            most = 1 if expression.times == "?" else 2
            for _ in range(random.choice((least, least, most))):
                derive(expression.item, depth)

    derive(grammar[start], 0)
    return "".join(out)


@functools.cache
def _members(pattern: str) -> list[str]:
    """Return the characters of a set, as far as they are of interest: ASCII and one other letter."""
    return [character for character in (*map(chr, range(128)), "é") if re.fullmatch(pattern, character)]


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """Draw a text with a few pieces taken out, doubled or put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 3)))
        piece = draw(
            st.sampled_from(
                [
                    "",
                    "",
                    text[at:end] * 2,
                    " ",
                    "(",
                    ")",
                    ",",
                    '"',
                    "'",
                    "\\",
                    "not ",
                    "and ",
                    " or ",
                    "=",
                    "[",
                    "]",
                    "in",
                    "x",
                ]
            )
        )
        text = text[:at] + piece + text[end:]
    return text
