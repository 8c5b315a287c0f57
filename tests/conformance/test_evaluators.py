"""Both evaluators of this engine pass the whole suite, without a skip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from refengine.conformance import engine
from refengine.conformance.case import load_suite
from refengine.conformance.main import universal_time
from refengine.conformance.runner import Verdict, run_cases
from refengine.engine import Evaluator

CHUNKS = 6
"""Parts of the suite, so that it can be run in parallel."""


@pytest.fixture(autouse=True)
def _in_utc() -> Iterator[None]:
    with universal_time():
        yield


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("evaluator", get_args(Evaluator))
def test_every_case_passes(evaluator: Evaluator, chunk: int) -> None:
    cases = load_suite()[chunk::CHUNKS]
    run = run_cases(evaluator, cases, lambda case: engine.answer(case, evaluator))
    other = [(found.case.id, found.reason) for found in run.outcomes if found.verdict is not Verdict.PASSED]
    assert other == []
