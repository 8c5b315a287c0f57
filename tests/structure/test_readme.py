"""What the documents say is so: their commands run, their links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def command_blocks() -> list[str]:
    """Return the README's shell blocks in order."""
    return re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_first_command_sets_everything_up_and_runs_the_main_job() -> None:
    steps = command_blocks()[0].strip().split(" && ", 2)
    assert steps[0] == "python3 -m venv .venv"
    assert steps[1] == ".venv/bin/pip install -q -e '.[dev]'"
    assert steps[2].startswith(".venv/bin/refengine --backend ptrace -r rules/quickstart.yaml -- ")


def test_the_second_command_runs_all_tests_as_continuous_integration_does() -> None:
    command = command_blocks()[1].strip()
    assert command == ".venv/bin/python -m pytest -n auto"
    assert f'check "Tests" {command}' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.ptrace
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the ptrace backend knows x86-64 only")
def test_the_main_job_of_the_first_command_alerts_on_a_real_process() -> None:
    main_job = command_blocks()[0].strip().split(" && ", 2)[2]
    arguments = [sys.executable, "-m", "refengine", *shlex.split(main_job)[1:]]
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "hello\n" in done.stdout
    assert re.search(r" Notice File made executable \(file=/tmp/tmp\.\w+ .* command=chmod \+x ", done.stdout)
    assert re.search(r" Warning Program run from a temporary folder \(program=/tmp/tmp\.\w+ ", done.stdout)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_documents_name_exist(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = re.findall(
        r"`((?:refengine|backends|grammar|rules|spec|tests|docs|examples|benchmarks)/[\w./-]+)`", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []
