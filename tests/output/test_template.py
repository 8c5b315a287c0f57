from __future__ import annotations

import pytest
import yaml

from refengine.condition.typed import Transform
from refengine.errors import Code, Phase, TemplateError
from refengine.fields.reading import FieldRead
from refengine.output.template import FieldPart, LiteralPart, Template, parse_template
from refengine.source import Span, Text
from tests.corpus import corpus


def parse(text: str, source: str = "syscall") -> Template:
    return parse_template(Text.of(text, "<output>"), source)


def shape(template: Template) -> list[str | tuple[str, int | None]]:
    """Return literal texts, and key and width of each field."""
    return [part.text if isinstance(part, LiteralPart) else (part.key, part.width) for part in template.parts]


def fault(text: str, source: str = "syscall") -> str:
    with pytest.raises(TemplateError) as caught:
        parse(text, source)
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.code is Code.COMPILE_OUTPUT
        assert diagnostic.phase is Phase.OUTPUT
        assert diagnostic.place is not None
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", ["plain"]),
        ("%proc.name", [("proc.name", None)]),
        ("*%proc.name", [("proc.name", None)]),
        ("*", []),
        ("a %proc.name b", ["a ", ("proc.name", None), " b"]),
        ("%proc.name%fd.name", [("proc.name", None), ("fd.name", None)]),
        ("%10proc.name|", [("proc.name", 10), "|"]),
        ("(%proc.name)", ["(", ("proc.name", None), ")"]),
        ("%proc.name.", [("proc.name", None), "."]),
        ("%proc.names", [("proc.name", None), "s"]),
        ("%proc.name[%proc.pid]", [("proc.name", None), "[", ("proc.pid", None), "]"]),
        ("%proc.name[2]", [("proc.name", None), "[2]"]),
        ("%proc.aname[2]", [("proc.aname[2]", None)]),
        ("%proc.aname[2][3]", [("proc.aname[2]", None), "[3]"]),
        ("%proc.aname[2", [("proc.aname", None), "[2"]),
        ("%evt.arg.flags,", [("evt.arg.flags", None), ","]),
        ("%evt.arg[0]", [("evt.arg[0]", None)]),
        ("%evt.args", [("evt.args", None)]),
        ("%toupper(proc.name)!", [("toupper(proc.name)", None), "!"]),
        ("%5toupper(basename(proc.exepath))", [("toupper(basename(proc.exepath))", 5)]),
        ("%toupper(proc.name)[x]", [("toupper(proc.name)", None), "[x]"]),
        ('%join("-", (proc.name, "x"))', [('join("-", (proc.name, "x"))', None)]),
        ("100% %proc.name", None),
    ],
)
def test_the_longest_text_that_names_something_is_the_field(
    text: str, parts: list[str | tuple[str, int | None]] | None
) -> None:
    if parts is None:
        assert "expected a field" in fault(text)
    else:
        assert shape(parse(text)) == parts


def test_the_star_says_that_absent_values_do_not_matter() -> None:
    assert parse("%proc.name").requires_all
    assert not parse("*%proc.name").requires_all
    assert shape(parse("a*%proc.name")) == ["a*", ("proc.name", None)]


def test_parts_know_their_places_and_types() -> None:
    template = parse("*a %10proc.aname[2] %tolower(proc.name)")
    assert [part.span for part in template.parts] == [Span(1, 3), Span(3, 19), Span(19, 20), Span(20, 39)]
    first, second = template.fields
    assert isinstance(first.operand, FieldRead)
    assert first.operand.argument == "2"
    assert isinstance(second.operand, Transform)


def test_static_fields_are_constants() -> None:
    template = parse_template(
        Text.of("%static.region/%static.regional"), "syscall", {"region": "eu", "regional": "x"}
    )
    given = [part.operand.given for part in template.fields if isinstance(part.operand, FieldRead)]
    assert given == ["eu", "x"]
    assert [part.key for part in template.fields] == ["static.region", "static.regional"]


def test_an_unknown_field_is_shown_with_its_place_and_the_nearest_name() -> None:
    assert fault("user=%user.nam x") == (
        "<output>:1:7: error: unknown field 'user.nam' [LOAD_ERR_COMPILE_OUTPUT]\n"
        "  1 | user=%user.nam x\n"
        "    |       ^^^^^^^^\n"
        "  help: did you mean 'user.name'?"
    )


def test_every_fault_is_told() -> None:
    message = fault("%foo.bar and %proc.nam and % and %proc.name %")
    assert message.count("LOAD_ERR_COMPILE_OUTPUT") == 4


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "the output is empty"),
        ("a %", "ends with a '%' with nothing behind it"),
        ("a %12", "ends with a width with no field behind it"),
        ("%%proc.name", "expected a field or a transformer after '%', found '%'"),
        ("%foo", "found 'foo'"),
        ("%evt.arg", "needs an argument"),
        ("%evt.arg.nonsense", "no event has a parameter 'nonsense'"),
        ("%fd.ip", "but not printed"),
        ("%toupper(fd.net)", "cannot"),
        ("%toupper(evt.num)", "does not take"),
        ("%toupper(proc.name", "never closed"),
        ("%ka.verb", "exists for events of source k8s_audit, not for syscall"),
        ("%99999999999proc.name", "the width is larger than"),
    ],
)
def test_what_cannot_be_printed_is_an_error(text: str, part: str) -> None:
    assert part in fault(text)


def test_fields_are_those_of_the_source() -> None:
    assert shape(parse("%ka.verb %evt.num", "k8s_audit")) == [("ka.verb", None), " ", ("evt.num", None)]
    assert "not for k8s_audit" in fault("%proc.name", "k8s_audit")


def test_the_place_is_that_in_the_source() -> None:
    text = Text.joined([Text.of("a %proc.name", "one"), Text.of("%proc.nam", "two")])
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert str(caught.value.diagnostics[0].place) == "two:1:2"


def test_a_very_long_text_is_no_trouble() -> None:
    assert len(parse("%proc.name " * 10_000).parts) == 20_000
    assert "unknown field" in fault("%" + "a." * 2_000 + "b")


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules", "k8s_audit_rules"]
)
def test_the_outputs_of_public_rules_parse(name: str) -> None:
    document = yaml.safe_load(corpus(f"rules/{name}.yaml").read_text())
    rules = [item for item in document if "output" in item]
    assert rules
    for rule in rules:
        template = parse(rule["output"], rule.get("source", "syscall"))
        assert all(isinstance(part, LiteralPart | FieldPart) for part in template.parts)
        assert sum(1 for part in template.parts if isinstance(part, FieldPart)) == rule["output"].count("%")
