"""The hooks for repositories of rules, run by pre-commit itself in one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MACROS = "- macro: opened\n  condition: (evt.type in (open, openat) and fd.num >= 0)\n"
RULE = """\
- rule: Key read
  desc: A private key was read
  condition: opened and fd.name startswith /etc/ssl/private
  output: key read (file=%fd.name number=%fd.num type=%evt.type)
  priority: WARNING
  tags: [mitre_credential_access, T1552.004]
"""
TEST = """\
rules: [rules/a_macros.yaml, rules/b_rules.yaml]
tests:
  - event: {evt.type: open, fd.num: 3, fd.name: /etc/ssl/private/k}
    alerts: Key read
"""

pytestmark = pytest.mark.slow


class Repository:
    """A repository of rules with the hooks, which run without an environment of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "detections"
        tools, programs = folder / "tools", folder / "bin"
        for made in (self.folder, tools, programs):
            made.mkdir()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PRE_COMMIT_HOME": str(folder / "kept"),
            "HOME": str(folder),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        }
        (folder / "gitconfig").write_text(
            '[user]\nname = Ann\nemail = ann@example.org\n[protocol "file"]\nallow = always\n'
        )
        program = programs / "refengine"
        program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m refengine \"$@\"\n")
        program.chmod(0o755)
        shutil.copy(ROOT / ".pre-commit-hooks.yaml", tools)
        self.git("init", "-q", folder=tools)
        self.git("add", "-A", folder=tools)
        self.git("commit", "-q", "-m", "Hooks", folder=tools)
        revision = self.git("rev-parse", "HEAD", folder=tools).stdout.strip()
        self.write(
            ".pre-commit-config.yaml",
            f"repos:\n- repo: {tools}\n  rev: {revision}\n  hooks:\n"
            + "".join(
                f"  - id: refengine-{name}\n    language: system\n" for name in ("fmt", "lint", "test")
            ),
        )
        self.write("rules/a_macros.yaml", MACROS)
        self.write("rules/b_rules.yaml", RULE)
        self.write("tests.test.yaml", TEST)
        self.git("init", "-q")
        self.git("add", "-A")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def git(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=folder or self.folder, env=self._environment,
            capture_output=True, text=True, check=True,
        )  # fmt: skip

    def check(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code of the hooks, and what they say, of what is staged."""
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", *arguments],
            cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    pytest.importorskip("pre_commit")
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    return Repository(tmp_path)


def failed(said: str) -> list[str]:
    return [line.split(".")[0] for line in said.splitlines() if line.endswith("Failed")]


def test_what_is_in_order_passes(repository: Repository) -> None:
    code, said = repository.check("--all-files")
    assert (code, failed(said)) == (0, []), said
    assert said.count("Passed") == 3


def test_a_change_of_one_file_is_seen_beside_all_others(repository: Repository) -> None:
    repository.git("commit", "-q", "-m", "Rules")
    repository.write("rules/b_rules.yaml", RULE.replace("/etc/ssl/private", "/etc/ssl"))
    repository.git("add", "-A")
    code, said = repository.check()
    assert (code, failed(said)) == (0, []), said
    repository.write("rules/a_macros.yaml", MACROS.replace("fd.num >= 0", "fd.num > 3"))
    repository.git("add", "-A")
    code, said = repository.check()
    assert (code, failed(said)) == (1, ["run the unit tests of rules"]), said
    assert "fd.num > 3  must hold, but fd.num is 3  [rules/a_macros.yaml:2:46]" in said


def test_layout_is_changed_and_told(repository: Repository) -> None:
    repository.write("rules/b_rules.yaml", RULE.replace("condition: ", "condition:    "))
    repository.git("add", "-A")
    code, said = repository.check()
    assert (code, failed(said)) == (1, ["lay rules files out in one form"]), said
    assert (repository.folder / "rules" / "b_rules.yaml").read_text() == RULE


def test_doubts_and_faults_stop_a_commit(repository: Repository) -> None:
    repository.write("rules/b_rules.yaml", RULE.replace("and fd.name", "and evt.type = close and fd.name"))
    repository.git("add", "-A")
    code, said = repository.check("refengine-lint")
    assert (code, failed(said)) == (1, ["say what is doubtful about rules"]), said
    assert "can never raise an alert" in said
    repository.write("rules/b_rules.yaml", RULE.replace("fd.name startswith", "fd.nme startswith"))
    repository.git("add", "-A")
    code, said = repository.check("refengine-lint")
    assert (code, failed(said)) == (1, ["say what is doubtful about rules"]), said
    assert "did you mean 'fd.name'?" in said
