"""New threads and processes, programs that they start, and their end."""

from __future__ import annotations

from refengine.state.descriptors import Descriptor
from refengine.state.threads import CLONE_FILES, CLONE_FS, CLONE_THREAD
from refengine.tables.flags import FLAG_TABLES
from tests.events import NOW, applied, field, machine

THREAD = CLONE_THREAD | CLONE_FILES | CLONE_FS


def test_a_fork_gives_the_child_what_its_parent_has() -> None:
    state = machine()
    state.threads[100].descriptors.put(0, Descriptor("f", "/dev/null"))
    applied(
        state,
        "SYSCALL_FORK_20_X",
        res=200,
        flags=0,
        comm="shell",
        exe="/bin/shell",
        args=b"-l\0",
        uid=1000,
        gid=1000,
    )
    event = applied(state, "SYSCALL_GETUID_X", 200)
    child = event.thread
    assert child is not None
    assert (child.pid, child.ptid, child.comm, child.args, child.cwd) == (
        200,
        100,
        "shell",
        ("-l",),
        "/home/me/",
    )
    assert child.clone_time == NOW
    assert field(event, "proc.pname") == "shell"
    assert field(event, "proc.cmdline") == "shell -l"


def test_descriptors_are_copied_by_fork_and_shared_by_threads() -> None:
    state = machine()
    state.threads[100].descriptors.put(3, Descriptor("f", "/etc/hosts"))
    applied(state, "SYSCALL_CLONE_20_X", res=200, flags=0)
    applied(state, "SYSCALL_CLONE_20_X", res=101, flags=THREAD)
    applied(state, "SYSCALL_CLOSE_X", 101, res=0, fd=3)
    applied(state, "SYSCALL_GETUID_X", 101)
    assert state.descriptor(state.threads[100], 3) is None
    copy = state.descriptor(state.threads[200], 3)
    assert copy is not None
    assert copy.name == "/etc/hosts"


def test_a_thread_belongs_to_its_parents_process() -> None:
    state = machine((100, 1, "server"), (1, 0, "init"))
    applied(state, "SYSCALL_CLONE_20_X", res=101, flags=THREAD)
    event = applied(state, "SYSCALL_GETUID_X", 101)
    assert field(event, "proc.pid") == 100
    assert field(event, "proc.ppid") == 1
    assert field(event, "thread.ismain") is False
    assert field(event, "proc.nthreads") == 2
    assert field(event, "proc.nchilds") == 1


def test_the_childs_own_return_makes_it_known_when_it_comes_first() -> None:
    state = machine()
    event = applied(
        state,
        "SYSCALL_CLONE_20_X",
        200,
        res=0,
        comm="child",
        exe="/child",
        tid=200,
        pid=200,
        ptid=100,
        flags=0,
        vtid=5,
        vpid=5,
        uid=7,
    )
    assert field(event, "proc.name") == "child"
    assert field(event, "proc.vpid") == 5
    assert field(event, "user.uid") == 7
    assert field(event, "proc.cwd") == "/home/me/"
    assert field(event, "proc.aname", "1") == "shell"
    applied(state, "SYSCALL_CLONE_20_X", 100, at=NOW + 5, res=200, flags=0, comm="shell")
    assert state.threads[200].comm == "child"


def test_exec_replaces_the_program() -> None:
    state = machine()
    assert state.threads[100].cmdline() == "shell"
    event = applied(
        state,
        "SYSCALL_EXECVE_19_X",
        res=0,
        exe="cat",
        args=b"/etc/shadow\0-n\0",
        comm="cat",
        env=b"HOME=/root\0LANG=C\0",
        cgroups=b"cpu=/a\0io=/b\0",
        tty=34816,
        uid=0,
        flags=1,
        trusted_exepath="/usr/bin/cat",
        exe_ino=42,
    )
    assert field(event, "proc.cmdline") == "cat /etc/shadow -n"
    assert field(event, "proc.exeline") == "cat /etc/shadow -n"
    assert field(event, "proc.args", "1") == "-n"
    assert field(event, "proc.env", "HOME") == "/root"
    assert field(event, "proc.env") == "HOME=/root LANG=C"
    assert field(event, "proc.exepath") == "/usr/bin/cat"
    assert field(event, "proc.is_exe_writable") is True
    assert field(event, "proc.tty") == 34816
    assert field(event, "user.uid") == 0
    assert field(event, "thread.cgroups") == "cpu=/a blkio=/b"
    assert field(event, "thread.cgroup", "blkio") == "/b"


def test_a_failed_exec_changes_nothing() -> None:
    state = machine()
    event = applied(state, "SYSCALL_EXECVE_19_X", res=-2, exe="cat", comm="cat", args=b"")
    assert field(event, "proc.name") == "shell"
    assert field(event, "evt.res") == "ENOENT"


def test_exec_in_another_thread_leaves_the_process_with_its_first() -> None:
    state = machine()
    applied(state, "SYSCALL_CLONE_20_X", res=101, flags=THREAD)
    event = applied(
        state, "SYSCALL_EXECVE_19_X", 100, res=0, exe="cat", args=b"", comm="cat", trusted_exepath="/cat"
    )
    assert 101 not in state.threads
    assert field(event, "proc.nthreads") == 1


