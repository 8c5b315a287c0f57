"""The colours of the languages that only these documents have: conditions, output templates, and the grammars."""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, words
from pygments.lexers.data import YamlLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from refengine.condition.vocabulary import FIELD_VALUE, MODIFIERS, OPERATORS, TRANSFORMERS

_WORDS = tuple(word for word in OPERATORS if word.isalpha())
_SIGNS = tuple(word for word in OPERATORS if not word.isalpha())


class ConditionLexer(RegexLexer):
    """Conditions of rules."""

    name = "Condition"
    url = ""
    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"\s+", Text),
            (r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', String),
            (words(("and", "or", "not"), prefix=r"\b", suffix=r"\b"), Keyword),
            (words((*TRANSFORMERS, FIELD_VALUE), prefix=r"\b", suffix=r"(?=\()"), Name.Function),
            (words((*_WORDS, *MODIFIERS), prefix=r"(?<=\s)", suffix=r"(?=[\s(]|$)"), Operator.Word),
            (words(_SIGNS), Operator),
            (r"[a-z0-9_]+(?:\.[A-Za-z0-9_]+)+(?:\[[^\]]*\])?", Name.Attribute),
            (r"[(),]", Punctuation),
            (r"-?\d+\b", Number),
            (r"[^\s()=,]+", Text),
            (r".", Text),
        ]
    }


class TemplateLexer(RegexLexer):
    """Output templates."""

    name = "Template"
    url = ""
    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"%%", Text),
            (r"%-?\d*(?:[a-z0-9_]+(?:\.[A-Za-z0-9_]+)+(?:\[[^\]]*\])?|[a-z0-9]+\([^)]*\))", Name.Attribute),
            (r"[^%]+|%", Text),
        ]
    }


class GrammarLexer(RegexLexer):
    """The EBNF of the W3C."""

    name = "W3C EBNF"
    url = ""
    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"/\*(?:.|\n)*?\*/", Comment),
            (r"'[^']*'|\"[^\"]*\"|\[[^\]]+\]|#x[0-9A-F]+", String),
            (r"^[A-Za-z]+(?=\s*::=)", Name.Class),
            (r"::=|[|?*+()-]", Operator),
            (r"[A-Za-z]+", Name),
            (r"\s+|.", Text),
        ]
    }


LEXERS = {
    "condition": ConditionLexer,
    "template": TemplateLexer,
    "w3c-ebnf": GrammarLexer,
    "rules": YamlLexer,
    "match": YamlLexer,
}
"""The lexers by the word that stands at the beginning of a block of code."""
