"""What tracing costs a program: per traced call, and for calls that no rule needs; beside strace.

    python benchmarks/ptrace_overhead.py [ROUNDS]

Each figure is the best of the rounds, which take turns so that what else the machine does hits all alike. The
program measures its own time, without its start. Needs a C compiler; strace is left out where there is none.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from refengine.backends.base import Interest
from refengine.backends.ptrace.backend import PtraceBackend

PROGRAM = r"""
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
            for (long i = 0; i < calls; i++) syscall(number, "/", 0);
            _exit(0);
        }
        wait(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    dprintf(atoi(argv[4]), "%ld", (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec);
    return 0;
}
"""

CHDIR, GETPPID, ACCESS = 80, 110, 21
TRACED_CALLS = 20_000
UNTRACED_CALLS, CHILDREN = 50_000, 4

Start = Callable[[list[str], int], None]


def plain(command: list[str], report: int) -> None:
    """Run the program by itself."""
    subprocess.run(command, check=True, pass_fds=[report])


def strace(command: list[str], report: int) -> None:
    """Run the program under strace with a filter for the one call."""
    options = ["-f", "--seccomp-bpf", "-e", "trace=chdir", "-o", os.devnull]
    subprocess.run(["strace", *options, *command], check=True, pass_fds=[report])


def refengine(command: list[str], report: int) -> None:
    """Run the program under the backend and take every event."""
    os.set_inheritable(report, True)
    backend = PtraceBackend(command)
    backend.open(Interest(frozenset({"chdir"})))
    while backend.read(1.0) is not None:
        pass
    backend.close()


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(start: Start, program: str, number: int, calls: int, children: int) -> tuple[float, float]:
    """Return the time that the program says it took, and the processor time of all, in nanoseconds a call."""
    read, write = os.pipe()
    before = cpu_seconds()
    start([program, str(number), str(calls), str(children), str(write)], write)
    cpu = cpu_seconds() - before
    os.close(write)
    taken = int(os.read(read, 64))
    os.close(read)
    total = calls * children
    return taken / total, cpu * 1e9 / total


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("a C compiler is needed")
    tracers: dict[str, Start] = {"untraced": plain, "refengine": refengine}
    if shutil.which("strace") is not None:
        tracers["strace"] = strace
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "calls.c"), os.fspath(Path(folder, "calls"))
        source.write_text(PROGRAM)
        subprocess.run([compiler, "-O2", "-o", program, os.fspath(source)], check=True)
        for title, number, calls, children in (
            (f"{TRACED_CALLS} chdir that are traced", CHDIR, TRACED_CALLS, 1),
            (f"{UNTRACED_CALLS * CHILDREN} access that no rule needs", ACCESS, UNTRACED_CALLS, CHILDREN),
            (f"{UNTRACED_CALLS * CHILDREN} getppid that no rule needs", GETPPID, UNTRACED_CALLS, CHILDREN),
        ):
            best: dict[str, tuple[float, float]] = {}
            for _ in range(rounds):
                for name, start in tracers.items():
                    found = measure(start, program, number, calls, children)
                    best[name] = tuple(map(min, found, best.get(name, found)))  # type: ignore[assignment]
            print(f"{title}, in {children} process(es), best of {rounds}:")
            base, base_cpu = best["untraced"]
            for name, (taken, cpu) in best.items():
                print(
                    f"  {name:10} {taken / 1000:8.3f} µs a call, {taken / base:7.2f} times untraced; "
                    f"{cpu / 1000:8.3f} µs of processor time"
                )
            if "strace" in best:
                taken, cpu = best["strace"]
                mine, mine_cpu = best["refengine"]
                added, added_cpu = (
                    (mine - base) / max(taken - base, 1e-9),
                    (mine_cpu - base_cpu) / (cpu - base_cpu),
                )
                print(
                    f"  refengine adds {added:.2f} of what strace adds, {added_cpu:.2f} of its processor time"
                )


if __name__ == "__main__":
    main()
