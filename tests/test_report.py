"""Diagnostics as text."""

from __future__ import annotations

from refengine.errors import Code, Diagnostic, Item, Note, Phase
from refengine.report import LONGEST_MESSAGE, WIDEST, render, snippet
from refengine.source import Place, Source, Span

SOURCE = Source("rules.yaml", "first line\n  second\tline\nlast")


def at(start: int, end: int, source: Source = SOURCE) -> Place:
    return Place(source, Span(start, end))


def error(message: str = "something is wrong", place: Place | None = None) -> Diagnostic:
    return Diagnostic(Code.VALIDATE, Phase.CHECK, message, place)


def test_everything_that_a_diagnostic_has_is_shown() -> None:
    diagnostic = Diagnostic(
        Code.VALIDATE,
        Phase.RESOLVE,
        "something is wrong",
        at(0, 5),
        notes=(Note("the other place", at(13, 19)), Note("and a remark")),
        suggestion="write it otherwise",
        path=(Item("rule", "A rule"), Item("condition expression", "x"), Item("value for", "")),
    )
    assert render(diagnostic) == "\n".join(
        [
            "rules.yaml:1:1: error: something is wrong [LOAD_ERR_VALIDATE]",
            "  in rule 'A rule', condition expression 'x'",
            "  1 | first line",
            "    | ^^^^^",
            "  note: rules.yaml:2:3: the other place",
            "  2 |   second\tline",
            "    |   ^^^^^^",
            "  note: and a remark",
            "  help: write it otherwise",
        ]
    )


def test_a_diagnostic_without_a_place_is_one_line() -> None:
    assert render(error()) == "error: something is wrong [LOAD_ERR_VALIDATE]"
    assert str(error()) == "LOAD_ERR_VALIDATE: something is wrong"
    assert str(error(place=at(0, 1))) == "rules.yaml:1:1: LOAD_ERR_VALIDATE: something is wrong"
    warning = Diagnostic(Code.NO_EVTTYPE, Phase.CHECK, "slow")
    assert render(warning) == "warning: slow [LOAD_NO_EVTTYPE]"


def test_tabs_keep_the_caret_in_its_column() -> None:
    assert snippet(at(20, 24)) == ["  2 |   second\tline", "    |         \t^^^^"]


def test_a_span_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    assert snippet(at(6, 28)) == ["  1 | first line", "    |       ^^^^"]


def test_the_end_of_a_line_can_be_shown() -> None:
    assert snippet(at(len(SOURCE.text), len(SOURCE.text))) == ["  3 | last", "    |     ^"]
    assert snippet(at(10, 10)) == ["  1 | first line", "    |           ^"]


def test_long_lines_are_cut_around_the_fault() -> None:
    source = Source("f", "x" * 400 + "FAULT" + "y" * 400)
    line, carets = snippet(at(400, 405, source))
    assert line.startswith("  1 | ...xxx")
    assert line.endswith("yyy...")
    assert len(line) <= WIDEST + 12
    column = carets.index("^")
    assert line[column : column + carets.count("^")] == "FAULT"
    start, carets = snippet(at(0, 3, source))
    assert start.startswith("  1 | xxx")
    assert carets == "    | ^^^"
    _, carets = snippet(at(300, 805, source))
    assert len(carets) <= WIDEST + 12


def test_line_numbers_shift_the_margin() -> None:
    source = Source("f", "\n" * 11 + "abc")
    assert snippet(at(12, 13, source)) == ["  12 | abc", "     |  ^"]


def test_nothing_can_disturb_a_terminal() -> None:
    source = Source("f\x1b[2J", "a\x1b[31mb\udcff\u202e")
    shown = render(
        Diagnostic(
            Code.VALIDATE,
            Phase.CHECK,
            "unknown '\x1b[0m\udcff\n'",
            at(1, 2, source),
            suggestion="\x07",
            path=(Item("rule", "\x9b"),),
        )
    )
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert shown.encode("utf-8")
    assert shown.split("\n")[0] == "f?[2J:1:2: error: unknown '?[0m??' [LOAD_ERR_VALIDATE]"


def test_a_message_may_quote_anything_and_stays_readable() -> None:
    shown = render(error("unknown field '" + "x" * 100_000 + "' in this condition"))
    assert len(shown) < LONGEST_MESSAGE + 40
    assert shown.startswith("error: unknown field 'xxx")
    assert "xxx...xxx" in shown
    assert shown.endswith("xxx' in this condition [LOAD_ERR_VALIDATE]")
