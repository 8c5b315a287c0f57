"""What is installed is all of the package, whichever way it is installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "tests", "docs")

LOOK_AROUND = """
from importlib.resources import files
import refengine
import refengine.backends.base
from refengine.authoring.lessons.course import course
from refengine.authoring.lessons.judging import judge
from refengine.authoring.lessons.specification import clause
from refengine.fields.catalogue import CATALOGUE
from refengine.tables.event_types import EVENT_TYPES

assert len(EVENT_TYPES) > 400 and "proc.name" in CATALOGUE
assert "- rule: " in (files("refengine.rules") / "quickstart.yaml").read_text("utf-8")
assert (files("refengine") / "py.typed").is_file()
lesson = course()["first-condition"]
assert judge(lesson, lesson.solution, lesson.folder).passed and clause("op.eq.1").sentence
print(refengine.__file__)
"""


def why_not_build() -> str | None:
    """Return what is missing for building without a network, None where nothing is."""
    for tool in ("build", "pip", "setuptools"):
        if importlib.util.find_spec(tool) is None:
            return f"{tool} is not installed"
    try:
        found = version("setuptools")
    except PackageNotFoundError:
        return "setuptools is not installed"
    return None if int(found.split(".")[0]) >= 77 else f"setuptools {found} is too old, 77 is needed"


REASON = why_not_build()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    pytest.mark.timeout(600),
]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that must succeed and return what it printed."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def checkout(folder: Path) -> Path:
    """Return a copy of the checkout in `folder`, links kept, in which building leaves its traces."""
    return Path(shutil.copytree(ROOT, folder / "checkout", symlinks=True, ignore=LEFT_BEHIND))


def environment(folder: Path) -> Path:
    """Return the Python of a new virtual environment that also sees what is installed beside this test.

    So the dependencies and the build backend are there without a network. The package itself is left out, if it is
    installed: what the environment finds of it is what was installed there.
    """
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    beside = folder / "beside"
    beside.mkdir()
    for site in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(site).iterdir():
            if "refengine" not in entry.name and entry.suffix != ".pth":
                beside.joinpath(entry.name).symlink_to(entry)
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    Path(own, "zz_beside.pth").write_text(f"{beside}\n", encoding="utf-8")
    return python


def install(python: Path, *what: str | Path, cwd: Path) -> None:
    """Install with pip, from what is at hand alone."""
    run(
        python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation",
        "--ignore-installed", "--disable-pip-version-check", *what, cwd=cwd,
    )  # fmt: skip


def package_files(folder: Path) -> set[str]:
    """Return the files of the package in a checkout, links followed, by their paths in the package."""
    found = set()
    for directory, _, names in os.walk(folder / "refengine", followlinks=True):
        if "__pycache__" not in directory:
            found |= {str(Path(directory, name).relative_to(folder)) for name in names}
    return {name for name in found if not name.endswith(".pyc")}


def test_a_wheel_made_from_the_source_distribution_holds_every_file(tmp_path: Path) -> None:
    tree = checkout(tmp_path)
    expected = package_files(tree)
    assert {"refengine/backends/base.py", "refengine/rules/quickstart.yaml", "refengine/py.typed"} <= expected
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", cwd=tree)
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with tarfile.open(archive) as tar:
        in_archive = {name.partition("/")[2] for name in tar.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= in_archive
    with zipfile.ZipFile(wheel) as zipped:
        in_wheel = set(zipped.namelist())
    assert expected - in_wheel == set()
    assert {name.split("/")[0].partition("-")[0] for name in in_wheel} == {"refengine"}

    python = environment(tmp_path)
    install(python, wheel, cwd=tmp_path)
    assert Path(run(python, "-c", LOOK_AROUND, cwd=tmp_path).strip()).is_relative_to(tmp_path / "venv")


def test_a_folder_can_be_installed(tmp_path: Path) -> None:
    python = environment(tmp_path)
    install(python, checkout(tmp_path), cwd=tmp_path)
    assert Path(run(python, "-c", LOOK_AROUND, cwd=tmp_path).strip()).is_relative_to(tmp_path / "venv")


def test_an_editable_installation_reads_the_checkout(tmp_path: Path) -> None:
    python = environment(tmp_path)
    tree = checkout(tmp_path)
    install(python, "-e", tree, cwd=tmp_path)
    assert Path(run(python, "-c", LOOK_AROUND, cwd=tmp_path).strip()).is_relative_to(tree)
