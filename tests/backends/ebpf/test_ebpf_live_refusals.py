"""Prefilters that are not taken: that is said, more is looked at outside of the kernel, and alerts are the same."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.monitor import PATIENCE
from refengine.backends.ebpf.backend import EbpfBackend
from refengine.backends.ebpf.prefilter import program
from tests.ebpf import alerts_of, watching

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- rule: Opened
  desc: d
  condition: evt.type = openat and evt.is_open_read = true and (fd.name in ({names}{folder}/wanted) or fd.name glob {folder}/w*d)
  output: "opened %fd.name"
  priority: INFO
- rule: Made
  desc: Another call, whose prefilter is as it was.
  condition: evt.type = mkdir and evt.arg.path = {folder}/made
  output: "made %evt.arg.path"
  priority: INFO
"""
WORK = """
import os, sys
folder = sys.argv[1]
os.chdir(folder)
for _ in range(100):
    for name in (f"{folder}/wanted", "./wanted", f"{folder}/other", "other"):
        os.close(os.open(name, os.O_RDONLY))
    os.close(os.open("wanted", os.O_WRONLY))
os.mkdir(f"{folder}/made")
"""
BEGINNING = "    if (!s)\n        return 0;\n"
FORBIDDEN = "    *(volatile u32 *)8 = 0;\n"
"""The kernel takes no program that writes to wherever it likes."""

NO_C = "    this is no C;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("wanted", "other"):
        (tmp_path / name).write_text("x")
    return tmp_path


def told(folder: Path, names: str = "") -> tuple[list[str], list[str], int]:
    """Return the alerts, what was warned of, and how many events came out of the kernel."""
    with watching(RULES.format(names=names, folder=folder)) as watched:
        connection, _ = watched
        backend = connection.backend
        assert isinstance(backend, EbpfBackend)
        backend.complete(PATIENCE)
        alerts = alerts_of(watched, [sys.executable, "-c", WORK, folder])
        messages = [alert.message for alert in alerts]
        return messages, list(connection.warnings()), backend.statistics().delivered


def wanted(folder: Path) -> list[str]:
    return [f"opened {folder}/wanted"] * 200 + [f"made {folder}/made"]


@pytest.mark.parametrize(
    ("is_broken", "warning"),
    [
        (lambda name: name.endswith("_name"), "does not take the second part of the prefilter of openat ("),
        (lambda name: not name.endswith("_name"), "does not take the prefilter of openat ("),
        (lambda name: True, "does not take the prefilter of mkdir ("),
    ],
    ids=["second part", "first part", "both"],
)
def test_what_the_kernel_rejects_is_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch, folder: Path, is_broken: Callable[[str], bool], warning: str
) -> None:
    make = program._function

    def broken(name: str, *arguments: Any, **options: Any) -> str:
        text = make(name, *arguments, **options)
        assert BEGINNING in text
        return text.replace(BEGINNING, BEGINNING + FORBIDDEN) if is_broken(name) else text

    monkeypatch.setattr(program, "_function", broken)
    alerts, warnings, delivered = told(folder)
    assert alerts == wanted(folder)
    assert any(warning in each for each in warnings)
    if "second" not in warning:
        assert delivered >= 500


def test_second_parts_that_cannot_be_compiled_are_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    make = program._function

    def broken(name: str, *arguments: Any, **options: Any) -> str:
        text = make(name, *arguments, **options)
        return text.replace(BEGINNING, BEGINNING + NO_C) if name.endswith("_name") else text

    monkeypatch.setattr(program, "_function", broken)
    alerts, warnings, _ = told(folder)
    assert alerts == wanted(folder)
    assert any(
        each.startswith("prefilters stay without their second parts: ") and "compiler" in each
        for each in warnings
    )


def test_a_prefilter_that_is_too_long_to_be_compiled_is_left_out_aloud(folder: Path) -> None:
    token = secrets.token_hex(5)
    names = "".join(f"/no/such/{token}/{number:05}{'x' * (number % 60)}, " for number in range(1500))
    alerts, warnings, delivered = told(folder, names)
    assert alerts == wanted(folder)
    assert any("does not take the prefilter of openat (its text is too long" in each for each in warnings)
    assert not any("mkdir" in each for each in warnings)
    assert delivered >= 500
