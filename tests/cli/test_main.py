"""The program as a whole, in its own process where signals, pipes or exit codes matter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from refengine.cli.main import main
from tests.corpus import corpus
from tests.running import ROOT, RULES


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Return what the program says on standard error when it fails with 1."""
    assert main([*map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("Error: ") or "\nError: " in captured.err
    assert "Traceback" not in captured.err
    return captured.err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "Examples:" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert "Engine:" in capsys.readouterr().out
    assert main(["--page-size"]) == 0
    assert main(["-i"]) == 0
    assert main(["--config-schema"]) == 0
    assert main(["--rule-schema"]) == 0


def test_json_answers_are_json(capsys: pytest.CaptureFixture[str], rules: Path) -> None:
    for arguments in (
        ["--version", "-o", "json_output=true"],
        ["-L", "-r", str(rules), "-o", "json_output=true"],
        ["-l", "Opened", "-r", str(rules), "-o", "json_output=true"],
        ["-V", str(rules), "-o", "json_output=true"],
        ["--support", "-r", str(rules)],
    ):
        assert main(arguments) == 0
        assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_support_carries_the_rules(capsys: pytest.CaptureFixture[str], rules: Path) -> None:
    assert main(["--support", "-r", str(rules)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rules_files"] == [{"name": str(rules), "variants": [{"content": rules.read_text()}]}]
    assert {"version", "system_info", "cmdline", "config", "engine_info"} <= set(report)
    assert report["engine_info"]["engine_version_semver"]


def test_versions_have_the_keys_that_tools_ask_falco_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version", "-o", "json_output=true"]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = {"falco_version", "engine_version", "engine_version_semver", "driver_schema_version"}
    assert keys | {"plugin_versions"} <= set(found)
    assert set(found["plugin_versions"]) == {"container", "json", "k8saudit"}


def test_validation_says_ok(capsys: pytest.CaptureFixture[str], rules: Path) -> None:
    assert main(["-V", str(rules)]) == 0
    assert capsys.readouterr().out == f"{rules}: Ok\n"


def test_validation_shows_every_fault_with_a_caret(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    for path, field in ((one, "proc.nam"), (two, "fd.nme")):
        path.write_text(
            f"- rule: {path.stem}\n  desc: d\n  priority: INFO\n  condition: evt.type = open and {field} = x\n"
            "  output: '%user.nam'\n"
        )
    assert main(["-V", str(one), str(two)]) == 1
    captured = capsys.readouterr()
    assert sum(line.strip(" |^") == "" and "^" in line for line in captured.out.splitlines()) == 4
    assert f"{one}: Invalid" in captured.out
    assert f"{one}:4:34: error: unknown field 'proc.nam'" in captured.out
    assert "did you mean 'proc.name'?" in captured.out
    assert "LOAD_ERR_COMPILE_OUTPUT" in captured.out
    assert captured.err.count("Error: ") == 2


def test_validation_in_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"- rule: x\n  condition: \xff\n")
    assert main(["-V", str(path), "-o", "json_output=true"]) == 1
    result = json.loads(capsys.readouterr().out)["falco_load_results"][0]
    assert result["successful"] is False
    assert result["errors"][0]["code"] == "LOAD_ERR_YAML_PARSE"


def test_rules_before_the_validated_file_define_what_it_uses(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    macros, using = tmp_path / "macros.yaml", tmp_path / "using.yaml"
    macros.write_text("- macro: opened\n  condition: evt.type = open\n")
    using.write_text("- rule: x\n  desc: d\n  priority: INFO\n  condition: opened\n  output: o\n")
    assert main(["-V", str(using)]) == 1
    assert main(["-r", str(macros), "-V", str(using)]) == 0


def test_tests_among_the_validated_files_are_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, tests, others = tmp_path / "a.yaml", tmp_path / "a.test.yaml", tmp_path / "b.test.yaml"
    rules.write_text("- list: one\n  items: [a]\n")
    tests.write_text("rules: a.yaml\ntests: []\n")
    others.write_text("- list: two\n  items: [b]\n")  # rules, whatever the name
    assert main(["-V", str(tests), str(rules), str(others)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{rules}: Ok")
    assert f"{others}: Ok" in said.out
    assert str(tests) not in said.out
    assert said.err == f"{tests}: holds tests, which 'refengine test' runs\n"


@pytest.mark.parametrize("option", ["-V", "-r"])
def test_tests_in_place_of_rules_are_refused(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = tmp_path / "a.test.yaml"
    tests.write_text("rules: a.yaml\ntests: []\n")
    assert main([option, str(tests)]) == 1
    assert (
        f"{tests} holds tests of rules and no rules: 'refengine test {tests}' runs them"
        in capsys.readouterr().err
    )


def test_descriptions(capsys: pytest.CaptureFixture[str], rules: Path) -> None:
    assert main(["-L", "-r", str(rules)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Rule ")
    assert "Opened" in out
    assert main(["-l", "Started", "-r", str(rules)]) == 0
    assert "Opened" not in capsys.readouterr().out


def test_what_is_missing_or_wrong_is_said(
    capsys: pytest.CaptureFixture[str], rules: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no such file" in refused(capsys, "-r", tmp_path / "none.yaml", "--", "true")
    assert "no rules" in refused(capsys)
    assert "has no .yaml or .yml files" in refused(capsys, "-r", empty, "--", "true")
    assert "nothing to watch" in refused(capsys, "-r", rules)
    assert "there is no rule 'Openned', did you mean 'Opened'?" in refused(
        capsys, "-r", rules, "-l", "Openned"
    )
    assert "there is no backend 'ptrac': did you mean 'ptrace'?" in refused(
        capsys, "-r", rules, "--backend", "ptrac", "--", "true"
    )
    assert "must be true or false" in refused(capsys, "-o", "json_output=maybe", "--version")
    assert "cannot read the configuration" in refused(capsys, "-c", tmp_path / "none", "--version")
    assert "unknown event source 'x'" in refused(capsys, "--list=x")
    assert "there is no plugin 'x'" in refused(capsys, "--plugin-info", "x")
    assert "unknown option --x" in refused(capsys, "--x")
    assert "no option -A any more: which system calls" in refused(capsys, "-A", "-r", rules)
    assert "no option -S200 any more: buffers" in refused(capsys, "-r", rules, "-S200")
    assert "no option --cri=/x any more: containers" in refused(capsys, "--cri=/x")
    assert "no option -b any more: write -o buffer_format_base64=true" in refused(capsys, "-b")
    assert "cannot read the capture" in refused(capsys, "-r", rules, "-e", tmp_path / "none.scap")
    assert "no capture file" in refused(capsys, "-r", rules, "-e", rules)
    assert "is switched off" in refused(capsys, "-r", rules, "--disable-source", "syscall", "--", "true")
    assert "cannot open" in refused(
        capsys,
        "-r",
        rules,
        "-o",
        "file_output.enabled=true",
        "-o",
        f"file_output.filename={empty}",
        "--",
        "true",
    )


def test_rules_that_do_not_load_are_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("- rule: x\n  desc: d\n  priority: INFO\n  condition: (evt.type = open\n  output: o\n")
    message = refused(capsys, "-r", path, "--", "true")
    assert message.startswith("Error: the rules do not load\n")
    assert "this '(' is never closed" in message
    assert "^" in message


def test_warnings_are_told(capsys: pytest.CaptureFixture[str], rules: Path) -> None:
    assert main(["-o", "jsn_output=true", "-o", "base_syscalls.all=true", "-v", "-pc", "--version"]) == 0
    err = capsys.readouterr().err
    assert "Warning: unknown configuration key 'jsn_output', did you mean 'json_output'?" in err
    assert "configuration key 'base_syscalls.all' has no effect here: the system calls" in err
    assert "1 configuration key has no effect here; -v says why" in err
    assert "-p c has no effect any more" in err


def test_an_unreadable_rules_file(rules: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    rules.chmod(0)
    assert main(["-r", str(rules), "--", "true"]) == 1


def test_a_closed_pipe_ends_quietly() -> None:
    program = f"{sys.executable} -m refengine --list | head -1; echo ${{PIPESTATUS[0]}}"
    for _ in range(2):
        done = subprocess.run(
            ["bash", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stderr == ""
        assert done.stdout.splitlines()[1] in ("0", "141")


PRINTING = (
    "--help", "--list", "backends", "conformance list", "conformance --help", "explain --help", "fmt - ", "learn list",
    "lint --list-checks", "test --help",
)  # fmt: skip
"""Command lines that print, of options and of subcommands, through `print`, `write` and the help of a parser."""


def printing(line: str, stdout: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "refengine", *line.split()], cwd=ROOT, input="- list: some\n  items: [a]\n", stdout=stdout,
        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("line", PRINTING)
def test_a_full_disk_is_an_error(line: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = printing(line, full.fileno())
    assert done.stderr == "Error: cannot write to the output: No space left on device\n"
    assert done.returncode in (1, 2)


@pytest.mark.parametrize("line", PRINTING)
def test_output_that_nobody_reads_ends_the_program_quietly(line: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = printing(line, write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("lnit rules/", "did you mean 'lint'?"),
        ("fmt --chek rules/", "unknown option --chek, did you mean --check?"),
        ("doctor --frmat json", "did you mean --format?"),
        ("conformance lst", "did you mean 'list'?"),
    ],
)
def test_what_was_meant_is_suggested(line: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) in (1, 2)
    assert told in capsys.readouterr().err


def test_subcommands_fail_with_a_code_that_is_no_answer(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("- rule: [\n")
    assert main(["fmt", "--check", str(broken)]) == 2
    assert main(["explain", "-r", str(broken)]) == 2
    assert main(["lint", "--select", "nothing", str(broken)]) == 2


@pytest.mark.corpus
def test_a_capture_is_replayed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    capture = corpus("captures/curl_google.scap")
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("{folder}", "/etc/hosts"))
    assert main(["-r", str(rules), "-e", str(capture), "-o", "json_output=true"]) == 0
    captured = capsys.readouterr()
    alerts = [json.loads(line) for line in captured.out.splitlines()]
    assert [alert["rule"] for alert in alerts] == ["Opened"]
    assert alerts[0]["output_fields"]["fd.name"] == "/etc/hosts"
    assert alerts[0]["time"].startswith("2018-08-17T")
    assert "Events detected: 1\n" in captured.err
    assert (
        main(["-r", str(rules), "-o", "engine.kind=replay", "-o", f"engine.replay.capture_file={capture}"])
        == 0
    )
    assert "Events detected: 1\n" in capsys.readouterr().out