def test_an_exiting_process_is_known_to_its_own_event_only() -> None:
    state = machine()
    event = applied(state, "PROCEXIT_1_E", status=0)
    assert field(event, "proc.name") == "shell"
    assert field(event, "proc.nthreads") == 0
    assert 100 in state.threads
    applied(state, "SYSCALL_GETUID_X", 300)
    assert 100 not in state.threads


def test_a_first_thread_that_exits_stays_while_others_live() -> None:
    state = machine()
    applied(state, "SYSCALL_CLONE_20_X", res=101, flags=THREAD)
    applied(state, "PROCEXIT_1_E", 100, status=0)
    event = applied(state, "SYSCALL_GETUID_X", 101)
    assert field(event, "proc.pid") == 100
    assert 100 in state.threads
    applied(state, "PROCEXIT_1_E", 101, status=0)
    applied(state, "SYSCALL_GETUID_X", 300)
    assert 100 not in state.threads
    assert 101 not in state.threads


def test_children_go_to_the_named_reaper_or_to_init() -> None:
    state = machine((1, 0, "init"), (50, 1, "reaper"), (100, 1, "shell"), (200, 100, "job"))
    applied(state, "PROCEXIT_1_E", 100, status=0, reaper_tid=50)
    assert field(applied(state, "SYSCALL_GETUID_X", 200), "proc.pname") == "reaper"
    applied(state, "PROCEXIT_1_E", 50, status=0)
    assert field(applied(state, "SYSCALL_GETUID_X", 200), "proc.pname") == "init"


def test_an_unknown_thread_has_only_its_number() -> None:
    state = machine()
    event = applied(state, "SYSCALL_GETUID_X", 999)
    assert field(event, "thread.tid") == 999
    assert field(event, "proc.name") == "<NA>"
    assert field(event, "proc.ppid") is None
    assert field(event, "proc.cwd") == "./"


def test_the_oldest_threads_are_forgotten_and_counted_when_there_are_too_many() -> None:
    state = machine()
    state.threads.limit = 3
    for tid in range(200, 210):
        applied(state, "SYSCALL_GETUID_X", tid)
    assert len(state.threads) == 3
    assert state.threads.evicted == 8
    assert set(state.threads) == {207, 208, 209}


def test_a_parent_in_a_namespace_does_not_know_its_child() -> None:
    state = machine()
    state.threads[100].vtid = 7
    applied(state, "SYSCALL_CLONE_20_X", res=8, flags=0, comm="shell")
    assert 8 not in state.threads
    event = applied(
        state, "SYSCALL_CLONE_20_X", 208, res=0, tid=208, pid=208, ptid=100, flags=0, vtid=8, vpid=8
    )
    assert (field(event, "proc.vpid"), field(event, "proc.pname")) == (8, "shell")


def test_a_vfork_is_told_by_the_child_alone() -> None:
    state = machine()
    applied(state, "SYSCALL_VFORK_20_X", res=200, flags=0, comm="shell")
    assert 200 not in state.threads


def test_an_unknown_parent_is_introduced_by_its_return() -> None:
    state = machine()
    event = applied(
        state,
        "SYSCALL_CLONE_20_X",
        500,
        res=600,
        flags=0,
        comm="new",
        exe="/new",
        args=b"x\0",
        pid=500,
        ptid=100,
        vtid=500,
        vpid=500,
    )
    assert (field(event, "proc.name"), field(event, "proc.ppid"), field(event, "proc.vpid")) == (
        "new",
        100,
        500,
    )
    assert field(applied(state, "SYSCALL_GETUID_X", 600), "proc.pcmdline") == "new x"


def test_a_number_that_is_used_again_is_another_thread() -> None:
    state = machine()
    applied(state, "SYSCALL_CLONE_20_X", 200, res=0, tid=200, pid=200, ptid=100, flags=0, comm="old")
    later = NOW + 60 * 10**9
    event = applied(
        state, "SYSCALL_CLONE_20_X", 200, at=later, res=0, tid=200, pid=200, ptid=100, flags=0, comm="new"
    )
    assert (field(event, "proc.name"), field(event, "proc.duration")) == ("new", 0)


def test_orphans_go_to_the_nearest_reaper() -> None:
    state = machine((1, 0, "init"), (50, 1, "session"), (100, 50, "shell"), (200, 100, "job"))
    option = FLAG_TABLES["prctl_options"]["PR_SET_CHILD_SUBREAPER"]
    applied(state, "SYSCALL_PRCTL_X", 50, res=0, option=option, arg2_int=1)
    applied(state, "PROCEXIT_1_E", 100, status=0)
    assert field(applied(state, "SYSCALL_GETUID_X", 200), "proc.ppid") == 50


def test_a_process_whose_first_thread_had_ended_lives_on_after_exec() -> None:
    state = machine()
    applied(state, "SYSCALL_CLONE_20_X", res=101, flags=THREAD)
    applied(state, "PROCEXIT_1_E", 100, status=0)
    event = applied(
        state, "SYSCALL_EXECVE_19_X", 100, res=0, exe="cat", args=b"", comm="cat", trusted_exepath="/cat"
    )
    assert (field(event, "proc.nthreads"), set(state.threads)) == (1, {100})


def test_events_of_nobody_have_no_thread() -> None:
    event = applied(machine(), "ASYNCEVENT_E", name="x", data=b"")
    assert event.thread is None
    assert field(applied(machine(), "PROCEXIT_1_E", 999, status=0), "proc.name") is None
