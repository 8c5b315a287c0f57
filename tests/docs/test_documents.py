"""What the tutorial and the guides say is so: their files load, their commands run and print what is shown."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.docs.walking import Command, File, fits, follow, steps

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "tests", "docs")
SHOWN_FOLDER = "/home/ann/rules"
X86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the ptrace backend knows x86-64 only")
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")


def checkout(folder: Path) -> Path:
    """Return a folder to work in, with what guides use of the checkout."""
    work = folder / "work"
    work.mkdir()
    for name in ("rules", "examples", "spec"):
        (work / name).symlink_to(ROOT / name)
    return work


@pytest.mark.ptrace
@pytest.mark.slow
@X86_64
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    assert follow(TUTORIAL, work, SHOWN_FOLDER) >= 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("guide", "commands"),
    [
        ("testing", 3),
        pytest.param("ci", 8, marks=[pytest.mark.ptrace, X86_64]),
        pytest.param("captures", 5, marks=[pytest.mark.ptrace, X86_64]),
        ("falco", 1),
        ("engines", 3),
    ],
)
def test_guides_can_be_followed(guide: str, commands: int, tmp_path: Path) -> None:
    text = (DOCS / "guides" / f"{guide}.md").read_text(encoding="utf-8")
    assert follow(text, checkout(tmp_path), SHOWN_FOLDER) == commands


def test_no_guide_is_left_out() -> None:
    followed = {"testing", "ci", "captures", "falco", "engines"}
    assert {path.stem for path in (DOCS / "guides").glob("*.md")} == followed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_tutorial_installs_the_program(tmp_path: Path) -> None:
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools, which builds the package, is not installed")
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
    first, second = commands.splitlines()
    tree = tmp_path / "checkout"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=LEFT_BEHIND)
    # Without a network: what the package needs, and what builds it, is taken from beside this test.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    run(first, tree, kept)
    (packages,) = (tree / ".venv" / "lib").glob("python*/site-packages")
    for old in packages.glob("setuptools*"):  # older Pythons put one beside pip, which may be too old
        shutil.rmtree(old)
    beside = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (packages / "zz_beside.pth").write_text("\n".join(beside) + "\n", encoding="utf-8")
    run(second.replace(" install ", " install --ignore-installed "), tree, {**kept, **offline})
    assert "refengine" in run(".venv/bin/refengine --version", tree, kept).lower()


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command that must succeed, and return what it printed."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


class TestFollowing:
    """The reader of documents itself: it does not pass over what differs."""

    def test_it_finds_files_and_commands(self) -> None:
        text = "This is `a.yaml`:\n\n```yaml\nx: 1\n```\n\n```console\n$ cat a.yaml  # exit code 3\nx: 1\n$ true\n```\n"
        assert steps(text) == [
            File("a.yaml", "x: 1\n", False),
            Command("cat a.yaml", "x: 1\n", 3),
            Command("true", "", 0),
        ]

    def test_blocks_without_a_name_are_no_files(self) -> None:
        assert steps("`a.yaml`: see below.\n\n```yaml\nx: 1\n```\n") == []

    def test_a_block_can_be_the_end_of_a_file(self) -> None:
        assert steps("at the end of `a.yaml`:\n\n```yaml\nx: 1\n```\n") == [File("a.yaml", "x: 1\n", True)]

    def test_other_output_is_a_failure(self, tmp_path: Path) -> None:
        work = tmp_path / "work"
        work.mkdir()
        with pytest.raises(AssertionError, match="the document says"):
            follow("```console\n$ echo one\ntwo\n```\n", work, SHOWN_FOLDER)

    def test_another_exit_code_is_a_failure(self, tmp_path: Path) -> None:
        work = tmp_path / "work"
        work.mkdir()
        with pytest.raises(AssertionError):
            follow("```console\n$ false\n```\n", work, SHOWN_FOLDER)

    @pytest.mark.parametrize(
        ("printed", "shown", "verdict"),
        [
            ("a\nb\n", "a\nb\n", True),
            ("a\nb\nc\n", "a\n…\nc\n", True),
            ("a\n", "a\n…\n", True),
            ("a\nb\n", "a\n", False),
            ("a\n", "", False),
            ("", "", True),
        ],
    )
    def test_an_ellipsis_stands_for_any_lines(self, printed: str, shown: str, verdict: bool) -> None:
        assert fits(printed, shown) is verdict

    def test_it_runs_the_tested_program(self, tmp_path: Path) -> None:
        work = tmp_path / "work"
        work.mkdir()
        assert follow("```console\n$ refengine --version\n…\n```\n", work, SHOWN_FOLDER) == 1
        assert sys.executable in (tmp_path / "bin" / "refengine").read_text(encoding="utf-8")
