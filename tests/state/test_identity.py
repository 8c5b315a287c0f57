"""Who a thread acts as."""

from __future__ import annotations

import pytest

from refengine.state.users import Group, User, Users
from refengine.tables.flags import FLAG_TABLES
from tests.events import applied, field, machine


@pytest.mark.parametrize(
    ("enum", "named"),
    [
        ("SYSCALL_SETUID_X", {"uid": 0}),
        ("SYSCALL_SETRESUID_X", {"ruid": 5, "euid": 0, "suid": 5}),
        ("SYSCALL_SETREUID_X", {"ruid": 5, "euid": 0}),
    ],
)
def test_users_change(enum: str, named: dict[str, int]) -> None:
    state = machine()
    state.users = Users([User(0, 0, "root", "/root", "/bin/sh")])
    event = applied(state, enum, res=-1, **named)
    assert (field(event, "user.uid"), field(event, "user.name"), field(event, "user.shell")) == (
        1000,
        "<NA>",
        "<NA>",
    )
    event = applied(state, enum, res=0, **named)
    assert (field(event, "user.uid"), field(event, "user.name"), field(event, "user.homedir")) == (
        0,
        "root",
        "/root",
    )


def test_minus_one_leaves_the_user() -> None:
    event = applied(machine(), "SYSCALL_SETRESUID_X", res=0, ruid=5, euid=0xFFFFFFFF, suid=5)
    assert field(event, "user.uid") == 1000


def test_groups_change() -> None:
    state = machine()
    state.users = Users((), [Group(0, "wheel")])
    event = applied(state, "SYSCALL_SETGID_X", res=0, gid=0)
    assert (field(event, "group.gid"), field(event, "group.name")) == (0, "wheel")


def test_nobody_has_logged_in() -> None:
    event = applied(machine(), "SYSCALL_GETUID_X")
    assert (field(event, "user.loginuid"), field(event, "user.loginname")) == (-1, "<NA>")


def test_capabilities() -> None:
    event = applied(
        machine(), "SYSCALL_CAPSET_X", res=0, cap_inheritable=0, cap_permitted=0b11, cap_effective=1 << 21
    )
    assert field(event, "thread.cap_permitted") == "CAP_CHOWN CAP_DAC_OVERRIDE"
    assert field(event, "thread.cap_effective") == "CAP_SYS_ADMIN"
    assert field(event, "thread.cap_inheritable") == ""


def test_a_session_has_a_leader() -> None:
    state = machine((100, 1, "daemon"), (200, 100, "worker"))
    event = applied(state, "SYSCALL_SETSID_X", res=100)
    assert field(event, "proc.sid") == 100
    assert field(event, "proc.is_sid_leader") is True
    state.threads[200].sid = 100
    assert field(applied(state, "SYSCALL_GETUID_X", 200), "proc.sname") == "daemon"


def test_a_process_group_has_a_leader() -> None:
    state = machine((100, 1, "shell"), (200, 100, "grep"))
    applied(state, "SYSCALL_SETPGID_X", 100, res=0, pid=100, pgid=0)
    event = applied(state, "SYSCALL_SETPGID_X", 200, res=0, pid=0, pgid=100)
    assert field(event, "proc.vpgid") == 100
    assert field(event, "proc.vpgid.name") == "shell"
    assert field(event, "proc.is_vpgid_leader") is False


def test_a_thread_renames_itself() -> None:
    state = machine()
    assert state.threads[100].cmdline() == "shell"
    option = FLAG_TABLES["prctl_options"]["PR_SET_NAME"]
    event = applied(state, "SYSCALL_PRCTL_X", res=0, option=option, arg2_str="a-very-long-thread-name")
    assert (field(event, "proc.name"), field(event, "proc.cmdline")) == ("a-very-long-thr", "a-very-long-thr")


def test_the_limit_of_open_files() -> None:
    state = machine()
    resource = FLAG_TABLES["rlimit_resources"]["RLIMIT_NOFILE"]
    applied(state, "SYSCALL_SETRLIMIT_X", res=0, cur=200, max=400, resource=resource)
    event = applied(state, "SYSCALL_OPEN_X", fd=3, name="/x", flags=1)
    assert (field(event, "proc.fdlimit"), field(event, "proc.fdopencount"), field(event, "proc.fdusage")) == (
        200,
        1,
        0.5,
    )


def test_users_that_are_added_and_removed() -> None:
    state = machine()
    applied(
        state,
        "USER_ADDED_E",
        uid=1000,
        gid=1000,
        name="ann",
        home="/home/ann",
        shell="/bin/zsh",
        container_id="",
    )
    applied(state, "GROUP_ADDED_E", gid=1000, name="staff", container_id="")
    event = applied(state, "SYSCALL_GETUID_X")
    assert (field(event, "user.name"), field(event, "group.name")) == ("ann", "staff")
    applied(state, "USER_DELETED_E", uid=1000, gid=1000, name="ann", container_id="")
    assert field(applied(state, "SYSCALL_GETUID_X"), "user.name") == "<NA>"


def test_a_new_user_namespace_gives_every_capability() -> None:
    flags = FLAG_TABLES["clone_flags"]["CLONE_NEWUSER"]
    event = applied(machine(), "SYSCALL_UNSHARE_X", res=0, flags=flags)
    held = field(event, "thread.cap_effective")
    assert isinstance(held, str)
    assert held.startswith("CAP_CHOWN ")
    assert held.endswith(" CAP_CHECKPOINT_RESTORE")
