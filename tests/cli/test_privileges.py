"""Giving up capabilities: for the process and for what it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from refengine.cli.main import main

CHILD = """
import subprocess
from refengine.cli.privileges import keep_only
keep_only({"CAP_CHOWN", "CAP_BPF"})
print(open("/proc/self/status").read())
print(subprocess.check_output(["cat", "/proc/self/status"], text=True))
"""


@pytest.mark.root
def test_a_process_and_what_it_starts_keep_only_what_is_named() -> None:
    before = Path("/proc/self/status").read_text(encoding="ascii")
    held = int(before.partition("CapPrm:\t")[2].split()[0], 16)
    output = subprocess.check_output([sys.executable, "-c", CHILD], text=True)
    lines = [line for line in output.splitlines() if line.startswith(("CapEff", "CapPrm", "CapBnd"))]
    assert len(lines) == 6
    assert {int(line.split()[1], 16) for line in lines} == {held & (1 << 0 | 1 << 39)}


def test_a_backend_that_may_need_its_privileges_is_not_robbed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- rule: R\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: INFO\n",
        encoding="utf-8",
    )
    assert main(["--backend", "ptrace", "--drop-privileges", "-r", str(rules), "--", "true"]) == 1
    assert "--drop-privileges: the ptrace backend may need all" in capsys.readouterr().err
