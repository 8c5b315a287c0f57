"""Sessions over recorded events: selecting, counting, explaining, and what is wrong with a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.authoring.exploring.columns import Columns
from refengine.authoring.exploring.line import rendered
from refengine.authoring.exploring.matching import matching_rows
from refengine.authoring.exploring.recordings import Recording
from refengine.authoring.exploring.scope import Scope
from refengine.authoring.exploring.session import execute
from refengine.authoring.exploring.workspace import Workspace
from refengine.condition.interpret import Interpreter
from refengine.errors import BackendError, ConditionError, UsageError
from refengine.event import Event
from refengine.fields.readers import SystemReader
from refengine.fields.reading import read_field
from refengine.source import Text
from tests.authoring.desks import EVENTS, desk, events_file, said
from tests.corpus import corpus


@pytest.fixture
def at(tmp_path: Path) -> Workspace:
    return desk(events_file(tmp_path))


def fault(at: Workspace, line: str) -> str:
    with pytest.raises(ConditionError) as raised:
        list(execute(line, at))
    return "\n".join(map(rendered, raised.value.diagnostics))


class TestConditions:
    def test_the_events_for_which_it_holds_are_shown_with_the_fields_that_it_uses(
        self, at: Workspace
    ) -> None:
        assert said(at, "fd.name startswith /etc and user.name exists or proc.name = sh") == [
            "number  evt.type  proc.name  fd.name      user.name",
            "     2  open      bash       /etc/hosts   root",
            "     3  openat    sh         /etc/shadow",
            "it holds for 2 of 4 events",
        ]

    def test_macros_and_lists_are_those_of_the_rules(self, at: Workspace) -> None:
        assert said(at, "opened and not proc.name in (shells)")[1:] == [
            "     1  open      cat        3",
            "it holds for 1 of 4 events",
        ]

    def test_what_no_event_can_be_is_told(self, at: Workspace) -> None:
        (line,) = said(at, "evt.type = connect")
        assert line == (
            "it holds for none of 4 events, of which none has the type connect: "
            "count evt.type tells which there are"
        )

    def test_a_field_that_no_event_has_is_absent(self, at: Workspace) -> None:
        assert said(at, "container.id exists") == ["it holds for none of 4 events"]
        assert said(at, "not container.id exists")[-1] == "it holds for 4 of 4 events"

    def test_without_events_conditions_are_checked_all_the_same(self) -> None:
        nothing = desk()
        assert said(nothing, "proc.name = cat") == ["no events are loaded: load FILE brings some"]
        assert "unknown field 'proc.nme'" in fault(nothing, "proc.nme = cat")

    def test_more_events_than_a_page_come_page_by_page(self, tmp_path: Path) -> None:
        at = desk(events_file(tmp_path, [{"evt.type": "close", "fd.num": number} for number in range(50)]))
        first = said(at, "evt.type = close")
        assert len(first) == 1 + 20 + 1
        assert first[-1] == "… and 30 more (more shows them); it holds for 50 of 50 events"
        assert said(at, "more")[1].split() == ["21", "close"]
        said(at, "more")
        assert said(at, "more") == ["there are no more"]
        assert said(at, "all")[-1] == "… and 30 more (more shows them); 50 events"

    def test_doubts_about_a_condition_are_told(self, at: Workspace) -> None:
        assert said(at, "proc.name = fd.name")[:3] == [
            (
                "warning: 'fd.name' is compared as text, but it is also a field; "
                "write val(fd.name) to compare with its value"
            ),
            "  1 | proc.name = fd.name",
            "    |             ^^^^^^^",
        ]

    def test_blank_lines_and_comments_do_nothing(self, at: Workspace) -> None:
        assert list(execute("  ", at)) == []
        assert list(execute("# proc.name = cat", at)) == []

    def test_a_macro_with_the_name_of_a_command_stands_in_brackets(self, tmp_path: Path) -> None:
        at = desk(events_file(tmp_path), rules="- macro: all\n  condition: proc.name = sh\n")
        assert said(at, "(all)")[-1] == "it holds for 1 of 4 events"


class TestFaults:
    def test_the_caret_stands_below_the_fault(self, at: Workspace) -> None:
        assert fault(at, "  evt.type = open and fd.nam = x") == (
            "error: unknown field 'fd.nam'\n"
            "  1 |   evt.type = open and fd.nam = x\n"
            "    |                       ^^^^^^\n"
            "  help: did you mean 'fd.name'?"
        )

    @pytest.mark.parametrize(
        ("line", "carets", "message"),
        [
            ("explain 2 fd.nam = x", "          ^^^^^^", "unknown field 'fd.nam'"),
            ("count proc.name where fd.nam = x", "                      ^^^^^^", "unknown field 'fd.nam'"),
            ("count proc.name, proc.nme", "                 ^^^^^^^^", "unknown field 'proc.nme'"),
            ("shwo 3", "^^^^", "there is no command 'shwo'"),
            ("openned", "^^^^^^^", "there is no macro 'openned'"),
            ("show 9", "     ^", "there is no event 9: they are numbered from 1 to 4"),
            ("show x", "     ^", "'show' takes the number of an event"),
            ("count", "     ^", "name a field to count"),
            ("all of them", "    ^^^^^^^", "nothing is expected here"),
            ("help me", "     ^^", "there is no help on 'me'"),
            ("rules X*", "      ^^", "no rule that is enabled has a name like 'X*'"),
            ("evt.type = opne", "           ^^^^", "opne"),
        ],
    )
    def test_every_command_shows_the_place(self, at: Workspace, line: str, carets: str, message: str) -> None:
        text = fault(at, line)
        assert message in text
        assert f"    | {carets}" in text.split("\n")

    def test_a_value_of_another_type_is_told_and_absent(self, tmp_path: Path) -> None:
        at = desk()
        _, remarks = at.load(events_file(tmp_path, [{"evt.type": "open", "fd.num": "three"}]))
        assert len(remarks) == 1
        assert "event 1: 'three' is no value of type" in remarks[0]
        assert said(at, "fd.num exists") == ["it holds for none of 1 event"]

    def test_recordings_that_cannot_be_used(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is not there"):
            desk(tmp_path / "none.jsonl")
        with pytest.raises(UsageError, match="no file that can be read again"):
            desk(tmp_path)
        with pytest.raises(BackendError, match="cannot read the capture"):
            desk(events_file(tmp_path), backend="capture")

    def test_broken_lines_are_told(self, tmp_path: Path) -> None:
        path = events_file(tmp_path)
        path.write_text(f"{path.read_text()}{{oops\n")
        at = desk()
        count, remarks = at.load(path)
        assert count == 4
        assert "e.jsonl:5" in remarks[0]

    def test_a_file_that_changed_is_not_read_again(self, tmp_path: Path) -> None:
        path = events_file(tmp_path)
        at = desk(path)
        path.write_text(f"{path.read_text()}\n\n")
        with pytest.raises(UsageError, match="has changed"):
            said(at, "show 1")


class TestCommands:
    def test_counts_are_of_what_is_selected(self, at: Workspace) -> None:
        assert said(at, "count proc.name") == [
            "events  proc.name",
            "     2  cat",
            "     1  bash",
            "     1  sh",
            "3 values in 4 events",
        ]
        said(at, "opened")
        assert said(at, "count fd.name user.name") == [
            "events  fd.name      user.name",
            "     2  /etc/shadow  -",
            "     1  /etc/hosts   root",
            "2 combinations in 3 events for which 'opened' holds",
        ]
        assert said(at, "count proc.name where evt.type = close")[1] == "     1  cat"

    def test_explain_takes_the_last_condition_another_or_a_rule(self, at: Workspace) -> None:
        said(at, "opened and user.name = root")
        assert said(at, "explain 1") == [
            "does not hold for event 1 (open)",
            "✗ all of",
            "├─ ✓ opened (macro, all of)  [r.yaml:4:15]",
            '│  ├─ ✓ evt.type in (open, openat)  evt.type is "open"  [r.yaml:4:15]',
            "│  └─ ✓ fd.num >= 0  fd.num is 3  [r.yaml:4:46]",
            "└─ ✗ user.name = root  user.name is absent, and comparing an absent value is false",
            "nearest miss: it would hold if this were otherwise:",
            "  ✗ user.name = root  does not hold: user.name is absent, and comparing an absent value is false",
        ]
        assert said(at, "explain 4 proc.name = cat")[0] == "holds for event 4 (close)"
        assert said(at, "explain 3 shadow*")[1] == "holds for event 3 (openat)"
        assert "comes before it" in said(at, "explain 3 Shell opens")[1]

    def test_explain_without_a_condition_tells_of_all_rules(self, at: Workspace) -> None:
        lines = said(at, "explain 2")
        assert lines[0] == "✓ Shell opens  holds for 1 event, first for event 2 (open)"
        assert lines[1] == "✗ Shadow read  does not hold; nearest is event 2 (open)"

    def test_explain_without_anything_says_what_to_type(self, tmp_path: Path) -> None:
        assert "type a condition first" in fault(desk(events_file(tmp_path), rules=""), "explain 1")

    def test_show_gives_all_fields_of_an_event(self, at: Workspace) -> None:
        lines = said(at, "show 2")
        assert [line.split() for line in lines[:-1]] == [
            ["evt.type", "open"],
            ["fd.name", "/etc/hosts"],
            ["fd.num", "4"],
            ["proc.name", "bash"],
            ["user.name", "root"],
        ]
        assert lines[-1] == "5 fields; all others are absent"
        assert said(at, "show 2 fd")[-1] == "2 of 5 fields; all others are absent"

    def test_rules_are_run_over_all_events(self, at: Workspace) -> None:
        assert said(at, "rules") == [
            "alerts  holds  first event  priority  rule",
            "     2      2            1  Warning   Shadow read",
            "     1      2            2  Notice    Shell opens",
            "fewer alerts than it holds for: an earlier rule takes the event, unless all are to match",
        ]

    def test_rules_that_hold_for_nothing_are_counted(self, tmp_path: Path) -> None:
        at = desk(events_file(tmp_path, [{"evt.type": "close"}]))
        assert said(at, "rules") == ["2 rules hold for none of 1 event"]
        assert said(at, "rules shadow*") == ["1 rule holds for none of 1 event"]

    def test_fields_are_found_by_name_and_by_meaning(self, at: Workspace) -> None:
        assert said(at, "fields cwd")[1].startswith("proc.cwd")
        assert any(line.startswith("proc.cwd ") for line in said(at, "fields working directory"))
        assert "no field has 'xyzzy'" in fault(at, "fields xyzzy")

    def test_macros_and_lists_are_listed(self, at: Workspace) -> None:
        assert said(at, "macros")[1] == "opened  (evt.type in (open, openat) and fd.num >= 0)"
        assert said(at, "lists she")[1] == "shells  bash, sh"
        assert "no macro has 'x'" in fault(at, "macros x")

    def test_help_is_there_for_everything(self, at: Workspace) -> None:
        text = "\n".join(said(at, "help"))
        assert "count FIELD… [where CONDITION]" in text
        assert "absent" in "\n".join(said(at, "help conditions"))
        assert said(at, "help show")[0] == "show N [TEXT]"

    def test_examples_of_the_help_are_conditions(self) -> None:
        at = desk()
        for line in (
            *said(at, "help")[2:4],
            *said(at, "help conditions")[2:9],
            *said(at, "help values")[2:10],
        ):
            condition = line.split("  ")[1] if line.startswith("  ") else ""
            if condition:
                said(at, condition)


class TestRecordings:
    def test_a_second_one_is_numbered_on(self, tmp_path: Path) -> None:
        at = desk(events_file(tmp_path), events_file(tmp_path, EVENTS[:2], "f.jsonl"))
        lines = said(at, "fd.name = /etc/shadow")
        assert [line.split()[0] for line in lines[1:-1]] == ["1", "3", "5"]
        assert said(at, "show 6 proc")[0].split() == ["proc.name", "bash"]

    def test_numbers_are_the_events_own_where_those_increase(self, tmp_path: Path) -> None:
        path = events_file(
            tmp_path, [{"evt.type": "open", "evt.num": 30}, {"evt.type": "close", "evt.num": 70}]
        )
        assert said(desk(path), "evt.type = close")[1].split()[0] == "70"
        path = events_file(
            tmp_path, [{"evt.type": "open", "evt.num": 70}, {"evt.type": "close", "evt.num": 30}]
        )
        assert said(desk(path), "evt.type = close")[1].split()[0] == "2"

    def test_no_more_than_the_limit_are_looked_at(self, tmp_path: Path) -> None:
        path = events_file(tmp_path)
        at = desk(limit=3)
        count, remarks = at.load(path)
        assert count == 3
        assert remarks == ("only the first 3 events are looked at: see --limit",)
        assert said(at, "proc.name exists")[-1] == "it holds for 3 of 3 events"

    def test_columns_that_were_let_go_are_read_again(self, tmp_path: Path) -> None:
        at = desk(events_file(tmp_path), cells=8)
        for _ in range(2):
            assert said(at, "fd.name = /etc/shadow and fd.num = 3")[-1] == "it holds for 2 of 4 events"
            assert said(at, "user.name = root")[-1] == "it holds for 1 of 4 events"
            assert said(at, "count proc.name")[1] == "     1  bash"

    def test_audit_events_have_fields_of_their_own(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.json"
        path.write_text(
            '{"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "1", "stage": "ResponseComplete", '
            '"verb": "create", "user": {"username": "eve"}, "objectRef": {"resource": "pods", "name": "p"}, '
            '"stageTimestamp": "2026-01-02T03:04:05.000006Z"}'
        )
        at = desk(path, backend="k8s_audit", rules="")
        lines = said(at, "ka.verb = create and ka.target.name = p")
        assert lines[0].split() == ["number", "time", "ka.verb", "ka.user.name", "ka.target.name"]
        assert lines[1].split()[2:] == ["create", "eve", "p"]
        assert said(at, "show 1 verb")[0].split() == ["ka.verb", "create"]
        assert said(at, "explain 1 ka.user.name = bob")[1].startswith("✗ ka.user.name = bob")
        assert "exists for events of source syscall" in fault(at, "proc.name = cat")


@pytest.mark.corpus
class TestCaptures:
    CONDITIONS = (
        "evt.type = open and fd.name endswith .so.6",
        "fd.sip exists and not proc.pname = bash",
        "evt.arg.flags contains O_RDONLY or proc.aname[2] = sshd",
        "proc.aname = systemd and evt.type in (mmap, close)",
        "evt.res != SUCCESS",
        "fd.ip = 127.0.0.53 or fd.port = 53",
        "evt.num < 100 and len(proc.cmdline) > 10",
    )

    @pytest.mark.parametrize("condition", CONDITIONS)
    def test_columns_say_what_the_interpreter_says_of_each_event_at_its_moment(self, condition: str) -> None:
        recording = Recording.of(corpus("captures/curl_google.scap"), "capture")
        columns = Columns()
        columns.add(recording)
        question = Scope().question(Text.of(condition), ("syscall",))
        interpreter = Interpreter(SystemReader())
        events = [event for event in recording.events() if isinstance(event, Event)]
        assert len(events) == len(columns)
        expected = [
            row
            for row, event in enumerate(recording.events())
            if interpreter.holds(question.conditions["syscall"], event)
        ]
        assert matching_rows(question, columns) == expected

    def test_several_fields_are_read_at_once_and_kept(self) -> None:
        recording = Recording.of(corpus("captures/curl_google.scap"), "capture")
        columns = Columns()
        columns.add(recording, [read_field("proc.name")])
        assert columns.has(read_field("proc.name"))
        assert not columns.has(read_field("fd.name"))
        assert columns.tally(read_field("proc.name"))["curl"] > 300
