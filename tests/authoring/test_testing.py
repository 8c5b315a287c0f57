"""Unit tests of rules pass where the rules do what they say, and never by accident."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refengine.authoring.testing.outcome import Report
from refengine.authoring.testing.reports import REPORTS
from refengine.authoring.testing.session import Session
from refengine.terminal import Style
from tests.authoring.suites import RULES, details, messages, run
from tests.corpus import corpus


def one(folder: Path, case: str) -> Report:
    """Run the only case `case`."""
    return run(folder, f"tests:\n  - {case}")


def test_an_alert_with_everything_that_can_be_said_of_it(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        """
        tests:
          - event: {evt.type: open, fd.num: 3, fd.name: /etc/shadow, proc.name: cat}
            alerts:
              rule: Shadow read
              output: read /etc/shadow by cat (<NA>)
              priority: warning
              tags: [T1003, files]
              fields: {fd.name: /etc/shadow, proc.pid: ~}
        """,
    )
    assert messages(report) == []
    assert report.count("passed") == 1


@pytest.mark.parametrize(
    ("demand", "complaint"),
    [
        ("output: other", "the alert of 'Shadow read' has another output"),
        ("priority: error", "the alert of 'Shadow read' has the priority Warning, not Error"),
        ("tags: [files]", "the alert of 'Shadow read' has the tags T1003, files, not files"),
        ("fields: {proc.name: dog}", "the alert of 'Shadow read' has proc.name = cat, not dog"),
        ("fields: {proc.pid: 7}", "the alert of 'Shadow read' has proc.pid = nothing, not 7"),
    ],
)
def test_an_alert_that_is_not_as_described(tmp_path: Path, demand: str, complaint: str) -> None:
    event = "{evt.type: open, fd.num: 3, fd.name: /etc/shadow, proc.name: cat}"
    report = one(tmp_path, f"{{event: {event}, alerts: {{rule: Shadow read, {demand}}}}}")
    assert messages(report) == [complaint]


def test_a_missing_alert_is_explained_by_what_kept_the_rule_from_holding(tmp_path: Path) -> None:
    report = one(
        tmp_path,
        "{event: {evt.type: open, fd.num: 3, fd.name: /etc/hosts, proc.name: sh}, includes: Shadow read}",
    )
    assert messages(report) == ["rule 'Shadow read' should have raised an alert, but it raised none"]
    explained = details(report)
    assert 'fd.name = /etc/shadow  must hold, but fd.name is "/etc/hosts"' in explained
    assert 'proc.name in (shells)  must not hold, but proc.name is "sh"' in explained
    assert "r.yaml:10:" in explained


def test_an_absent_field_is_named_as_the_reason(tmp_path: Path) -> None:
    report = one(tmp_path, "{event: {evt.type: open, fd.num: 3}, alerts: Shadow read}")
    assert "fd.name is absent, and comparing an absent value is false" in details(report)


def test_an_unexpected_alert_is_explained(tmp_path: Path) -> None:
    report = one(tmp_path, "{event: {evt.type: open, fd.num: 3, proc.name: sh}, silent: Any shell}")
    assert messages(report) == ["rule 'Any shell' raised an alert, but it must be silent"]
    assert "its output is: shell sh" in details(report)
    assert "its condition holds for event 1 (open)" in details(report)


def test_a_rule_that_an_earlier_one_keeps_from_alerting_is_told(tmp_path: Path) -> None:
    rules = RULES + RULES.split("- rule: Any")[0].split("- rule: ")[1].join(["\n- rule: Second ", ""])
    event = "event: {evt.type: open, fd.num: 3, fd.name: /etc/shadow, proc.name: cat}"
    report = run(tmp_path, f"tests:\n  - {{{event}, includes: Second Shadow read}}", rules)
    assert "rule 'Shadow read' (" in details(report)
    assert "comes first and takes the event" in details(report)
    report = run(
        tmp_path, f"matching: all\ntests:\n  - {{{event}, alerts: [Shadow read, Second Shadow read]}}", rules
    )
    assert messages(report) == []


def test_alerts_are_all_of_them_and_in_order(tmp_path: Path) -> None:
    events = """
        tests:
          - events:
              - {evt.type: open, fd.num: 3, proc.name: sh}
              - {evt.type: openat, fd.num: 3, fd.name: /etc/shadow, proc.name: cat}
            alerts: %s
    """
    assert messages(run(tmp_path, events % "[Any shell, Shadow read]")) == []
    assert messages(run(tmp_path, events % "[Shadow read, Any shell]")) == [
        "the alerts are those expected, but in another order"
    ]
    assert messages(run(tmp_path, events % "[Any shell]")) == [
        "rule 'Shadow read' raised an alert that is not expected"
    ]
    assert messages(run(tmp_path, events % "[Any shell, Shadow read, Shadow read]")) == [
        "rule 'Shadow read' raised an alert only once"
    ]


def test_an_alert_can_be_tied_to_its_event(tmp_path: Path) -> None:
    case = """{events: [{evt.type: open}, {evt.type: open, fd.num: 3, proc.name: sh}], alerts: {rule: Any shell, event: %s}}"""
    assert messages(one(tmp_path, case % 2)) == []
    assert messages(one(tmp_path, case % 1)) == ["the alert of 'Any shell' comes of event 2, not of event 1"]
    assert messages(one(tmp_path, case % 1.5)) == ["'event' is the number of an event, counted from 1"]


@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        ("{event: {evt.type: open}}", "this test expects nothing, so that it would pass on any rules"),
        ("{event: {evt.type: open}, alerts: Shadow raed}", "there is no rule 'Shadow raed'"),
        ("{event: {evt.type: open}, silent: Nobody}", "there is no rule 'Nobody'"),
        ("{event: {evt.type: close}, silent: Off}", "rule 'Off' is not enabled, so that it never raises an alert"),
        ("{event: {evt.type: opne}, silent: true}", "unknown event type 'opne'"),
        ("{event: {evt.type: open, fd.nmae: x}, silent: true}", "unknown field 'fd.nmae'"),
        ("{event: {evt.type: open, fd.num: x}, silent: true}", "'x' is no value of type int64, which 'fd.num' has"),
        ("{event: {evt.type: open, fd.num: [1]}, silent: true}", "field 'fd.num' has one value, not a list of them"),
        ("{event: {evt.type: open, fd.sip: 1.2}, silent: true}", "'1.2' is not an IPv4 address"),
        ("{event: {like: x}, silent: true}", "there is no shared event 'x'"),
        ("{event: {source: moon}, silent: true}", "there is no event source 'moon'"),
        ("{event: {ka.verb: get}, silent: true}", "field 'ka.verb' exists for events of source k8s_audit, not for syscall"),
        ("{event: [x], silent: true}", "an event is a mapping, not a list"),
        ("{capture: none.scap, silent: true}", "there is no file '{folder}/none.scap'"),
        ("{events: [], silent: true}", "a test needs an event: without one, no rule can raise an alert"),
        ("{event: {evt.type: open}, silent: true, alerts: Any shell}", "'silent: true' means no alert at all, but alerts are expected"),
        ("{event: {evt.type: open}, silent: [Any shell], includes: Any shell}", "the test expects an alert of 'Any shell' and its silence"),
        ("{event: {evt.type: open}, alerts: {rule: Any shell, fields: {proc.nam: x}}}", "the output of rule 'Any shell' has no field 'proc.nam'"),
        ("{event: {evt.type: open}, alert: Any shell}", "a test has no 'alert'"),
        ("{event: {evt.type: open, evt.type: close}, silent: true}", "'evt.type' is given twice"),
        ("{silent: true}", "a test has exactly one of 'event', 'events', 'capture', 'audit', 'run'; this one has none of them"),
    ],
)  # fmt: skip
def test_a_wrong_test_is_an_error_with_its_place(tmp_path: Path, case: str, complaint: str) -> None:
    report = one(tmp_path, case)
    faults = [
        fault for fault in report.faults if fault.message == complaint.replace("{folder}", str(tmp_path))
    ]
    assert len(faults) == 1, messages(report)
    assert faults[0].place is not None
    assert faults[0].place.start.line == 3
    assert report.count("passed") == 0


@pytest.mark.parametrize(
    "case",
    [
        "{event: {evt.type: close}, silent: true}",
        "{event: {evt.type: close}, silent: [Any shell]}",
        "{event: {proc.name: sh}, silent: true}",
        "{event: {source: k8s_audit, ka.verb: get}, silent: true}",
    ],
)
def test_a_silence_that_no_condition_had_a_say_in_fails(tmp_path: Path, case: str) -> None:
    found = messages(one(tmp_path, case))
    assert len(found) == 1
    assert found[0].startswith("this test would pass whatever the rules say: ")


def test_a_silence_counts_where_the_type_alone_keeps_a_rule_from_holding(tmp_path: Path) -> None:
    assert messages(one(tmp_path, "{event: {evt.type: close, fd.num: 1, proc.name: sh}, silent: true}")) == []
    assert (
        messages(one(tmp_path, "{event: {evt.type: close, fd.num: 1, proc.name: sh}, silent: Any shell}"))
        == []
    )


def test_rules_that_do_not_load_are_an_error_of_the_tests(tmp_path: Path) -> None:
    report = run(tmp_path, "tests: [{event: {evt.type: open}, silent: true}]", "- rule: x\n")
    assert report.faults
    assert report.total == 0


BROKEN = [
    "~",
    "[]",
    "{}",
    "- ",
    "  ",
    "{like: a}",
    '"',
    "&a",
    "*a",
    "|",
    "\t",
    "{x}",
    "each: [{x: 1}]",
    "silent: true",
    "run: 3",
    "#:",
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_whatever_stands_in_a_file_there_is_a_report(tmp_path: Path, data: st.DataObject) -> None:
    text = """rules: r.yaml
