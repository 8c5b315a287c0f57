"""What `help` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from refengine.authoring.exploring.table import cells
from refengine.terminal import Style


def overview(commands: Iterable[tuple[str, str, str]], style: Style) -> Iterator[str]:
    """Yield what a session is for and what can be typed; a command is a name, its arguments and what it does."""
    yield _BEGINNING.strip("\n")
    yield ""
    rows = [(name, arguments, about) for name, arguments, about in commands]
    width = max(cells(f"{name} {arguments}") for name, arguments, _ in rows)
    for name, arguments, about in rows:
        blanks = " " * (width - cells(f"{name} {arguments}"))
        yield f"  {style.bold(name)} {arguments}{blanks}  {about}"
    yield ""
    yield _END.strip("\n")


_BEGINNING = """
Type a condition, as it stands in a rule, and see the events for which it holds. For a beginning:

  evt.type = execve                            programs that were started
  evt.type in (open, openat) and fd.name startswith /etc/
  count proc.name                              which programs did that, how often
  explain 3                                    why the condition holds for event 3, or does not
  show 3                                       all that is known of event 3

Names of macros and of lists are those of the rules that were loaded with -r. Other things to type:
"""

_END = """
help conditions teaches the language in one page; help values says how values are written.
Where a macro has the name of a command, put it into brackets: (rules).
"""

TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "conditions": """
A condition compares fields of an event with values:

  proc.name = cat                       a field, an operator, a value
  fd.name startswith /etc/              operators: fields and values decide which fit
  evt.type in (open, openat)            one of several values
  fd.name pmatch (/etc, /usr/lib)       at or below one of these paths
  proc.pname exists                     the event has the field at all
  tolower(proc.name) = cat              a transformer changes the value first
  proc.name = val(proc.pname)           the value of another field

and it joins comparisons:

  A and B, A or B, not A, (A or B) and C      and binds closer than or

A field that an event does not have is absent. Comparing an absent field is false, whatever the operator: also with
!=. So not fd.name = /x holds for events without a file, and fd.name != /x does not.

Every condition of a rule should ask for evt.type: a rule without it is asked about every event.
""",
        "values": """
Values are written without quotes where they have no blanks, commas, brackets, quotes or equals signs:

  proc.name = cat
  proc.cmdline = "cat /etc/shadow"
  fd.num >= 3                     a number; 0x1f is one as well
  evt.is_open_read = true
  fd.sip = 10.0.0.1               an address
  fd.snet = 10.0.0.0/8            a network
  evt.arg.flags contains O_TRUNC  flags are text

fields TEXT finds fields by their names and by what they mean, count FIELD tells which values there are.
""",
    }
)
"""Longer texts by their names."""
