"""Other implementations are driven over the protocol; the ones that misbehave fail cases and end nothing."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from refengine.cli.main import main as refengine
from refengine.conformance.case import load_suite
from refengine.conformance.harness import Harness, HarnessError
from refengine.conformance.main import main
from refengine.conformance.runner import Verdict, chosen, run_cases

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = [sys.executable, str(ROOT / "examples" / "harness" / "harness.py")]
OURSELVES = [sys.executable, "-m", "refengine.conformance", "serve"]
STAND_IN = shlex.join([sys.executable, "-m", "refengine"])
"""Our own command line, which understands what Falco's does."""

STARTED = 'print(\'{"format": 1, "name": "n", "version": "v"}\', flush=True)'
CASES = chosen(load_suite(), ["absent.1", "absent.exists*"])


@pytest.fixture(autouse=True)
def _from_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def program(text: str) -> list[str]:
    return [sys.executable, "-c", f"import sys, time\ninput()\n{text}"]


@pytest.mark.slow
def test_this_engine_behind_the_protocol_gives_the_same_result(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--harness", shlex.join(OURSELVES), "--format", "json"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (code, run["passed"], run["cases"]) == (0, len(load_suite()), [])


def test_what_is_no_request_is_answered_and_ends_nothing() -> None:
    requests = ["what", "[1]", '{"command": "run"}', '{"command": "dance"}', '{"command": "stop"}']
    done = subprocess.run(OURSELVES, input="\n".join(requests), capture_output=True, text=True, check=True)
    *answers, end = [json.loads(line) for line in done.stdout.splitlines()]
    reasons = ["a line of JSON", "a JSON object", "no case with an id", "unknown command 'dance'"]
    assert len(answers) == len(reasons)
    for answer, reason in zip(answers, reasons, strict=True):
        assert reason in answer["failed"]
    assert end == {"stopped": True}


def test_the_example_passes_what_it_knows_and_skips_the_rest() -> None:
    with Harness(EXAMPLE) as harness:
        assert harness.implementation.name == "toy"
        run = run_cases("toy", load_suite(), harness.answer)
    assert run.count(Verdict.FAILED) == 0
    assert run.count(Verdict.PASSED) > 15
    assert all(outcome.reason for outcome in run.outcomes if outcome.verdict is Verdict.SKIPPED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{STARTED}\ninput()", "the harness ended with code 0"),
        (f"{STARTED}\ninput()\nprint('what', flush=True)\ninput()", "not a line of JSON"),
        (f"{STARTED}\ninput()\nprint('[]', flush=True)\ninput()", "not a JSON object"),
        (f'{STARTED}\ninput()\nprint(\'{{"id": "x"}}\', flush=True)\ninput()', "answered for 'x'"),
    ],
)
def test_a_harness_that_misbehaves_fails_the_case_only(text: str, reason: str) -> None:
    with Harness(program(text), patience=60.0) as harness:
        first, second = (harness.answer(case) for case in CASES[:2])
    assert reason in str(first.failed)
    assert reason in str(second.failed)


def test_a_harness_that_does_not_answer_fails_the_case_only() -> None:
    with Harness(program(f"{STARTED}\ninput()\ntime.sleep(600)")) as harness:
        harness._patience = 0.4  # only now: it may take its time to start
        answer = harness.answer(CASES[0])
    assert "no answer within 0.4 seconds" in str(answer.failed)


def test_a_harness_of_another_format_is_refused() -> None:
    with pytest.raises(HarnessError, match="speaks format 2 of the protocol, not 1"):
        Harness(program("print('{\"format\": 2}', flush=True)\ninput()"))


@pytest.mark.parametrize("harness", ["/no/such/program", f"{sys.executable} -c pass"])
def test_a_harness_that_cannot_start_is_an_error_of_its_own(
    harness: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refengine(["conformance", "--harness", harness]) == 2
    assert "Error: " in capsys.readouterr().err


def test_failures_are_reported_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = shlex.join(
        program(
            f"import json\n{STARTED}\nfor line in sys.stdin:\n"
            "    print(json.dumps({'id': json.loads(line).get('case', {}).get('id'), 'result': 0}), flush=True)"
        )
    )
    arguments = ["--harness", wrong, "--only", "absent.exists*"]
    assert main(arguments) == 1
    assert (
        "FAILED n v: absent.exists-argument [absent.3]\n  expected [True], got 0" in capsys.readouterr().out
    )
    assert main([*arguments, "--format", "json"]) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["failed"] == len(run["cases"]) > 0
    assert main([*arguments, "--format", "junit"]) == 1
    suite = ElementTree.fromstring(capsys.readouterr().out)[0]
    assert suite.get("failures") == suite.get("tests") == str(len(suite))


def test_without_a_falco_everything_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    harness = shlex.join([*OURSELVES[:-1], "falco", "--binary", "/no/such/falco"])
    assert main(["--harness", harness, "--only", "absent.*"]) == 0
    assert "there is no program '/no/such/falco' here" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "passed"),
    [
        ("op.text.startswith.*", 7),
        ("op.pmatch.below", 1),
        ("diag.code.several", 1),
        ("diag.condition-check", 1),
        ("file.yaml.missing-file", 1),
    ],
)
def test_a_binary_with_falcos_command_line_is_asked_by_validation_and_replay(
    pattern: str, passed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    harness = shlex.join([*OURSELVES[:-1], "falco", "--binary", STAND_IN])
    code = main(["--harness", harness, "--only", pattern, "--format", "json"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (code, run["passed"], run["failed"]) == (0, passed, 0)


def test_the_ids_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--only", "op.exists.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "op.text.exists.empty\top.exists.1" in lines
