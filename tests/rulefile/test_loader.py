"""Loading as a whole: several files, public rules, recorded verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine.errors import RulesError
from refengine.rulefile.loader import load
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence, read_documents
from refengine.source import Source
from tests.corpus import corpus
from tests.rulefile.loading import codes, compiled, loaded, rule, valid


def test_errors_of_all_files_are_raised_at_once() -> None:
    result = loaded("- {list: l}", "a: [", rule("evt.nun = 1"))
    assert [len(file.errors) for file in result.files] == [1, 1, 1]
    with pytest.raises(RulesError) as caught:
        result.check()
    assert caught.value.diagnostics == result.errors


def test_a_fault_of_an_earlier_file_is_not_told_again() -> None:
    result = loaded(rule("evt.nun = 1"), rule(name="s"))
    assert [len(file.errors) for file in result.files] == [1, 0]


def test_a_later_file_sees_the_lists_of_an_earlier_one_and_changes_it() -> None:
    first = "- {list: l, items: [a]}\n" + rule("proc.name in (l)")
    assert compiled(first, "- {list: l, items: [b], append: true}") == "proc.name in (a, b)"


def test_what_a_later_file_does_not_change_stays_the_same_object() -> None:
    first = "- {macro: m, condition: evt.type = open}\n" + rule("m")
    alone, together = valid(first), valid(first, rule(name="s"))
    assert alone.rules[0].text.value == together.rules[0].text.value
    changed = valid(first, "- {macro: m, condition: or evt.type = close, append: true}")
    assert changed.rules[0].event_types == {"open", "close"}


def test_unused_definitions_are_not_warned_of_beside_errors() -> None:
    text = "- {list: l, items: []}\n- {macro: m, condition: evt.num = 1}\n"
    assert codes(valid(text)) == ["LOAD_UNUSED_MACRO", "LOAD_UNUSED_LIST"]
    assert codes(loaded(text + rule("evt.nun = 1"))) == ["LOAD_ERR_COMPILE_CONDITION"]


def test_paths_and_sources_can_be_mixed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(rule(), encoding="utf-8")
    result = load([file, str(file), Source("x", rule(name="s"))])
    assert [found.name for found in result.rules] == ["r", "s"]


@given(
    st.recursive(
        st.text(max_size=8) | st.sampled_from(["a.b = 1", "evt.type = open", "m", "true", ""]) | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "rule",
                        "list",
                        "macro",
                        "condition",
                        "items",
                        "output",
                        "desc",
                        "priority",
                        "append",
                        "override",
                        "exceptions",
                        "name",
                        "fields",
                        "comps",
                        "values",
                        "tags",
                        "enabled",
                        "source",
                        "required_engine_version",
                        "required_plugin_versions",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_no_shape_of_a_file_is_anything_but_a_result(content: object) -> None:
    result = load([Source("x", json.dumps(content))])
    json.dumps([str(found) for found in result.diagnostics])


@given(st.text(alphabet="-: \n\t[]{}&*!|>'\"%@#abc<=?,\r\x85", max_size=60))
def test_no_text_is_anything_but_a_result(content: str) -> None:
    result = load([Source("x", content)])
    assert all(str(found) for found in result.diagnostics)


PUBLIC = (
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "k8s_audit_rules.yaml",
)


@pytest.mark.corpus
@pytest.mark.parametrize("name", PUBLIC)
def test_public_files_load_without_a_word(name: str) -> None:
    assert load([corpus(f"rules/{name}")]).diagnostics == ()


@pytest.mark.corpus
def test_public_files_load_together() -> None:
    result = load([corpus(f"rules/{name}") for name in PUBLIC])
    assert result.errors == ()
    assert len(result.rules) == sum(len(load([corpus(f"rules/{name}")]).rules) for name in PUBLIC)


@pytest.mark.corpus
@pytest.mark.parametrize("name", PUBLIC)
def test_every_scalar_of_the_public_files_lines_up_with_its_file(name: str) -> None:
    source = Source(name, corpus(f"rules/{name}").read_text(encoding="utf-8"))
    pending: list[Node] = list(read_documents(source))
    count = 0
    while pending:
        node = pending.pop()
        if isinstance(node, Scalar):
            count += 1
            covered = 0
            for piece in node.text.pieces:
                value = node.value[piece.start : piece.start + piece.length]
                covered += len(value.strip())
                if piece.verbatim:
                    assert value == source.text[piece.offset : piece.offset + piece.length]
                else:
                    assert piece.length == 1
            assert covered >= len("".join(node.value.split()))
        elif isinstance(node, Sequence):
            pending += node.items
        elif isinstance(node, Mapping):
            pending += [part for pair in node.pairs for part in pair]
    assert count > 500


@pytest.mark.corpus
def test_verdicts_and_codes_agree_with_the_recorded_ones() -> None:
    different = []
    for line in corpus("oracle/accept.jsonl").read_text(encoding="utf-8").splitlines():
        recorded = json.loads(line)
        result = loaded(rule(json.dumps(recorded["condition"])))
        errors = {str(found.code) for found in result.errors}
        warnings = {str(found.code) for found in result.files[0].warnings}
        agrees = result.successful == recorded["ok"] and errors == set(recorded["codes"])
        if not agrees or (recorded["ok"] and warnings != set(recorded["warnings"])):
            different.append((recorded, codes(result)))
    assert different == []
