"""Commands and processes under watch, in processes of their own, since signals, pipes and exit codes matter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.ptrace

RULES = """
- rule: Opened
  desc: A file below the test's folder is opened
  condition: evt.type in (open, openat, openat2) and fd.name startswith "{folder}"
  output: opened %fd.name by %proc.name
  priority: INFO
  tags: [files]
- rule: Started
  desc: The program true is started
  condition: evt.type = execve and proc.name = true
  output: started %proc.name
  priority: WARNING
  tags: [processes]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.replace("{folder}", f"{tmp_path}/watched"))
    (tmp_path / "watched").write_text("x\n")
    return path


def refengine(*arguments: str | Path, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "refengine", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **options},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class started:  # noqa: N801  # used as a function
    """Starts the program in the background, and kills it at the end if it is still there."""

    def __init__(self, rules: Path, *arguments: str | Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "refengine", "-r", str(rules), *map(str, arguments)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> subprocess.Popen[str]:
        return self._process

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()


def wait_for(run: subprocess.Popen[str], end: str) -> None:
    """Return when the program has written a line that ends with `end`."""
    assert run.stdout is not None
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if run.stdout.readline().endswith(end):
            return
    raise AssertionError(f"the program did not write a line that ends with {end!r}")


def test_a_command_raises_alerts_and_passes_its_code_on(rules: Path, tmp_path: Path) -> None:
    done = refengine("-r", rules, "--", "sh", "-c", f"cat {tmp_path}/watched; true; exit 7")
    assert done.returncode == 7
    assert done.stderr == ""
    assert f": Informational opened {tmp_path}/watched by cat\n" in done.stdout
    assert done.stdout.endswith("Events dropped: 0\n")
    assert "Rule counts by severity:\n   INFO: 1\n" in done.stdout


def test_json_lines_stand_alone_on_standard_output(rules: Path, tmp_path: Path) -> None:
    done = refengine(
        "-r",
        rules,
        "-o",
        "json_output=true",
        "--print",
        "pid=%proc.pid",
        "--",
        "cat",
        f"{tmp_path}/watched",
    )
    lines = done.stdout.splitlines()
    assert lines[1] == "x"
    alert = json.loads(lines[0])
    assert alert["rule"] == "Opened"
    assert " pid=" in alert["output"]
    assert alert["output_fields"]["proc.pid"] > 0
    assert "Events detected: 1" in done.stderr


def test_rules_are_selected(rules: Path, tmp_path: Path) -> None:
    done = refengine(
        "-r",
        rules,
        "-o",
        "rules[].disable.tag=files",
        "--",
        "sh",
        "-c",
        f"cat {tmp_path}/watched; /bin/true",
    )
    assert "opened" not in done.stdout
    assert ": Warning started true\n" in done.stdout


def test_alerts_go_to_a_file(rules: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = refengine(
        "-r", rules, "-o", "file_output.enabled=true", "-o", f"file_output.filename={log}",
        "-o", "stdout_output.enabled=false", "--", "cat", f"{tmp_path}/watched",
    )  # fmt: skip
    assert "opened" not in done.stdout
    assert "opened" in log.read_text()


@pytest.mark.parametrize(
    ("command", "code"), [("no-such-program", 127), ("/none", 127), ("/etc/passwd", 126)]
)
def test_a_command_that_cannot_be_started(rules: Path, command: str, code: int) -> None:
    done = refengine("-r", rules, "--", command)
    assert done.returncode == code
    assert done.stderr.startswith(f"Error: {command}")
    assert done.stdout == ""


def test_a_signal_that_ends_the_command_shows_in_the_code(rules: Path) -> None:
    assert refengine("-r", rules, "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_a_dry_run_starts_nothing(rules: Path, tmp_path: Path) -> None:
    done = refengine("-r", rules, "--dry-run", "-v", "--", "touch", f"{tmp_path}/touched")
    assert done.returncode == 0
    assert not (tmp_path / "touched").exists()
    assert "2 rules are enabled" in done.stderr


def test_the_time_limit_ends_the_command(rules: Path, tmp_path: Path) -> None:
    done = refengine("-r", rules, "-M", "0.3", "--", "sh", "-c", f"sleep 30; touch {tmp_path}/late")
    assert done.returncode == 0
    assert "Events detected: 0" in done.stdout
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_its_summary(rules: Path, tmp_path: Path, number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    with started(
        rules, "-P", pid_file, "--", "sh", "-c", f"echo ready; cat {tmp_path}/watched; sleep 30"
    ) as run:
        wait_for(run, "x\n")
        assert int(pid_file.read_text()) == run.pid
        run.send_signal(number)
        out, err = run.communicate(timeout=20)
    assert run.returncode == 128 + number
    assert "Events detected: 1\n" in out
    assert err == ""
    assert not pid_file.exists()


def test_a_reader_that_leaves_ends_the_run_quietly(rules: Path, tmp_path: Path) -> None:
    command = f"while :; do cat {tmp_path}/watched >/dev/null; done"
    with started(rules, "--", "sh", "-c", command) as run:
        wait_for(run, "cat\n")
        assert run.stdout is not None
        run.stdout.close()
        run.stdout = None
        _, err = run.communicate(timeout=20)
    assert run.returncode == 141
    assert err == ""


def test_a_running_process_is_watched_and_left_alone(rules: Path, tmp_path: Path) -> None:
    loop = f"while sleep 0.1; do cat {tmp_path}/watched; done"
    with subprocess.Popen(["sh", "-c", loop], stdout=subprocess.DEVNULL) as process:
        try:
            done = refengine("-r", rules, "-M", "1", "-p", str(process.pid))
            assert done.returncode == 0, done.stderr
            assert f"opened {tmp_path}/watched by cat\n" in done.stdout
            assert process.poll() is None
        finally:
            process.kill()


def test_a_process_that_is_not_there(rules: Path) -> None:
    done = refengine("-r", rules, "-p", "4194304")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: process 4194304 does not exist")
