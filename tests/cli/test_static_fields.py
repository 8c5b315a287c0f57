"""The commands for authors take a configuration, so that rules may name the fields that it defines."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from refengine.cli.main import main

RULES = """\
- rule: r
  desc: d
  condition: evt.type = open and static.site = home and proc.name = cat
  output: o at %static.site
  priority: INFO
  tags: [T1003]
"""
TESTS = """\
rules: r.yaml
tests:
  - name: a test
    event: {evt.type: open, proc.name: cat}
    alerts: r
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (
        ("r.yaml", RULES),
        ("r.test.yaml", TESTS),
        ("c.yaml", "static_fields: {site: home}\n"),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "command", [["lint", "r.yaml"], ["test", "r.test.yaml"], ["explain", "--test", "r.test.yaml"]]
)
def test_with_the_configuration_the_fields_are_known(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "-c", "c.yaml"]) == 0
    assert "unknown" not in capsys.readouterr().out
    assert main(command) != 0
    said = capsys.readouterr()
    assert "unknown field 'static.site'" in said.out + said.err


@pytest.mark.usefixtures("folder")
def test_an_explanation_shows_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--test", "r.test.yaml", "--rule", "r", "--whole", "-c", "c.yaml"]) == 0
    assert "static.site = home" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_they_can_be_looked_for_in_recorded_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("e.jsonl").write_text('{"evt.type": "open", "proc.name": "cat"}\n')
    for command, code in (
        (["repl", "-e", "e.jsonl", "-r", "r.yaml", "-c", "c.yaml"], 0),
        (["repl", "-e", "e.jsonl"], 1),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO("count proc.name where static.site = home\n"))
        assert main(command) == code
    said = capsys.readouterr()
    assert "cat" in said.out
    assert "unknown field 'static.site'" in said.err


@pytest.mark.usefixtures("folder")
def test_validation_knows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-V", "r.yaml", "-c", "c.yaml"]) == 0
    assert main(["-V", "r.yaml", "-o", "static_fields.site=x"]) == 0
    assert main(["-V", "r.yaml"]) == 1
    assert "unknown field 'static.site'" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_values_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFENGINE_SITE", "home")
    (folder / "c.yaml").write_text('static_fields: {site: "${REFENGINE_SITE}"}\n')
    assert main(["test", "r.test.yaml", "-c", "c.yaml"]) == 0
    monkeypatch.setenv("REFENGINE_SITE", "work")
    assert main(["test", "r.test.yaml", "-c", "c.yaml"]) == 1
    assert "static.site" in capsys.readouterr().out
