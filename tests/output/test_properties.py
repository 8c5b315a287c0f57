"""What holds for every text and every value."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from refengine.errors import TemplateError
from refengine.output.alert import Alert
from refengine.output.compile import compile_template
from refengine.output.escape import single_line, valid_unicode
from refengine.output.formats import LineFormat
from refengine.output.render import JsonValue
from refengine.output.template import FieldPart, parse_template
from refengine.priority import Priority
from refengine.source import Text

ANY_BYTES = st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))
TEMPLATES = st.lists(
    st.sampled_from(
        [
            "%",
            "%%",
            "*",
            "proc.name",
            "%proc.name",
            "%10fd.name",
            "%evt.arg.flags",
            "[2]",
            "(",
            ")",
            "toupper(",
            "%toupper(",
            "%proc.aname[2]",
            "%ka.verb",
            "%join(",
            '", "',
            ",",
            "%proc.",
            "text ",
            "\n",
            "[",
            "]",
            "%fd.types",
            "%7",
            "9",
        ]
    ),
    max_size=12,
).map("".join)


@given(ANY_BYTES)
def test_a_line_is_one_line_of_utf8(text: str) -> None:
    line = single_line(text)
    assert len(line.encode().splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    assert single_line(line) == line


@given(ANY_BYTES, ANY_BYTES, st.dictionaries(ANY_BYTES, st.none() | st.integers() | ANY_BYTES))
def test_an_alert_in_json_is_one_line_that_reads_back(
    rule: str, message: str, values: dict[str, str | int | None]
) -> None:
    fields: dict[str, JsonValue] = {**values}
    line = LineFormat(json=True).line(Alert(rule, Priority.ALERT, "syscall", 1, 1, message, fields), "host")
    assert b"\n" not in line.encode()
    assert json.loads(line)["rule"] == valid_unicode(rule)


@given(TEMPLATES)
def test_a_template_parses_or_is_refused_with_places(text: str) -> None:
    try:
        template = parse_template(Text.of(text))
    except TemplateError as error:
        places = [diagnostic.place for diagnostic in error.diagnostics]
        assert all(places)
        return
    at = 0 if template.requires_all else 1
    for part in template.parts:
        assert part.span.start == at
        at = part.span.end
        if isinstance(part, FieldPart):
            assert text[part.span.start] == "%"
            assert text[: part.span.end].endswith(part.key)
    assert at == len(text)


@given(st.text(st.characters(exclude_characters="%"), min_size=1).filter(lambda text: text[0] != "*"))
def test_text_without_fields_is_itself(text: str) -> None:
    filled = compile_template(parse_template(Text.of(text)), lambda _operand: lambda _event: None)
    alert = filled(None)  # type: ignore[arg-type]  # no field reads it
    assert alert is not None
    assert alert.text == text
