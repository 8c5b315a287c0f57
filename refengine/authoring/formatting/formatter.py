"""The formatter: from the text of a rules file to the same file in the one layout.

Items begin at the left margin with one blank line between them and their keys in a fixed order; conditions are laid
out by `condition_layout`. All else, comments above all, stays as it was written. What comes out is read again and
compared with what went in, so that no layout can change a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnlyMapping
from dataclasses import dataclass
from types import MappingProxyType

from refengine.authoring.formatting.condition_layout import WIDTH, condition_lines
from refengine.authoring.formatting.meaning import meaning
from refengine.condition.parser import parse
from refengine.errors import ConditionError, RefengineError
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence, read_documents
from refengine.source import Source

ORDER: ReadOnlyMapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rule": (
            "rule", "desc", "condition", "exceptions", "output", "priority", "source", "enabled", "tags", "capture",
            "capture_duration", "warn_evttypes", "skip-if-unknown-filter", "append", "override",
        ),
        "macro": ("macro", "condition", "append", "override"),
        "list": ("list", "items", "append", "override"),
    }
)  # fmt: skip
"""The order of the keys of each kind of item; keys that are not here come last, as they were."""

_INDENT = "  "
_PLAIN = re.compile(r"(?![-?:,\[\]{}#&*!|>'\"%@`])(?!.*: )(?!.* #)(?!.*:$).+")


class FormatError(RefengineError):
    """A file that cannot be laid out without a change of its meaning."""


def formatted(source: Source) -> str:
    """Return the text of a rules file in the one layout.

    :raises RulesError: where it is no YAML.
    :raises FormatError: where the outcome would say something else, which is a fault of the formatter.
    """
    documents = read_documents(source)
    if len(documents) != 1 or not isinstance(documents[0], Sequence):
        return source.text
    text = _File(source, documents[0]).text()
    said = meaning(source)
    # A block of text at the very end has a line feed there only if the file has.
    for candidate in (text, text.removesuffix("\n")):
        if meaning(Source(source.name, candidate)) == said:
            return candidate
    raise FormatError(f"{source.name}: the layout would change what the file says; it is left as it is")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A key with its value, as lines, and the comments above it."""

    name: str
    comments: tuple[str, ...]
    lines: tuple[str, ...]


class _File:
    def __init__(self, source: Source, root: Sequence) -> None:
        self._source = source
        self._lines = source.text.replace("\r\n", "\n").split("\n")
        self._items = root.items
        self._block = not source.text[root.span.start :].startswith("[")

    def text(self) -> str:
        """Return the whole text."""
        if not self._block or not self._items:
            return self._source.text
        out: list[str] = []
        at = 0
        for number, item in enumerate(self._items):
            first, last = self._dash(item, at), self._line(_end(item, self._source) - 1)
            out.extend(self._gap(self._lines[at:first], is_first=number == 0))
            out.extend(self._item(item, first, last))
            at = last + 1
        out.extend(_collapsed(self._lines[at:]))
        while out and not out[-1]:
            out.pop()
        return "\n".join(out) + "\n"

    def _line(self, offset: int) -> int:
        return self._source.position(offset).line - 1

    def _dash(self, item: Node, at: int) -> int:
        """Return the line of the dash of an item, which comments may part from its first key; not before line `at`."""
        key = self._line(item.span.start)
        return next(
            (line for line in range(key, at - 1, -1) if self._lines[line].lstrip().startswith("-")), key
        )

    def _gap(self, lines: list[str], *, is_first: bool) -> list[str]:
        """Return what stands between two items: comments as they are, and a blank line before them or after."""
        kept = _collapsed(lines)
        if is_first:
            while kept and not kept[0]:
                kept.pop(0)
            return kept
        if "" not in kept:
            kept.insert(0, "")
        return kept

    def _item(self, item: Node, first: int, last: int) -> list[str]:
        lines = self._lines[first : last + 1]
        chunks = self._chunks(item, first, last) if isinstance(item, Mapping) else None
        if chunks is None:
            margin = len(lines[0]) - len(lines[0].lstrip())
            return [line[margin:] if not line[:margin].strip() else line for line in lines]
        assert isinstance(item, Mapping)
        order = next((ORDER[chunk.name] for chunk in chunks if chunk.name in ORDER), ())
        rank = {name: number for number, name in enumerate(order)}
        kind_first = sorted(chunks, key=lambda chunk: rank.get(chunk.name, len(rank)))
        if kind_first[0].comments:
            kind_first = chunks  # a comment cannot stand between the dash and the first key
        out = [line for chunk in kind_first for line in (*chunk.comments, *chunk.lines)]
        out[0] = f"- {out[0].lstrip()}"
        return out

    def _chunks(self, item: Mapping, first: int, last: int) -> list[_Chunk] | None:
        """Return the keys of an item with their lines, None where they do not each stand on lines of their own."""
        starts = [self._line(key.span.start) for key, _ in item.pairs]
        if self._source.text[item.span.start] in "{&!":
            return None
        if len(set(starts)) != len(starts) or starts[0] != first:
            return None
        if len(item.by_key) < len(item.pairs):
            return None  # a key that is no text, or is there twice
        column = self._source.position(item.pairs[0][0].span.start).column - 1
        shift = len(_INDENT) - column
        chunks: list[_Chunk] = []
        comments_from = first
        for (key, value), start in zip(item.pairs, starts, strict=True):
            assert isinstance(key, Scalar)
            end = self._line(max(_end(value, self._source) - 1, key.span.end - 1))
            comments = [line.strip() for line in self._lines[comments_from:start] if line.strip()]
            own = self._lines[start : end + 1]
            own[0] = " " * column + own[0][column:]  # without the dash of the item
            laid_out = self._condition(key, value, own) if key.value == "condition" else None
            block = isinstance(value, Scalar) and value.style in ("|", ">")
            shifted = [_shifted(line, shift) for line in own]
            chunks.append(
                _Chunk(
                    key.value,
                    tuple(f"{_INDENT}{comment}" for comment in comments),
                    tuple(laid_out or (shifted if block else [line.rstrip() for line in shifted])),
                )
            )
            comments_from = end + 1
        return chunks

    def _condition(self, key: Scalar, value: Node, own: list[str]) -> list[str] | None:
        """Return the lines of a condition, None where it stays as it is: with a fault, a comment, a tag or an anchor."""
        if not isinstance(value, Scalar) or not value.value.strip():
            return None
        text = self._source.text
        between = text[key.span.end : value.span.start].strip()
        end = _end(value, self._source)
        behind = text[end : text.find("\n", end) if "\n" in text[end:] else len(text)].strip()
        header = text[value.span.start :].split("\n", 1)[0] if value.style in ("|", ">") else ""
        if between != ":" or behind or "#" in header or text[value.span.start] in "&!":
            return None
        before = f"{_INDENT}{key.value}:"
        broken = "\n" in value.value.strip() or len([line for line in own if line.strip()]) > 2
        try:
            parse(value.text)
        except ConditionError:
            return None
        lines = condition_lines(value.value, WIDTH - len(before) - 1, broken=broken)
        if lines is None:
            return None
        if len(lines) == 1 and _PLAIN.fullmatch(lines[0]):
            return [f"{before} {lines[0]}"]
        return [f"{before} >", *(f"{_INDENT * 2}{line}" for line in lines)]


def _shifted(line: str, shift: int) -> str:
    if not line.strip():
        return ""
    indent = len(line) - len(line.lstrip(" "))
    return " " * max(indent + shift, len(_INDENT)) + line[indent:]


def _collapsed(lines: list[str]) -> list[str]:
    """Return comments and blank lines, never two blank ones after another."""
    out: list[str] = []
    for line in lines:
        stripped = line.rstrip()
        if stripped or not out or out[-1]:
            out.append(stripped)
    return out


def _end(node: Node, source: Source) -> int:
    """Return the offset behind the last character of a node itself, not of comments that follow it."""
    if isinstance(node, Scalar) or source.text[node.span.start] in "[{":
        return node.span.start + len(source.text[node.span.start : node.span.end].rstrip())
    parts: Iterator[Node]
    parts = iter(node.items) if isinstance(node, Sequence) else (part for pair in node.pairs for part in pair)
    return max((_end(part, source) for part in parts), default=node.span.end)
