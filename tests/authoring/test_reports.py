"""Reports on tests, each in the form that its readers know."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from refengine.authoring.testing.outcome import Report
from refengine.authoring.testing.reports import REPORTS
from refengine.cli.exit_codes import UNUSABLE
from refengine.cli.test import FAILED, PASSED, main
from refengine.terminal import Style
from tests.authoring.suites import RULES, run

TESTS = """
tests:
  - {name: "good #1", event: {evt.type: open, fd.num: 3, proc.name: sh}, alerts: Any shell}
  - {name: "bad <&>", event: {evt.type: open, fd.num: 3, proc.name: cat}, alerts: Any shell}
"""
PLAIN = Style(False)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return run(tmp_path, TESTS)


def test_text(report: Report) -> None:
    lines = REPORTS["text"](report, PLAIN).splitlines()
    assert lines[0].endswith("t.test.yaml: 1 of 2 passed")
    assert lines[1].startswith("FAIL ")
    assert lines[1].endswith("t.test.yaml:5:5: bad <&>")
    assert lines[-1].startswith("1 passed, 1 failed in ")
    assert "\x1b" not in "".join(lines)
    assert "\x1b[1;31mFAIL" in REPORTS["text"](report, Style(True))


def test_junit(report: Report) -> None:
    root = ElementTree.fromstring(REPORTS["junit"](report, PLAIN).encode())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    good, bad = root.iter("testcase")
    assert good.get("name") == "good #1"
    assert good.get("line") == "4"
    failure = bad.find("failure")
    assert failure is not None
    assert "must hold, but proc.name" in str(failure.text)


def test_tap(report: Report) -> None:
    lines = REPORTS["tap"](report, PLAIN).splitlines()
    assert lines[:2] == ["TAP version 13", "1..2"]
    assert lines[2].startswith("ok 1 - ")
    assert lines[2].endswith("good \\#1")
    assert lines[3].startswith("not ok 2 - ")


def test_json(report: Report) -> None:
    found = json.loads(REPORTS["json"](report, PLAIN))
    assert (found["passed"], found["failed"], found["skipped"], found["errors"]) == (1, 1, 0, 0)
    bad = found["files"][0]["tests"][1]
    assert bad["status"] == "failed"
    assert bad["failures"][0]["place"]["line"] == 5


def test_github(report: Report) -> None:
    line = REPORTS["github"](report, PLAIN).splitlines()[0]
    assert line.startswith("::error file=")
    assert ",line=5,endLine=5,col=" in line
    assert "title=bad <&>::rule 'Any shell' should have raised an alert" in line
    assert "%0A" in line


@pytest.mark.parametrize("form", sorted(REPORTS))
def test_files_that_cannot_be_used_are_in_every_report(tmp_path: Path, form: str) -> None:
    found = run(tmp_path, "tests: [{event: {evt.type: open}, silent: Nobody}]")
    assert "there is no rule 'Nobody'" in REPORTS[form](found, PLAIN).replace("&#39;", "'").replace(
        "&apos;", "'"
    )


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, both = TESTS.splitlines()[2], TESTS
    for text, code in (
        (f"tests:\n{good}", PASSED),
        (both, FAILED),
        ("tests: [{}]", UNUSABLE),
        ("tests: []", UNUSABLE),
    ):
        run(tmp_path, text)
        assert main([str(tmp_path / "t.test.yaml")]) == code, text
    assert capsys.readouterr().out


def test_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "t.test.yaml").write_text(f"rules: r.yaml\n{TESTS}", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "refengine",
        "test",
        "--format",
        "json",
        "--coverage",
        "--mutate",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == 1
    assert "coverage of conditions" in done.stderr
    done = subprocess.run([*command[:4], "nowhere"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (2, "Error: there is no file or folder 'nowhere'\n")


EXCEPTED = """
- rule: Written
  desc: d
  condition: evt.type = open and fd.name startswith /etc/
  exceptions:
    - name: helpers
      fields: [proc.name, fd.name]
      comps: [=, startswith]
      values: [[ldconfig, /etc/]]
  output: written %fd.name
  priority: NOTICE
"""


def lines_of(folder: Path, tests: str, rules: str = EXCEPTED) -> list[str]:
    found = REPORTS["text"](run(folder, tests, rules), PLAIN).splitlines()
    return [line.replace(f"{folder}/", "") for line in found]


def test_failures_of_one_cause_are_explained_once(tmp_path: Path) -> None:
    tests = "tests:\n" + "".join(
        f"  - {{name: {name}, event: {{evt.type: open, fd.name: {file}}}, alerts: Written}}\n"
        for name, file in (("a", "/opt/x"), ("b", "/opt/y"), ("c", "/srv/z"))
    )
    lines = lines_of(tmp_path, tests, EXCEPTED.replace("startswith /etc/", "startswith /ect/"))
    assert lines[1:] == [
        "FAIL t.test.yaml:3:5: a",
        "  rule 'Written' should have raised an alert, but it raised none",
        "    its condition does not hold for event 1 (open); what keeps it from holding:",
        '      fd.name startswith /ect/  must hold, but fd.name is "/opt/x"  [r.yaml:4:34]',
        "FAIL t.test.yaml:4:5: b",
        (
            "  rule 'Written' should have raised an alert, but it raised none,"
            " for a reason above: fd.name startswith /ect/  [r.yaml:4:34]"
        ),
        "FAIL t.test.yaml:5:5: c",
        (
            "  rule 'Written' should have raised an alert, but it raised none,"
            " for a reason above: fd.name startswith /ect/  [r.yaml:4:34]"
        ),
        lines[-1],
    ]


def test_an_exception_that_keeps_a_rule_silent_is_named(tmp_path: Path) -> None:
    tests = (
        "tests:\n  - {event: {evt.type: open, fd.name: /etc/passwd, proc.name: ldconfig}, alerts: Written}\n"
    )
    assert (
        "      exception 'helpers': proc.name = ldconfig  must not hold, but proc.name is \"ldconfig\""
        "  [r.yaml:9:17]" in lines_of(tmp_path, tests)
    )


def test_another_output_is_shown_beside_the_expected_one(tmp_path: Path) -> None:
    tests = "tests:\n  - {event: {evt.type: open, fd.name: /etc/x}, alerts: {rule: Written, output: written /etc/y}}\n"
    assert lines_of(tmp_path, tests)[2:6] == [
        "  the alert of 'Written' has another output",
        "    expected: written /etc/y",
        "                           ^",
        "    raised:   written /etc/x",
    ]
