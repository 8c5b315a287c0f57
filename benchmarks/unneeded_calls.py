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


def seconds(folder: Path, program: str, python: str, *, watched: bool) -> float:
    """Return how long a program takes by its own account."""
    times = folder / "times" / "times"
    script = f"date +%s%N > {times}; {program.replace('PYTHON', python)}; date +%s%N >> {times}"
    command = ["sh", "-c", script]
    if watched:
        options = ["-m", "refengine", "--backend", "ptrace", "-r", "rules.yaml", "--"]
        command = [python, *options, *command]
    is_root = os.geteuid() == 0
    subprocess.run(
        command,
        check=True,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        user="nobody" if is_root else None,
        group="nogroup" if is_root else None,
        extra_groups=() if is_root else None,
    )
    first, last = map(int, times.read_text().split())
    return (last - first) / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=7)
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "times").mkdir()
        if os.geteuid() == 0:
            os.chown(folder / "times", pwd.getpwnam("nobody").pw_uid, -1)
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
