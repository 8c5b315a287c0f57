"""Texts know where each of their characters came from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from refengine.source import Piece, Place, Position, Source, Span, Text


def found(text: Text, part: str) -> str:
    """Return where `part` of the text stands, as `source:start-end`."""
    start = text.value.index(part)
    place = text.place(Span(start, start + len(part)))
    return f"{place.source.name}:{place.span.start}-{place.span.end}"


def test_positions_count_lines_and_columns_from_one() -> None:
    source = Source("f", "ab\n\ncd\r\ne")
    assert source.position(0) == Position(1, 1, 0)
    assert source.position(2) == Position(1, 3, 2)
    assert source.position(3) == Position(2, 1, 3)
    assert source.position(5) == Position(3, 2, 5)
    assert source.position(99) == Position(4, 2, 9)
    assert source.position(-1) == Position(1, 1, 0)
    assert [source.line(number) for number in range(1, 5)] == ["ab", "", "cd", "e"]


def test_a_place_shows_its_file_line_and_column() -> None:
    place = Place(Source("rules.yaml", "a\nbcd"), Span(3, 5))
    assert str(place) == "rules.yaml:2:2"
    assert (place.start.column, place.end.column) == (2, 4)
    assert Span(1, 2).to(Span(5, 9)) == Span(1, 9)


def test_a_text_that_is_a_whole_source() -> None:
    text = Text.of("proc.name = x", "f")
    assert found(text, "name") == "f:5-9"
    assert text.place(Span(13, 13)).span == Span(13, 13)
    empty = Text.of("", "f")
    assert empty.place(Span(0, 0)).span == Span(0, 0)


def test_joined_texts_keep_their_origins() -> None:
    text = Text.joined([Text.of("abc", "one"), Text.of("def", "two"), Text.of("", "three")], " and ")
    assert text.value == "abc and def and "
    assert found(text, "bc") == "one:1-3"
    assert found(text, "de") == "two:0-2"
    assert found(text, " and def").startswith("one:")  # what lies between belongs to the text before it
    assert found(text, "c and d") == "one:2-3"  # a span over two sources shows where it starts


def test_replacements_map_to_what_they_replaced() -> None:
    text = Text.of("x in (shells) or y in (editors)", "f").substituted([(6, 12, "bash, zsh"), (23, 30, "vi")])
    assert text.value == "x in (bash, zsh) or y in (vi)"
    assert found(text, "bash") == found(text, "zsh") == "f:6-12"
    assert found(text, "vi") == "f:23-30"
    assert found(text, "x in") == "f:0-4"
    assert found(text, ") or y") == "f:12-18"
    assert found(text, "(bash, zsh)") == "f:5-13"


def test_replacements_of_replacements_still_map_to_the_source() -> None:
    first = Text.of("in (a) z", "f").substituted([(4, 5, "b, cc")])
    second = first.substituted([(7, 9, "dddd")])
    assert second.value == "in (b, dddd) z"
    assert found(second, "dddd") == found(second, "b") == "f:4-5"
    assert found(second, "z") == "f:7-8"
    joined = Text.joined([second, Text.of("q", "g")])
    assert found(joined, "dddd") == "f:4-5"
    assert found(joined, "q") == "g:0-1"


def test_an_empty_replacement_leaves_the_rest_in_place() -> None:
    text = Text.of("a xx b", "f").substituted([(2, 4, "")])
    assert text.value == "a  b"
    assert found(text, "b") == "f:5-6"


def test_places_are_found_only_when_asked_for() -> None:
    def trace() -> list[Piece]:
        raise AssertionError("nobody asked")

    text = Text("abc", trace)
    assert Text.joined([text, text]).substituted([(0, 1, "x")]).value == "xbc abc"


@given(
    st.text(alphabet="ab\n", max_size=20),
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 3), st.text(alphabet="xy", max_size=4)), max_size=4
    ),
)
def test_every_character_that_was_kept_maps_to_itself(value: str, wanted: list[tuple[int, int, str]]) -> None:
    edits: list[tuple[int, int, str]] = []
    at = 0
    for start, length, replacement in sorted(wanted):
        if start >= at and start + length <= len(value):
            edits.append((start, start + length, replacement))
            at = start + length
    text = Text.of(value, "f").substituted(edits)
    for offset, character in enumerate(text.value):
        place = text.place(Span(offset, offset + 1))
        if character not in "xy":
            assert place.span.end == place.span.start + 1
            assert value[place.span.start] == character
        else:
            assert any(start <= place.span.start <= end for start, end, _ in edits)
