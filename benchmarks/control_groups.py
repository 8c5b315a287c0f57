"""Giving control groups back, which the kernel holds on to for a while after their last process has ended."""

from __future__ import annotations

import errno
import time
from pathlib import Path

PATIENCE = 60.0
"""Seconds for which it may do so."""


def remove(group: Path) -> None:
    """Remove a control group once its processes, which are to have ended, have left it."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > limit:
                raise
            time.sleep(0.02)
        else:
            return
