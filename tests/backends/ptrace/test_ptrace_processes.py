"""The life of processes and threads: programs started, children made, ends and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from refengine.errors import BackendError
from refengine.event import Event
from refengine.tables.flags import FLAG_TABLES
from tests.backends.ptrace.conftest import Watch

CLONE = FLAG_TABLES["clone_flags"]
EXECVE = FLAG_TABLES["execve_flags"]
MakeC = Callable[[str], list[str]]
ARGUMENTS = ("evt.args",)
"""A field with which events carry everything."""

MakePython = Callable[[str], list[str]]


@pytest.mark.parametrize("use_filter", [True, False])
def test_execution_is_described_in_full(watch: Watch, tmp_path: Path, use_filter: bool) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    own = Path("/bin/sh").stat()
    command = ["env", "-i", "A=1", "B=two", os.fspath(script), "x", ""]
    run = watch(command, "execve", fields=ARGUMENTS, use_filter=use_filter)
    event = run.only("execve", filename=os.fspath(script))
    assert event.param("res") == 0
    assert event.param("exe") == "/bin/sh"
    assert event.param("args") == b"%s\0x\0\0" % os.fsencode(script)
    assert event.param("env") == b"A=1\0B=two\0"
    assert event.param("comm") == "script"
    assert event.param("tid") == event.param("pid") == event.tid
    assert event.param("ptid") == os.getpid()
    assert event.param("cwd") == os.fspath(Path.cwd())
    assert event.param("trusted_exepath") == os.path.realpath("/bin/sh")
    assert event.param("exe_ino") == own.st_ino
    assert event.param("exe_ino_mtime") == own.st_mtime_ns
    assert event.param("uid") == os.geteuid()
    assert event.param("gid") == os.getegid()
    assert event.param("pgid") == os.getpgrp()
    vm_size = event.param("vm_size")
    assert isinstance(vm_size, int)
    assert vm_size > 0
    flags = event.param("flags")
    assert isinstance(flags, int)
    assert bool(flags & EXECVE["EXE_WRITABLE"]) == (os.geteuid() == 0)
    assert len(event.params) == len(event.type.params)
    assert run.exit_code == 0


def test_a_failed_execution_tells_the_program_that_was_meant(
    watch: Watch, python_program: MakePython
) -> None:
    command = python_program(
        "import os\ntry: os.execve('/no/such', ['name', 'arg', ''], {'K': 'v'})\nexcept OSError: pass"
    )
    event = watch(command, "execve", fields=ARGUMENTS).only("execve", res=-2)
    assert event.param("filename") == "/no/such"
    assert event.param("exe") == "name"
    assert event.param("args") == b"arg\0\0"
    assert event.param("env") == b"K=v\0"
    assert event.param("trusted_exepath") == os.path.realpath(sys.executable)


def test_execveat_of_a_memfd(watch: Watch, c_program: MakeC) -> None:
    program = c_program(
        r"""
        #include <fcntl.h>
        #include <sys/mman.h>
        #include <sys/sendfile.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(void) {
            int fd = memfd_create("secret", MFD_CLOEXEC), from = open("/bin/true", O_RDONLY);
            while (sendfile(fd, from, 0, 1 << 20) > 0) ;
            char *argv[] = {"inside", 0}, *envp[] = {0};
            syscall(SYS_execveat, -1, "missing", argv, envp, 0);
            syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
            return 1;
        }"""
    )
    run = watch(program, "execveat", "execve", "memfd_create", fields=ARGUMENTS)
    assert run.only("memfd_create").params[1:] == ["secret", 1]
    failed = run.only("execveat", res=-9)
    assert len(failed.params) == len(failed.type.params)
    # Once it has succeeded, the kernel shows it as execve.
    event = run.only("execve", exe="inside")
    flags = event.param("flags")
    assert isinstance(flags, int)
    assert flags & EXECVE["EXE_FROM_MEMFD"]
    assert event.param("exe") == "inside"
    assert str(event.param("filename")).startswith("/dev/fd/")
    assert str(event.param("trusted_exepath")).startswith("/memfd:secret")
    assert run.exit_code == 0


PROCESSES = r"""
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    int status;
    if (syscall(SYS_fork) == 0) _exit(11);
    wait(&status);
    if (vfork() == 0) _exit(12);
    wait(&status);
    if (syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0) == 0) _exit(13);
    wait(&status);
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_FS;
    args.exit_signal = SIGCHLD;
    if (syscall(SYS_clone3, &args, sizeof args) == 0) _exit(14);
    wait(&status);
    return 0;
}
"""


@pytest.mark.parametrize("use_filter", [True, False])
@pytest.mark.parametrize("ask_for_exits", [True, False])
def test_new_processes_are_seen_by_parent_and_child(
    watch: Watch, c_program: MakeC, use_filter: bool, ask_for_exits: bool
) -> None:
    names = ["fork", "vfork", "clone", "clone3"]
    types = [*names, *["procexit"] * ask_for_exits]
    run = watch(c_program(PROCESSES), *types, fields=ARGUMENTS, use_filter=use_filter)
    first = run.events[0].tid
    flags = {"fork": 0, "clone": CLONE["CLONE_FILES"], "clone3": CLONE["CLONE_FS"]}
    for position, name in enumerate(names):
        parent, child = (
            next(e for e in run.named(name) if (e.param("res") == 0) is own) for own in (False, True)
        )
        assert parent.tid == first
        assert parent.param("res") == child.tid == child.param("tid") == child.param("pid")
        assert child.param("ptid") == first
        assert child.param("exe") == parent.param("exe")
        if name in flags:
            assert child.param("flags") == parent.param("flags") == flags[name]
        end = next(e for e in run.named("procexit") if e.tid == child.tid)
        assert end.params[:4] == [(11 + position) << 8, 11 + position, 0, 0]
    assert len(run.named(*names)) == 8
    assert run.events[-1].name == "procexit"
    assert run.events[-1].tid == first


def test_children_are_delivered_though_no_rule_names_them(watch: Watch, c_program: MakeC) -> None:
    run = watch(c_program(PROCESSES), "openat")
    assert [e.name for e in run.events if e.name not in ("openat", "procexit", "execve")] == [
        "fork",
        "vfork",
        "clone",
        "clone3",
    ]


def test_failed_clone(watch: Watch, c_program: MakeC) -> None:
    run = watch(
        c_program(
            "#include <sched.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
            "int main(void) { return syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0) != -1; }"
        ),
        "clone",
    )
    assert run.only("clone").param("res") == -22


THREADS = r"""
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static void *work(void *argument) {
    for (int i = 0; i < 50; i++) mkdir(argument, 0);
    return 0;
}
int main(void) {
    pthread_t threads[8];
    char *names[8] = {"/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7"};
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, work, names[i]);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
    return 0;
}
"""


def test_threads_at_once(watch: Watch, c_program: MakeC) -> None:
    text = THREADS.replace('"/', '"/proc/no/')
    run = watch(c_program(text), "mkdir", "procexit")
    made = run.named("mkdir")
    assert len(made) == 400
    by_thread: dict[int, set[object]] = {}
    for event in made:
        by_thread.setdefault(event.tid, set()).add(event.param("path"))
    assert sorted(map(len, by_thread.values())) == [1] * 8
    assert {event.tid for event in run.named("procexit")} == {run.events[0].tid, *by_thread}
    assert run.exit_code == 0


NON_LEADER = r"""
#include <pthread.h>
#include <unistd.h>
static void *idle(void *argument) { for (;;) pause(); }
static void *replace(void *argument) {
    usleep(20000);
    execl("/bin/sh", "sh", "-c", "cd / && exit 7", (char *)0);
    return 0;
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, 0, idle, 0);
    pthread_create(&thread, 0, replace, 0);
    for (;;) pause();
}
"""


@pytest.mark.parametrize("use_filter", [True, False])
@pytest.mark.parametrize("types", [("chdir", "execve"), ("chdir",), ("chdir", "execve", "procexit")])
def test_a_thread_that_is_not_the_first_executes(
    watch: Watch, c_program: MakeC, use_filter: bool, types: tuple[str, ...]
) -> None:
    run = watch(c_program(NON_LEADER), *types, fields=ARGUMENTS, use_filter=use_filter)
    first = run.events[0].tid
    shell = run.only("execve", exe="sh")
    assert shell.tid == shell.param("tid") == first
    assert run.only("chdir", path="/").tid == first
    assert run.exit_code == 7


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 42", 42), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
def test_exit_code(watch: Watch, script: str, code: int) -> None:
    for types in (("chdir",), ("chdir", "procexit")):
        run = watch(["sh", "-c", script], *types)
        assert run.exit_code == code
        (end,) = run.named("procexit")
        assert end.param("sig") == (code - 128 if code > 128 else 0)


def test_what_outlives_the_command_is_watched_to_its_end(watch: Watch) -> None:
    run = watch(["sh", "-c", "(sleep 0.3; cd /usr) & exit 5"], "chdir")
    assert run.only("chdir", path="/usr").param("res") == 0
    assert run.exit_code == 5


def test_a_new_session_is_followed(watch: Watch) -> None:
    run = watch(["setsid", "--wait", "sh", "-c", "cd /usr; exit 6"], "chdir", "setsid")
    assert run.only("chdir", path="/usr").param("res") == 0
    assert run.exit_code == 6


def test_missing_command(watch: Watch) -> None:
    with pytest.raises(BackendError, match="no-such-command: command not found") as caught:
        watch(["no-such-command"])
    assert caught.value.exit_code == 127
    with pytest.raises(BackendError, match="/no/such: no such file or directory") as caught:
        watch(["/no/such"])
    assert caught.value.exit_code == 127


def test_commands_that_cannot_be_executed(watch: Watch, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    plain.chmod(0o644)
    with pytest.raises(BackendError, match="permission denied") as caught:
        watch([os.fspath(plain)])
    assert caught.value.exit_code == 126
    plain.chmod(0o755)
    with pytest.raises(BackendError, match="cannot be executed: Exec format error") as caught:
        watch([os.fspath(plain)], "write", "execve")
    assert caught.value.exit_code == 126
    with pytest.raises(BackendError, match="is a directory") as caught:
        watch([os.fspath(tmp_path)])
    assert caught.value.exit_code == 126


def test_proc_shows_the_moment_of_the_event(watch: Watch) -> None:
    """A thread stands still until the next event is asked for."""
    seen = {}

    def look(event: Event) -> None:
        if event.name == "openat" and event.param("name") == "/etc/passwd":
            seen["path"] = os.fspath(Path(f"/proc/{event.tid}/fd/{event.params[0]!r}").readlink())
            seen["state"] = Path(f"/proc/{event.tid}/stat").read_text().rpartition(")")[2].split()[0]

    watch(["sh", "-c", "exec 9</etc/passwd 9<&-"], "openat", on_event=look)
    assert seen == {"path": "/etc/passwd", "state": "t"}


def test_processor_number(watch: Watch) -> None:
    run = watch(["true"], "openat", fields=["evt.cpu"])
    assert {event.cpu for event in run.events} <= set(range(os.cpu_count() or 1))


def test_calls_that_change_what_is_known_of_a_thread(watch: Watch, c_program: MakeC) -> None:
    run = watch(
        c_program(
            "#include <sys/prctl.h>\n#include <sys/ptrace.h>\n#include <sched.h>\n#include <signal.h>\n"
            "#include <sys/syscall.h>\n#include <unistd.h>\n"
            'int main(void) { prctl(PR_SET_NAME, "renamed"); prctl(PR_SET_DUMPABLE, 1);\n'
            "setuid(getuid()); syscall(SYS_setresgid, -1, -1, -1); kill(getpid(), 0);\n"
            "syscall(SYS_tgkill, getpid(), getpid(), 0); unshare(CLONE_FILES); ptrace(PTRACE_ATTACH, 0, 0, 0);\n"
            "syscall(SYS_setns, 99, CLONE_NEWNET); return 0; }"
        ),
        *["prctl", "setuid", "setresgid", "kill", "tgkill", "unshare", "ptrace", "setns"],
    )
    options = FLAG_TABLES["prctl_options"]
    assert run.only("prctl", option=options["PR_SET_NAME"]).params == [
        0,
        options["PR_SET_NAME"],
        "renamed",
        0,
    ]
    assert run.only("prctl", option=options["PR_SET_DUMPABLE"]).params[2:] == ["", 1]
    assert run.only("setuid").params == [0, os.getuid()]
    assert run.only("setresgid").params == [0, *[0xFFFFFFFF] * 3]
    pid = run.events[0].tid
    assert run.only("kill").params == [0, pid, 0]
    assert run.only("tgkill").params == [0, pid, pid, 0]
    assert run.only("unshare").params == [0, CLONE["CLONE_FILES"]]
    requests = FLAG_TABLES["ptrace_requests"]
    assert run.only("ptrace").params[3:] == [requests["PTRACE_ATTACH"], 0]
    assert run.only("setns").params == [-9, 99, CLONE["CLONE_NEWNET"]]


SHORT_LIVES = r"""
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int parent = 0; parent < 4; parent++)
        if (fork() == 0) {
            for (int child = 0; child < 100; child++)
                if (fork() == 0) _exit(0);
            while (wait(0) > 0) ;
            _exit(0);
        }
    while (wait(0) > 0) ;
    return 3;
}
"""


@pytest.mark.parametrize("types", [("clone",), ("clone", "procexit")])
def test_children_that_end_before_their_makers_tell_of_them(
    watch: Watch, c_program: MakeC, types: tuple[str, ...]
) -> None:
    run = watch(c_program(SHORT_LIVES), *types)
    assert run.exit_code == 3
    born = {event.tid for event in run.named("clone") if event.param("res") == 0}
    assert len(born) == 404
    assert {event.tid for event in run.named("procexit")} == born | {run.events[0].tid}
