"""Numbers of processes: used again by another one, and other ones inside of a namespace."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ebpf import alerts_of, watching

pytestmark = [pytest.mark.root, pytest.mark.slow]

OPENED = """
- rule: Opened
  desc: d
  condition: evt.type in (open, openat) and fd.name endswith {token}
  output: "{output}"
  priority: INFO
"""
WRITTEN = """
- rule: Written
  desc: d
  condition: evt.type in (write, chdir, fchdir) and proc.name startswith {token}
  output: "{output}"
  priority: INFO
"""

# clone3 gives a number that is asked for: the one of a process that has just ended.
SOURCE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t born(pid_t wanted, unsigned long flags)
{
    pid_t numbers[] = {wanted};
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    if (wanted) {
        arguments.set_tid = (uintptr_t)numbers;
        arguments.set_tid_size = 1;
    }
    pid_t child = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (child < 0) {
        perror("clone3");
        _exit(3);
    }
    return child;
}

static void ended(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        ;
    if (status) {
        fprintf(stderr, "a child ended with %x\n", status);
        _exit(4);
    }
}

static void name(const char *stem, const char *end)
{
    char text[17];
    snprintf(text, sizeof(text), "%s%s", stem, end);
    prctl(PR_SET_NAME, text);
}
"""

REUSE = (
    SOURCE
    + r"""
/* Two processes of one number, each under a parent of its own. What the first one did must not be the second's. */
int main(int count, char **arguments)
{
    const char *token = arguments[1], *folder = arguments[2];
    char first[4096], second[4096];
    snprintf(first, sizeof(first), "%s/first", folder);
    snprintf(second, sizeof(second), "%s/second-%s", folder, token);
    mkdir(first, 0755);
    for (int round = 0; round < 20; round++) {
        pid_t child = born(0, 0);
        if (!child) {
            name(token, "-1");
            if (chdir(first))
                _exit(5);
            /* Something is open as 100 that the second one does not have. */
            int number = open("/dev/null", O_WRONLY | O_CLOEXEC);
            dup2(number, 100);
            if (write(100, "x", 1) != 1)
                _exit(6);
            _exit(0);
        }
        ended(child);
        pid_t middle = born(0, 0);
        if (!middle) {
            name(token, "-2");
            pid_t again = born(child, 0);
            if (!again) {
                if (getpid() != child)
                    _exit(7);
                int number = open(second, O_WRONLY | O_CREAT, 0600);
                dup2(number, 100);
                if (write(100, "x", 1) != 1)
                    _exit(8);
                name(token, "-3");
                if (chdir("/usr"))
                    _exit(9);
                _exit(0);
            }
            ended(again);
            _exit(0);
        }
        ended(middle);
    }
    return 0;
}
"""
)


@pytest.fixture
def token() -> str:
    return f"n{secrets.token_hex(4)}"


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that compiles a program in C."""

    def run(source: str) -> Path:
        path = tmp_path / "numbers.c"
        path.write_text(source, encoding="utf-8")
        subprocess.run(["gcc", "-w", "-O1", "-o", path.with_suffix(""), path], check=True)
        return path.with_suffix("")

    return run


def test_a_number_that_is_used_again_is_another_process(
    compiled: Callable[[str], Path], token: str, tmp_path: Path
) -> None:
    program = compiled(REUSE)
    folder = tmp_path / "here"
    folder.mkdir()
    with watching(
        WRITTEN.format(token=token, output="%evt.type|%proc.name|%proc.pname|%fd.name|%proc.cwd|%proc.pid")
    ) as watched:
        found = [
            alert.message.rpartition("|")
            for alert in alerts_of(watched, [program, token, folder], cwd=folder)
        ]
    rounds = [found[at : at + 4] for at in range(0, len(found), 4)]
    assert len(rounds) == 20
    for each in rounds:
        assert len({number for _, _, number in each}) == 1
        assert [text for text, _, _ in each] == [
            f"chdir|{token}-1|numbers|<NA>|{folder}/first/",
            f"write|{token}-1|numbers|/dev/null|{folder}/first/",
            f"write|{token}-2|{token}-2|{folder}/second-{token}|{folder}/",
            f"chdir|{token}-3|{token}-2|<NA>|/usr/",
        ]


IN_NAMESPACE = (
    SOURCE
    + r"""
/* Number 1 of a namespace of its own, and a child of that one. */
int main(int count, char **arguments)
{
    const char *token = arguments[1];
    char path[256];
    snprintf(path, sizeof(path), "/tmp/%s", token);
    pid_t init = born(0, CLONE_NEWPID);
    if (!init) {
        name(token, "-1");
        if (getpid() != 1 || open(path, O_RDONLY) >= 0)
            _exit(5);
        pid_t child = born(0, 0);
        if (!child) {
            name(token, "-2");
            if (getpid() != 2 || open(path, O_RDONLY) >= 0)
                _exit(6);
            execl("/bin/cat", "cat", path, NULL);
        }
        int status;
        waitpid(child, &status, 0);
        _exit(0);
    }
    printf("%d\n", init);
    ended(init);
    return 0;
}
"""
)


def test_numbers_are_the_machine_s_and_those_inside_are_told_beside_them(
    compiled: Callable[[str], Path], token: str, tmp_path: Path
) -> None:
    program = compiled(IN_NAMESPACE)
    output = "%proc.name|%proc.pname|%proc.vpid|%thread.vtid|%proc.pid|%proc.ppid"
    with watching(OPENED.format(token=token, output=output)) as watched, (tmp_path / "out").open("w") as out:
        found = [alert.message.split("|") for alert in alerts_of(watched, [program, token], stdout=out)]
    init = (tmp_path / "out").read_text().strip()
    assert [each[:4] for each in found] == [
        [f"{token}-1", "numbers", "1", "1"],
        [f"{token}-2", f"{token}-1", "2", "2"],
        ["cat", f"{token}-1", "2", "2"],
    ]
    assert found[0][4] == found[1][5] == found[2][5] == init
    assert found[1][4] == found[2][4] != "2"
