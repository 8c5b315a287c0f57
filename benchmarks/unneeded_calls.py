"""What watching costs programs whose calls no rule needs.

    python -m benchmarks.unneeded_calls [ROUNDS] [--python PATH]

Ordinary programs (sorting, compressing, searching a tree of files, computing) run untraced and under `refengine
--backend ptrace`, in turns, with rules that speak of the network and of tracing only. Each tells its own time, without
the loading of rules; medians of the rounds are compared. Started by root, they run as `nobody`.
"""

from __future__ import annotations

import argparse
import os
import pwd
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

RULES = """\
- rule: Connection
  desc: Something connects
  condition: evt.type in (connect, accept, accept4, listen) and fd.sip != "127.0.0.1"
  output: "%proc.name to %fd.name"
  priority: NOTICE
- rule: Tracing
  desc: Something traces another process
  condition: evt.type = ptrace and proc.name != gdb
  output: "%proc.name %proc.pname"
  priority: WARNING
"""

PROGRAMS: Mapping[str, str] = {
    "sorting 800,000 lines": "cat lines lines | sort > /dev/null",
    "compressing 14 megabytes": "gzip -c lines > /dev/null",
    "searching 16,000 files": "grep -r needle tree tree tree tree; true",
    "looking at 160,000 files": "find" + 40 * " tree" + " -size +100k -newer lines",
    "Python, computing": "PYTHON -S -c 'sum(i * i % 7 for i in range(9000000))'",
}
SEED = 1

USER = "nobody"
IS_ROOT = os.geteuid() == 0


def prepare(folder: Path) -> None:
    """Write the files that the programs work on."""
    (folder / "rules.yaml").write_text(RULES)
    generator = random.Random(SEED)
    words = [f"word{number:05}" for number in range(5000)]
    lines = (" ".join(generator.choices(words, k=5)) + "\n" for _ in range(400_000))
    (folder / "lines").write_text("".join(lines))
    text = " ".join(generator.choices(words, k=800))
    for number in range(4000):
        place = folder / "tree" / f"{number // 100}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text(text)


def run(command: list[str], folder: Path, stderr: int) -> subprocess.CompletedProcess[bytes]:
    """Run a command in `folder`, without privileges, and return how it ended."""
    return subprocess.run(
        command,
        check=False,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        user=USER if IS_ROOT else None,
        group="nogroup" if IS_ROOT else None,
        extra_groups=() if IS_ROOT else None,
    )


def seconds(folder: Path, program: str, python: str, *, watched: bool) -> float:
    """Return how long a program takes by its own account."""
    times = folder / "times" / "times"
    script = f"date +%s%N > {times}; {program.replace('PYTHON', python)}; date +%s%N >> {times}"
    command = ["sh", "-c", script]
    if watched:
        options = ["-m", "refengine", "--backend", "ptrace", "-r", "rules.yaml", "--"]
        command = [python, *options, *command]
    run(command, folder, stderr=subprocess.DEVNULL).check_returncode()
    first, last = map(int, times.read_text().split())
    return (last - first) / 1e9


def check(python: str) -> str | None:
    """Return why the programs cannot be run with this Python, None where they can."""
    try:
        tried = run([python, "-c", "import refengine"], Path("/"), stderr=subprocess.PIPE)
    except OSError as error:
        return (
            f"{python} cannot be run as {USER}: {error.strerror}"
            if IS_ROOT
            else f"{python}: {error.strerror}"
        )
    if tried.returncode == 0:
        return None
    *_, last = tried.stderr.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"]
    return f"{python} cannot import refengine{f' as {USER}' if IS_ROOT else ''}: {last}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=7)
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    fault = check(arguments.python)
    if fault is not None:
        parser.error(f"{fault}; name another one by --python, that everybody may read")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "times").mkdir()
        if IS_ROOT:
            os.chown(folder / "times", pwd.getpwnam(USER).pw_uid, -1)
        prepare(folder)
        for title, program in PROGRAMS.items():
            taken: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(arguments.rounds):
                for watched, found in taken.items():
                    found.append(seconds(folder, program, arguments.python, watched=watched))
            plain, traced = (statistics.median(found) for found in taken.values())
            print(f"{title:32} {plain:6.3f} s, watched {traced:6.3f} s: {traced / plain:.3f} times")


if __name__ == "__main__":
    main()
