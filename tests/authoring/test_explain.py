"""Explanations: the truth tree, the nearest miss, what came before, and where the parts of a rule come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from refengine.cli.explain import main
from refengine.errors import RefengineError, UsageError
from tests.corpus import corpus

RULES = """\
- list: shells
  items: [bash, sh]

- macro: opened
  condition: (evt.type in (open, openat) and fd.num >= 0)

- rule: Shadow read
  desc: d
  condition: opened and fd.name = /etc/shadow and not proc.name in (shells)
  exceptions:
    - name: backup
      fields: [proc.name, fd.name]
      comps: [=, startswith]
      values: [[tar, /etc/]]
  output: read
  priority: WARNING
  tags: [one]

- rule: Read again
  desc: d
  condition: opened and fd.name startswith /etc/
  output: again
  priority: NOTICE
"""
CHANGES = """\
- rule: Shadow read
  condition: and user.name exists
  tags: [two]
  output: all anew
  enabled: false
  override: {condition: append, tags: append, output: replace, enabled: replace}
- list: shells
  items: [zsh]
  override: {items: append}
"""
EVENTS = [
    {"evt.type": "open", "fd.num": 3, "fd.name": "/etc/shadow", "proc.name": "tar"},
    {"evt.type": "open", "fd.num": 3, "fd.name": "/etc/shadow", "proc.name": "cat"},
    {"evt.type": "close", "fd.num": 3},
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "r.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "changes.yaml").write_text(CHANGES, encoding="utf-8")
    (tmp_path / "e.jsonl").write_text("\n".join(map(json.dumps, EVENTS)), encoding="utf-8")
    return tmp_path


def explained(files: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    """Return what is explained as JSON."""
    assert main(["-r", str(files / "r.yaml"), "--format", "json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def text_of(files: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """Return what is explained as text."""
    assert main(["-r", str(files / "r.yaml"), "--format", "text", *more]) == 0
    return capsys.readouterr().out


def test_a_truth_tree(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = text_of(files, capsys, "-e", str(files / "e.jsonl"), "--rule", "Shadow read", "--event", "1")
    assert (
        text
        == f"""\
rule 'Shadow read'  {files / "r.yaml"}:7:3
does not hold for event 1 (open)
✗ all of
├─ ✓ opened (macro, all of)  [:5:15]
│  ├─ ✓ evt.type in (open, openat)  evt.type is "open"  [:5:15]
│  └─ ✓ fd.num >= 0  fd.num is 3  [:5:46]
├─ ✓ fd.name = /etc/shadow  fd.name is "/etc/shadow"  [:9:25]
├─ ✓ not proc.name in (shells)  proc.name is "tar"  [:9:55]
└─ ✗ not backup (exception, all of)  [:11:7]
   ├─ ✓ proc.name = tar  proc.name is "tar"  [:14:17]
   └─ ✓ fd.name startswith /etc/  fd.name is "/etc/shadow"  [:14:22]
nearest miss: it would hold if this were otherwise:
  ✓ proc.name = tar  holds: proc.name is "tar"  [:14:17]
"""
    )


def test_what_was_not_asked_is_one_line_or_all_there_is(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("-e", str(files / "e.jsonl"), "--rule", "Shadow read", "--event", "3")
    tree = """\
