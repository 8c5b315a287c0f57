"""The session as a program: lines from a file, and a person at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.authoring.desks import RULES, events_file

PROMPT = b"refengine>"


def run(folder: Path, lines: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "r.yaml").write_text(RULES)
    return subprocess.run(
        [
            sys.executable,
            *("-m", "refengine", "repl", "-r", str(folder / "r.yaml"), "-e", str(events_file(folder))),
            *options,
        ],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )


def test_lines_are_answered_in_plain_text(tmp_path: Path) -> None:
    done = run(tmp_path, "# a script\nopened and proc.name = sh\ncount evt.type\n")
    assert done.returncode == 0
    assert done.stdout.split("\n") == [
        "number  evt.type  proc.name  fd.num",
        "     3  openat    sh         3",
        "it holds for 1 of 4 events",
        "events  evt.type",
        "     1  openat",
        "1 value in 1 event for which 'opened and proc.name = sh' holds",
        "",
    ]
    assert done.stderr.startswith("4 events from ")


def test_wrong_lines_are_told_and_make_the_exit_code_1(tmp_path: Path) -> None:
    done = run(tmp_path, "proc.nme = x\nproc.name = sh\nquit\nnonsense\n")
    assert done.returncode == 1
    assert "line 1: error: unknown field 'proc.nme'\n  1 | proc.nme = x\n    | ^^^^^^^^\n" in done.stderr
    assert "nonsense" not in done.stderr
    assert "it holds for 1 of 4 events" in done.stdout


def test_no_library_is_needed_where_nobody_sits_at_a_terminal(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['prompt_toolkit'] = None\n"
        "from refengine.cli.main import main\n"
        f"sys.exit(main(['repl', '-e', {str(events_file(tmp_path))!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input="proc.name = sh\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split("\n")[-2]) == (0, "it holds for 1 of 4 events")


def test_wrong_options_are_told(tmp_path: Path) -> None:
    done = run(tmp_path, "", "-e", "/nowhere.scap")
    assert done.returncode == 2
    assert "the recording '/nowhere.scap' is not there" in done.stderr
    assert run(tmp_path, "", "--limit", "0").returncode != 0


class Terminal:
    """A session at a pseudo-terminal of 100 columns."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self.screen = b""

    def type(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def wait_for(self, text: bytes) -> None:
        """Return when `text` has come since the last wait; fail after 60 seconds."""
        end = time.monotonic() + 60
        while text not in self.screen:
            assert time.monotonic() < end, f"{text!r} did not come: {self.screen!r}"
            if self._poll.poll(200):
                try:
                    came = os.read(self._descriptor, 1 << 16)
                except OSError:  # the other side has gone
                    came = b""
                assert came, f"{text!r} did not come: {self.screen!r}"
                if b"\x1b[6n" in came:
                    os.write(self._descriptor, b"\x1b[1;1R")  # it asks where the cursor is
                self.screen += came
        self.screen = self.screen[self.screen.index(text) + len(text) :]


@contextmanager
def session(folder: Path, *, library: bool = True) -> Iterator[tuple[Terminal, int]]:
    events = str(events_file(folder))
    (folder / "r.yaml").write_text(RULES)
    forbid = "" if library else "sys.modules['prompt_toolkit'] = None\n"
    script = (
        f"import sys\n{forbid}from refengine.cli.main import main\n"
        f"sys.exit(main(['repl', '-r', {str(folder / 'r.yaml')!r}, '-e', {events!r}]))"
    )
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "XDG_STATE_HOME": str(folder / "state")}
    environment.pop("NO_COLOR", None)
    process, descriptor = pty.fork()
    if process == 0:  # pragma: no cover
        os.execve(sys.executable, [sys.executable, "-c", script], environment)
    try:
        yield Terminal(descriptor), process
    finally:
        os.close(descriptor)
        try:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def ended(process: int) -> int:
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def test_a_person_completes_interrupts_and_leaves(tmp_path: Path) -> None:
    pytest.importorskip("prompt_toolkit")
    with session(tmp_path) as (terminal, process):
        terminal.wait_for(b"type a condition, or help")
        terminal.wait_for(PROMPT)
        terminal.type(b"evt.type = nothing at al")
        terminal.type(b"\x03")
        terminal.wait_for(PROMPT)
        terminal.type(b"proc.nam = x\r")
        terminal.wait_for(b"did you mean 'proc.name'?")
        terminal.wait_for(PROMPT)
        terminal.type(b"shad")
        terminal.wait_for(b"shad")
        terminal.type(b"\x15proc.name = sh\r")
        terminal.wait_for(b"it holds for 1 of 4 events")
        terminal.wait_for(PROMPT)
        terminal.type(b"\x04")
        assert ended(process) == 0
    history = tmp_path / "state" / "refengine" / "repl_history"
    assert "+proc.name = sh" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_conditions_are_coloured_at_a_terminal(tmp_path: Path) -> None:
    pytest.importorskip("prompt_toolkit")
    with session(tmp_path) as (terminal, _):
        terminal.wait_for(PROMPT)
        terminal.type(b"proc.name = sh")
        terminal.wait_for(b"\x1b[0;36m")


def test_the_tab_key_completes(tmp_path: Path) -> None:
    pytest.importorskip("prompt_toolkit")
    with session(tmp_path) as (terminal, _):
        terminal.wait_for(PROMPT)
        terminal.type(b"evt.ty")
        terminal.wait_for(b"evt.type.is[")  # one of the completions that are offered
        terminal.type(b"\t")
        terminal.wait_for(b"pe\x1b[0m")  # what was missing of evt.type
        terminal.type(b" = close\r")
        terminal.wait_for(b"it holds for 1 of 4 events")


def test_without_the_library_a_terminal_still_works(tmp_path: Path) -> None:
    with session(tmp_path, library=False) as (terminal, process):
        terminal.wait_for(b"pip install 'refengine[repl]'")
        terminal.wait_for(PROMPT)
        terminal.type(b"proc.name = sh\n")
        terminal.wait_for(b"it holds for 1 of 4 events")
        terminal.type(b"quit\n")
        assert ended(process) == 0
