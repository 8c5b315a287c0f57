"""What a command line does not need, it does not import: the first alert of a watched command must not wait for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import json, sys
from refengine.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    """Return the modules that a process has imported once it has run a command line."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


HEAVY = {
    "email",
    "http.client",
    "http.server",
    "importlib.metadata",
    "importlib.resources",
    "ssl",
    "aiohttp",
    "h2",
    "refengine.authoring",
    "refengine.cli.describe",
    "refengine.cli.list",
    "refengine.service.web",
    "refengine.state.containers.docker",
}
"""What a run without web server, HTTP output and containers has no use for."""


def test_the_version_is_told_without_the_language() -> None:
    found = imported("--version")
    own = {name for name in found if name.startswith("refengine.")}
    assert "refengine.cli.version" in own
    assert not own & {"refengine.engine", "refengine.cli.configuration", "refengine.cli.run"}
    assert not {name for name in own if name.startswith(("refengine.condition", "refengine.backends"))}
    assert not found & {"yaml", "re2", *HEAVY}


def test_fields_are_listed_without_rules_and_configuration() -> None:
    found = imported("--list") - {"refengine.cli.list"}
    assert "refengine.fields.catalogue" in found
    assert not found & {"yaml", "re2", "refengine.cli.configuration", "refengine.engine", *HEAVY}
    assert not {name for name in found if name.startswith(("refengine.backends.", "refengine.rulefile.yaml"))}


def test_tests_of_rules_need_no_backend_and_no_run(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- rule: Anything runs\n  desc: a program\n  condition: evt.type = execve\n  output: x\n  priority: INFO\n"
    )
    tests = tmp_path / "rules.test.yaml"
    tests.write_text(
        "rules: rules.yaml\ntests:\n  - name: runs\n    event: {evt.type: execve}\n    alerts: Anything runs\n"
    )
    found = imported("test", str(tests))
    assert "refengine.authoring.testing.session" in found
    assert not found & {"re2", "refengine.cli.run", *HEAVY} - {"refengine.authoring"}
    assert not {name for name in found if name.startswith("refengine.backends.ptrace")}


@pytest.mark.ptrace
def test_watching_a_command_takes_no_more_than_it_needs(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- rule: Anything runs\n  desc: a program\n  condition: evt.type = execve\n  output: x\n  priority: INFO\n"
    )
    found = imported("--backend", "ptrace", "-r", str(rules), "--", "true")
    assert "refengine.backends.ptrace.backend" in found
    assert not found & {"hashlib", "re2", *HEAVY}


def test_validation_needs_no_backend() -> None:
    found = imported("-V", "rules/quickstart.yaml")
    assert "refengine.rulefile.loader" in found
    assert not found & (HEAVY | {"refengine.engine", "refengine.cli.watch"})
    assert not {name for name in found if name.startswith("refengine.backends.ptrace")}