shared:
  a: {evt.type: open, fd.num: 3}
tests:
  - name: x {y}
    each: [{y: sh}, {y: bash}]
    event: {like: a, proc.name: "{y}"}
    alerts: {rule: Any shell, tags: []}
  - event: {like: a, fd.name: /etc/shadow, proc.name: cat}
    alerts: [{rule: Shadow read, fields: {fd.name: /etc/shadow}}]
"""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(BROKEN)) + text[at + data.draw(st.integers(0, 3)) :]
    report = run(tmp_path, text)
    assert report.total or report.faults or not report.suites[0].outcomes
    for form in REPORTS.values():
        assert form(report, Style(False))


def test_rows_stand_for_cases(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        """
        shared:
          opened: {evt.type: open, fd.num: "3"}
        tests:
          - each: [{shell: bash, calls: open}, {shell: sh, calls: openat}]
            event: {like: opened, evt.type: "{calls}", proc.name: "{shell}"}
            alerts: {rule: Any shell, output: "shell {shell}"}
          - name: no {shell}
            each: [{shell: cat}]
            event: {like: opened, proc.name: "{shell}"}
            silent: true
        """,
    )
    assert messages(report) == []
    names = [outcome.case.name for outcome in report.suites[0].outcomes]
    assert names == ["line 6: Any shell [bash, open]", "line 6: Any shell [sh, openat]", "no cat"]


def test_rows_must_make_a_difference(tmp_path: Path) -> None:
    report = one(tmp_path, "{each: [{a: 1}], event: {evt.type: open, proc.name: sh}, silent: true}")
    assert messages(report) == ["nothing in the test says {a}, so the rows make no difference by it"]
    report = one(
        tmp_path, '{each: [{a: sh}, {b: sh}], event: {evt.type: open, proc.name: "{a}"}, silent: true}'
    )
    assert messages(report) == ["this row gives 'b', the first one 'a'"]


def test_shared_events_and_null(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        """
        shared:
          opened: {evt.type: open, fd.num: 3, proc.name: sh}
          shadow: {like: opened, fd.name: /etc/shadow, proc.name: ~}
        tests:
          - event: {like: shadow}
            alerts: Shadow read
        """,
    )
    assert messages(report) == []


INLINE = """
#: - event: {evt.type: open, fd.num: 3, proc.name: sh}
#:   alerts: Any shell

