from __future__ import annotations

import pytest

from refengine.rulefile.versions import ENGINE_VERSION, Version
from tests.rulefile.loading import loaded, valid


@pytest.mark.parametrize("written", ["0", "15", "62", "0x3e", "0.57.0", "0.62.0", "0.61.9-rc1", "'57'"])
def test_an_engine_that_is_new_enough_will_do(written: str) -> None:
    (requirement,) = valid(f"- required_engine_version: {written}").engine_requirements
    assert requirement.version <= ENGINE_VERSION


@pytest.mark.parametrize("written", ["63", "0.62.1", "1.0.0"])
def test_a_newer_engine_is_a_fault(written: str) -> None:
    (error,) = loaded(f"- required_engine_version: {written}").errors
    assert error.code.value == "LOAD_ERR_VALIDATE"


def plugins(written: str) -> str:
    return f"- required_plugin_versions:\n  - {written}\n"


@pytest.mark.parametrize(
    "written",
    [
        "{name: container, version: 0.4.0}",
        "{name: json, version: 0.7.3}",
        "{name: k8saudit, version: 0.18.0}",
        "{name: cloudtrail, version: 0.1.0, alternatives: [{name: json, version: 0.1.0}]}",
        "{name: json, version: 9.0.0, alternatives: [{name: k8saudit, version: 0.7.0}]}",
    ],
)
def test_built_in_plugins_satisfy(written: str) -> None:
    valid(plugins(written))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{name: cloudtrail, version: 0.1.0}", "plugin cloudtrail 0.1.0"),
        ("{name: json, version: 1.0.0}", "plugin json 1.0.0"),
        ("{name: json, version: 0.99.0}", "plugin json 0.99.0"),
        ("{name: a, version: 0.1.0, alternatives: [{name: b, version: 0.1.0}]}", "one of the plugins"),
        ("{name: json, version: '0.7'}", "no version"),
        ("{name: json, version: 0.1.0, alternatives: [{name: json, version: 0.2.0}]}", "more than once"),
    ],
)
def test_other_plugins_do_not(written: str, words: str) -> None:
    (error,) = loaded(plugins(written)).errors
    assert error.code.value == "LOAD_ERR_VALIDATE"
    assert words in error.message


def test_versions() -> None:
    assert Version.parse("1.2.3-rc1") == Version(1, 2, 3)
    assert Version.parse("1.2") is None
    assert Version(0, 63, 0).satisfies(Version(0, 62, 9))
    assert not Version(1, 0, 0).satisfies(Version(0, 62, 9))
    assert str(Version(1, 2, 3)) == "1.2.3"
