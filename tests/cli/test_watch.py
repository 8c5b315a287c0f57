"""Commands and processes under watch, in processes of their own, since signals, pipes and exit codes matter."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.running import completed, running, wait_for

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.ptrace


def test_a_command_raises_alerts_and_passes_its_code_on(rules: Path, tmp_path: Path) -> None:
    done = completed("-r", rules, "--", "sh", "-c", f"cat {tmp_path}/watched; true; exit 7")
    assert done.returncode == 7
    assert done.stderr == ""
    assert f": Informational opened {tmp_path}/watched by cat\n" in done.stdout
    assert done.stdout.endswith("Events dropped: 0\n")
    assert "Rule counts by severity:\n   INFO: 1\n" in done.stdout


def test_json_lines_stand_alone_on_standard_output(rules: Path, tmp_path: Path) -> None:
    done = completed(
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
    done = completed(
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
    done = completed(
        "-r", rules, "-o", "file_output.enabled=true", "-o", f"file_output.filename={log}",
        "-o", "stdout_output.enabled=false", "--", "cat", f"{tmp_path}/watched",
    )  # fmt: skip
    assert "opened" not in done.stdout
    assert "opened" in log.read_text()


@pytest.mark.parametrize(
    ("command", "code"), [("no-such-program", 127), ("/none", 127), ("/etc/passwd", 126)]
)
def test_a_command_that_cannot_be_started(rules: Path, command: str, code: int) -> None:
    done = completed("-r", rules, "--", command)
    assert done.returncode == code
    assert done.stderr.startswith(f"Error: {command}")
    assert done.stdout == ""


def test_a_signal_that_ends_the_command_shows_in_the_code(rules: Path) -> None:
    assert completed("-r", rules, "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_a_dry_run_starts_nothing(rules: Path, tmp_path: Path) -> None:
    done = completed("-r", rules, "--dry-run", "-v", "--", "touch", f"{tmp_path}/touched")
    assert done.returncode == 0
    assert not (tmp_path / "touched").exists()
    assert "2 rules are enabled" in done.stderr


def test_a_dry_run_of_nothing_looks_at_configuration_and_rules(rules: Path, tmp_path: Path) -> None:
    done = completed("-r", rules, "--dry-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert "dry run: configuration and rules load" in done.stderr
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text("- {rule: r, desc: d, condition: evt.typ = open, output: o, priority: INFO}\n")
    done = completed("-r", faulty, "--dry-run")
    assert done.returncode == 1
    assert "LOAD_ERR_COMPILE_CONDITION" in done.stderr
    addition = 'append_output[]={"extra_fields": [{"x": "%no.such"}]}'
    done = completed("-r", rules, "--dry-run", "-o", addition)
    assert done.returncode == 1
    assert "no.such" in done.stderr


def test_the_time_limit_ends_the_command(rules: Path, tmp_path: Path) -> None:
    done = completed("-r", rules, "-M", "0.3", "--", "sh", "-c", f"sleep 30; touch {tmp_path}/late")
    assert done.returncode == 0
    assert "Events detected: 0" in done.stdout
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_its_summary(rules: Path, tmp_path: Path, number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    with running(
        "-r", rules, "-P", pid_file, "--", "sh", "-c", f"echo ready; cat {tmp_path}/watched; sleep 30"
    ) as run:
        wait_for(run, "x\n")
        assert int(pid_file.read_text()) == run.pid
        run.send_signal(number)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 128 + number
    assert "Events detected: 1\n" in out
    assert err == ""
    assert not pid_file.exists()


def test_a_reader_that_leaves_ends_the_run_quietly(rules: Path, tmp_path: Path) -> None:
    command = f"while :; do cat {tmp_path}/watched >/dev/null; done"
    with running("-r", rules, "--", "sh", "-c", command) as run:
        wait_for(run, "cat\n")
        assert run.stdout is not None
        run.stdout.close()
        run.stdout = None
        _, err = run.communicate(timeout=60)
    assert run.returncode == 141
    assert err == ""


def test_a_running_process_is_watched_and_left_alone(rules: Path, tmp_path: Path) -> None:
    loop = f"while sleep 0.1; do cat {tmp_path}/watched; done"
    with subprocess.Popen(["sh", "-c", loop], stdout=subprocess.DEVNULL) as process:
        try:
            with running("-r", rules, "-p", str(process.pid)) as run:
                wait_for(run, f"opened {tmp_path}/watched by cat\n")
                run.send_signal(signal.SIGTERM)
                _, err = run.communicate(timeout=60)
            assert (run.returncode, err) == (0, "")
            assert process.poll() is None
            assert completed("-r", rules, "-M", "0.3", "-p", str(process.pid)).returncode == 0
            assert process.poll() is None
        finally:
            process.kill()


def test_a_process_that_is_not_there(rules: Path) -> None:
    done = completed("-r", rules, "-p", "4194304")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: process 4194304 does not exist")
