"""The configuration with every key, and what runs the program as a service, say what is true."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from refengine.cli.configuration import Configuration, load_configuration
from refengine.cli.configuration_keys import KEYS
from refengine.cli.options import parse_options
from refengine.cli.schemas import configuration_schema
from refengine.ruleset import load_rules
from refengine.source import Source
from refengine.terminal import Style

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "refengine.yaml"
DEPLOYMENT = ROOT / "examples" / "deploy"


def with_examples(text: str) -> str:
    """Return the configuration with what is commented out in it as an example."""
    text = re.sub(r"^(\w+): (?:\[\]|\{\})\n(?=#  )", r"\1:\n", text, flags=re.MULTILINE)
    return re.sub(r"^#  ", "  ", text, flags=re.MULTILINE)


def leaves(node: Any, path: str = "") -> set[str]:
    if path in KEYS:
        return {path}
    if isinstance(node, dict):
        return {leaf for key, value in node.items() for leaf in leaves(value, f"{path}.{key}".lstrip("."))}
    if isinstance(node, list):
        return {leaf for value in node for leaf in leaves(value, f"{path}[]")}
    return {path}


def test_the_example_loads_without_a_warning() -> None:
    configuration = load_configuration(EXAMPLE)
    assert configuration.warnings == ()


def test_its_values_are_the_defaults_but_where_it_says_otherwise() -> None:
    example, defaults = load_configuration(EXAMPLE), Configuration()
    assert example.outputs == defaults.outputs
    assert example.format == defaults.format
    for name in ("priority", "matching", "selections", "append_output", "static_fields", "base64_buffers"):
        assert getattr(example, name) == getattr(defaults, name)
    assert example.service.throttles == defaults.service.throttles
    assert example.service.drops.actions == defaults.service.drops.actions
    assert example.service.drops.rate == pytest.approx(defaults.service.drops.rate, rel=1e-3)


def test_every_key_is_in_it_and_no_other(tmp_path: Path) -> None:
    text = with_examples(EXAMPLE.read_text(encoding="utf-8"))
    whole = yaml.safe_load(text)
    assert leaves(whole) == KEYS.keys() - {"rule_files", "rules_file"}
    assert "rule_files and rules_file are older names" in text
    file = tmp_path / "whole.yaml"
    file.write_text(text.replace("libk8saudit.so", "x"))
    configuration = load_configuration(file)
    assert configuration.warnings == ()
    assert len(configuration.selections) == 4
    assert configuration.service.throttles[0].fields == ("fd.name", "proc.name")


def test_it_says_of_which_keys_have_no_effect() -> None:
    text = with_examples(EXAMPLE.read_text(encoding="utf-8"))
    marked = {
        found[1]
        for line in text.splitlines()
        if "# no effect" in line and (found := re.match(r"[ -]*(\w+):", line))
    }
    assert marked == {key.path.rpartition(".")[2] for key in KEYS.values() if key.note}


def test_it_agrees_with_the_schema() -> None:
    schema = configuration_schema()
    jsonschema.Draft6Validator.check_schema(schema)
    text = EXAMPLE.read_text(encoding="utf-8")
    for each in (text, with_examples(text)):
        jsonschema.validate(yaml.safe_load(each), schema, jsonschema.Draft6Validator)


@pytest.mark.parametrize("wrong", ["jsn_output: true", "json_output: 1", "config_files: [{strategy: x}]"])
def test_the_schema_finds_what_is_wrong(wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(wrong), configuration_schema(), jsonschema.Draft6Validator)


def test_the_daemon_set_carries_a_configuration_and_rules_that_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_NAME", "node-1")
    documents = list(yaml.safe_load_all((DEPLOYMENT / "daemonset.yaml").read_text(encoding="utf-8")))
    data = next(each["data"] for each in documents if each["kind"] == "ConfigMap")
    file = tmp_path / "refengine.yaml"
    file.write_text(data["refengine.yaml"])
    configuration = load_configuration(file)
    assert configuration.warnings == configuration.notes == ()
    assert configuration.static_fields == {"node": "node-1"}
    assert configuration.service.web is not None
    assert len(load_rules(Source("rules.yaml", data["rules.yaml"]))) == 1
    (container,) = next(each for each in documents if each["kind"] == "DaemonSet")["spec"]["template"][
        "spec"
    ]["containers"]
    assert parse_options(container["args"], Style(False)).configuration == Path(
        "/etc/refengine/refengine.yaml"
    )


def test_the_unit_starts_a_command_line_that_is_right() -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOYMENT / "refengine.service", encoding="utf-8")
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert "-HUP" in service["ExecReload"]
    program, *arguments = service["ExecStart"].split()
    assert program.endswith("/refengine")
    assert parse_options(arguments, Style(False)).configuration is not None


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOYMENT / "refengine.service").read_text(encoding="utf-8")
    unit = tmp_path / "refengine.service"
    # The program is not where an installation has it, which is all that may be wrong.
    unit.write_text(text.replace("/opt/refengine/bin/refengine", "/bin/true"), encoding="utf-8")
    done = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_is_made_of_files_that_are_there() -> None:
    text = (DEPLOYMENT / "Containerfile").read_text(encoding="utf-8")
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY")]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
