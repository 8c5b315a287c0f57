"""Follows a document: writes the files that it shows, runs the commands that it gives, and compares what they print.

A block of YAML or Python behind a line that ends with a file's name, "`hooks.yaml`:", is that file, or more of it where the
line has "at the end of" before the name. In a block marked
`console` a line that begins with "$ " is a command for the shell, and what follows is what it prints on standard output and
error together; a line "…" stands for any lines. "# exit code 1" behind a command says that it ends so, otherwise it ends with 0. Any other block of Python is a program that runs and prints nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"(?P<end>at the end of )?`(?P<name>[\w./-]+)`:\s*\Z")
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
_ANY = "…"

_CHANGING = (
    (r"\b\d\d:\d\d:\d\d\.\d{9}\b", "TIME"),
    (r"\b\d+\.\d\d s\b", "SECONDS"),
    (r"\bevent \d+\b", "event NUMBER"),
    (r"^(Events (?:seen|evaluated|dropped)): \d+$", r"\1: COUNT"),
)
"""What differs from run to run."""


@dataclass(frozen=True)
class File:
    """A file that the document shows, or the end of one."""

    name: str
    text: str
    more: bool


@dataclass(frozen=True)
class Command:
    """A command that the document gives, and what it says of it."""

    text: str
    output: str
    exit_code: int


def steps(document: str) -> list[File | Command]:
    """Return what there is to do, in order."""
    found: list[File | Command] = []
    for block in _BLOCK.finditer(document):
        named = _NAMED.search(document[: block.start()].rsplit("```", 1)[-1])
        if block[1] == "console":
            found += _commands(block[2])
        elif named is None and block[1] == "python":
            found.append(Command(f"{shlex.quote(sys.executable)} -c {shlex.quote(block[2])}", "", 0))
        elif named is not None:
            found.append(File(named["name"], block[2], named["end"] is not None))
    return found


def _commands(block: str) -> list[Command]:
    commands = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        text, _, output = part.partition("\n")
        code = _EXIT_CODE.search(text)
        commands.append(Command(_EXIT_CODE.sub("", text), output, int(code[1]) if code else 0))
    return commands


def follow(document: str, folder: Path, shown_folder: str) -> int:
    """Do everything in `folder`, whose name in the document is `shown_folder`; return the number of commands.

    :raises AssertionError: when a command prints something else, or ends otherwise, than the document says.
    """
    programs = folder.parent / "bin"
    programs.mkdir(exist_ok=True)
    for name, arguments in (("refengine", "-m refengine"), ("python3", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": "120",
    }
    count = 0
    for step in steps(document):
        if isinstance(step, File):
            with (folder / step.name).open("a" if step.more else "w", encoding="utf-8") as out:
                out.write(step.text)
            continue
        done = subprocess.run(
            ["sh", "-c", step.text], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
        )  # fmt: skip
        told = f"$ {step.text}\n{done.stdout}"
        assert done.returncode == step.exit_code, told
        printed = _evened(done.stdout.replace(str(folder), shown_folder))
        assert fits(printed, _evened(step.output)), f"{told}\nthe document says:\n{step.output}"
        count += 1
    return count


def fits(printed: str, shown: str) -> bool:
    """Return whether `printed` is what is shown, in which a line "…" stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == _ANY else f"{re.escape(line)}\n" for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed) is not None


def _evened(text: str) -> str:
    for pattern, word in _CHANGING:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text