├─ ✗ opened (macro, all of)  [:5:15]
│  ├─ ✗ evt.type in (open, openat)  evt.type is "close"  [:5:15]
│  └─ · fd.num >= 0  not asked; fd.num is 3  [:5:46]
├─ · fd.name = /etc/shadow  not asked; fd.name is absent, and comparing an absent value is false  [:9:25]
├─ · not proc.name in (shells)  not asked; proc.name is absent, and comparing an absent value is false  [:9:55]
└─ · not backup (exception, all of)  not asked  [:11:7]
"""
    assert tree in text_of(files, capsys, *arguments)
    assert "   ├─ · proc.name = tar  not asked; proc.name is absent" in text_of(
        files, capsys, *arguments, "--whole"
    )


def test_a_near_miss_names_the_macro_and_the_values_of_lists(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "r.yaml").write_text(
        "- list: shells\n  items: [bash, sh]\n"
        "- macro: a\n  condition: (proc.name in (shells))\n"
        "- macro: b\n  condition: (proc.name in (shells))\n"
        "- rule: R\n  desc: d\n  condition: evt.type = open and b\n  output: o\n  priority: NOTICE\n"
        "- rule: Other\n  desc: d\n  condition: evt.type = open and a\n  output: o\n  priority: NOTICE\n"
    )
    text = text_of(files, capsys, "-e", str(files / "e.jsonl"))
    assert text.splitlines()[:4] == [
        "✗ R  does not hold; nearest is event 1 (open)",
        "  nearest miss: it would hold if this were otherwise:",
        f'    ✗ b: proc.name in (shells)  does not hold: proc.name is "tar"  [{files / "r.yaml"}:6:15]',
        "        the values are bash, sh",
    ]


def test_what_was_not_asked_and_what_is_absent(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(files, capsys, "-e", str(files / "e.jsonl"), "--rule", "Read again", "--event", "3")
    (answer,) = found["rules"]
    macro, name = answer["tree"]["children"]
    assert [part["cause"] for part in macro["children"][0]["children"]] == ["differs", "short-circuited"]
    assert name["cause"] == "short-circuited"
    assert name["reason"] == "fd.name is absent, and comparing an absent value is false"
    assert {part["condition"] for part in answer["nearest"]} == {
        "evt.type in (open, openat)",
        "fd.name startswith /etc/",
    }


def test_the_event_that_says_most_is_chosen(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(files, capsys, "-e", str(files / "e.jsonl"))
    by_name = {answer["rule"]: answer for answer in found["rules"]}
    assert found["events"] == 3
    assert by_name["Shadow read"]["event"] == {"number": 2, "type": "open"}
    assert by_name["Shadow read"]["held"] == 1
    assert by_name["Read again"]["event"]["number"] == 1
    assert by_name["Read again"]["held"] == 2


def test_an_earlier_rule_takes_the_event(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(files, capsys, "-e", str(files / "e.jsonl"), "--event", "2")
    assert [answer["taken_by"] for answer in found["rules"]] == [None, "Shadow read"]
    text = text_of(files, capsys, "-e", str(files / "e.jsonl"), "--event", "2")
    assert "but rule 'Shadow read'" in text


def test_rules_after_all_overrides(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(files, capsys, "-r", str(files / "changes.yaml"), "--final")
    by_name = {item["name"]: item for item in found}
    assert set(by_name) == {"shells", "Shadow read", "Read again"}
    keys = by_name["Shadow read"]["keys"]
    lines = [
        (part["text"], part["how"], Path(part["place"]["file"]).name, part["place"]["line"])
        for part in keys["condition"]
    ]
    assert lines == [
        ("opened and fd.name = /etc/shadow and not proc.name in (shells)", "defined", "r.yaml", 9),
        ("and user.name exists", "appended", "changes.yaml", 2),
    ]
    assert [(part["text"], part["how"]) for part in keys["tags"]] == [("one", "defined"), ("two", "appended")]
    assert [(part["text"], part["how"]) for part in keys["output"]] == [("all anew", "replaced")]
    assert [(part["text"], part["how"]) for part in keys["enabled"]] == [("false", "replaced")]
    items = by_name["shells"]["keys"]["items"]
    assert [(part["text"], part["how"]) for part in items] == [
        ("bash", "defined"),
        ("sh", "defined"),
        ("zsh", "appended"),
    ]


def test_the_text_of_rules_after_all_overrides(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = text_of(files, capsys, "-r", str(files / "changes.yaml"), "--final", "--rule", "Shadow*")
    assert f"# {files / 'changes.yaml'}:2:14 appended" in text
    assert "  condition: >\n    opened and fd.name = /etc/shadow" in text


def test_a_test_is_explained(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "t.test.yaml").write_text(
        "rules: r.yaml\ntests:\n  - {name: a, event: {evt.type: open, fd.num: 3, fd.name: /x}, silent: true}\n",
        encoding="utf-8",
    )
    assert main(["--test", str(files / "t.test.yaml"), "--case", "a", "--format", "text"]) == 0
    assert "✗ Read again  does not hold; nearest is event 1 (open)" in capsys.readouterr().out


def test_a_test_in_a_comment_is_explained(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = files / "inline.yaml"
    path.write_text(
        f"{RULES}#: - {{event: {{evt.type: open, fd.num: 3, fd.name: /etc/x}}, alerts: Read again}}\n",
        "utf-8",
    )
    assert main(["--test", str(path), "--format", "text"]) == 0
    assert "✓ Read again  holds for 1 event, first for event 1 (open)" in capsys.readouterr().out
    with pytest.raises(UsageError, match="there are no tests"):
        main(["--test", str(files / "r.yaml")])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-e", "{e}"], "no rules: "),
        (["-r", "{r}"], "no events: "),
        (["-r", "{r}", "-e", "{e}", "--rule", "Shadow raed"], "there is no rule 'Shadow raed': did you mean 'Shadow read'?"),
        (["-r", "{r}", "--final", "--rule", "x"], "there is no rule 'x'"),
        (["-r", "{r}", "-e", "{e}", "--event", "9"], "not all of the events asked for are there"),
        (["-r", "{r}", "-e", "nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (["-r", "nowhere.yaml", "-e", "{e}"], "cannot read 'nowhere.yaml'"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained(files: Path, arguments: list[str], complaint: str) -> None:
    names = {"{r}": str(files / "r.yaml"), "{e}": str(files / "e.jsonl")}
    with pytest.raises(RefengineError) as caught:
        main([names.get(word, word) for word in arguments])
    assert complaint in str(caught.value)
    assert isinstance(caught.value, UsageError) or "cannot read" in complaint


@pytest.mark.ptrace
def test_a_command(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(files, capsys, "--rule", "Read again", "--", "cat", "/etc/hostname", "/etc/passwd")
    (answer,) = found["rules"]
    assert answer["holds"]


@pytest.mark.corpus
def test_a_public_rule_that_did_not_fire(capsys: pytest.CaptureFixture[str]) -> None:
    rules, capture = corpus("rules/falco_rules.yaml"), corpus("captures/curl_google.scap")
    name = "Read sensitive file untrusted"
    assert main(["-r", str(rules), "-e", str(capture), "--rule", name, "--format", "json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["rules"]
    assert not answer["holds"]
    assert [part["condition"] for part in answer["nearest"]] == ["fd.name in (sensitive_file_names)"]
