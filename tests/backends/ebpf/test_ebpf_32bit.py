"""32-bit programs and calls are not watched, and that is said: counted, and warned of while the monitor runs."""

from __future__ import annotations

import re
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.monitor import PATIENCE
from refengine.backends.base import Interest
from refengine.backends.registry import connect
from refengine.backends.target import Target
from tests.ebpf import require_ebpf
from tests.running import ready

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- rule: Nothing
  desc: d
  condition: evt.type = mkdir and evt.arg.path = {folder}/nothing
  output: "%evt.arg.path"
  priority: INFO
"""
WARNING = "what is done by 32-bit calls is not seen"

CALL_BY_NUMBER = """
#include <stdlib.h>

/* Make the 32-bit call with the number in the first argument as often as the second one says. */
int main(int count, char **arguments)
{
    long result = 0;
    for (int i = 0; i < atoi(arguments[2]) && result >= 0; i++)
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"((long)atoi(arguments[1]))
                         : "memory", "r8", "r9", "r10", "r11");
    return result < 0;
}
"""
FORK, GETPID = "2", "20"


def program_32() -> bytes:
    """Return an executable of one page for i386, which ends at once with the code 7."""
    code = b"\xb8\x01\0\0\0\xbb\x07\0\0\0\xcd\x80"  # mov $1, %eax; mov $7, %ebx; int $0x80
    start, head, entry = 0x08048000, 52, 32
    size = head + entry + len(code)
    elf = b"\x7fELF\1\1\1".ljust(16, b"\0") + struct.pack(
        "=HHIIIIIHHHHHH", 2, 3, 1, start + head + entry, head, 0, 0, head, entry, 1, 0, 0, 0
    )
    return elf + struct.pack("=8I", 1, 0, start, start, size, size, 5, 0x1000) + code


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return a 32-bit program that this kernel runs."""
    require_ebpf()
    path = tmp_path / "foreign"
    path.write_bytes(program_32())
    path.chmod(0o755)
    try:
        code = subprocess.run([path], check=False).returncode
    except OSError as error:
        pytest.skip(f"the kernel runs no 32-bit programs: {error}")
    assert code == 7
    return path


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    """Return a 64-bit program that makes 32-bit calls."""
    source, program = tmp_path / "caller.c", tmp_path / "caller"
    source.write_text(CALL_BY_NUMBER, encoding="utf-8")
    subprocess.run(["gcc", "-o", program, source], check=True)
    return program


@pytest.fixture
def monitor(tmp_path: Path, foreign: Path) -> Iterator[subprocess.Popen[str]]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(folder=tmp_path), encoding="utf-8")
    with (
        (tmp_path / "out").open("w") as out,
        (tmp_path / "err").open("w") as err,
        ready("--backend", "ebpf", "-U", "-r", rules, stdout=out, stderr=err) as process,
    ):
        yield process


def counted(monitor: subprocess.Popen[str], folder: Path) -> dict[str, int]:
    """End the monitor and return what it says it has not watched, by kind."""
    monitor.send_signal(signal.SIGINT)
    assert monitor.wait(PATIENCE) == 0
    line = re.search(r"^Not watched: (.*)$", (folder / "out").read_text(encoding="utf-8"), re.MULTILINE)
    pairs = (part.rsplit(": ", 1) for part in line[1].split(", ")) if line is not None else ()
    return {kind: int(count) for kind, count in pairs}


def test_32_bit_programs_are_counted_and_warned_of_once_while_watching(
    monitor: subprocess.Popen[str], foreign: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        assert subprocess.run([foreign], check=False).returncode == 7
    said = tmp_path / "err"
    limit = time.monotonic() + PATIENCE
    while WARNING not in said.read_text(encoding="utf-8"):
        assert monitor.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.05)
    found = counted(monitor, tmp_path)
    assert found["32-bit programs"] >= 3
    assert found["32-bit calls"] >= 3  # their ends
    assert said.read_text(encoding="utf-8").count(WARNING) == 1


def test_births_by_32_bit_calls_of_a_64_bit_program_are_counted(
    monitor: subprocess.Popen[str], caller: Path, tmp_path: Path
) -> None:
    subprocess.run([caller, FORK, "1"], check=True)
    assert counted(monitor, tmp_path)["32-bit calls"] >= 1


def test_one_program_at_all_exits_counts_each_32_bit_call(foreign: Path, caller: Path) -> None:
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(Interest(None))
    try:
        before = backend.statistics().unwatched
        subprocess.run([foreign], check=False)
        subprocess.run([caller, GETPID, "50"], check=True)
        after = backend.statistics().unwatched
    finally:
        backend.close()
    assert after["32-bit programs"] > before["32-bit programs"]
    assert after["32-bit calls"] - before["32-bit calls"] >= 50
