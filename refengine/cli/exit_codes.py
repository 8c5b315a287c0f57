"""What the program's exit code says.

A watched command's own code is passed on, and 128 and the signal's number when a signal ended it, as shells do.
"""

from __future__ import annotations

OK = 0
"""Everything went well; alerts are no failure."""

ERROR = 1
"""Something failed: a command line that makes no sense, rules that do not load, a backend that cannot start."""

UNUSABLE = 2
"""The same from a subcommand, whose 1 is an answer: tests fail, something was found, a lesson is not solved yet."""

NOT_EXECUTABLE = 126
"""The command to watch was found but cannot be executed."""

NOT_FOUND = 127
"""The command to watch was not found."""

NO_READER = 141
"""Nobody reads the output any longer: 128 and the number of the signal that ends other programs then."""
