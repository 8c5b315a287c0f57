"""The canonical text of conditions."""

from __future__ import annotations

import pytest

from refengine.condition.nodes import And, Identifier, MacroUse
from refengine.condition.parser import parse
from refengine.condition.printer import print_condition
from refengine.source import Span, Text

CASES = [
    ("a", "a"),
    ("((a))", "a"),
    ("a and b or c", "((a and b) or c)"),
    ("a and (b and c)", "(a and (b and c))"),
    ("a and b and c", "(a and b and c)"),
    ("not a", "not a"),
    ("not not not a", "not a"),
    ("not(a or b)", "not (a or b)"),
    ("not (not a)", "not not a"),
    ("proc.name=cat", "proc.name = cat"),
    ("proc.name == 'cat'", "proc.name == cat"),
    ("proc.name = 'a b'", 'proc.name = "a b"'),
    ("proc.name = ''", 'proc.name = ""'),
    ("proc.name = 'say \"x\"'", 'proc.name = "say \\"x\\""'),
    ("proc.name = 'a\\nb'", 'proc.name = "a\\nb"'),
    ("proc.name = a\\b", 'proc.name = "a\\\\b"'),
    ("proc.name = a\\", 'proc.name = "a\\x5c"'),
    ("proc.name in ()", "proc.name in ()"),
    ("proc.name in (a,'b c' , d)", 'proc.name in (a, "b c", d)'),
    ("proc.name in shells", "proc.name in shells"),
    ("proc.name pmatch(/etc)", "proc.name pmatch (/etc)"),
    ("proc.name  startswith anyof  (a,b)", "proc.name startswith anyof (a, b)"),
    ("proc.name = oneof shells", "proc.name = oneof shells"),
    ("proc.pid>=0x1F", "proc.pid >= 0x1F"),
    ("proc.name exists", "proc.name exists"),
    ("proc.aname['2'] = x", "proc.aname[2] = x"),
    ("proc.env['a b'] = x", 'proc.env["a b"] = x'),
    ("proc.env[\"a'b\"] = x", 'proc.env["a\'b"] = x'),
    ("proc.name = val( proc.pname )", "proc.name = val(proc.pname)"),
    ("tolower( proc.name ) = x", "tolower(proc.name) = x"),
    ("join( ',' , (proc.name,'a' , 1)) = x", 'join(",",(proc.name, "a", 1)) = x'),
    ("concat(proc.name, 'x') = toupper(b64(proc.pname))", 'concat(proc.name,"x") = toupper(b64(proc.pname))'),
    ("getopt((proc.name),'a:')[a] = x", 'getopt((proc.name),"a:")[a] = x'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), CASES)
def test_canonical_texts(text: str, canonical: str) -> None:
    assert print_condition(parse(text)) == canonical


@pytest.mark.parametrize("text", [text for text, canonical in CASES if "not not" not in canonical])
def test_canonical_texts_read_back_as_the_same_tree(text: str) -> None:
    tree = parse(text)
    canonical = print_condition(tree)
    assert parse(canonical) == tree
    assert print_condition(parse(canonical)) == canonical


def test_macros_are_shown_by_what_they_stand_for() -> None:
    body = Text.of("proc.name = a or proc.name = b")
    macro = MacroUse("shells", parse(body), body, Span(0, 6))
    tree = And((macro, Identifier("other", Span(11, 16))), Span(0, 16))
    assert print_condition(tree) == "((proc.name = a or proc.name = b) and other)"
