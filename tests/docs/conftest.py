"""The documentation site, built once for all tests of it."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def part_of_the_builder(name: str) -> ModuleType:
    """Return a module of `docs/builder` that imports nothing of the others."""
    spec = importlib.util.spec_from_file_location(
        f"docs_builder_{name}", ROOT / "docs" / "builder" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site into `folder`, as continuous integration does."""
    return subprocess.run(
        [sys.executable, ROOT / "docs" / "build.py", folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the finished pages. Whichever process of the test run comes first builds them."""
    for needed in ("sphinx", "myst_parser", "furo", "railroad"):
        pytest.importorskip(needed, reason=f"{needed}, which the site is built with, is not installed")
    temporary = tmp_path_factory.getbasetemp()
    shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    folder = shared / "site"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = folder / "told.txt"
        if not told.exists():
            done = build(folder)
            told.write_text(done.stdout + done.stderr if done.returncode else "", encoding="utf-8")
        fault = told.read_text(encoding="utf-8")
    assert not fault, fault
    return folder / "html"
