"""What several tests of the command line are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import RULES


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Rules on a folder of the test, in which there is a file."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.replace("{folder}", f"{tmp_path}/watched"))
    (tmp_path / "watched").write_text("x\n")
    return path
