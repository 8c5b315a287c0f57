"""That nothing more is to come that makes events cheaper is told: people who ask for it, and the service manager."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.readiness import Readiness
from tests.ebpf import require_ebpf
from tests.running import PROGRAM, ROOT

pytestmark = pytest.mark.slow

RULES = """
- rule: Opened
  desc: With eBPF its prefilter has a second part
  condition: evt.type = openat and fd.name = {folder}/wanted
  output: "%fd.name"
  priority: INFO
"""


def check_is_told(folder: Path, backend: str, *arguments: str) -> None:
    rules, said = folder / "rules.yaml", folder / "stderr"
    rules.write_text(RULES.format(folder=folder))
    with Readiness() as readiness, said.open("w") as stderr:
        environment = {**os.environ, **readiness.environment, "REFENGINE_CACHE": ""}
        with subprocess.Popen(
            [*PROGRAM, "--backend", backend, "-v", "-r", rules, *arguments],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stderr,
        ) as process:  # fmt: skip
            try:
                readiness.wait(process)
                readiness.wait_until_complete(process)
            finally:
                process.terminate()
    assert f"the {backend} backend is complete: nothing more is to be loaded for it\n" in said.read_text()


def test_of_one_that_has_everything_at_once(tmp_path: Path) -> None:
    check_is_told(tmp_path, "ptrace", "--", "sleep", "100")


@pytest.mark.root
def test_of_one_that_loads_something_later(tmp_path: Path) -> None:
    require_ebpf()
    check_is_told(tmp_path, "ebpf")
