"""With and without privileges, and tracees that use ptrace or seccomp themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import refengine
from tests.backends.ptrace.conftest import Watch

MakeC = Callable[[str], list[str]]

SYSTEM_PYTHON = "/usr/bin/python3"
"""An interpreter that every user may run."""

UNPRIVILEGED = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]

RUN = """
import sys
from refengine.backends.base import Interest
from refengine.backends.ptrace.backend import PtraceBackend
backend = PtraceBackend(sys.argv[1:])
backend.open(Interest(frozenset({"openat", "execve", "chdir"})))
while (batch := backend.read(1)) is not None:
    for event in batch:
        print(event.name, event.param("name") or event.param("exe"), event.param("uid"))
print("filtered", backend.filtered, "exit", backend.exit_code)
backend.close()
"""


@pytest.fixture
def readable_package() -> Iterator[Path]:
    """Give a folder with the package and python-ptrace, which the user nobody can read.

    It is not one of pytest's own, since every session of pytest closes these to other users.
    """
    ptrace = pytest.importorskip("ptrace")
    ignore = shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory(prefix="readable") as name:
        folder = Path(name)
        for package in (refengine, ptrace):
            source = Path(str(package.__file__)).parent
            shutil.copytree(source, folder / source.name, ignore=ignore)
        folder.chmod(0o755)
        yield folder


@pytest.mark.root
def test_unprivileged_and_with_no_new_privileges(readable_package: Path) -> None:
    if shutil.which("setpriv") is None or not Path(SYSTEM_PYTHON).exists():
        pytest.skip("needs setpriv and a Python that every user may run")
    version = subprocess.run([SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info >= (3, 10))"],
                             capture_output=True, text=True, check=True)  # fmt: skip
    if version.stdout != "True\n":
        pytest.skip(f"{SYSTEM_PYTHON} is too old")
    done = subprocess.run(
        [*UNPRIVILEGED, SYSTEM_PYTHON, "-c", RUN, "sh", "-c", "cd /; cat /etc/passwd >/dev/null; exit 3"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": os.fspath(readable_package), "PATH": os.environ["PATH"]},
        cwd="/",
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "openat /etc/passwd None" in lines
    assert "execve cat 65534" in lines
    assert lines[-1] == "filtered True exit 3"


SET_USER_ID = r"""
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(void) { printf("%d %d\n", geteuid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); return 0; }
"""


@pytest.mark.root
def test_a_set_user_id_program_keeps_its_rights_under_a_privileged_tracer(
    watch: Watch, c_program: MakeC, capfd: pytest.CaptureFixture[str]
) -> None:
    (program,) = c_program(SET_USER_ID)
    os.chown(program, 65534, 65534)
    Path(program).chmod(0o4755)
    run = watch([program], "chdir")
    assert run.filtered
    assert capfd.readouterr().out.split() == ["65534", "0"]


NESTED = r"""
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(42);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
"""


def test_a_tracee_cannot_be_traced_by_another_tracee(watch: Watch, c_program: MakeC) -> None:
    """A process has one tracer: a debugger that runs under the backend is refused, and says so."""
    run = watch(c_program(NESTED), "ptrace")
    assert run.only("ptrace").param("res") == -1
    assert run.exit_code == 42


OWN_FILTER = r"""
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    struct sock_filter code[] = {
        {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_chdir}, {0x06, 0, 0, SECCOMP_RET_ERRNO | EXDEV},
        {0x06, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 1;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) return 2;
    if (chdir("/usr") != -1 || errno != EXDEV) return 3;
    return rmdir("/no/such") == -1 && errno == ENOENT ? 0 : 4;
}
"""


def test_a_tracee_s_own_filter_comes_first(watch: Watch, c_program: MakeC) -> None:
    """What it forbids is not made, and not seen; everything else is."""
    run = watch(c_program(OWN_FILTER), "chdir", "rmdir", "seccomp")
    assert run.exit_code == 0
    assert run.named("chdir") == []
    assert run.only("rmdir").param("res") == -2
    assert run.only("seccomp").param("res") == 0


DENY = r"""
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sock_filter code[] = {
        {0x20, 0, 0, 0}, {0x15, 0, 1, atoi(argv[1])}, {0x06, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {0x06, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 99;
    execv(argv[2], argv + 2);
    return 98;
}
"""
SECCOMP, PTRACE, PROCESS_VM_READV, PIDFD_GETFD = 317, 101, 310, 438


def run_denied(
    c_program: MakeC, number: int, script: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the Python text `script` where the system call `number` is refused."""
    return subprocess.run(
        [*c_program(DENY), str(number), sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_where_the_filter_is_refused_every_call_is_stopped_at(watch: Watch, c_program: MakeC) -> None:
    done = run_denied(c_program, SECCOMP, RUN, "sh", "-c", "cat /etc/passwd >/dev/null; exit 3")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "openat /etc/passwd None" in lines
    assert lines[0] == f"execve sh {os.geteuid()}"
    assert lines[-1] == "filtered False exit 3"


def test_where_ptrace_is_refused_the_reason_and_the_remedy_are_given(watch: Watch, c_program: MakeC) -> None:
    script = (
        "from refengine.backends.ptrace.backend import availability\n"
        "can = availability(); print(can.available, can.reason, can.remedy, sep='\\n')\n" + RUN
    )
    done = run_denied(c_program, PTRACE, script, "true")
    available, reason, remedy = done.stdout.splitlines()
    assert available == "False"
    assert reason.startswith("cannot trace a child process: permission denied")
    assert "SYS_PTRACE" in remedy
    assert done.stderr.splitlines()[-1].startswith(
        "refengine.errors.BackendError: cannot trace a child process"
    )


@pytest.mark.parametrize("number", [PROCESS_VM_READV, PIDFD_GETFD])
def test_other_ways_are_taken_where_calls_are_refused(watch: Watch, c_program: MakeC, number: int) -> None:
    done = run_denied(c_program, number, RUN, "cat", "/etc/passwd")
    assert "openat /etc/passwd None" in done.stdout.splitlines()


def test_memory_is_read_word_by_word_where_nothing_else_is_allowed(watch: Watch, c_program: MakeC) -> None:
    """The memory of a program that its user may not read is closed to everything but ptrace itself."""
    script = RUN.replace(
        "backend = ",
        "from refengine.backends.ptrace import memory\n"
        "memory.Memory._open = lambda self, tid: self._files.setdefault(tid, -1)\nbackend = ",
    )
    path = "/" + "deep/" * 200
    done = run_denied(c_program, PROCESS_VM_READV, script, "cat", path)
    assert f"openat {path} None" in done.stdout.splitlines()


def test_another_architecture_is_left_alone(watch: Watch, c_program: MakeC) -> None:
    """A call through the 32-bit interface has another meaning by the same number, and is not reported."""
    program = c_program(
        "int main(void) { long result; "
        '__asm__ volatile("int $0x80" : "=a"(result) : "a"(84), "b"(0) : "memory"); return 0; }'  # lstat there
    )
    for use_filter in (True, False):
        run = watch(program, "rmdir", use_filter=use_filter)  # rmdir is 84 on x86-64
        assert run.named("rmdir") == []
        assert run.exit_code in (0, 139)  # a kernel without that interface raises a signal
