from __future__ import annotations

import pytest

from refengine.rulefile.options import LoadOptions
from refengine.rulefile.selection import Selection, from_flags
from tests.rulefile.loading import rule, valid

RULES = (
    rule(name="Shell in container", tags="[shell, container]")
    + rule(name="Shell (on host)", tags="[shell]")
    + rule(name="Write below etc", tags="[files]", enabled="false")
)


def enabled(*selections: Selection) -> list[str]:
    result = valid(RULES, options=LoadOptions(selections=selections))
    return [found.name.split()[-1] for found in result.rules if found.enabled]


@pytest.mark.parametrize(
    ("selections", "left"),
    [
        ([], ["container", "host)"]),
        ([Selection(False, rule="*")], []),
        ([Selection(False, rule="*"), Selection(True, tag="files")], ["etc"]),
        ([Selection(True, tag="files"), Selection(False, rule="*")], []),
        ([Selection(False, rule="Shell in container")], ["host)"]),
        ([Selection(False, rule="Shell")], ["container", "host)"]),
        ([Selection(False, rule="Shell*")], []),
        ([Selection(False, rule="*(on host)")], ["container"]),
        ([Selection(False, rule="S*in*r")], ["host)"]),
        ([Selection(False, tag="shel")], ["container", "host)"]),
        ([Selection(False, rule="no such", tag="container")], ["host)"]),
    ],
)
def test_selections_take_effect_one_after_another(selections: list[Selection], left: list[str]) -> None:
    assert enabled(*selections) == left


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        ({"only_tags": ["files", "container"]}, ["container", "etc"]),
        ({"without_tags": ["container"]}, ["host)"]),
        ({"without_names": ["in con"]}, ["host)"]),
        ({}, ["container", "host)"]),
    ],
)
def test_flags_of_older_releases(flags: dict[str, list[str]], left: list[str]) -> None:
    assert enabled(*from_flags(**flags)) == left
