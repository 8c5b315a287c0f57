from __future__ import annotations

import pytest

from benchmarks.growth import STRETCHES, growth


def test_a_line_grows_by_what_it_rises() -> None:
    found = growth([2.0 * number for number in range(101)])
    assert found.likely == pytest.approx(200)
    assert found.certain == pytest.approx(200, rel=0.02)


def test_what_falls_does_not_grow() -> None:
    found = growth([-0.5 * number for number in range(60)])
    assert found.likely == pytest.approx(-29.5)
    assert found.certain < -25


def test_a_single_step_is_no_certain_growth() -> None:
    found = growth([0.0] * 60 + [8.0] * 60)
    assert found.likely >= 0
    assert found.certain <= 0


def test_few_values_tell_nothing() -> None:
    with pytest.raises(ValueError, match="10 values are too few"):
        growth([1.0] * (STRETCHES - 1))


def test_as_many_values_as_stretches_are_enough() -> None:
    assert growth(range(STRETCHES)).likely == STRETCHES - 1


def test_growth_by_unit() -> None:
    found = growth([float(number) for number in range(101)])
    assert found.each(4).likely == pytest.approx(found.likely / 4)
    assert found.each(4).certain == pytest.approx(found.certain / 4)
    assert found.each(0).likely == found.each(0).certain == 0.0
