"""Outputs while a command is watched by ptrace, which waits for every child of the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.addresses import HOST, own_port
from tests.running import completed

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.ptrace

RULES = """
- rule: Opened
  desc: A file below the test's folder is opened
  condition: evt.type in (open, openat, openat2) and fd.name startswith "{folder}/watched"
  output: opened %fd.name
  priority: INFO
"""


def watch(folder: Path, command: str, *overrides: str) -> subprocess.CompletedProcess[str]:
    rules = folder / "rules.yaml"
    rules.write_text(RULES.replace("{folder}", str(folder)))
    # What a slow machine takes is no slow output.
    arguments = [part for override in ("output_timeout=60000", *overrides) for part in ("-o", override)]
    return completed("-r", rules, *arguments, "--", "sh", "-c", command)


@pytest.mark.parametrize(
    ("program", "keep_alive"),
    [("cat >> {folder}/out", True), ("cat >> {folder}/out", False), ("head -n 1 >> {folder}/out", False)],
)
def test_a_program_gets_every_alert(tmp_path: Path, program: str, keep_alive: bool) -> None:
    out = tmp_path / "out"
    out.touch()
    told = f"until test $(wc -l < {out}) = 8; do sleep 0.05; done"  # at the end there is little time for that
    done = watch(
        tmp_path,
        f"for i in 1 2 3 4 5 6 7 8; do : > {tmp_path}/watched$i; done; {told}; exit 3",
        "program_output.enabled=true",
        f"program_output.program={program.replace('{folder}', str(tmp_path))}",
        f"program_output.keep_alive={keep_alive}",
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr == ""
    lines = out.read_text().splitlines()
    assert [line.rpartition("watched")[2] for line in lines] == list("12345678")
    assert "Events detected: 8" in done.stdout


def test_a_program_that_dies_all_the_time_disturbs_nothing(tmp_path: Path) -> None:
    told = f"until test -s {tmp_path}/out; do sleep 0.05; done"
    done = watch(
        tmp_path,
        f"for i in 1 2 3 4 5 6 7 8; do : > {tmp_path}/watched$i; sleep 0.05; done; {told}; exit 3",
        "program_output.enabled=true",
        "program_output.keep_alive=true",
        f"program_output.program=head -n 1 >> {tmp_path}/out",
    )
    assert done.returncode == 3, done.stderr
    assert "Events detected: 8" in done.stdout
    assert (tmp_path / "out").read_text().splitlines()[0].endswith("watched1")


def test_the_profile_of_rules_is_printed(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("{folder}", str(tmp_path)))
    done = subprocess.run(
        [sys.executable, "-m", "refengine", "-r", rules, "--profile-rules", "--",
         "sh", "-c", f": > {tmp_path}/watched"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()[-2:]
    assert head.split()[:3] == ["evaluations", "matches", "selectivity"]
    assert row.endswith("  Opened")
    evaluations, matches = map(int, row.split()[:2])
    assert evaluations >= matches == 1


def test_a_watched_command_can_ask_for_the_metrics_of_its_watcher(tmp_path: Path) -> None:
    port = own_port()
    asks = (
        "import sys, urllib.request; "
        f"sys.stdout.write(urllib.request.urlopen('http://{HOST}:{port}/metrics', timeout=60).read().decode())"
    )
    done = watch(
        tmp_path,
        f': > {tmp_path}/watched; exec {sys.executable} -c "{asks}"',
        "webserver.enabled=true",
        f"webserver.listen_address={HOST}",
        f"webserver.listen_port={port}",
        "webserver.prometheus_metrics_enabled=true",
        "metrics.enabled=true",
    )
    assert done.returncode == 0, done.stderr
    values = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in done.stdout.splitlines()
        if line.startswith(("falcosecurity_", "refengine_"))
    }
    assert values["falcosecurity_scap_n_threads_total"] >= 1
    assert "falcosecurity_scap_n_fds_total" in values
    assert values["falcosecurity_scap_n_evts_total"] >= 1
    matches = 'falcosecurity_falco_rules_matches_total{priority="6",rule_name="Opened",source="syscall"}'
    assert values[matches] == 1
    assert values['refengine_output_written_total{output="stdout"}'] == 1
