"""The content of files under `/proc` that tell of one thing, by bare calls, since they are asked for often."""

from __future__ import annotations

import os
from typing import Final

_PAGE: Final = 4096
_CHUNK: Final = 8192


def read_file(path: str) -> bytes:
    """Return the content of a file under `/proc`, nothing where it cannot be read.

    Not for tables: of these the kernel gives as many rows at a time as fit a page, which is less than a page.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        data = part = os.read(descriptor, _CHUNK)
        while len(part) >= _PAGE:  # such files give whole pages while there is more
            part = os.read(descriptor, _CHUNK)
            data += part
    except OSError:
        return b""
    else:
        return data
    finally:
        os.close(descriptor)
