"""What a backend finds wrong is told when it is found, and once."""

from __future__ import annotations

from typing import Any, cast

from refengine.backends.base import Connection
from refengine.cli.watch import Watch


def test_each_warning_is_told_once() -> None:
    found = ["one"]
    told: list[str] = []
    nothing = cast(Any, None)
    connection = Connection(nothing, lambda _event: None, lambda: tuple(found))
    watch = Watch(connection, (), nothing, nothing, nothing, nothing, nothing, warn=told.append)
    watch.say_warnings()
    found.append("two")
    watch.say_warnings()
    watch.say_warnings()
    assert told == ["one", "two"]
