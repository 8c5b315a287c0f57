"""The formatter gives every file the one layout, keeps its comments, and never changes what it says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine.authoring.formatting.condition_layout import WIDTH
from refengine.authoring.formatting.formatter import formatted
from refengine.authoring.formatting.meaning import meaning
from refengine.cli.fmt import UNFORMATTED, main
from refengine.conformance.case import load_suite
from refengine.errors import RulesError
from refengine.rulefile.loader import load
from refengine.source import Source
from tests.corpus import corpus

ROOT = Path(__file__).resolve().parents[2]

UNTIDY = """\


# The head of the file.
-   list: shells     # all of them
    items: [bash,
        sh]\x20\x20


-   # Above the name.
    macro: opened
    condition:   (evt.type in(open,openat)   and fd.num>=0)
# About the rule.

- tags: [a]  # one
  # About its condition.
  condition: opened and proc.name in (shells) and fd.name startswith /etc/ and not user.name in (root, daemon, nobody, mail)
  output: "a:  b # no comment"
  rule: R
  desc: >
    Two
      lines.
  priority: NOTICE
  # At its end.
#: - event: {evt.type: open}
#:   silent: true
# The end."""

TIDY = """\
# The head of the file.
- list: shells     # all of them
  items: [bash,
      sh]

-   # Above the name.
    macro: opened
    condition:   (evt.type in(open,openat)   and fd.num>=0)
# About the rule.

- rule: R
  desc: >
    Two
      lines.
  # About its condition.
  condition: >
    opened
    and proc.name in (shells)
    and fd.name startswith /etc/
    and not user.name in (root, daemon, nobody, mail)
  output: "a:  b # no comment"
  priority: NOTICE
  tags: [a]  # one
  # At its end.
#: - event: {evt.type: open}
#:   silent: true
# The end.
"""


def form(text: str) -> str:
    return formatted(Source("r.yaml", text))


def condition(text: str) -> str:
    """Return the layout of a macro's condition."""
    return form(f"- macro: m\n  condition: {text}\n").removeprefix("- macro: m\n  condition: ")


def test_a_whole_file() -> None:
    assert form(UNTIDY) == TIDY
    assert form(TIDY) == TIDY


@pytest.mark.parametrize(
    ("written", "laid_out"),
    [
        ("proc.name   =  a", "proc.name = a\n"),
        ("proc.name=a and not(fd.num>1)", "proc.name=a and not (fd.num>1)\n"),
        ("tolower(proc.name)  = 'a  b'", "tolower(proc.name) = 'a  b'\n"),
        ("proc.name in ( a,b )", "proc.name in (a, b)\n"),
        ("\"proc.name = 'a: b'\"", ">\n    proc.name = 'a: b'\n"),
        (">\n    proc.name = a\n    and fd.num > 1", ">\n    proc.name = a\n    and fd.num > 1\n"),
        ("proc.name = a\n    or (proc.name = b\n      and fd.num > 1)", ">\n    proc.name = a\n    or (proc.name = b and fd.num > 1)\n"),
        ("&anchor proc.name   = a", "&anchor proc.name   = a\n"),
        ("proc.name   = a  # why", "proc.name   = a  # why\n"),
        ("proc.name = (", "proc.name = (\n"),
    ],
)  # fmt: skip
def test_conditions(written: str, laid_out: str) -> None:
    assert condition(written) == laid_out


def test_long_lists_are_filled_and_long_alternatives_broken() -> None:
    names = ", ".join(f"a_program_with_a_long_name_{number}" for number in range(8))
    lines = condition(
        f"evt.type = open and (not proc.name in ({names}) or proc.name in ({names}))"
    ).splitlines()
    assert lines[:5] == [
        ">",
        "    evt.type = open",
        "    and (",
        "      not proc.name in (",
        f"        {', '.join(names.split(', ')[:3])},",
    ]
    assert max(map(len, lines)) <= WIDTH
    assert lines[-1] == "    )"


def cases() -> list[tuple[str, str]]:
    return [(case.id, file.text) for case in load_suite() for file in case.rules if file.text is not None]


def test_the_files_of_the_conformance_suite_keep_their_meaning() -> None:
    texts = cases()
    assert len(texts) > 100
    for name, text in texts:
        source = Source(name, text)
        try:
            meaning(source)
        except RulesError:
            with pytest.raises(RulesError):
                formatted(source)
            continue
        once = formatted(source)
        assert formatted(Source(name, once)) == once, name


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules", "k8s_audit_rules", "wiki_rules"]
)
def test_public_files_keep_their_meaning(name: str) -> None:
    path = corpus(f"rules/{name}.yaml")
    source = Source(name, path.read_text(encoding="utf-8"))
    once = formatted(source)
    assert formatted(Source(name, once)) == once
    assert [rule.condition is not None for rule in load([Source(name, once)]).rules] == [True] * len(
        load([source]).rules
    )


@settings(max_examples=30)
@given(st.data())
def test_files_with_lines_out_of_place_keep_their_meaning(data: st.DataObject) -> None:
    lines = TIDY.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        if data.draw(st.booleans()):
            lines.insert(data.draw(st.integers(0, len(lines))), lines[at])
        else:
            del lines[at]
    source = Source("r.yaml", "\n".join(lines))
    try:
        once = formatted(source)  # raises FormatError where its outcome says something else
    except RulesError:
        return
    assert formatted(Source("r.yaml", once)) == once


def test_a_block_at_the_very_end_keeps_its_line_feed_or_has_none() -> None:
    text = "- list: names\n  items:\n    - >\n      at the end"
    assert form(text) == text
    assert form(f"{text}\n") == f"{text}\n"
    assert form(f"{text}\n\n") == f"{text}\n"
    kept = text.replace(">", ">-")
    assert form(kept) == f"{kept}\n"


def test_our_own_rules_are_in_form() -> None:
    assert main(["--check", str(ROOT / "rules")]) == 0


def test_a_change_of_meaning_is_noticed() -> None:
    base = meaning(Source("a", TIDY))
    assert meaning(Source("a", TIDY.replace("fd.num>=0", "fd.num >= 0"))) == base
    for before, after in (
        ("# The end.", ""),
        ("fd.num>=0", "fd.num>0"),
        ("Two", "Three"),
        ("[a]", "[b]"),
        ("sh]", "zsh]"),
    ):
        assert meaning(Source("a", TIDY.replace(before, after))) != base, before


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(UNTIDY, encoding="utf-8")
    assert main(["--check", str(path)]) == UNFORMATTED
    assert main(["--diff", str(path)]) == 0
    assert "+- rule: R\n" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == UNTIDY
    assert main([str(tmp_path)]) == 0
    assert path.read_text(encoding="utf-8") == TIDY
    assert main(["--check", str(path)]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(UNTIDY))
    assert main(["-"]) == 0
    assert capsys.readouterr().out == TIDY
    path.write_text("- [", encoding="utf-8")
    with pytest.raises(RulesError):
        main([str(path)])