# A comment of the usual kind.
- macro: text
  condition: >
    proc.name = "
    #: - nonsense"
#: - event: {evt.type: open, fd.num: 3, proc.name: cat}
#:   alerts: Any shell
"""


def test_tests_in_the_comments_of_a_rules_file(tmp_path: Path) -> None:
    path = tmp_path / "inline.yaml"
    path.write_text(RULES + INLINE, encoding="utf-8")
    report = Session().run([tmp_path])
    assert messages(report) == ["rule 'Any shell' should have raised an alert, but it raised none"]
    assert report.count("passed") == 1
    place = report.suites[0].outcomes[1].case.place
    assert (
        place.start.line
        == (RULES + INLINE).split("- event: {evt.type: open, fd.num: 3, proc.name: cat}")[0].count("\n") + 1
    )


def test_marks_of_tests_in_comments_begin_their_lines(tmp_path: Path) -> None:
    (tmp_path / "inline.yaml").write_text(f"{RULES}\n  #: - event: {{}}\n", encoding="utf-8")
    report = Session().run([tmp_path])
    assert messages(report) == ["a test in a comment has its '#:' at the beginning of the line"]


def test_recordings_of_events(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text(
        '{"evt.type": "open", "fd.num": 3, "proc.name": "sh"}\n', encoding="utf-8"
    )
    assert messages(one(tmp_path, "{capture: e.jsonl, alerts: Any shell}")) == []
    (tmp_path / "e.jsonl").write_text(
        '{"evt.type": "open", "fd.nun": 3, "proc.name": "sh"}\n', encoding="utf-8"
    )
    found = messages(one(tmp_path, "{capture: e.jsonl, silent: true}"))
    assert len(found) == 1
    assert "unknown field 'fd.nun'" in found[0]
    (tmp_path / "e.jsonl").write_text("", encoding="utf-8")
    assert "there was no event that any rule looks at" in messages(
        one(tmp_path, "{capture: e.jsonl, silent: true}")
    )


def test_audit_events(tmp_path: Path) -> None:
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": "1",
        "stage": "ResponseComplete",
        "verb": "delete",
        "stageTimestamp": "2026-11-24T03:00:00.000000Z",
        "requestURI": "/api/v1/namespaces/foo",
    }
    (tmp_path / "audit.json").write_text(json.dumps(event), encoding="utf-8")
    rules = """
