"""Fields of the acting process and of those that it comes from."""

from __future__ import annotations

from refengine.state.system import SystemState
from refengine.state.threads import Thread
from tests.events import NOW, applied, candidates, field, machine

CONTAINER = "ab" * 32


def lineage() -> SystemState:
    """Return a state with init, a login shell, a shell, and a program that the shell started."""
    return machine((1, 0, "init"), (10, 1, "bash"), (20, 10, "sh"), (100, 20, "curl"))


def program(state: SystemState) -> Thread:
    return state.threads[100]


def test_ancestors_by_generation() -> None:
    event = applied(lineage(), "SYSCALL_GETUID_X")
    names = [field(event, "proc.aname", str(generation)) for generation in range(5)]
    assert names == ["curl", "sh", "bash", "init", None]
    assert [field(event, "proc.apid", "2"), field(event, "proc.apid"), field(event, "proc.ppid")] == [
        10,
        100,
        20,
    ]


def test_comparisons_range_over_all_ancestors_from_the_parent_up() -> None:
    event = applied(lineage(), "SYSCALL_GETUID_X")
    assert candidates(event, "proc.aname") == ["sh", "bash", "init"]
    assert candidates(event, "proc.apid") == [20, 10, 1]
    assert field(event, "proc.aname") == "sh bash init"
    assert candidates(applied(lineage(), "SYSCALL_GETUID_X", 1), "proc.aname") is None


def test_a_loop_of_parents_ends() -> None:
    state = lineage()
    state.threads[1].ptid = 20
    event = applied(state, "SYSCALL_GETUID_X")
    assert candidates(event, "proc.aname") == ["sh", "bash", "init"]


def test_arguments_of_ancestors() -> None:
    state = lineage()
    state.threads[10].set_command("bash", "bash", ("-l", "-x"))
    event = applied(state, "SYSCALL_GETUID_X")
    assert field(event, "proc.aargs") == "-l -x "
    assert field(event, "proc.acmdline") == "sh bash -l -x init"
    assert field(event, "proc.acmdline", "2") == "bash -l -x"


def test_environment_of_ancestors() -> None:
    state = lineage()
    state.threads[10].set_env(("A=1", "B=ten"))
    state.threads[1].set_env(("A=one", "C=3"))
    program(state).set_env(("A=own",))
    event = applied(state, "SYSCALL_GETUID_X")
    assert field(event, "proc.env", "A") == "own"
    assert field(event, "proc.env", "Z") == ""
    assert field(event, "proc.aenv", "A") == "1"
    assert field(event, "proc.aenv", "C") == "3"
    assert field(event, "proc.aenv", "2") == "A=1 B=ten"
    assert field(event, "proc.aenv") == "A=own"


def test_command_lines() -> None:
    state = lineage()
    event = applied(state, "SYSCALL_GETUID_X")
    assert field(event, "proc.cmdline") == "curl"
    program(state).set_command("curl", "/usr/bin/curl", ("-H", "a b", "ü"))
    assert field(event, "proc.cmdline") == "curl -H a b ü"
    assert field(event, "proc.exeline") == "/usr/bin/curl -H a b ü"
    assert field(event, "proc.args") == "-H a b ü"
    assert (field(event, "proc.cmdnargs"), field(event, "proc.cmdlenargs")) == (3, 7)
    assert [field(event, "proc.args", at) for at in ("0", "3")] == ["-H", None]


def test_the_login_shell_is_the_highest_shell() -> None:
    assert field(applied(lineage(), "SYSCALL_GETUID_X"), "proc.loginshellid") == 10
    assert (
        field(applied(machine((1, 0, "init"), (100, 1, "x")), "SYSCALL_GETUID_X"), "proc.loginshellid")
        is None
    )


def test_durations() -> None:
    state = lineage()
    program(state).clone_time = NOW - 5
    state.threads[20].clone_time = NOW - 50
    event = applied(state, "SYSCALL_GETUID_X")
    assert (field(event, "proc.duration"), field(event, "proc.ppid.duration")) == (5, 50)
    assert (field(event, "proc.pid.ts"), field(event, "proc.ppid.ts")) == (NOW - 5, NOW - 50)


