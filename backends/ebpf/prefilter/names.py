"""Comparisons of the name of a file, or of a part of it, with texts and patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from refengine.backends.ebpf.prefilter.atom import Atom, Constants, Make, all_of, any_of, fits, texts_of
from refengine.backends.ebpf.prefilter.facts import NAME_LIMIT, Facts, Level
from refengine.backends.ebpf.prefilter.text import Hint, may_be, may_be_in, may_end, may_start, text_of
from refengine.event.paths import TOO_LONG

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


def _folder(text: bytes) -> str:
    """Return in C that the name's folder is `text`."""
    if text == b"/":
        return "f->slash == 0"
    return all_of([f"f->slash == {len(text)}", "f->slash != 0", *_words(text)])


def _leaf(text: bytes) -> str:
    """Return in C that the name's last component is `text`."""
    return all_of([f"f->length - f->slash - 1 == {len(text)}", *_words(text, "f->slash + 1 + ")])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a name that fields show: how it is taken out of one, and its comparisons with a text by operator.

    Each comparison is in C, with the name known, and as what the text of the path tells of it.
    """

    take: Callable[[bytes], bytes]
    forms: Mapping[str, tuple[Callable[[bytes], str], Callable[[bytes], Hint]]]


WHOLE: Final = Part(
    lambda name: name,
    {"=": (_whole, may_be), "startswith": (_start, may_start), "endswith": (_end, may_end)},
)
FOLDER: Final = Part(lambda name: name.rpartition(b"/")[0] or b"/", {"=": (_folder, may_be_in)})
LEAF: Final = Part(lambda name: name.rpartition(b"/")[2], {"=": (_leaf, lambda text: may_end(b"/" + text))})


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern: `whole` where it fits certain texts only, else what every text that fits begins and ends with."""

    whole: Callable[[bytes], bool] | None
    expression: str
    may_fit: Callable[[bytes], bool]
    hints: tuple[Hint, ...]
    """All of them are true of what fits."""


def _glob(text: bytes) -> _Pattern:
    wild = _WILD.search(text)
    if wild is None:
        return _Pattern(
            lambda value: value == text, _whole(text), lambda value: value == text, (may_be(text),)
        )
    start, end = text[: wild.start()], _LAST_WILD.sub(b"", text)
    expression = all_of([_start(start), _end(end)] if end else [_start(start)])
    return _Pattern(
        None,
        expression,
        lambda value: value.startswith(start) and value.endswith(end),
        (may_start(start), may_end(end)),
    )


def _folder_tree(text: bytes) -> _Pattern:
    """Return the pattern of a path and everything below it, of which components may be patterns."""
    components = [component for component in text.split(b"/") if component]
    plain = list(takewhile(lambda component: _WILD.search(component) is None, components))
    path = b"".join(b"/" + component for component in plain)
    below = path + b"/"
    if len(plain) < len(components):
        return _Pattern(None, _start(below), lambda value: value.startswith(below), (may_start(below),))

    def covers(value: bytes) -> bool:
        return value == path or value.startswith(below)

    return _Pattern(covers, f"({_whole(path)}) || ({_start(below)})", covers, (may_start(path),))


_PIECE: Final = 4
"""Bytes of a text that are looked for in a name, at most."""


def _rare_piece(text: bytes) -> bytes:
    """Return a short piece of a text that few other names have in them: one with signs, if there is any."""
    pieces = [text[at : at + _PIECE] for at in range(max(1, len(text) - _PIECE + 1))]
    return max(pieces, key=lambda piece: sum(not chr(byte).isalpha() for byte in piece))


_PATTERNS: Final[Mapping[str, Callable[[bytes], _Pattern]]] = {"glob": _glob, "pmatch": _folder_tree}


