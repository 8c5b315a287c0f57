"""What tracing costs a program: per traced call, and for calls that no rule needs; beside strace.

    python -m benchmarks.ptrace_overhead [ROUNDS]

The calls are of three kinds: opens that become events, opens of which it is clear at their entry that no rule can
match them, and calls that the filter lets run. Figures are medians of the rounds, which take turns so that what
else the machine does hits all alike; what counts are the ratios. The program measures its own time, without its
start. Needs a C compiler; strace is left out where there is none.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from refengine.backends.base import Interest
from refengine.backends.precondition import Comparison, Precondition
from refengine.backends.ptrace.backend import PtraceBackend

PROGRAM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* Makes calls in each of several children, one after the other, and tells how long that took. */
int main(int argc, char **argv) {
    long number = atol(argv[1]), calls = atol(argv[2]), children = atol(argv[3]);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long child = 0; child < children; child++) {
        if (fork() == 0) {
            for (long i = 0; i < calls; i++) syscall(number, AT_FDCWD, "/usr/include/not/there.h", O_RDONLY);
            _exit(0);
        }
        wait(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    dprintf(atoi(argv[4]), "%ld", (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec);
    return 0;
}
"""

BELOW_ETC = Comparison("fd.name", "startswith", ("/etc/",), compares=lambda value: value.startswith("/etc/"))

Start = Callable[[list[str], int], None]


@dataclass(frozen=True)
class Kind:
    """A kind of call: which, how often in each of how many processes, and what rules make of opens."""

    title: str
    number: int
    calls: int
    children: int
    preconditions: Mapping[str, Precondition]


KINDS = (
    Kind("opens that become events", 257, 20_000, 1, {}),
    Kind("opens that no rule can match", 257, 20_000, 1, {"openat": BELOW_ETC}),
    Kind("calls of faccessat that no rule needs", 269, 50_000, 4, {}),
    Kind("calls of getppid that no rule needs", 110, 50_000, 4, {}),
)


def plain(command: list[str], report: int) -> None:
    """Run the program by itself."""
    subprocess.run(command, check=True, pass_fds=[report])


def strace(command: list[str], report: int) -> None:
    """Run the program under strace with a filter for the one call."""
    options = ["-f", "--seccomp-bpf", "-e", "trace=openat", "-o", os.devnull]
    subprocess.run(["strace", *options, *command], check=True, pass_fds=[report])


def refengine(preconditions: Mapping[str, Precondition]) -> Start:
    """Return a function that runs the program under the backend and takes every event."""

    def start(command: list[str], report: int) -> None:
        os.set_inheritable(report, True)
        backend = PtraceBackend(command)
        backend.open(Interest(frozenset({"openat"}), frozenset({"fd.name"}), preconditions))
        while backend.read(1.0) is not None:
            pass
        backend.close()

    return start


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(start: Start, program: str, kind: Kind) -> tuple[float, float]:
    """Return the time that the program says it took, and the processor time of all, in microseconds a call."""
    read, write = os.pipe()
    before = cpu_seconds()
    start([program, *map(str, (kind.number, kind.calls, kind.children, write))], write)
    cpu = cpu_seconds() - before
    os.close(write)
    taken = int(os.read(read, 64))
    os.close(read)
    total = kind.calls * kind.children
    return taken / 1000 / total, cpu * 1e6 / total


def compare(kind: Kind, program: str, rounds: int) -> None:
    """Measure calls of one kind in every way, and print."""
    ways: dict[str, Start] = {"untraced": plain, "refengine": refengine(kind.preconditions)}
    if shutil.which("strace") is not None:
        ways["strace"] = strace
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, start in ways.items():
            found[name].append(measure(start, program, kind))
    print(f"{kind.calls * kind.children} {kind.title}, in {kind.children} process(es), medians of {rounds}:")
    medians = {name: tuple(map(statistics.median, zip(*all, strict=True))) for name, all in found.items()}
    base, base_cpu = medians["untraced"]
    for name, (taken, cpu) in medians.items():
        print(
            f"  {name:10} {taken:8.3f} µs a call, {taken / base:7.2f} times untraced; "
            f"{cpu:8.3f} µs of processor time"
        )
    if "strace" in medians and kind.number == KINDS[0].number:
        (mine, mine_cpu), (theirs, their_cpu) = medians["refengine"], medians["strace"]
        added, added_cpu = (mine - base) / (theirs - base), (mine_cpu - base_cpu) / (their_cpu - base_cpu)
        print(f"  refengine adds {added:.2f} of what strace adds, {added_cpu:.2f} of its processor time")


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("a C compiler is needed")
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "calls.c"), os.fspath(Path(folder, "calls"))
        source.write_text(PROGRAM)
        subprocess.run([compiler, "-O2", "-D_GNU_SOURCE", "-o", program, os.fspath(source)], check=True)
        for kind in KINDS:
            compare(kind, program, rounds)


if __name__ == "__main__":
    main()
