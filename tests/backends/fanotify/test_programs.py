"""What is known of a program that had ended before anybody could look: the files that were opened to execute it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from threading import Thread

from refengine.backends.fanotify.programs import Glance, program_of

NOTHING = Glance("", None, (), "", "", ())


def gone() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


def program_path(*opened: Path) -> str:
    found: list[str] = []
    pid = gone()

    def look() -> None:
        thread, is_there = program_of(pid, NOTHING, [str(path) for path in opened], 0)
        assert not is_there
        found.append(thread.exepath)

    looking = Thread(target=look, daemon=True)
    looking.start()
    looking.join(10)
    assert found, "it waits for one of the files"
    return found[0]


def test_the_program_of_a_script_is_what_interprets_it(tmp_path: Path) -> None:
    script, interpreter = tmp_path / "script", tmp_path / "interpreter"
    script.write_text("#!/interpreter\n")
    interpreter.write_bytes(b"\x7fELF")
    assert program_path(script, interpreter) == str(interpreter)
    assert program_path(interpreter) == str(interpreter)
    assert program_path(tmp_path / "none", interpreter) == str(tmp_path / "none")


def test_a_pipe_in_the_place_of_the_program_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "program"
    os.mkfifo(pipe)
    assert program_path(pipe) == str(pipe)
    assert program_path(tmp_path) == str(tmp_path)
