"""The diagrams are drawn from the grammars as they are."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from refengine.grammar.notation import productions, read_grammar

ROOT = Path(__file__).resolve().parents[2]


def test_there_is_a_diagram_for_every_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("railroad", reason="railroad-diagrams draws them, and is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    subprocess.run([sys.executable, ROOT / "docs" / "diagrams.py", tmp_path], check=True)
    for grammar in ("condition", "template"):
        page = (tmp_path / f"{grammar}.html").read_text(encoding="utf-8")
        for production in productions(ROOT / "grammar" / f"{grammar}.ebnf"):
            ElementTree.parse(tmp_path / f"{grammar}-{production}.svg")
            assert f'id="{production}"' in page


@pytest.mark.parametrize(
    ("text", "fault"),
    [("A ::= ( B", "not closed"), ("A ::= B )", "unexpected"), ("A ::= $", "not in the notation")],
)
def test_a_slip_in_a_grammar_is_found(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "slip.ebnf"
    path.write_text(text)
    with pytest.raises(ValueError, match=fault):
        read_grammar(path)
