"""What a backend that is open delivers of what other rules need."""

from __future__ import annotations

import pytest

from refengine.backends.base import Interest
from refengine.service.handover import covers

NAMES, ARGUMENTS = frozenset({"proc.name"}), frozenset({"proc.name", "evt.args"})
BOTH = frozenset({"open", "close"})


@pytest.mark.parametrize(
    ("opened", "wanted", "covered"),
    [
        (Interest(None), Interest(BOTH, ARGUMENTS), True),
        (Interest(BOTH, NAMES), Interest(frozenset({"open"}), NAMES), True),
        (Interest(frozenset({"open"}), NAMES), Interest(BOTH, NAMES), False),
        (Interest(BOTH, NAMES), Interest(BOTH, ARGUMENTS), False),
        (Interest(BOTH, NAMES), Interest(None, NAMES), False),
        (Interest(BOTH, ARGUMENTS, {"open": False}), Interest(BOTH, NAMES), False),
        (Interest(BOTH, ARGUMENTS, {"open": False}), Interest(BOTH, NAMES, {"open": False}), True),
        (
            Interest(BOTH, ARGUMENTS, fields_of={"open": ARGUMENTS, "close": NAMES}),
            Interest(BOTH, ARGUMENTS, fields_of={"open": NAMES, "close": NAMES}),
            True,
        ),
        (
            Interest(BOTH, ARGUMENTS, fields_of={"open": ARGUMENTS, "close": NAMES}),
            Interest(BOTH, ARGUMENTS, fields_of={"open": NAMES, "close": ARGUMENTS}),
            False,
        ),
    ],
)
def test_what_is_open_covers_what_is_wanted(opened: Interest, wanted: Interest, covered: bool) -> None:
    assert covers(opened, wanted) is covered
