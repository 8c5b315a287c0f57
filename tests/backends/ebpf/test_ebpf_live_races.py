"""What another thread changes meanwhile: what is said to be the kernel's is what the kernel used, whatever the memory says."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ebpf import alerts_of, watching

pytestmark = [pytest.mark.root, pytest.mark.slow]

OPENS = 4000
RUNS = 100

RULES = """
- rule: Opened
  desc: The name is read from the program's memory at the exit, inode and size of what is open from the kernel's own.
  condition: evt.type = openat and proc.name = {token}
  output: "%fd.name|%fd.ino"
  priority: INFO
- rule: Changed
  desc: A call on a descriptor is of the file that the kernel has open.
  condition: evt.type = fchmod and proc.name = {token}
  output: "%fd.name"
  priority: INFO
- rule: Started
  desc: The arguments are those that the new program has.
  condition: evt.type = execve and proc.pname = {token} and proc.name = printf
  output: "%proc.args|%proc.exepath"
  priority: INFO
"""

RACE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[4096];
static volatile char argument[] = "argument-a";
static volatile int over;

/* Write one letter after the other, as fast as can be. */
static void *rewrite(void *last)
{
    while (!over) {
        *(volatile char *)last = 'b';
        argument[9] = 'b';
        *(volatile char *)last = 'a';
        argument[9] = 'a';
    }
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t other;
    snprintf(path, sizeof(path), "%s/file-a", arguments[2]);
    prctl(PR_SET_NAME, arguments[1]);
    pthread_create(&other, NULL, rewrite, path + strlen(path) - 1);
    pthread_setname_np(other, "other");
    ino_t first = 0;
    int both = 0;
    /* Until both files have been opened: the other thread may have to wait for a processor. */
    for (int done = 0; done < atoi(arguments[3]) || !both; done++) {
        struct stat found;
        int number = open(path, O_RDONLY);
        if (number < 0 || fstat(number, &found) || fchmod(number, 0644))
            return 1;
        printf("%lu\n", (unsigned long)found.st_ino);
        close(number);
        both |= first && first != found.st_ino;
        first = found.st_ino;
    }
    printf("-\n");
    fflush(stdout);
    for (int done = 0; done < atoi(arguments[4]); done++) {
        int status;
        pid_t child = fork();
        if (!child) {
            /* The memory of a copy is nobody else's: it needs a thread of its own that writes there. */
            pthread_create(&other, NULL, rewrite, path + strlen(path) - 1);
            execl("/usr/bin/printf", "printf", "%s\n", (char *)argument, NULL);
            _exit(2);
        }
        if (waitpid(child, &status, 0) < 0 || status)
            return 3;
    }
    over = 1;
    return 0;
}
"""


@pytest.fixture
def token() -> str:
    return f"r-{secrets.token_hex(5)}"


@pytest.fixture
def race(tmp_path: Path) -> Path:
    """Return the program that opens `file-a` or `file-b`, and starts programs, while a thread of its own changes which."""
    source = tmp_path / "race.c"
    source.write_text(RACE, encoding="utf-8")
    subprocess.run(["gcc", "-w", "-O1", "-pthread", "-o", source.with_suffix(""), source], check=True)
    return source.with_suffix("")


def test_what_the_kernel_has_is_told_whatever_the_memory_says(race: Path, token: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    files = {}
    for letter in "ab":
        path = folder / f"file-{letter}"
        path.write_text(letter)
        files[path.stat().st_ino] = str(path)
    command: list[str | Path] = [race, token, str(folder), str(OPENS), str(RUNS)]
    with watching(RULES.format(token=token)) as watched, (tmp_path / "out").open("w") as out:
        alerts = alerts_of(watched, command, stdout=out)
    opens, _, runs = (tmp_path / "out").read_text().partition("-\n")
    inodes, arguments = [int(each) for each in opens.split()], runs.split()
    opened = [alert.message.split("|") for alert in alerts if alert.rule == "Opened"]
    # The program's own libraries come before its name does, and those of programs that it starts have another name.
    opened = [each for each in opened if each[0].startswith(f"{folder}/")]
    assert [int(inode) for _, inode in opened] == inodes
    assert {name for name, _ in opened} <= set(files.values())
    assert [alert.message for alert in alerts if alert.rule == "Changed"] == [files[each] for each in inodes]
    started = [alert.message for alert in alerts if alert.rule == "Started"]
    assert len(started) == RUNS
    assert started == [f"%s\n {argument}|/usr/bin/printf" for argument in arguments]
    assert set(inodes) == set(files)


def test_a_number_that_is_another_file_now_has_that_file_s_name(token: str, tmp_path: Path) -> None:
    """Of the two opens one is told, and of what has closed the first file nothing is."""
    rules = f"""
- rule: Opened
  desc: d
  condition: evt.type = openat and fd.name = {tmp_path}/told
  output: "opened %fd.name"
  priority: INFO
- rule: Changed
  desc: d
  condition: evt.type = fchmod and proc.name = {token}
  output: "changed %fd.name"
  priority: INFO
"""
    for name in ("told", "not-told"):
        (tmp_path / name).write_text("x")
    body = f"""
import ctypes, os
ctypes.CDLL(None).prctl(15, {token.encode()!r}, 0, 0, 0)
for name in ("told", "not-told", "told"):
    number = os.open({str(tmp_path)!r} + "/" + name, os.O_RDONLY)
    os.fchmod(number, 0o644)
    os.close(number)
"""
    with watching(rules) as watched:
        alerts = alerts_of(watched, [sys.executable, "-c", body])
    assert [alert.message for alert in alerts] == [
        f"opened {tmp_path}/told",
        f"changed {tmp_path}/told",
        f"changed {tmp_path}/not-told",
        f"opened {tmp_path}/told",
        f"changed {tmp_path}/told",
    ]
