"""A scenario: a small real program, a rule about it, and the alerts that the rule is to raise."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from refengine.rulefile.loader import load
from refengine.rulefile.rule import Rule
from refengine.source import Source

FAILURE = "failure"
"""The call fails."""

AS_GIVEN = "path as given"
"""The path goes through a symbolic link."""

FLAGS = "open flags"
"""The rule is about flags of an open that say more than reading or writing."""

BOTH_WAYS = "both ways"
"""The file is open for reading and writing, and closed at once."""

PATH_ONLY = "path only"
"""The file is opened as a place only, by `O_PATH`."""

NAMELESS = "nameless file"
"""The file has no name."""

KERNEL_FILES = "kernel files"
"""The file is one of the kernel's own, below `/proc`."""

FLEETING = "fleeting program"
"""The program ends, or becomes another, within a millisecond or so."""

NOT_THERE = "call the kernel lacks"
"""The kernel may have been built without the call."""

IO_URING = "io_uring"
"""The kernel does it on request of a ring, without a system call for it."""

PRELUDE = """
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
folder = {folder!r}
"""


@dataclass(frozen=True)
class Scenario:
    """What is run and what is to come of it.

    `program` is a shell script, or the text of a Python program; it is run in an empty folder, whose path stands for
    `{folder}` in it, in the condition and in what is expected. An alert is the rendered values of `fields`, and
    `expected` are all alerts in any order. `traits` say what is special. `prepare` is a script that runs before
    anybody watches.
    """

    name: str
    program: str
    condition: str
    fields: tuple[str, ...]
    expected: tuple[tuple[str, ...], ...]
    runs: Literal["sh", "python"] = "sh"
    traits: frozenset[str] = frozenset()
    needs_root: bool = False
    prepare: str = "echo old > a; mkdir sub; ln -s a link; echo '#!/bin/sh' > script; chmod 755 script"

    def command(self, folder: Path) -> list[str]:
        """Return the command that runs the program."""
        if self.runs == "sh":
            return ["/bin/sh", "-c", self.program.replace("{folder}", str(folder))]
        text = PRELUDE.replace("{folder!r}", repr(str(folder))) + self.program.replace(
            "{folder}", str(folder)
        )
        return [sys.executable, "-S", "-E", "-c", text]

    def alerts(self, folder: Path) -> list[tuple[str, ...]]:
        """Return the expected alerts in order."""
        return sorted(
            tuple(value.replace("{folder}", str(folder)) for value in alert) for alert in self.expected
        )

    def rule(self, folder: Path) -> Rule:
        """Return the rule, under the name of the scenario."""
        output = "\\x1f".join(f"%{field}" for field in self.fields)
        text = (
            f"- rule: {self.name}\n  desc: {self.name}\n  priority: INFO\n  warn_evttypes: false\n"
            f"  condition: {self.condition.replace('{folder}', str(folder))}\n"
            f'  output: "{output}"\n'
        )
        result = load([Source(f"{self.name}.yaml", text)])
        result.check()
        (rule,) = result.rules
        return rule


def reading(message: str) -> tuple[str, ...]:
    """Return the values in the message of a scenario's alert."""
    return tuple(message.split("\x1f"))
