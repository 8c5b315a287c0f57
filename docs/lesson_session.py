"""Record a lesson that is solved on a terminal, and write what `lessons.md` shows of the course.

Usage: `python docs/lesson_session.py [FOLDER]`, by default the folder of this file, in which `lessons.md` is. A shell runs on a
terminal of its own, and the commands below are typed into it. What it shows goes into `lessons.cast`, with its colours
and its times, for `asciinema play`, and as plain text into `lessons.md`, beside the list of all lessons.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from refengine.authoring.lessons.course import course
from refengine.authoring.lessons.specification import clause

ROOT = Path(__file__).resolve().parents[1]

COLUMNS, ROWS = 100, 40

EXERCISE = "refengine-lessons/03-or/exercise.yaml"
COMMANDS = (
    "refengine learn start or",
    f"cat {EXERCISE}",
    "# A first try: parentheses around the first half.",
    f"sed -i 's/condition:.*/condition: (evt.type = execve and proc.name = nc) or proc.name = ncat/' {EXERCISE}",
    "refengine learn check",
    "refengine learn hint",
    "refengine explain --test refengine-lessons/03-or/exercise.test.yaml --case 'ncat reads*' --rule '*'",
    "# No. The two names are the alternatives.",
    f"sed -i 's/condition:.*/condition: evt.type = execve and (proc.name = nc or proc.name = ncat)/' {EXERCISE}",
    "refengine learn check",
    "refengine learn list | head -8",
)
"""What is typed."""

_PROMPT = "$ "
_PATIENCE = 60.0
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass
class Recording:
    """What a terminal showed: pieces of text, each with the seconds since the beginning."""

    pieces: list[tuple[float, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it, without colours, the lines ending as in a file."""
        whole = _ESCAPE.sub("", "".join(text for _, text in self.pieces))
        return whole.replace("\r\n", "\n").removesuffix(_PROMPT)

    def cast(self) -> str:
        """Return it in the format of asciinema, version 2."""
        head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "refengine learn"}
        lines = [json.dumps(head), *(json.dumps([round(at, 3), "o", text]) for at, text in self.pieces)]
        return "\n".join(lines) + "\n"


def record(folder: Path) -> Recording:
    """Return what a terminal shows while the commands are typed in `folder`, which is empty."""
    binaries = folder / "bin"
    binaries.mkdir()
    program = binaries / "refengine"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m refengine "$@"\n', "utf-8")
    program.chmod(0o755)
    work = folder / "work"
    work.mkdir()
    environment = {
        "PATH": f"{binaries}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
        "HOME": str(work),
        "PS1": _PROMPT,
    }
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(work)
        shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
        os.execvpe(shell[0], shell, environment)  # noqa: S606  # no other shell is wanted around it
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        return _typed(terminal)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _typed(terminal: int) -> Recording:
    recording = Recording()
    start = time.monotonic()
    _until_prompt(terminal, recording, start)
    for command in COMMANDS:
        os.write(terminal, f"{command}\n".encode())
        _until_prompt(terminal, recording, start)
    return recording


def _until_prompt(terminal: int, recording: Recording, start: float) -> None:
    """Keep what the terminal shows until the shell asks for the next command."""
    shown = b""
    while not shown.endswith(f"{_PROMPT}".encode()) or _has_more(terminal):
        ready, _, _ = select.select([terminal], [], [], _PATIENCE)
        if not ready:
            raise TimeoutError(f"the shell showed no prompt, but {shown!r}")
        shown += os.read(terminal, 65536)
    recording.pieces.append((time.monotonic() - start, shown.decode("utf-8")))


def _has_more(terminal: int) -> bool:
    return bool(select.select([terminal], [], [], 0.1)[0])


def lessons_list() -> str:
    """Return all lessons as a list in Markdown, each with the clauses that it is about."""
    return "\n".join(_entries()) + "\n"


def _entries() -> Iterator[str]:
    part = None
    for lesson in course():
        if lesson.part != part:
            part = lesson.part
            yield f"\n### {part}\n"
        about = ", ".join(f"[{anchor}](../spec/{clause(anchor).file})" for anchor in lesson.about.clauses)
        yield f"{lesson.number}. {lesson.title} (`{lesson.name}`): {about}"


def filled(page: str, parts: dict[str, str]) -> str:
    """Return the page with each part between its marks, `<!-- NAME -->` and `<!-- end of NAME -->`."""
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, mark, after = rest.partition(end)
        if not mark:
            raise ValueError(f"the page has no marks for '{name}'")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def main(arguments: list[str] | None = None) -> int:
    """Write `lessons.md` and `lessons.cast`; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    folder = Path(given[0]) if given else Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory() as place:
        recording = record(Path(place))
    page = (ROOT / "docs" / "lessons.md").read_text("utf-8")
    parts = {"lessons": f"{lessons_list()}\n", "session": f"```console\n{recording.text}```\n"}
    (folder / "lessons.md").write_text(filled(page, parts), "utf-8")
    (folder / "lessons.cast").write_text(recording.cast(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
