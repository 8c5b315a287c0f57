from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.configuration import load_configuration
from refengine.cli.configuration_files import Strategy, merge, read_configuration
from refengine.cli.document import Node
from refengine.errors import UsageError

BASE = "rules_files: [a]\npriority: info\nhttp_output: {url: http://a/, insecure: true}\n"
MORE = "rules_files: [b]\npriority: debug\nhttp_output: {url: http://b/}\njson_output: true\n"


@pytest.mark.parametrize(
    ("strategy", "rules_files", "priority", "http"),
    [
        (Strategy.APPEND, ["a", "b"], "debug", {"url": "http://b/"}),
        (Strategy.OVERRIDE, ["b"], "debug", {"url": "http://b/"}),
        (Strategy.ADD_ONLY, ["a"], "info", {"url": "http://a/", "insecure": "true"}),
    ],
)
def test_strategies(tmp_path: Path, strategy: Strategy, rules_files: Node, priority: str, http: Node) -> None:
    (tmp_path / "more.yaml").write_text(MORE)
    (tmp_path / "falco.yaml").write_text(
        f"{BASE}config_files:\n  - path: {tmp_path}/more.yaml\n    strategy: {strategy.value}\n"
    )
    root, files = read_configuration(tmp_path / "falco.yaml")
    assert root["rules_files"] == rules_files
    assert root["priority"] == priority
    assert root["http_output"] == http
    assert root["json_output"] == "true"
    assert files == (tmp_path / "falco.yaml", tmp_path / "more.yaml")


def test_of_a_folder_the_yaml_files_are_taken_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "config.d"
    folder.mkdir()
    for name, number in (("b.yaml", 2), ("a.yml", 1), ("c.txt", 3)):
        (folder / name).write_text(f"outputs_queue: {{capacity: {number}}}\nrules_files: [{name}]\n")
    (tmp_path / "falco.yaml").write_text(f"config_files: [{folder}, {tmp_path}/none.yaml]\n")
    configuration = load_configuration(tmp_path / "falco.yaml")
    assert configuration.outputs.capacity == 2
    assert configuration.rules_files == ("a.yml", "b.yaml")
    assert configuration.warnings == configuration.notes == ()


def test_options_name_files_too_and_stand_above_all(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("priority: error\njson_output: true\n")
    configuration = load_configuration(None, ["priority=alert", f"config_files[]={tmp_path}/more.yaml"])
    assert configuration.priority.label == "Alert"
    assert configuration.format.json


def test_variables_may_stand_in_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIGURATION_FOLDER", str(tmp_path))
    (tmp_path / "more.yaml").write_text("json_output: true\n")
    (tmp_path / "falco.yaml").write_text("config_files: ['${CONFIGURATION_FOLDER}/more.yaml']\n")
    assert load_configuration(tmp_path / "falco.yaml").format.json


@pytest.mark.parametrize(
    ("config_files", "part"),
    [
        ("[{path: x, strategy: replace}]", "must be append, override, add-only, not 'replace'"),
        ("[{strategy: append}]", "must be a path"),
        ("[FOLDER/nested.yaml]", "cannot name others"),
        ("[FOLDER/broken.yaml]", "not valid YAML"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, config_files: str, part: str) -> None:
    (tmp_path / "nested.yaml").write_text("config_files: [x]\n")
    (tmp_path / "broken.yaml").write_text("a: [\n")
    (tmp_path / "falco.yaml").write_text(f"config_files: {config_files.replace('FOLDER', str(tmp_path))}\n")
    with pytest.raises(UsageError, match=part):
        load_configuration(tmp_path / "falco.yaml")


def test_merging_leaves_what_is_merged_in_alone() -> None:
    before: dict[str, Node] = {"a": ["1"]}
    added: dict[str, Node] = {"a": ["2"]}
    merge(before, added, Strategy.APPEND)
    merge(before, added, Strategy.APPEND)
    assert before == {"a": ["1", "2", "2"]}
    assert added == {"a": ["2"]}
