"""Programs with another root: names are those that they use themselves, and nothing that they have there holds the monitor up."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ebpf import alerts_of, watching

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULE = """
- rule: Seen
  desc: d
  condition: evt.type in (openat, execve, mkdir) and proc.name = {token}
  output: "%evt.type|%fd.name|%fs.path.name|%proc.exepath|%proc.cwd"
  priority: INFO
"""

PROGRAM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MUST(call) do { if ((call) < 0) { perror(#call); return 1; } } while (0)

/* Make a folder the root in one of two ways, execute this program in it, and let that use some names. */
int main(int count, char **arguments)
{
    const char *way = arguments[1], *folder = arguments[2], *token = arguments[3];
    char path[64];
    snprintf(path, sizeof(path), "/%s", token);
    if (!strcmp(way, "use")) {
        MUST(open("/file", O_RDONLY));
        MUST(mkdir("/sub/made", 0755));
        MUST(chdir("/sub"));
        MUST(open("inner", O_RDONLY));
        return 0;
    }
    if (!strcmp(way, "wait")) {
        MUST(chroot(folder));
        MUST(chdir("/"));
        puts("ready");
        fflush(stdout);
        return read(0, path, 1) < 0;
    }
    MUST(chdir(folder));
    if (!strcmp(way, "chroot")) {
        MUST(chroot("."));
    } else {
        MUST(unshare(CLONE_NEWNS));
        MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        MUST(mount(folder, folder, NULL, MS_BIND, NULL));
        MUST(chdir(folder));
        MUST(syscall(SYS_pivot_root, ".", "."));
        MUST(umount2(".", MNT_DETACH));
        MUST(chdir("/"));
    }
    execl(path, token, "use", "", token, NULL);
    perror("execl");
    return 1;
}
"""


@pytest.fixture
def token() -> str:
    return f"o-{secrets.token_hex(5)}"


@pytest.fixture
def root(tmp_path: Path, token: str) -> Path:
    """Return a folder with a program of its own and some files."""
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("x")
    (folder / "sub" / "inner").write_text("x")
    source = tmp_path / "places.c"
    source.write_text(PROGRAM, encoding="utf-8")
    subprocess.run(["gcc", "-w", "-static", "-o", folder / token, source], check=True)
    return folder


@pytest.mark.parametrize("way", ["chroot", "pivot"])
def test_names_are_those_of_the_program_itself(way: str, root: Path, token: str) -> None:
    """The kernel's own paths, of programs and working directories, begin at the root of all mounts that the program has."""
    with watching(RULE.format(token=token)) as watched:
        command: list[str | Path] = [root / token, way, root, token]
        alerts = [alert.message for alert in alerts_of(watched, command)]
    base = str(root) if way == "chroot" else ""
    program = f"{base}/{token}"
    used = [
        f"execve|<NA>|<NA>|{program}|{base}/",
        f"openat|/file|/file|{program}|{base}/",
        f"mkdir|<NA>|/sub/made|{program}|{base}/",
        f"openat|{base}/sub/inner|{base}/sub/inner|{program}|{base}/sub/",
    ]
    assert alerts[-len(used) :] == used


@pytest.fixture
def waiting(root: Path, token: str) -> Iterator[None]:
    """Have a program waiting in a root of its own, where `/proc` is a trap."""
    trap = root / "proc" / "1"
    trap.mkdir(parents=True)
    for name in ("stat", "status", "cmdline", "environ", "cgroup"):
        os.mkfifo(trap / name)
    with subprocess.Popen(
        [root / token, "wait", root, token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.kill()


def test_a_pipe_for_proc_does_not_hold_up_the_start(waiting: None, root: Path, token: str) -> None:
    with watching(RULE.format(token=token)) as watched:
        alerts = alerts_of(watched, [root / token, "chroot", root, token])
    assert len(alerts) >= 4
