"""What watching a real build costs it: `make -j2` over a C project, under refengine and under strace.

    python -m benchmarks.build_under_ptrace RULES… [--files 200] [--rounds 5] [--python PATH]

A project of so many small C files is generated, built untraced once, and then in turns untraced, under
`refengine --backend ptrace` with each rules file, and under `strace -f --seccomp-bpf` for exactly the system calls
that refengine watches for that file. The build tells its own time, from the first command to the end of the last, so
that the loading of rules is not part of it; the whole run's time is given beside it. Started by root, all builds
run as `nobody` without privileges; `--python` names an interpreter that `nobody` may run, where this one is not. Medians of the rounds are compared, since a shared machine has its moods.
"""

from __future__ import annotations

import argparse
import os
import pwd
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import refengine
from refengine.backends.ptrace.backend import CAPABILITIES
from refengine.backends.ptrace.plan import make_plan
from refengine.interest import interest_of

SOURCE = """\
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "project.h"

int part_{number}(int value) {{
    char text[64];
    snprintf(text, sizeof text, "%d", value + {number});
    return atoi(text) + (int)strlen(text);
}}
"""

MAKEFILE = """\
OBJECTS := $(patsubst %.c,%.o,$(sort $(wildcard *.c)))
program: $(OBJECTS)
\t$(CC) -o $@ $(OBJECTS)
%.o: %.c project.h
\t$(CC) -O1 -I. -Iinclude -c -o $@ $<
"""

BUILD = "date +%s%N > times; make -s -j2; code=$?; date +%s%N >> times; exit $code"


@dataclass(frozen=True)
class Way:
    """A way to run the build: what goes before its command."""

    name: str
    prefix: tuple[str, ...]


@dataclass(frozen=True)
class Taken:
    """How long a build took by its own account, the whole run with it, and the processor time of all, in seconds."""

    build: float
    run: float
    processor: float


def generate(folder: Path, files: int) -> None:
    """Write the project."""
    (folder / "include").mkdir(parents=True)
    parts = range(files)
    for number in parts:
        (folder / f"part_{number}.c").write_text(SOURCE.format(number=number))
    declarations = "".join(f"int part_{number}(int value);\n" for number in parts)
    (folder / "project.h").write_text(declarations)
    calls = "".join(f"    sum += part_{number}(sum);\n" for number in parts)
    main = f'#include "project.h"\nint main(void) {{\n    int sum = 0;\n{calls}    return sum == 0;\n}}\n'
    (folder / "main.c").write_text(main)
    (folder / "Makefile").write_text(MAKEFILE)


def watched_calls(rules_file: Path) -> list[str]:
    """Return the system calls that the ptrace backend watches for a rules file."""
    rules = [
        rule for rule in refengine.load_rules(rules_file).rules if rule.enabled and rule.source == "syscall"
    ]
    plan = make_plan(interest_of(rules, CAPABILITIES.decides))
    return sorted(call.name for call in plan.calls.values())


def ways(rules_files: Sequence[Path], python: str) -> list[Way]:
    """Return the ways to compare."""
    found = [Way("untraced", ())]
    for rules_file in rules_files:
        refengine_command = (
            python,
            "-m",
            "refengine",
            "--backend",
            "ptrace",
            "-r",
            os.fspath(rules_file),
            "--",
        )
        found.append(Way(f"refengine, {rules_file.name}", refengine_command))
        calls = ",".join(watched_calls(rules_file))
        command = ("strace", "-f", "--seccomp-bpf", "-o", os.devnull, "-e", f"trace={calls}")
        found.append(Way(f"strace, {rules_file.name}", command))
    return found


def build(way: Way, folder: Path) -> Taken:
    """Build the project from scratch and return how long that took."""
    for output in [*folder.glob("*.o"), folder / "program"]:
        output.unlink(missing_ok=True)
    is_root = os.geteuid() == 0
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    started, used = time.monotonic(), _processor_time()
    subprocess.run(
        [*way.prefix, "sh", "-c", BUILD],
        check=True,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        user="nobody" if is_root else None,
        group="nogroup" if is_root else None,
        extra_groups=() if is_root else None,
    )
    run, used = time.monotonic() - started, _processor_time() - used
    first, last = map(int, (folder / "times").read_text().split())
    return Taken((last - first) / 1e9, run, used)


def _processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(rules_files: Sequence[Path], files: int, rounds: int, python: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        folder.mkdir()
        generate(folder, files)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            Path(name).chmod(0o755)
            for path in (folder, folder / "include"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        candidates = [
            way for way in ways(rules_files, python) if not way.prefix or shutil.which(way.prefix[0])
        ]
        build(candidates[0], folder)
        taken: dict[str, list[Taken]] = {way.name: [] for way in candidates}
        for _ in range(rounds):
            for way in candidates:
                taken[way.name].append(build(way, folder))
    print(f"{files} files, make -j2, medians of {rounds} rounds:")
    medians = {name: statistics.median(each.build for each in all) for name, all in taken.items()}
    base = medians["untraced"]
    for way_name, median in medians.items():
        run = statistics.median(each.run for each in taken[way_name])
        processor = statistics.median(each.processor for each in taken[way_name])
        print(
            f"  {way_name:32} {median:7.2f} s, {median / base:5.2f} times untraced; whole run {run:7.2f} s; "
            f"processor {processor:7.2f} s"
        )
    for rules_file in rules_files:
        theirs = medians.get(f"strace, {rules_file.name}")
        if theirs is not None:
            mine = medians[f"refengine, {rules_file.name}"]
            print(f"  {rules_file.name}: {mine / theirs:.2f} of the time under strace")


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rules", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    compare([path.resolve() for path in arguments.rules], arguments.files, arguments.rounds, arguments.python)


if __name__ == "__main__":
    main()
