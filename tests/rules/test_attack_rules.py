"""The rules mapped to ATT&CK: they load cleanly, each has tests of both kinds, and what is written of them is so."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from refengine import RuleSet, load_rules
from refengine.authoring.testing.bench import Bench
from refengine.authoring.testing.case import Case, Given, Suite
from refengine.authoring.testing.mutation import MutationBench, merged, mutation_text
from refengine.authoring.testing.reading import read_suite
from refengine.rulefile.files import rule_files

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "rules" / "attack"
SUITES = sorted(PACK.glob("*.test.yaml"))
SCRIPTS = sorted(PACK.glob("provocations/*.sh"))
CANNOT = 77
"""The exit code by which a script of provocations says that it cannot work here."""


def name_of(path: Path) -> str:
    return path.name


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load_rules(*rule_files(PACK))


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rule_catalogue", ROOT / "docs" / "rule_catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def refengine(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "refengine", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )


def failures(suite: Suite, cases: list[Case]) -> list[str]:
    bench = Bench.of(suite)
    return [f"{case.name}: {failure.message}" for case in cases for failure in bench.run(case).failures]


def test_there_are_no_warnings(rules: RuleSet) -> None:
    assert rules.warnings == ()
    assert len(rules) >= 80


def test_lint_finds_nothing() -> None:
    done = refengine("lint", "--fail-on", "note", PACK)
    assert done.returncode == 0, done.stdout


def test_they_can_be_loaded_beside_the_first_rules(rules: RuleSet) -> None:
    quickstart = load_rules(PACK.parent / "quickstart.yaml")
    assert {rule.name for rule in rules}.isdisjoint(rule.name for rule in quickstart)
    assert len(load_rules(*rule_files(PACK), PACK.parent / "quickstart.yaml")) == len(rules) + len(quickstart)


@pytest.mark.parametrize("path", SUITES, ids=name_of)
def test_events_written_in_tests(path: Path) -> None:
    suite = read_suite(path)
    assert failures(suite, [case for case in suite.cases if isinstance(case.events, Given)]) == []


@pytest.mark.ptrace
@pytest.mark.parametrize("path", SUITES, ids=name_of)
def test_real_programs_in_tests(path: Path) -> None:
    suite = read_suite(path)
    assert failures(suite, [case for case in suite.cases if not isinstance(case.events, Given)]) == []


@pytest.mark.slow
def test_every_mutant_is_noticed() -> None:
    scores = []
    for path in SUITES:
        suite = read_suite(path)
        scores.append(MutationBench(Bench.of(suite).rules, suite.cases).score())
    assert merged(scores).survivors == (), mutation_text(scores)


def test_each_rule_is_seen_to_hold_and_not_to_hold(rules: RuleSet) -> None:
    held: Mapping[str, set[bool]] = defaultdict(set)
    for path in SUITES:
        for case in read_suite(path).cases:
            if not isinstance(case.events, Given) or case.expected.alerts is None:
                continue
            wanted = {alert.rule.name for alert in case.expected.alerts}
            seen = {(event.source, event.name) for event in case.events.events}
            for rule in rules:
                if rule.name in wanted:
                    held[rule.name].add(True)
                elif any(
                    source == rule.source and (not kind or kind in rule.event_types) for source, kind in seen
                ):
                    held[rule.name].add(False)
    assert {rule.name: held[rule.name] for rule in rules if held[rule.name] != {True, False}} == {}


@pytest.mark.ptrace
@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_provocations_raise_what_they_say(script: Path, catalogue: ModuleType, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("the kernel refuses a mount namespace")
    done = refengine(
        "--backend", "ptrace", "-r", PACK, "-o", "rule_matching=all", "-o", "json_output=true",
        "--", "unshare", "--mount", "sh", script, cwd=tmp_path,
    )  # fmt: skip
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.strip().splitlines()[0])
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    raised = {json.loads(line)["rule"] for line in lines}
    said = set(catalogue.RAISES.findall(script.read_text(encoding="utf-8")))
    assert said - raised == set()


def test_the_catalogue_is_up_to_date(catalogue: ModuleType, tmp_path: Path) -> None:
    assert catalogue.main([str(tmp_path)]) == 0
    for name in ("rules.md", "attack-navigator.json"):
        written = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert written == (tmp_path / name).read_text(encoding="utf-8"), f"run docs/rule_catalogue.py: {name}"


def test_every_technique_of_the_table_has_a_rule(catalogue: ModuleType) -> None:
    assert {entry.technique for entry in catalogue.entries()} == set(catalogue.TECHNIQUES)


def test_the_layer_has_each_rule_once(rules: RuleSet) -> None:
    layer: dict[str, Any] = json.loads((ROOT / "docs" / "attack-navigator.json").read_text(encoding="utf-8"))
    techniques = layer["techniques"]
    assert sorted(name for cell in techniques for name in cell["comment"].split("; ")) == sorted(
        rule.name for rule in rules
    )
    assert all(cell["score"] == len(cell["comment"].split("; ")) for cell in techniques)
    assert layer["gradient"]["maxValue"] == max(cell["score"] for cell in techniques)