def text_of_name(
    part: Part, is_known: Callable[[Facts], bool] = lambda _: True, known: str = "1", present: str = "1"
) -> Make:
    """Return the maker of comparisons of a part of the name.

    They are known only where `is_known`, which is `known` in C, too. `present` says in C whether the field has a value;
    where it has none, `is_known` has to be false.
    """

    def read(facts: Facts) -> bytes | None:
        name = facts.name() if is_known(facts) else None
        return None if name is None else part.take(name)

    def hint(may_hold: list[list[Hint]], outcome: bool, fits_too_long: bool) -> Atom:
        """Return the comparison that has `outcome` unless any of `may_hold`, of each all, are true."""
        needs_absolute = fits_too_long is not outcome

        def holds(facts: Facts) -> bool | None:
            text = text_of(facts) if is_known(facts) else None
            if text is None or (needs_absolute and text.start is None):
                return None
            return None if any(all(h.may_hold(text) for h in hints) for hints in may_hold) else outcome

        perhaps = any_of(all_of(f"({h.expression})" for h in hints) for hints in may_hold)
        certain = ["f->plain", known, f"!({perhaps})"]
        # A name that is too long is shown as another one.
        if needs_absolute:
            certain.insert(1, "f->absolute")
        return Atom(Level.TEXT, present if outcome else "0", holds, all_of(certain))

    def of_patterns(patterns: list[_Pattern]) -> Atom:
        """Return the comparison with patterns: certain where one without wild characters fits, or none can."""
        fits_whole = any_of(
            f"({present}) && ({pattern.expression})" for pattern in patterns if pattern.whole is not None
        )
        perhaps = any_of(pattern.expression for pattern in patterns if pattern.whole is None)

        def holds(facts: Facts) -> bool | None:
            value = read(facts)
            if value is None:
                return None
            if any(pattern.whole is not None and pattern.whole(value) for pattern in patterns):
                return True
            may_fit = any(pattern.whole is None and pattern.may_fit(value) for pattern in patterns)
            return None if may_fit else False

        fits_too_long = any(pattern.may_fit(too_long) for pattern in patterns)
        return Atom(
            Level.NAME,
            fits_whole,
            holds,
            f"f->known && {known} && (({fits_whole}) || !({perhaps}))",
            hint=hint([list(pattern.hints) for pattern in patterns], False, fits_too_long),
        )

    def of_contents(text: bytes) -> Atom:
        """Return the comparison with what the name contains: certain where a piece of it is not there."""
        piece = _rare_piece(text)
        perhaps = f"may_contain(s, f, {int.from_bytes(piece, 'little'):#x}, {len(piece)})"

        def holds(facts: Facts) -> bool | None:
            name = facts.name() if is_known(facts) else None
            return None if name is None or piece in name else False

        return Atom(Level.NAME, "0", holds, f"f->known && {known} && !{perhaps}")

    too_long = part.take(TOO_LONG.encode())

    def make(operator: str, constants: Constants) -> Atom | None:
        texts = texts_of(constants)
        # What is not plain, or too long, is never equal to a known name; an empty text is not worth the care.
        if not texts or not all(texts) or max(map(len, texts)) >= NAME_LIMIT // 2:
            return None
        if operator in _PATTERNS and part is WHOLE:
            return of_patterns([_PATTERNS[operator](text) for text in texts])
        if operator == "contains" and len(texts) == 1:
            return of_contents(texts[0])
        form = part.forms.get("=" if operator in ("==", "in", "!=") else operator)
        if form is None or (operator == "!=" and len(texts) > 1):
            return None

        def holds(facts: Facts) -> bool | None:
            value = read(facts)
            return None if value is None else fits(operator, value, texts)

        exact, rough = form
        differs = operator == "!="
        expression = any_of(map(exact, texts))
        return Atom(
            Level.NAME,
            f"({present}) && {'!' if differs else ''}({expression})",
            holds,
            f"f->known && {known}",
            hint=hint([[rough(text)] for text in texts], differs, bool(fits(operator, too_long, texts))),
        )

    return make


def raw_text(operator: str, constants: Constants) -> Atom | None:
    """Make comparisons of a path that is shown as it was given: a relative one is no absolute one."""
    texts = texts_of(constants)
    if not texts or operator not in ("=", "==", "in", "startswith") or not all(t[:1] == b"/" for t in texts):
        return None
    perhaps = any_of(f"f->absolute && ({may_start(text).expression})" for text in texts)

    def holds(facts: Facts) -> bool | None:
        text = text_of(facts)
        if text is None:
            return None
        start = text.start
        is_possible = start is not None and any(may_start(constant).may_hold(text) for constant in texts)
        return None if is_possible else False

    return Atom(Level.TEXT, "0", holds, f"f->plain && !({perhaps})")


def raw_name(operator: str, constants: Constants) -> Atom | None:
    """Make comparisons of `fd.nameraw`: what contains two dots in a row is not in a plain text."""
    texts = texts_of(constants)
    if texts is None or operator not in ("contains", "glob") or not all(b".." in text for text in texts):
        return None
    # A set of characters may hold two dots that stand for one.
    if operator == "glob" and any(byte in text for text in texts for byte in (b"[", b"\\")):
        return None
    return Atom(Level.TEXT, "0", lambda facts: None if facts.plain_text() is None else False, "f->plain")
