"""Test files for the tests of testing, and what comes of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from refengine.authoring.testing.outcome import Report
from refengine.authoring.testing.session import Session

RULES = """
- list: shells
  items: [bash, sh]

- macro: opened
  condition: (evt.type in (open, openat) and fd.num >= 0)

- rule: Shadow read
  desc: d
  condition: opened and fd.name = /etc/shadow and not proc.name in (shells)
  output: read %fd.name by %proc.name (%proc.pid)
  priority: WARNING
  tags: [files, T1003]

- rule: Any shell
  desc: d
  condition: opened and proc.name in (shells)
  output: shell %proc.name
  priority: NOTICE

- rule: Off
  desc: d
  condition: evt.type = close
  output: closed
  priority: NOTICE
  enabled: false
"""


def run(folder: Path, tests: str, rules: str = RULES, session: Session | None = None) -> Report:
    """Run the tests that a file beside `rules` has; `tests` may leave the line `rules:` out."""
    (folder / "r.yaml").write_text(rules, encoding="utf-8")
    text = dedent(tests)
    if "rules:" not in text:
        text = f"rules: r.yaml\n{text}"
    (folder / "t.test.yaml").write_text(text, encoding="utf-8")
    return (session or Session()).run([folder / "t.test.yaml"])


def messages(report: Report) -> list[str]:
    """Return what failed, and what was wrong with the files."""
    failed = [
        failure.message
        for suite in report.suites
        for outcome in suite.outcomes
        for failure in outcome.failures
    ]
    return failed + [fault.message for fault in report.faults]


def details(report: Report) -> str:
    """Return the lines that explain the failures."""
    return "\n".join(
        line
        for suite in report.suites
        for outcome in suite.outcomes
        for failure in outcome.failures
        for line in failure.details
    )
