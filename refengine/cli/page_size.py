"""`--page-size`: the size of the system's pages of memory."""

from __future__ import annotations

import mmap

from refengine.cli.exit_codes import OK
from refengine.cli.request import Request


def run(request: Request) -> int:
    """Print the size in bytes."""
    del request  # it is the same for everybody
    print(f"Your system page size is: {mmap.PAGESIZE}")
    return OK
