from __future__ import annotations

import pytest
import yaml

from refengine.errors import Code, RulesError
from refengine.rulefile.yaml import DEPTH_LIMIT, Mapping, Node, Scalar, Sequence, read_documents
from refengine.source import Source, Span


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with libyaml and with PyYAML's own parser, which takes its place where it is missing."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr("refengine.rulefile.yaml._Loader", getattr(yaml, request.param))


def document(text: str) -> Node:
    (root,) = read_documents(Source("f.yaml", text))
    return root


def value(text: str, key: str = "a") -> Scalar:
    root = document(text)
    assert isinstance(root, Mapping)
    node = root.by_key[key]
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    "written", ["=", "yes", "off", "0755", "0x10", "1:30", "1.0", "2001-12-14", "<<", "1e3", ".inf"]
)
def test_a_scalar_stays_the_text_that_was_written(written: str) -> None:
    root = document(f"[{written}]")
    assert isinstance(root, Sequence)
    (item,) = root.items
    assert isinstance(item, Scalar)
    assert (item.value, item.is_null) == (written, False)


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL"])
def test_an_unquoted_null_is_null(written: str) -> None:
    assert value(f"a: {written}").is_null


@pytest.mark.parametrize("written", ["''", '"null"', "'~'", "!!str ", "nULL", "none"])
def test_what_is_quoted_or_tagged_is_not_null(written: str) -> None:
    assert not value(f"a: {written}").is_null


def test_of_two_equal_keys_the_first_counts() -> None:
    assert value("a: 1\na: 2").value == "1"


def test_merge_keys_are_keys_like_any_other() -> None:
    root = document("x: &x {a: 1}\ny:\n  <<: *x\n")
    assert isinstance(root, Mapping)
    inner = root.by_key["y"]
    assert isinstance(inner, Mapping)
    assert list(inner.by_key) == ["<<"]


def test_an_alias_is_the_node_that_it_names() -> None:
    root = document("[&x [1], *x]")
    assert isinstance(root, Sequence)
    assert root.items[0] is root.items[1]


def test_every_document_of_a_stream_is_read() -> None:
    assert len(read_documents(Source("f", "--- 1\n---\n- 2\n"))) == 2


@pytest.mark.parametrize(
    ("written", "position"),
    [
        ("a: [b", (1, 6)),
        ("a: b: c", (1, 5)),
        ("a: 'b", (1, 6)),
        ("a:\n\t- b", (2, 1)),
        ("- a\n- \x01", (2, 3)),
        ("\x00", (1, 1)),
        ("a: *nothing", (1, 4)),
        ("&a [*a]", (1, 5)),
        ("a: \ud800", (1, 4)),
        ("[" * (DEPTH_LIMIT + 1), (1, DEPTH_LIMIT + 1)),
        ("a: 1\n---\nb: %x\n", (3, 4)),
        ("%", (1, 2)),
    ],
)
def test_a_fault_has_its_place(written: str, position: tuple[int, int]) -> None:
    with pytest.raises(RulesError) as caught:
        read_documents(Source("f.yaml", written))
    (found,) = caught.value.diagnostics
    assert found.code is Code.YAML_PARSE
    assert found.place is not None
    assert (found.place.start.line, found.place.start.column) == position


def test_aliases_of_aliases_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 60)]
    assert isinstance(document("\n".join(lines)), Mapping)


TEXTS = {
    "plain": ("a: evt.type = open and foo\n", "evt.type = open and foo"),
    "plain over lines": ("a: evt.type = open\n   and foo\n\n   or x\n", "evt.type = open and foo\nor x"),
    "folded": ("a: >\n  evt.type = open\n  and foo\n", "evt.type = open and foo\n"),
    "folded, with more indented lines": ("a: >-\n  one\n    two\n  foo\n", "one\n  two\nfoo"),
    "literal": ("a: |\n  one\n\n   foo\n", "one\n\n foo\n"),
    "literal with a comment in its header": ("a: |2+ # foo\n   one\n  foo\n\n", " one\nfoo\n\n"),
    "single quotes": ("a: 'it''s\n  a foo'\n", "it's a foo"),
    "double quotes": ('a: "x\\x41 \\"y\\" \\\n   z\n\n   foo"\n', 'xA "y" z\nfoo'),
    "tagged": ("a: &b !c foo\n", "foo"),
    "with CRLF": ("a: >\r\n  one\r\n  foo\r\n", "one foo\n"),
    "beyond ASCII": ('a: "é😀\\u00e9 foo"\n', "é😀é foo"),
}


@pytest.mark.parametrize(("written", "read"), TEXTS.values(), ids=TEXTS)
def test_each_character_knows_where_it_stands(written: str, read: str) -> None:
    scalar = value(written)
    assert scalar.value == read
    text = scalar.text
    for word in ("foo", "one", "open", "y", "z"):
        at = read.find(word)
        if at >= 0:
            place = text.place(Span(at, at + len(word)))
            found = written[place.span.start : place.span.end]
            assert found == word
            assert place.span.start == written.rindex(word)


def test_an_escape_maps_to_all_of_itself() -> None:
    written = 'a: "x\\u0041y"'
    text = value(written).text
    place = text.place(Span(1, 2))
    assert written[place.span.start : place.span.end] == "\\u0041"
