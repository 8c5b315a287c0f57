"""Tokens: what can stand at a place of a condition.

The language is context-sensitive at this level (a bare string may look like any keyword), so there is no token
stream: the parser asks whether a given token stands where it is.
"""

from __future__ import annotations

import re

from refengine.errors import Code, ConditionError, Diagnostic, Phase
from refengine.source import Span, Text

SPACE = " \\t\\n\\r\\f\\v"
"""The characters of POSIX `[:space:]`, for use inside a character class."""

BLANKS = re.compile("[ \\t\\x08\\r\\n]*")
IDENTIFIER = re.compile("[a-zA-Z][a-zA-Z0-9_]*")
FIELD_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+")
FIELD_ARGUMENT = re.compile(f"[^\\]\\[\"'{SPACE}]+")
HEX_NUMBER = re.compile("0[xX][0-9a-fA-F]+")
NUMBER = re.compile(r"[+\-]?[0-9]+[.]?[0-9]*(?:[eE][+\-][0-9]+)?")
BARE_STRING = re.compile(f"[^()\"'{SPACE}=,]+")
NOT = re.compile(f"not[{SPACE}]+")


class Scanner:
    """A cursor over the text of a condition."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.input = text.value
        self.at = 0

    def skip_blanks(self) -> bool:
        """Move past blanks; return whether there were any."""
        start = self.at
        self.at = BLANKS.match(self.input, start).end()  # type: ignore[union-attr]  # matches the empty string
        return self.at > start

    def looking_at(self, token: str) -> bool:
        """Return whether `token` stands here."""
        return self.input.startswith(token, self.at)

    def take(self, token: str) -> bool:
        """Move past `token` if it stands here; return whether it did."""
        if self.input.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def take_one(self, tokens: tuple[str, ...]) -> str | None:
        """Move past the first of `tokens` that stands here and return it, None where none does."""
        if self.input.startswith(tokens, self.at):
            for token in tokens:
                if self.take(token):
                    return token
        return None

    def take_match(self, pattern: re.Pattern[str]) -> str | None:
        """Move past a match of `pattern` and return it, None where it does not match here."""
        found = pattern.match(self.input, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def take_quoted(self) -> tuple[str, str] | None:
        """Move past a quoted string and return its quote and what stands between the quotes.

        It ends at the first same quote that no backslash stands directly before. None where no quote stands
        here or where the string has no end; then the cursor does not move.
        """
        quote = self.input[self.at : self.at + 1]
        if quote not in ('"', "'"):
            return None
        end = self.input.find(quote, self.at + 1)
        while end > 0 and self.input[end - 1] == "\\":
            end = self.input.find(quote, end + 1)
        if end < 0:
            return None
        body = self.input[self.at + 1 : end]
        self.at = end + 1
        return quote, body

    def since(self, start: int) -> Span:
        """Return the span from `start` to here."""
        return Span(start, self.at)

    def fault(
        self, message: str, span: Span | None = None, *, suggestion: str | None = None
    ) -> ConditionError:
        """Return the error for a fault at `span`, by default at the character here."""
        if span is None:
            span = Span(self.at, self.at + 1) if self.at < len(self.input) else Span(self.at, self.at)
        return ConditionError(
            [
                Diagnostic(
                    Code.COMPILE_CONDITION,
                    Phase.PARSE,
                    message,
                    self.text.place(span),
                    suggestion=suggestion,
                )
            ]
        )

    def here(self) -> str:
        """Return what stands here, in words for a message."""
        rest = self.input[self.at : self.at + 24]
        if not rest:
            return "the end of the condition"
        word = re.match(f"[^{SPACE}(),]+|.", rest, re.DOTALL)
        assert word is not None
        return f"'{word[0]}'"