- rule: Deleted
  desc: d
  condition: ka.verb = delete
  output: deleted %ka.uri
  priority: NOTICE
  source: k8s_audit
"""
    alert = "{rule: Deleted, output: deleted /api/v1/namespaces/foo}"
    assert messages(run(tmp_path, f"tests:\n  - {{audit: audit.json, alerts: {alert}}}", rules)) == []
    found = messages(run(tmp_path, "tests:\n  - {audit: audit.json, silent: true}", rules))
    assert found == ["rule 'Deleted' raised an alert that is not expected"]


@pytest.mark.corpus
def test_captures(tmp_path: Path) -> None:
    rules = """
- rule: Resolver asked
  desc: d
  condition: evt.type = connect and fd.sport = 53
  output: "%fd.name"
  priority: NOTICE
"""
    path = corpus("captures/curl_google.scap")
    tests = f"tests:\n  - {{capture: {path}, includes: Resolver asked}}"
    assert messages(run(tmp_path, tests, rules)) == []
    tests = f"tests:\n  - {{capture: {path}, silent: Resolver asked}}"
    assert "rule 'Resolver asked' raised an alert, but it must be silent" in messages(
        run(tmp_path, tests, rules)
    )


@pytest.mark.ptrace
def test_commands(tmp_path: Path) -> None:
    rules = """
- rule: Marked program
  desc: d
  condition: evt.type = execve and proc.args contains marked
  output: "%proc.cmdline"
  priority: NOTICE
"""

    def of(case: str) -> list[str]:
        return messages(run(tmp_path, f"tests:\n  - {case}", rules))

    assert of("{run: [/bin/true, marked], alerts: {rule: Marked program, output: true marked}}") == []
    assert of("{run: /bin/true marked; true, includes: Marked program}") == []
    assert of("{run: [/bin/true, other], silent: true}") == []
    assert "127" in of("{run: no-such-program-here, silent: true}")[0]
    assert of("{run: [sleep, 60], seconds: 0.3, silent: true}")[0].startswith("the command had not ended")


def test_only_some_tests_and_the_other_evaluator(tmp_path: Path) -> None:
    tests = """
        tests:
          - {name: one, event: {evt.type: open, fd.num: 3, proc.name: sh}, alerts: Any shell}
          - {name: two, event: {evt.type: open, fd.num: 3, proc.name: sh}, silent: true}
    """
    report = run(tmp_path, tests, session=Session(only=["o*"], evaluator="interpret"))
    assert [outcome.case.name for outcome in report.suites[0].outcomes] == ["one"]
    assert messages(report) == []


def test_a_thousand_tests_take_less_than_a_second(tmp_path: Path) -> None:
    cases = "\n".join(
        f"  - {{name: t{number}, event: {{evt.type: open, fd.num: {number}, proc.name: sh}}, alerts: Any shell}}"
        for number in range(1000)
    )
    start = time.process_time()
    report = run(tmp_path, f"tests:\n{cases}\n")
    assert report.count("passed") == 1000
    assert time.process_time() - start < 1
