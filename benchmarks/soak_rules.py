"""The rules of a soak: each tells of every single thing of one kind that the workload does, with its number."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping

RULES = """
- rule: Soak looked at
  desc: Every open of the workload reaches the rules; this one tells of none.
  condition: evt.type in (open, openat) and fd.name startswith {folder}/ and proc.pname = nobody
  output: "%fd.name"
  priority: INFO
- rule: Soak opened
  desc: A file is opened.
  condition: evt.type in (open, openat) and fd.name startswith {folder}/opened-
  output: "soak opened %fd.name"
  priority: INFO
- rule: Soak threaded
  desc: A file is opened by a thread that is not its process's first one.
  condition: evt.type in (open, openat) and fd.name startswith {folder}/threaded- and thread.tid != val(proc.pid)
  output: "soak threaded %fd.name"
  priority: INFO
- rule: Soak lived
  desc: A file is opened by a process that has been there for long, and is still known by its command.
  condition: evt.type in (open, openat) and fd.name startswith {folder}/lived- and proc.args startswith "-c read end"
  output: "soak lived %fd.name"
  priority: INFO
- rule: Soak renamed
  desc: A file gets another name.
  condition: evt.type in (rename, renameat, renameat2) and fs.path.target startswith {folder}/renamed-
  output: "soak renamed %fs.path.target"
  priority: INFO
- rule: Soak executed
  desc: A program is started.
  condition: evt.type = execve and evt.res = SUCCESS and proc.args startswith {folder}/executed-
  output: "soak executed %proc.args"
  priority: INFO
- rule: Soak contained
  desc: A program is started in what looks like a container.
  condition: evt.type = execve and evt.res = SUCCESS and proc.args startswith {folder}/contained- and container.id != host
  output: "soak contained %proc.args"
  priority: INFO
- rule: Soak connected
  desc: A connection is made, each to an address of its own.
  condition: evt.type = connect and fd.sport = {port} and fd.snet = "127.0.0.0/8"
  output: "soak connected %fd.sip"
  priority: INFO
"""
"""To be formatted with the workload's `folder`, and the `port` that it connects to."""

_ALERT = re.compile(r"\bsoak (\w+) (?:\S*/)?(\S+)$")


def address(number: int) -> str:
    """Return an address of the machine's own, another one for each of the first sixteen million numbers."""
    return socket.inet_ntoa((0x7F000001 + number).to_bytes(4, "big"))


def name(kind: str, number: int) -> str:
    """Return what an alert names the thing of that kind and number."""
    return address(number) if kind == "connected" else f"{kind}-{number}"


def alerts(done: Mapping[str, int]) -> Iterator[str]:
    """Yield the alerts that are to come for so many things of each kind."""
    for kind, count in done.items():
        for number in range(count):
            yield f"{kind} {name(kind, number)}"


def alert_of(line: str) -> str | None:
    """Return which of these alerts a line of the monitor's output is, None for any other line."""
    found = _ALERT.search(line)
    return f"{found[1]} {found[2]}" if found is not None else None