def test_the_age_of_the_program_file_is_measured_when_it_is_started() -> None:
    state = lineage()
    program(state).clone_time = NOW - 5
    program(state).pidns_init_start_time = NOW - 90
    event = applied(
        state, "SYSCALL_EXECVE_19_X", res=0, comm="x", args=b"", trusted_exepath="/x", exe_ino_ctime=NOW - 30
    )
    assert field(event, "proc.exe_ino.ctime_duration_proc_start") == 25
    assert field(event, "proc.exe_ino.ctime_duration_pidns_start") == 60
    event = applied(
        state, "SYSCALL_EXECVE_19_X", res=0, comm="x", args=b"", trusted_exepath="/x", exe_ino_ctime=NOW
    )
    assert field(event, "proc.exe_ino.ctime_duration_proc_start") == (1 << 64) - 5


def test_unknown_moments_are_absent() -> None:
    event = applied(lineage(), "SYSCALL_GETUID_X")
    for name in (
        "proc.duration",
        "proc.pid.ts",
        "proc.exe_ino",
        "proc.exe_ino.ctime",
        "proc.pidns_init_start_ts",
    ):
        assert field(event, name) is None, name


def test_leaders_in_another_namespace_are_found_along_the_line() -> None:
    state = lineage()
    for tid in (10, 20, 100):
        state.threads[tid].sid = 7
    program(state).vpid = 9
    event = applied(state, "SYSCALL_GETUID_X")
    assert field(event, "proc.sname") == "bash"


def test_standard_streams() -> None:
    state = lineage()
    applied(state, "SYSCALL_OPEN_X", fd=1, name="/dev/pts/0", flags=2)
    event = applied(state, "SYSCALL_GETUID_X")
    assert (field(event, "proc.stdout.name"), field(event, "proc.stdout.type")) == ("/dev/pts/0", "file")
    assert field(event, "proc.stdin.name") is None


def test_containers_and_pods() -> None:
    state = lineage()
    event = applied(state, "SYSCALL_GETUID_X")
    assert [field(event, f"container.{name}") for name in ("id", "full_id", "name", "type")] == ["host"] * 4
    assert field(event, "container.image.repository") is None
    assert field(event, "k8s.pod.uid") is None
    pod = "12345678-1234-1234-1234-123456789012"
    program(state).cgroups = (("memory", f"/kubepods/besteffort/pod{pod}/{CONTAINER}"),)
    assert field(event, "container.id") == CONTAINER[:12]
    assert field(event, "container.full_id") == CONTAINER
    assert field(event, "container.name") is None
    assert field(event, "k8s.pod.uid") == pod
    assert (
        field(applied(state, "SYSCALL_OPEN_X", fd=3, name="/x", flags=1), "fd.containername")
        == f"{CONTAINER[:12]}:/x"
    )


def test_sizes_belong_to_the_first_thread() -> None:
    state = lineage()
    event = applied(state, "SYSCALL_BRK_4_X", res=1, vm_size=300, vm_rss=200, vm_swap=1)
    assert [field(event, f"proc.vm{name}") for name in ("size", "rss", "swap")] == [300, 200, 1]
    assert (field(event, "thread.vmsize"), field(event, "thread.vmrss.b")) == (300, 200 * 1024)


def test_time_on_the_processor_is_that_between_two_reports() -> None:
    state = lineage()
    first = applied(state, "PROCINFO_E", cpu_usr=10, cpu_sys=4)
    assert (field(first, "thread.cpu"), field(first, "thread.cpu.user")) == (0.0, 0.0)
    second = applied(state, "PROCINFO_E", cpu_usr=25, cpu_sys=500)
    assert [field(second, f"thread.cpu{part}") for part in ("", ".user", ".system")] == [100.0, 15.0, 100.0]
    assert field(applied(state, "SYSCALL_GETUID_X"), "thread.cpu") is None
