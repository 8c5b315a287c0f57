"""Checks find what they are for, and claim nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refengine.authoring.finding import Finding, render
from refengine.authoring.linting.checks import CHECKS, lint
from refengine.authoring.linting.comparisons import plainer
from refengine.authoring.linting.fixing import fixed_texts
from refengine.authoring.linting.reports import REPORTS
from refengine.cli.exit_codes import UNUSABLE
from refengine.cli.lint import FOUND, main
from refengine.engine import Engine, Matching
from refengine.errors import UsageError
from refengine.event import RecordedEvent
from refengine.rulefile.loader import load
from refengine.source import Source
from refengine.terminal import Style
from tests.corpus import corpus

PUBLIC = ("falco_rules", "falco-incubating_rules", "falco-sandbox_rules", "k8s_audit_rules")
PROVED = (
    "never-holds",
    "always-holds",
    "dead-alternative",
    "needless-exception",
    "shadowed-rule",
    "no-event-type",
)


def rule(condition: str, name: str = "R", more: str = "", output: str = "o") -> str:
    return (
        f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: {output}\n  priority: NOTICE\n{more}"
    )


def found(text: str, *names: str) -> list[Finding]:
    return list(lint([Source("r.yaml", text)], names or None))


EXAMPLES = [
    ("never-holds", rule("evt.type = open and evt.type = close"), "rule 'R' can never raise an alert: no event has a type for which the condition could hold", 14),
    ("never-holds", rule("evt.type = open and proc.name in ()"), "rule 'R' can never raise an alert: 'proc.name in ()' never comes true, since the list is empty", 14),
    ("never-holds", rule("evt.type = open and proc.name = a and not proc.name exists"), "rule 'R' can never raise an alert: the condition contradicts itself", 14),
    ("always-holds", rule("proc.name = a or not proc.name = a"), "the condition of rule 'R' holds for every event", 14),
    ("dead-alternative", rule("evt.type = open and proc.name = a and (fd.num > 3 or proc.name = b)"), "'proc.name = b' can never hold here, so that this alternative says nothing", 67),
    ("no-event-type", rule("proc.name = a"), "rule 'R' is evaluated on events of every type, which is slow", 14),
    ("unequal-absent", rule("evt.type = open and fd.name != /x"), "'fd.name != /x' is false where fd.name is absent", 34),
    ("needless-regex", rule("evt.type = open and fd.name regex '/etc/.*'"), "'fd.name regex '/etc/.*'' asks no more than 'startswith' does, which is faster", 34),
    ("deprecated-field", rule("evt.type = open and evt.dir = <"), "field 'evt.dir' is deprecated (in rule 'R')", 34),
    ("untold-field", rule("evt.type = open and fd.name startswith /x"), "the condition of rule 'R' asks for fd.name, which the output does not tell", 11),
    ("no-mitre-tag", rule("evt.type = open", more="  tags: [mitten, T12]\n"), "rule 'R' has no tag of MITRE ATT&CK", 3),
    ("duplicate-item", "- list: l\n  items: [a, b, a]\n", "list 'l' has 'a' twice", 17),
    ("misspelt-list", "- list: shell_binaries\n  items: [a]\n" + rule("evt.type = open and proc.name in (shell_binary, shell_binares)"), "'shell_binares' is a value here, since there is no list of that name", 62),
    ("append-key", "- list: l\n  items: [a]\n- list: l\n  items: [b]\n  append: true\n", "'append: true' is deprecated", 3),
    ("needless-exception", rule("evt.type = open and proc.name in (a, b)", more="  exceptions:\n    - name: e\n      fields: [proc.name]\n      values: [[a], [c]]\n"), "exception 'e' of rule 'R' never applies to 'proc.name = c': the condition does not hold there anyway", 22),
    ("shadowed-rule", rule("evt.type in (open, openat) and fd.name startswith /etc", "Wide") + rule("evt.type = open and fd.name = /etc/x"), "rule 'R' never raises an alert: rule 'Wide' comes before it, and holds wherever it does", 3),
]  # fmt: skip


@pytest.mark.parametrize(("check", "text", "message", "column"), EXAMPLES)
def test_each_check_finds_what_it_is_for(check: str, text: str, message: str, column: int) -> None:
    (finding,) = found(text, check)
    assert finding.message == message
    assert finding.place is not None
    assert finding.place.start.column == column, render(finding)
    assert finding.severity is CHECKS[check].severity


def test_every_check_is_tested() -> None:
    assert {check for check, *_ in EXAMPLES} == set(CHECKS)


def test_every_check_is_described_to_authors() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
    assert [name for name in CHECKS if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("unequal-absent", rule("evt.type = open and fd.name exists and fd.name != /x")),
        ("unequal-absent", rule("evt.type = open and not fd.name = /x")),
        ("unequal-absent", rule("evt.type = open and evt.res != SUCCESS")),
        ("needless-regex", rule("evt.type = open and fd.name regex '/etc/[a-z].*'")),
        ("untold-field", rule("evt.type = open and fd.directory startswith /x", output="o %fd.name")),
        ("untold-field", rule("evt.type = open and fd.name = /x")),
        ("untold-field", rule("evt.type = open and not fd.name startswith /x")),
        ("untold-field", rule("evt.type = open and fd.name in (/x)")),
        ("untold-field", rule("ka.req.pod.host_pid intersects (true)", more="  source: k8s_audit\n")),
        ("untold-field", rule("ka.req.role.rules.verbs intersects (get, list)", output="o %ka.req.role.rules", more="  source: k8s_audit\n")),
        ("no-mitre-tag", rule("evt.type = open", more="  tags: [T1059.004]\n")),
        ("misspelt-list", "- list: shell_binaries\n  items: [a]\n" + rule("proc.name in ('shell_binares')")),
        ("shadowed-rule", rule("evt.type = open and fd.name = /etc/x") + rule("evt.type = open", "Wide")),
        ("shadowed-rule", rule("evt.type = open", "Off", "  enabled: false\n") + rule("evt.type = open and fd.num > 1")),
        ("dead-alternative", "- macro: m\n  condition: (proc.name = a or proc.name = b)\n" + rule("m and proc.name = a")),
        ("no-event-type", rule("not evt.type in (open, close)")),
        ("no-event-type", rule("proc.name = a", more="  warn_evttypes: false\n")),
    ],
)  # fmt: skip
def test_what_is_right_is_not_complained_of(check: str, text: str) -> None:
    assert [render(finding) for finding in found(text, check)] == []


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        ("/etc/.*", ("startswith", "/etc/")),
        ("^.*/passwd$", ("endswith", "/passwd")),
        (".*a.*", ("contains", "a")),
        ("abc", ("=", "abc")),
        ("a.c", None),
        ("a\\.*", None),
        (".*", None),
        ("(a|b).*", None),
    ],
)
def test_what_plain_operator_an_expression_is(pattern: str, plain: tuple[str, str] | None) -> None:
    assert plainer(pattern) == plain


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rule("evt.type = open and evt.dir = < and fd.num > 1"), rule("evt.type = open and fd.num > 1")),
        (rule("evt.dir=< and evt.type = open"), rule("evt.type = open")),
        (rule("evt.type = open and evt.dir = <"), rule("evt.type = open")),
        (rule("evt.type = open and (fd.num > 1 or (evt.dir = <))"), None),
        (rule("evt.type = open and (evt.dir = <)"), None),
        (rule(">\n    evt.type = open\n    and evt.dir = <\n    and fd.num > 1\n"), rule(">\n    evt.type = open\n    and fd.num > 1\n")),
        ("- list: l\n  items: [a, b, a]\n", "- list: l\n  items: [a, b]\n"),
        ("- list: l\n  items:\n    - a\n    - 'a'  # twice\n    - b\n", "- list: l\n  items:\n    - a\n    - b\n"),
        (
            "- list: l\n  items: [a]\n- list: l\n  append: true # more\n  items: [b]\n",
            "- list: l\n  items: [a]\n- list: l\n  override: {items: append} # more\n  items: [b]\n",
        ),
    ],
)  # fmt: skip
def test_fixes_change_only_what_is_found(before: str, after: str | None) -> None:
    source = Source("r.yaml", before)
    texts = fixed_texts(lint([source], ["deprecated-field", "duplicate-item", "append-key"]))
    assert texts == ({} if after is None else {source: after})
    if after is not None:
        assert load([Source("r.yaml", after)]).successful
        assert found(after, "deprecated-field", "duplicate-item", "append-key") == []


@pytest.mark.corpus
@pytest.mark.parametrize("name", PUBLIC)
def test_public_rules_are_claimed_to_be_wrong_only_where_they_are(name: str) -> None:
    claims = [(one.check, one.rule) for one in lint([corpus(f"rules/{name}.yaml")], PROVED)]
    # One asks for a namespace in an empty list, the other for a container without an id, each to be filled in.
    assert claims == {
        "falco-incubating_rules": [("never-holds", "Network Connection outside Local Subnet")],
        "falco-sandbox_rules": [("never-holds", "Launch Disallowed Container")],
    }.get(name, [])


@pytest.mark.corpus
def test_public_rules_together_are_claimed_to_be_wrong_only_where_they_are() -> None:
    files = [corpus(f"rules/{name}.yaml") for name in PUBLIC]
    findings = lint(files, [name for name in PROVED if name != "never-holds"])
    assert [(one.check, one.rule) for one in findings] == [
        ("shadowed-rule", "Network Tool Executed During NPM Package Install")
    ]
    # The claim holds: an event for the rule raises the alert of the other one, which asks for less.
    event = RecordedEvent(
        {
            "evt.type": "execve",
            "container.id": "3ad7b26ded6d",
            "proc.name": "nc",
            "proc.pname": "npm",
            "evt.num": 1,
        }
    )
    rules = [rule for rule in load(files).rules if "Network Tool" in rule.name]
    ways: tuple[Matching, ...] = ("all", "first")
    alerts = [[alert.rule for alert in Engine(rules, way).process(event)] for way in ways]
    assert alerts == [
        ["Launch Suspicious Network Tool in Container", "Network Tool Executed During NPM Package Install"],
        ["Launch Suspicious Network Tool in Container"],
    ]


def test_reports() -> None:
    findings = found(rule("evt.type = open and evt.dir = < and fd.name = /x"))
    plain = Style(False)
    assert REPORTS["text"](findings, plain).splitlines()[-1] == "1 warning, 1 note; --fix removes 1 of them"
    assert [row["check"] for row in json.loads(REPORTS["json"](findings, plain))] == [
        "no-mitre-tag",
        "deprecated-field",
    ]
    assert REPORTS["github"](findings, plain).startswith("::notice file=r.yaml,line=1,")
    run = json.loads(REPORTS["sarif"](findings, plain))["runs"][0]
    assert [row["id"] for row in run["tool"]["driver"]["rules"]] == ["no-mitre-tag", "deprecated-field"]
    second = run["results"][1]
    region = second["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (3, 34, 41)
    assert second["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": ""}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(rule("evt.type = open and evt.dir = <"), encoding="utf-8")
    assert main([str(path)]) == FOUND
    assert main([str(path), "--ignore", "deprecated-field"]) == 0
    assert main([str(path), "--ignore", "deprecated-field", "--fail-on", "note"]) == FOUND
    assert main([str(path), "--fix"]) == 0
    assert path.read_text(encoding="utf-8") == rule("evt.type = open")
    path.write_text(rule("evt.type = opne"), encoding="utf-8")
    assert main([str(path), "--fix"]) == UNUSABLE
    assert "unknown event type 'opne'" in capsys.readouterr().out
    with pytest.raises(UsageError, match="there is no check 'x'"):
        main([str(path), "--select", "x"])
    with pytest.raises(UsageError, match="no rules"):
        main([])


def test_findings_in_files_loaded_before_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(rule("proc.name = a", "A"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(rule("proc.name = a", "B"), encoding="utf-8")
    arguments = [
        str(tmp_path / "b.yaml"),
        "-r",
        str(tmp_path / "a.yaml"),
        "--select",
        "no-event-type",
        "--format",
        "json",
    ]
    assert main(arguments) == FOUND
    assert [row["rule"] for row in json.loads(capsys.readouterr().out)] == ["B"]
