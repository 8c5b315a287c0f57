"""A Falco binary behind the suite, through its command line alone: validation, and replay of captures.

Validation answers the cases that expect errors or warnings. Replay answers those matches whose events can be
written into a capture: threads with names, and the files that they open. Everything else is skipped with its reason. The binary is anything that understands Falco's `-c`, `-V`, `-r` and `engine.kind: replay`.
"""

from __future__ import annotations

import json
import posixpath
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import refengine
from refengine.backends.capture.sections import MachineInfo, ProcessRecord
from refengine.backends.capture.tables import SystemTables
from refengine.backends.capture.writer import CaptureWriter
from refengine.condition.typed import fields_of
from refengine.conformance.answer import Answer
from refengine.conformance.case import Case, Occurrence
from refengine.conformance.harness import Implementation
from refengine.event import Event
from refengine.tables.event_types import EVENT_TYPES

PATIENCE = 60.0
"""Seconds that one run of the binary may take."""

_WRITABLE = frozenset({"proc.name", "fd.name"})
_FIRST_THREAD = 1000
_OPENED = 3
_AT_CWD = -100
_EPOCH = 1_700_000_000_000_000_000
_TYPES = {type.enum: type for type in EVENT_TYPES}


class Binary:
    """A program with Falco's command line."""

    def __init__(self, program: Sequence[str]) -> None:
        self._program = tuple(program)

    def implementation(self) -> Implementation:
        """Return what the binary says of itself; where there is none, the reason to skip everything."""
        try:
            said = self._run("--version")
        except FileNotFoundError:
            return Implementation("falco", "?", f"there is no program '{self._program[0]}' here")
        return Implementation("falco", said.stdout.strip().splitlines()[0] if said.stdout.strip() else "?")

    def answer(self, case: Case) -> Answer:
        """Return what the binary says about `case`."""
        reason = _why_not(case)
        if reason is not None:
            return Answer(skipped=reason)
        with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
            if case.kind in ("error", "warnings"):
                return self._validated(case, Path(folder))
            return self._replayed(case, Path(folder))

    def _validated(self, case: Case, folder: Path) -> Answer:
        configuration = folder / "falco.yaml"
        configuration.write_text(
            json.dumps({**case.settings, "engine": {"kind": "nodriver"}, "json_output": True})
        )
        arguments = ["-c", str(configuration)]
        for path in _rules_files(case, folder):
            arguments += ["-V", str(path)]
        said = self._run(*arguments)
        for line in said.stdout.splitlines():
            if line.startswith("{"):
                files = json.loads(line)["falco_load_results"]
                break
        else:
            return Answer(failed=f"no result of the validation: {said.stderr.strip()[-300:]}")
        errors = [
            {"code": error["code"], "message": error["message"]} for file in files for error in file["errors"]
        ]
        warnings = {warning["code"] for file in files for warning in file["warnings"]}
        return Answer(errors=tuple(errors), warnings=tuple(sorted(warnings)))

    def _replayed(self, case: Case, folder: Path) -> Answer:
        capture = folder / "events.scap"
        write_capture(capture, case.events)
        (rules,) = _rules_files(case, folder)
        configuration = folder / "falco.yaml"
        settings: Mapping[str, Any] = {
            "engine": {"kind": "replay", "replay": {"capture_file": str(capture)}},
            "json_output": True,
            "stdout_output": {"enabled": True},
        }
        configuration.write_text(json.dumps(settings))
        said = self._run("-c", str(configuration), "-r", str(rules))
        alerts = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
        if said.returncode != 0:
            return Answer(failed=f"replay ended with {said.returncode}: {said.stderr.strip()[-300:]}")
        numbers = {alert["output_fields"]["evt.num"] for alert in alerts if alert.get("rule") == "case"}
        return Answer(result=[number in numbers for number in range(1, len(case.events) + 1)])

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._program, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
        )


def _why_not(case: Case) -> str | None:
    """Return why a Falco binary cannot be asked about `case`, None where it can."""
    if case.template is not None or case.kind == "text":
        return "the command line has nothing that shows this"
    if case.source != "syscall":
        return "events of this source come from a plugin"
    if case.kind in ("error", "warnings"):
        return None
    if case.condition is None:
        return "the alerts of rules files are not replayed"
    return _why_not_written(case)


def _why_not_written(case: Case) -> str | None:
    assert case.condition is not None
    rules = refengine.load_rules(refengine.Source("case.yaml", _rule(case.condition)))
    read = {field.key for rule in rules for field in fields_of(rule.condition)}
    if not read <= _WRITABLE:
        return "the capture cannot be made to have these field values"
    for event in case.events:
        name, path = event.fields.get("proc.name"), event.fields.get("fd.name")
        for value in (name, path):
            if value is not None and not (isinstance(value, str) and value and value.isprintable()):
                return "a capture cannot hold this text"
        if isinstance(path, str) and (posixpath.normpath(path) != path or not path.startswith("/")):
            return "a path that is opened is absolute and without detours"
        if name is None and "proc.name" in read:
            return "every thread of a capture has a name"
    return None


def _rule(condition: str) -> str:
    rule = {
        "rule": "case",
        "desc": "The condition of a case.",
        "condition": condition,
        "output": "event %evt.num",
        "priority": "DEBUG",
        "warn_evttypes": False,
    }
    return json.dumps([rule])


def _rules_files(case: Case, folder: Path) -> list[Path]:
    """Write the case's rules files; return their paths, those of missing files included."""
    if case.condition is not None:
        path = folder / "case.yaml"
        path.write_text(_rule(case.condition), encoding="utf-8")
        return [path]
    paths = []
    for file in case.rules:
        path = folder / file.name
        if file.text is not None:
            path.write_text(file.text, encoding="utf-8")
        paths.append(path)
    return paths


def write_capture(path: Path, events: Sequence[Occurrence]) -> None:
    """Write a capture with one system call for each event, made by a thread of its own.

    The thread is called as the event's `proc.name` says; it opens the file of `fd.name`, or no file at all.
    """
    tables = SystemTables(machine=MachineInfo(1, 1 << 30, 1 << 22, "conformance", 0))
    calls: list[Event] = []
    for tid, event in enumerate(events, _FIRST_THREAD):
        name, opened = event.fields.get("proc.name", "conformance"), event.fields.get("fd.name")
        tables.processes.append(
            ProcessRecord(tid, tid, 1, str(name), "/bin/conformance", (), "/", 1024, 0, 0, 0)
        )
        if opened is None:
            calls.append(Event(_TYPES["SYSCALL_GETCWD_X"], _EPOCH + tid, tid, (0, "/")))
        else:
            opening = (_OPENED, _AT_CWD, str(opened), 1, 0, 0, 0)
            calls.append(Event(_TYPES["SYSCALL_OPENAT_2_X"], _EPOCH + tid, tid, opening))
    with CaptureWriter(path) as writer:
        writer.write_tables(tables)
        for call in calls:
            writer.write(call)
