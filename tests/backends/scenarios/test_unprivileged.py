"""The scenarios under ptrace without any privilege, as a job in continuous integration runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import refengine

ROOT = Path(__file__).resolve().parents[3]
SYSTEM_PYTHON = "/usr/bin/python3"
NEEDED = "import sys, yaml, ptrace; raise SystemExit(sys.version_info < (3, 10))"

AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs")
IN_USER_NAMESPACE = (*AS_NOBODY, "unshare", "--user", "--map-root-user")

pytestmark = [pytest.mark.root, pytest.mark.ptrace, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def readable() -> Iterator[Path]:
    """Give a folder with the package, the scenarios and what they need, which every user can read.

    It is not one of pytest's own, since every session of pytest closes these to other users.
    """
    with tempfile.TemporaryDirectory(prefix="readable") as folder:
        _fill(Path(folder))
        yield Path(folder)


def _fill(folder: Path) -> None:
    ptrace, yaml = pytest.importorskip("ptrace"), pytest.importorskip("yaml")
    folder.chmod(0o755)
    ignore = shutil.ignore_patterns("__pycache__")
    for package in (refengine, ptrace, yaml):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, folder / source.name, ignore=ignore)
    for name in ("tests/backends/scenarios", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    (folder / "tests" / "__init__.py").touch()


@pytest.mark.parametrize("prefix", [AS_NOBODY, IN_USER_NAMESPACE], ids=["nobody", "user-namespace"])
def test_scenarios_run_without_privileges(prefix: tuple[str, ...], readable: Path) -> None:
    for tool in ("setpriv", "unshare"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    environment = {
        "PYTHONPATH": os.fspath(readable),
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if subprocess.run([SYSTEM_PYTHON, "-c", NEEDED], env=environment, check=False).returncode:
        pytest.skip(f"{SYSTEM_PYTHON} is too old")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    done = subprocess.run(
        [*prefix, SYSTEM_PYTHON, "-m", "benchmarks.backend_matrix", "ptrace"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=readable,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nptrace: " in done.stdout
    assert " same" in done.stdout
