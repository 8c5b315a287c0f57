"""What the documents say is so: their commands run, their links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from refengine.cli import exit_codes

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(file for name in ("docs", "examples", "spec") for file in (ROOT / name).rglob("*.md")),
    ]
)


def command_blocks() -> list[str]:
    """Return the README's shell blocks in order."""
    return re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def refengine(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in `folder`, as the package that the tests test."""
    return subprocess.run(
        [sys.executable, "-m", "refengine", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_first_command_sets_everything_up_and_runs_the_main_job() -> None:
    steps = command_blocks()[0].strip().split(" && ", 2)
    assert steps[0] == "python3 -m venv .venv"
    assert steps[1] == ".venv/bin/pip install -q -e '.[dev]'"
    assert steps[2].startswith(".venv/bin/refengine --backend ptrace -r rules/quickstart.yaml -- ")


def test_the_second_command_runs_all_tests_as_continuous_integration_does() -> None:
    command = command_blocks()[1].strip()
    assert command == ".venv/bin/python -m pytest -n auto"
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(rf"^tests\(\) {{$[^}}]*^    {re.escape(command)} \|\| code=\$\?$", script, re.MULTILINE)
    assert 'check "Tests" tests\n' in script


@pytest.mark.ptrace
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the ptrace backend knows x86-64 only")
def test_the_main_job_of_the_first_command_alerts_on_a_real_process() -> None:
    main_job = command_blocks()[0].strip().split(" && ", 2)[2]
    done = refengine(ROOT, *shlex.split(main_job)[1:])
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


def test_the_rules_that_are_shown_are_rejected_as_shown(tmp_path: Path) -> None:
    (rules,) = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(
        r"^```console\n\$ refengine -V broken\.yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    tmp_path.joinpath("broken.yaml").write_text(rules, encoding="utf-8")
    done = refengine(tmp_path, "-V", "broken.yaml")
    assert (done.returncode, done.stdout) == (1, shown)


def test_the_python_that_is_shown_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Program run from a temporary folder WARNING Program run from ")


def test_the_exit_codes_that_are_listed_are_those_of_the_program() -> None:
    table = README[README.index("### Exit codes") : README.index("## From Python")]
    listed = {int(number) for number in re.findall(r"\b(\d+)\b", table.replace("128 + N", ""))}
    values = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert listed == values
