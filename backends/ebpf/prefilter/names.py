"""Comparisons of the name of a file, or of what comes from it, with texts and patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from refengine.backends.ebpf.prefilter.atom import Atom, Constants, Make, all_of, any_of, fits, texts_of
from refengine.backends.ebpf.prefilter.facts import NAME_LIMIT, Facts, Level

_WILD: Final = re.compile(rb"[*?\[\\]")
_LAST_WILD: Final = re.compile(rb".*(?:[*?\[\]]|\\.?)", re.DOTALL)


def _words(text: bytes, place: str = "") -> list[str]:
    """Return the comparisons of the name, from a place in it on, with `text`, eight bytes at a time."""
    parts = []
    for start in range(0, len(text), 8):
        piece = text[start : start + 8]
        value = int.from_bytes(piece, "little")
        word = f"word_at(s, f, {place}{start})"
        if len(piece) < 8:
            word = f"({word} & {(1 << 8 * len(piece)) - 1:#x}ULL)"
        parts.append(f"{word} == {value:#x}ULL")
    return parts


def _whole(text: bytes) -> str:
    return all_of([f"f->length == {len(text)}", *_words(text)])


def _start(text: bytes) -> str:
    return all_of(_words(text))


def _end(text: bytes) -> str:
    return all_of([f"f->length >= {len(text)}", *_words(text, f"f->length - {len(text)} + ")])


def folder(text: bytes) -> str:
    """Return in C that the name's folder is `text`."""
    if text == b"/":
        return "f->slash == 0"
    return all_of([f"f->slash == {len(text)}", "f->slash != 0", *_words(text)])


def leaf(text: bytes) -> str:
    """Return in C that the name's last component is `text`."""
    return all_of([f"f->length - f->slash - 1 == {len(text)}", *_words(text, "f->slash + 1 + ")])


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern: `whole` where it fits certain texts only, else what every text that fits begins and ends with."""

    whole: Callable[[bytes], bool] | None
    expression: str
    may_fit: Callable[[bytes], bool]


def _glob(text: bytes) -> _Pattern:
    wild = _WILD.search(text)
    if wild is None:
        return _Pattern(lambda value: value == text, _whole(text), lambda value: value == text)
    start, end = text[: wild.start()], _LAST_WILD.sub(b"", text)
    expression = all_of([_start(start), _end(end)] if end else [_start(start)])
    return _Pattern(None, expression, lambda value: value.startswith(start) and value.endswith(end))


def _folder_tree(text: bytes) -> _Pattern:
    """Return the pattern of a path and everything below it, of which components may be patterns."""
    components = [component for component in text.split(b"/") if component]
    plain = list(takewhile(lambda component: _WILD.search(component) is None, components))
    path = b"".join(b"/" + component for component in plain)
    below = path + b"/"
    if len(plain) < len(components):
        return _Pattern(None, _start(below), lambda value: value.startswith(below))

    def covers(value: bytes) -> bool:
        return value == path or value.startswith(below)

    return _Pattern(covers, f"({_whole(path)}) || ({_start(below)})", covers)


_PATTERNS: Final[Mapping[str, Callable[[bytes], _Pattern]]] = {"glob": _glob, "pmatch": _folder_tree}


def _patterns(
    operator: str, texts: list[bytes], read: Callable[[Facts], bytes | None], known: str, present: str
) -> Atom:
    """Return a comparison with patterns: certain where one without wild characters fits, or none can."""
    patterns = [_PATTERNS[operator](text) for text in texts]
    certain = any_of(
        f"({present}) && ({pattern.expression})" for pattern in patterns if pattern.whole is not None
    )
    perhaps = any_of(pattern.expression for pattern in patterns if pattern.whole is None)

    def holds(facts: Facts) -> bool | None:
        value = read(facts)
        if value is None:
            return None
        if any(pattern.whole is not None and pattern.whole(value) for pattern in patterns):
            return True
        return (
            None if any(pattern.whole is None and pattern.may_fit(value) for pattern in patterns) else False
        )

    return Atom(Level.NAME, certain, holds, f"{known} && (({certain}) || !({perhaps}))")


def text_of_name(
    forms: dict[str, Callable[[bytes], str]],
    read: Callable[[Facts], bytes | None],
    known: str,
    present: str = "1",
) -> Make:
    """Return the maker of comparisons of a text that comes from the name.

    `forms` gives the C by operator; `present` says in C whether the field has a value where the name is known.
    """

    def make(operator: str, constants: Constants) -> Atom | None:
        texts = texts_of(constants)
        if operator in _PATTERNS and operator in forms and texts and max(map(len, texts)) < NAME_LIMIT // 2:
            return _patterns(operator, texts, read, known, present)
        form = forms.get("=" if operator in ("==", "in", "!=") else operator)
        # What is not plain, or too long, is never equal to a known name; an empty text is not worth the care.
        if texts is None or form is None or not all(texts) or max(map(len, texts)) >= NAME_LIMIT // 2:
            return None
        if operator == "!=" and len(texts) > 1:
            return None

        def holds(facts: Facts) -> bool | None:
            value = read(facts)
            return None if value is None else fits(operator, value, texts)

        expression = any_of(map(form, texts))
        if operator == "!=":
            expression = f"!({expression})"
        return Atom(Level.NAME, f"({present}) && ({expression})", holds, known)

    return make


def raw_name(operator: str, constants: Constants) -> Atom | None:
    """Make comparisons of `fd.nameraw`: what contains two dots in a row is not in a text without them."""
    texts = texts_of(constants)
    if texts is None or operator not in ("contains", "glob") or not all(b".." in text for text in texts):
        return None
    # A set of characters may hold two dots that stand for one.
    if operator == "glob" and any(byte in text for text in texts for byte in (b"[", b"\\")):
        return None
    return Atom(Level.NAME, "0", lambda facts: facts.has_dots(), "f->no_dots")


PATH_FORMS: Final[dict[str, Callable[[bytes], str]]] = {
    "=": _whole,
    "startswith": _start,
    "endswith": _end,
    "glob": _whole,
    "pmatch": _whole,
}
