"""`--list-backends`: where events can come from."""

from __future__ import annotations

from refengine.backends.registry import BACKENDS, availability
from refengine.cli.exit_codes import OK
from refengine.cli.request import Request


def run(request: Request) -> int:
    """Print every backend, whether it can run here, and if not, why and what would help."""
    del request  # every backend is told of
    width = max(map(len, BACKENDS))
    for name, entry in BACKENDS.items():
        print(f"{name:<{width}}  {entry.description}")
        found = availability(name)
        if found.available:
            print(f"{'':<{width}}  available")
            continue
        print(f"{'':<{width}}  not available: {found.reason}")
        if found.remedy:
            print(f"{'':<{width}}  to change that: {found.remedy}")
    return OK
