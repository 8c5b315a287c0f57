"""Mutants of what rules share: each counts once, and a test of any of those rules notices it."""

from __future__ import annotations

from pathlib import Path

from refengine.authoring.testing.mutants import Effect, mutants
from refengine.authoring.testing.mutation import MutationScore, merged, mutation_text
from refengine.authoring.testing.session import Session
from refengine.ruleset import load_rules
from refengine.source import Source
from tests.authoring.suites import run

SHARED = """
- list: shells
  items: [bash, sh]

- macro: opened
  condition: (evt.type = open and fd.num >= 0)

- rule: One
  desc: d
  condition: opened and fd.name = /one and not proc.name in (shells)
  output: one
  priority: NOTICE

- rule: Two
  desc: d
  condition: opened and fd.name = /two
  output: two
  priority: NOTICE

- rule: Unnamed
  desc: d
  condition: opened and fd.name = /unnamed
  output: unnamed
  priority: NOTICE
"""
TESTS = """
tests:
  - {event: {evt.type: open, fd.num: 3, fd.name: /one, proc.name: cat}, alerts: One}
  - {event: {evt.type: open, fd.num: 0, fd.name: /two}, alerts: Two}
"""


def score(folder: Path, tests: str, rules: str = SHARED) -> MutationScore:
    made = Session(mutate=True)
    assert run(folder, tests, rules, made).count("failed") == 0
    (found,) = made.scores
    return found


def test_a_macro_has_its_mutants_once_and_they_change_every_rule_that_uses_it() -> None:
    rules = load_rules(Source("r.yaml", SHARED))
    found = list(mutants(rules, [rules["One"], rules["Two"]]))
    of_macro = [mutant for mutant in found if mutant.macro == "opened"]
    assert all({rule.name for rule in mutant.conditions} == {"One", "Two", "Unnamed"} for mutant in of_macro)
    assert sorted(mutant.change for mutant in of_macro) == [
        "'and' becomes 'or'",
        "'evt.type = open' is left out of what 'and' joins",
        "'evt.type = open' is turned into its opposite",
        "'fd.num >= 0' asks '>' instead of '>='",
        "'fd.num >= 0' is left out of what 'and' joins",
        "'fd.num >= 0' is turned into its opposite",
    ]
    assert len({mutant.key for mutant in found}) == len(found)


def test_a_test_of_one_rule_notices_a_mutant_of_the_macro_for_all(tmp_path: Path) -> None:
    found = score(tmp_path, TESTS)
    survivors = {mutant.change for mutant in found.survivors if mutant.macro is not None}
    assert "'fd.num >= 0' asks '>' instead of '>='" not in survivors  # the test of Two alone has 0
    assert "'fd.num >= 0' is left out of what 'and' joins" in survivors
    more = f"{TESTS}  - {{event: {{evt.type: open, fd.num: -2, fd.name: /two}}, silent: true}}\n"
    assert "'fd.num >= 0' is left out of what 'and' joins" not in {
        mutant.change for mutant in score(tmp_path, more).survivors
    }


def test_an_item_of_a_list_counts_once_and_is_noticed_where_any_use_is(tmp_path: Path) -> None:
    rules = SHARED.replace("fd.name = /two", "fd.name = /two and not proc.name in (shells)")
    tests = (
        f"{TESTS}  - {{event: {{evt.type: open, fd.num: 3, fd.name: /one, proc.name: sh}}, silent: true}}\n"
    )
    found = score(tmp_path, tests, rules)
    items = [mutant for mutant in (*found.noticed, *found.survivors) if mutant.list == "shells"]
    assert sorted(str(mutant.value) for mutant in items) == ["'bash'", "'sh'"]
    assert [mutant.value for mutant in found.survivors if mutant.list == "shells"] == ["'bash'"]
    (line,) = (line for line in mutation_text([found]).splitlines() if "list 'shells'" in line)
    assert line.endswith("no test notices that 'bash' is left out of the list 'shells'")


def test_several_suites_are_judged_together(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(SHARED)
    for rule, number, demand in (("One", -2, "silent: true"), ("Two", 0, "alerts: Two")):
        event = f"evt.type: open, fd.name: /{rule.lower()}"
        (tmp_path / f"{rule}.test.yaml").write_text(
            "rules: r.yaml\ntests:\n"
            f"  - {{event: {{{event}, fd.num: 3}}, alerts: {rule}}}\n"
            f"  - {{event: {{{event}, fd.num: {number}}}, {demand}}}\n"
        )
    made = Session(mutate=True)
    assert not made.run([tmp_path]).faults
    first, second = ({mutant.change for mutant in score.survivors} for score in made.scores)
    together = merged(made.scores)
    assert "'fd.num >= 0' asks '>' instead of '>='" in first
    assert "'fd.num >= 0' is left out of what 'and' joins" in second
    assert not [mutant for mutant in together.survivors if "fd.num" in mutant.change]
    assert together.total < sum(score.total for score in made.scores)


def test_what_provably_means_the_same_does_not_count(tmp_path: Path) -> None:
    rules = SHARED.replace("fd.name = /one", "fd.name in (/one, /one)")
    found = score(tmp_path, TESTS, rules)
    same = {mutant.change for mutant in found.equivalent}
    assert same == {"'/one' is left out of 'fd.name in (/one, /one)'"}
    assert not same & {mutant.change for mutant in found.survivors}
    assert "1 more mean the same" in mutation_text([found])


def test_a_survivor_says_which_test_is_missing(tmp_path: Path) -> None:
    found = score(tmp_path, TESTS)
    effects = {mutant.change: mutant.effect for mutant in found.survivors}
    assert effects["'evt.type = open' is left out of what 'and' joins"] is Effect.MORE
    assert effects["'not proc.name in (shells)' is left out of what 'and' joins"] is Effect.MORE
    assert effects["'sh' is left out of 'proc.name in (shells)'"] is Effect.MORE
    lines = mutation_text([found]).splitlines()
    at = next(number for number, line in enumerate(lines) if "not proc.name in (shells)" in line)
    assert lines[at + 1] == "    missing: a test that is silent only because of it"
    macro = next(line for line in lines if "the macro 'opened'" in line)
    assert "no test of the macro 'opened', which 'One' and 2 more use, notices that" in macro
