"""What is known of a thread, by itself."""

from __future__ import annotations

from dataclasses import fields

from refengine.state.threads import Thread


def test_a_copy_has_all_that_the_thread_has() -> None:
    thread = Thread(7, 5, {}, comm="x", args=("a",), env=("E=1",), cgroups=(("cpu", "/a"),), children={9})
    copy = thread.copy()
    assert copy is not thread
    for each in fields(Thread):
        assert getattr(copy, each.name) is getattr(thread, each.name), each.name
