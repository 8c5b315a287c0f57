"""Paths that are deeper or longer than the kernel side can put together are never told with their front cut off."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from refengine import Engine, load_rules
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.interest import interest_of
from refengine.source import Source
from tests.ebpf import observed, require_ebpf

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- rule: Deep
  desc: d
  condition: evt.type in (open, openat, openat2, execve) and {condition}
  output: "%{field}|%proc.cwd"
  priority: INFO
"""

GO_DOWN = """
import os, sys, time
folder, levels, part, name, end = sys.argv[1:]
os.chdir(folder)
for _ in range(int(levels)):
    os.mkdir(part)
    os.chdir(part)
os.makedirs("etc")
os.chdir("etc")
exec(end)
"""
BY_NAME = "os.close(os.open(name, os.O_CREAT | os.O_WRONLY)); time.sleep(250)"
BY_DIRECTORY = (
    "os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=os.open('.', os.O_RDONLY))); time.sleep(250)"
)
AND_GONE = "os.open(name, os.O_CREAT | os.O_WRONLY); os._exit(0)"
RUN = "import shutil; shutil.copy('/bin/sleep', name); os.execv('./' + name, [name, '250'])"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "place"
    place.mkdir()
    yield place
    # Deeper than the recursion of Python's own would go.
    subprocess.run(["rm", "-rf", place], check=True)


@pytest.fixture
def told(folder: Path) -> Callable[..., list[str]]:
    """Return the alerts of a program that goes down `levels` folders called `part` and does something to a file there."""
    require_ebpf()

    def run(
        levels: int, part: str, do: str, field: str = "fd.name", condition: str = "{field} endswith {name}"
    ) -> list[str]:
        name = f"wanted-{uuid.uuid4().hex[:8]}"
        rules = load_rules(
            Source("x.yaml", RULES.format(condition=condition.format(name=name, field=field), field=field))
        ).enabled("syscall")
        engine, connection = Engine(rules, "all"), connect("ebpf", Target())
        alerts: list[str] = []
        with closing(connection.backend):
            connection.backend.open(interest_of(rules, connection.backend.capabilities.decides))
            program = subprocess.Popen([sys.executable, "-c", GO_DOWN, folder, str(levels), part, name, do])
            for event in observed(connection, lambda: program.poll() is not None, 200):
                alerts += [alert.message for alert in engine.process(event)]
                if alerts:
                    program.kill()
            program.kill()
            program.wait()
        return [alert.replace(name, "WANTED") for alert in alerts]

    return run


@pytest.mark.parametrize("levels", [3, 60, 300])
@pytest.mark.parametrize("do", [BY_NAME, BY_DIRECTORY])
def test_a_path_is_told_whole_however_deep(
    told: Callable[..., list[str]], folder: Path, levels: int, do: str
) -> None:
    place = f"{folder}/" + "a/" * levels + "etc/"
    assert told(levels, "a", do) == [f"{place}WANTED|{place}"]


@pytest.mark.parametrize("levels", [1, 5, 7, 9, 11, 13, 20])
def test_deep_names(told: Callable[..., list[str]], folder: Path, levels: int) -> None:
    """What the kernel side compares is the name that is told; longer ones than these are not compared there."""
    place = f"{folder}/" + "a/" * levels + "etc/"
    assert told(levels, "a", BY_NAME, condition=f"fd.name = {place}{{name}}") == [f"{place}WANTED|{place}"]


def test_a_program_that_lies_deep_is_told_whole(told: Callable[..., list[str]], folder: Path) -> None:
    place = f"{folder}/" + "a/" * 60 + "etc/"
    alerts = told(60, "a", RUN, "proc.exepath")
    assert alerts[0] == f"{place}WANTED|{place}"
    # It opens its libraries after that, which may be looked at when it is gone.
    assert set(alerts) <= {f"{place}WANTED|{place}", f"{place}WANTED|"}


@pytest.mark.parametrize("do", [BY_NAME, BY_DIRECTORY, AND_GONE])
def test_what_nobody_can_tell_is_not_made_up(told: Callable[..., list[str]], do: str) -> None:
    """A path longer than 4,096 bytes is one that `/proc` does not show either."""
    (alert,) = told(30, "b" * 200, do)
    name, directory = alert.split("|")
    assert name in ("WANTED", "<UNKNOWN>WANTED")
    assert directory in ("", "<NA>")


def test_a_program_that_is_gone_leaves_no_path_behind_that_it_never_had(
    told: Callable[..., list[str]], folder: Path
) -> None:
    place = f"{folder}/" + "a/" * 60 + "etc/"
    (alert,) = told(60, "a", AND_GONE)
    name, directory = alert.split("|")
    assert name in (f"{place}WANTED", "WANTED")
    assert directory in (place, "", "<NA>")
