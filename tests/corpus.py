"""Public rule files, captures and recorded verdicts that some tests compare with, where they are at hand.

They are no part of the project: they lie in a folder `shared/corpus` beside the checkout, or where the
environment variable `REFENGINE_CORPUS` says. Tests that read them carry the marker `corpus`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def corpus_folder() -> Path | None:
    """Return the folder of the corpus, None where there is none."""
    named = os.environ.get("REFENGINE_CORPUS")
    if named:
        return Path(named)
    for folder in Path(__file__).resolve().parents:
        candidate = folder / "shared" / "corpus"
        if candidate.is_dir():
            return candidate
    return None


def corpus(path: str) -> Path:
    """Return the corpus file or folder at the relative `path`; skip the calling test where it is absent."""
    folder = corpus_folder()
    if folder is None:
        pytest.skip("there is no corpus beside the checkout")
    found = folder / path
    if not found.exists():
        pytest.skip(f"the corpus has no {path}")
    return found
