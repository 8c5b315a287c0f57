"""The ready-made jobs in `examples/ci`: valid, and doing what they say."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from refengine.cli.options import parse_options
from refengine.rulefile.loader import load
from refengine.terminal import Style

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "ci"
JOBS = ("github-actions.yml", "gitlab-ci.yml")


def lines(value: Any) -> Iterator[str]:
    """Yield the lines of every text in a document."""
    if isinstance(value, str):
        yield from value.splitlines()
    elif isinstance(value, dict):
        for item in value.values():
            yield from lines(item)
    elif isinstance(value, list):
        for item in value:
            yield from lines(item)


def commands(name: str) -> list[list[str]]:
    """Return the command lines of refengine in a job's file."""
    document = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return [shlex.split(line) for line in lines(document) if line.startswith("refengine ")]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_valid_yaml_with_command_lines_that_make_sense(name: str) -> None:
    found = commands(name)
    assert len(found) == 2
    for command in found:
        options = parse_options(command[1:], Style(coloured=False))
        assert options.validate or (options.command == ("make", "test") and options.strict_capabilities)


def test_the_jobs_have_what_their_services_ask_for() -> None:
    actions = yaml.safe_load((FOLDER / JOBS[0]).read_text(encoding="utf-8"))
    # In YAML 1.1 the key `on` is the truth value.
    assert set(actions) == {"name", True, "permissions", "jobs"}
    for job in actions["jobs"].values():
        assert {"runs-on", "steps"} <= set(job)
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    jobs = yaml.safe_load((FOLDER / JOBS[1]).read_text(encoding="utf-8"))
    for name, job in jobs.items():
        if name not in ("stages", ".refengine"):
            assert job["stage"] in jobs["stages"]
            assert job["extends"] == ".refengine"


def test_the_rules_are_valid() -> None:
    load([FOLDER / "ci-rules.yaml"]).check()


@pytest.mark.ptrace
@pytest.mark.parametrize(
    ("command", "alerts"), [("cat README.md", 0), ("cat /etc/shadow || :", 1)], ids=["harmless", "harmful"]
)
def test_a_build_is_watched_as_the_jobs_do(command: str, alerts: int, tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    given = next(line for line in commands(JOBS[1]) if "--" in line)
    given = given[1 : given.index("--")]
    given[given.index("-r") + 1] = str(FOLDER / "ci-rules.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "refengine", *given, "--", "sh", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "alerts.jsonl").read_text() if (tmp_path / "alerts.jsonl").exists() else ""
    if alerts and os.geteuid() != 0:
        pytest.skip("only root may open what the rule is about")
    assert len(written.splitlines()) == alerts
