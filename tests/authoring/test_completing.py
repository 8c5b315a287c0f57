"""What may come next in a line that is typed, and what its words are."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.authoring.exploring.completion import OPERATOR_WORDS, TRANSFORMER_WORDS
from refengine.authoring.exploring.marks import Expected, marks
from refengine.authoring.exploring.session import complete, condition_start
from refengine.authoring.exploring.table import Heading, cells, cut, table
from refengine.authoring.exploring.workspace import Workspace
from refengine.condition.parser import parse
from refengine.condition.vocabulary import OPERATORS, TRANSFORMERS
from refengine.source import Text
from refengine.terminal import Style
from tests.authoring.desks import desk, events_file


@pytest.fixture
def at(tmp_path: Path) -> Workspace:
    return desk(events_file(tmp_path))


def words(at: Workspace, text: str) -> list[str]:
    return [each.text for each in complete(text, at)]


def test_every_operator_and_transformer_has_a_word_of_explanation() -> None:
    assert set(OPERATOR_WORDS) == set(OPERATORS)
    assert set(TRANSFORMER_WORDS) == set(TRANSFORMERS)


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        ("", ["count", "opened", "not", "evt.type", "tolower(", "ka.verb"][:-1], ["=", "and", "ka.verb"]),
        ("evt.ty", ["evt.type"], ["proc.name"]),
        ("proc.a", ["proc.aname", "proc.aname"], ["proc.name"]),
        ("fd.num ", ["=", ">=", "in", "exists"], ["startswith", "glob"]),
        ("evt.failed ", ["=", "exists"], [">", "contains"]),
        ("fd.types ", ["in", "intersects", "exists"], ["=", "contains"]),
        ("len(proc.name) ", [">="], ["startswith"]),
        ("tolower(", ["proc.name", "basename("], ["and", "opened"]),
        ("proc.name = ", ["cat", "bash", "sh", "val(", "oneof"], ["shells", "/etc/shadow"]),
        ("proc.name = c", ["cat"], ["bash"]),
        ("proc.name in ", ["("], ["cat"]),
        ("proc.name in (", ["cat", "shells"], ["val("]),
        ("proc.name in (cat, s", ["sh", "shells"], ["cat"]),
        ("proc.name in (cat) ", ["and", "or"], ["cat"]),
        ("proc.name = cat a", ["and"], ["or"]),
        ("proc.name = cat and op", ["opened"], ["cat"]),
        ("not (op", ["opened"], ["cat"]),
        ("evt.type = ", ["open", "openat", "connect"], ["shells"]),
        ("evt.failed = ", ["true", "false"], []),
        ("evt.arg.flags contains ", ["O_TRUNC", "CLONE_FILES"], []),
        ("proc.name = val(", ["proc.pname"], ["cat"]),
        ("cou", ["count"], ["opened"]),
        ("count proc.n", ["proc.name"], ["cat"]),
        ("count proc.name, fd.n", ["fd.name"], ["proc.name"]),
        ("count proc.name where fd.name ", ["startswith"], ["proc.name"]),
        ("explain 1 ", ["Shadow read", "opened", "evt.type"], []),
        ("explain 1 Sh", ["Shadow read", "Shell opens"], ["opened"]),
        ("explain 1 proc.name = ", ["cat"], []),
        ("explain ", [], ["opened"]),
        ("rules Shadow r", ["Shadow read"], ["Shell opens"]),
        ("help con", ["conditions"], ["values"]),
        ("show ", [], ["cat", "opened"]),
    ],
)
def test_what_fits_is_offered(at: Workspace, text: str, some: list[str], none: list[str]) -> None:
    offered = words(at, text)
    assert set(some) <= set(offered)
    assert not set(none) & set(offered)
    assert some or not offered


def test_what_is_offered_goes_where_the_word_began(at: Workspace) -> None:
    (field,) = [each for each in complete("opened and fd.nam", at) if each.text == "fd.name"]
    assert field.start == len("opened and ")
    assert field.about.startswith("charbuf: ")


def test_values_of_events_come_first_and_say_how_often(at: Workspace) -> None:
    first, *_ = complete("proc.name = ", at)
    assert (first.text, first.about) == ("cat", "in 2 events")


def test_values_are_quoted_where_they_must(tmp_path: Path) -> None:
    at = desk(events_file(tmp_path, [{"evt.type": "open", "proc.cmdline": 'sh -c "x"'}]))
    assert 'proc.cmdline = "sh -c \\"x\\""' in [
        f"proc.cmdline = {word}" for word in words(at, "proc.cmdline = ")
    ]
    parse(Text.of(f"proc.cmdline = {words(at, 'proc.cmdline = ')[0]}"))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("evt.type in (open, 'a b') and not opened", "field operator bracket value other value bracket joint joint macro"),
        ("tolower(proc.name)[0] = x or (fd.num>=3)", None),
        ('proc.name = "unfinished', "field operator value"),
        ("proc.name =", "field operator"),
        ("len(join(',', proc.args)) > 3", "transformer bracket transformer bracket value other field bracket bracket operator value"),
        ("proc.name = val(proc.pname)", "field operator transformer bracket field bracket"),
        ("proc.name startswith anyof (a)", "field operator operator bracket value bracket"),
        (") ( , = \\", None),
        ("fd.name = /a,b or", None),
        ("", ""),
    ],
)  # fmt: skip
def test_words_are_what_they_are(text: str, kinds: str | None) -> None:
    found, _ = marks(text)
    at = 0
    for mark in found:
        assert at <= mark.start < mark.end <= len(text)
        assert not text[at : mark.start].strip()
        at = mark.end
    assert not text[at:].strip()
    if kinds is not None:
        assert " ".join(mark.kind.value for mark in found) == kinds


def test_words_are_told_from_where_the_condition_begins() -> None:
    line = "count proc.name where fd.num >"
    start = condition_start(line)
    assert start is not None
    assert line[start:] == "fd.num >"
    found, now = marks(line, start)
    assert [line[mark.start : mark.end] for mark in found] == ["fd.num", ">"]
    assert (now.expected, now.left, now.operator) == (Expected.VALUE, "fd.num", ">")
    assert condition_start("show 3") is None
    assert condition_start("# a remark") is None
    assert condition_start("explain 3 opened") == len("explain 3 ")


class TestTables:
    HEADINGS = (Heading("number", True), Heading("name"), Heading("file"))

    def test_columns_are_as_wide_as_they_must_be(self) -> None:
        lines, shown = table(self.HEADINGS, [["1", "cat", "/etc/passwd"], ["12", "x", ""]], 80, Style(False))
        assert shown == 3
        assert lines == ["number  name  file", "     1  cat   /etc/passwd", "    12  x"]

    def test_the_widest_give_way_and_lose_their_middle(self) -> None:
        lines, shown = table(
            self.HEADINGS, [["1", "cat", "/a/very/long/path/to/some/file"]], 32, Style(False)
        )
        assert shown == 3
        assert lines[1] == "     1  cat   /a/very/lon…e/file"
        assert all(cells(line) <= 32 for line in lines)

    def test_columns_without_room_are_left_out(self) -> None:
        _, shown = table(self.HEADINGS, [["1", "a" * 30, "b" * 30]], 20, Style(False))
        assert shown == 2

    def test_wide_characters_take_two_columns(self) -> None:
        assert cells("日本") == 4
        assert cells(cut("日本語日本語日本語", 10)) <= 10

    def test_what_disturbs_a_terminal_is_not_shown(self) -> None:
        assert cut("a\x1b[31mb", 20) == "a?[31mb"
