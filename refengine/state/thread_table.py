"""The threads of the machine by their numbers."""

from __future__ import annotations

from refengine.state.threads import Thread, ThreadGroup

THREAD_LIMIT = 262144
"""How many threads are kept before the oldest are forgotten."""


class ThreadTable(dict[int, Thread]):
    """The known threads by `tid`, at most `limit` of them; `evicted` counts those forgotten for want of room.

    Threads enter by `add` and leave by `drop`, which keep the groups and the parents' children in step.
    """

    __slots__ = ("evicted", "groups", "limit")

    def __init__(self, limit: int = THREAD_LIMIT) -> None:
        super().__init__()
        self.limit = limit
        self.evicted = 0
        self.groups: dict[int, ThreadGroup] = {}

    def add(self, thread: Thread) -> None:
        """Take in a thread, in the place of an earlier one with the same number."""
        if thread.tid in self:
            self.drop(thread.tid)
        elif len(self) >= self.limit:
            self.drop(next(iter(self)))
            self.evicted += 1
        self[thread.tid] = thread
        if thread.pid >= 0:
            self._join(thread)
        parent = self.get(thread.ptid)
        if parent is not None:
            self._adopt(parent, thread)

    def drop(self, tid: int) -> None:
        """Forget a thread; nothing happens where it is not known."""
        thread = self.pop(tid, None)
        if thread is None:
            return
        self.mark_dead(thread)
        parent = self.get(thread.ptid)
        if parent is not None and parent.children is not None:
            parent.children.discard(tid)
        group = thread.group
        if group is not None:
            group.members.discard(tid)
            if group.main is thread:
                group.main = None
            if not group.members and self.groups.get(group.pid) is group:
                del self.groups[group.pid]

    def mark_dead(self, thread: Thread) -> None:
        """Count a thread out of the living of its group, where it stays known until it is dropped."""
        if not thread.is_dead:
            thread.is_dead = True
            if thread.group is not None:
                thread.group.alive -= 1

    def revive(self, thread: Thread) -> None:
        """Count a thread among the living of its group again: its number was taken over by another one."""
        if thread.is_dead:
            thread.is_dead = False
            if thread.group is not None:
                thread.group.alive += 1

    def enter_process(self, thread: Thread, pid: int) -> None:
        """Make a thread whose process was not known one of process `pid`."""
        thread.pid = pid
        self._join(thread)

    def reparent(self, child: Thread, parent: Thread) -> None:
        """Give a thread another parent."""
        before = self.get(child.ptid)
        if before is not None and before.children is not None:
            before.children.discard(child.tid)
        child.ptid = parent.tid
        self._adopt(parent, child)

    def _join(self, thread: Thread) -> None:
        group = self.groups.get(thread.pid)
        if group is None:
            group = self.groups[thread.pid] = ThreadGroup(thread.pid)
        thread.group = group
        group.members.add(thread.tid)
        group.alive += 1
        if thread.tid == thread.pid:
            group.main = thread
            for tid in group.members:
                self._share_descriptors(self.get(tid), thread)
        else:
            self._share_descriptors(thread, group.main)

    @staticmethod
    def _share_descriptors(thread: Thread | None, main: Thread | None) -> None:
        if thread is not None and main is not None and thread.shares_descriptors:
            thread.descriptors = main.descriptors

    def _adopt(self, parent: Thread, child: Thread) -> None:
        if parent.children is None:
            parent.children = set()
        parent.children.add(child.tid)
