"""TITLE: what is particular to it. The harness has what all share."""

from __future__ import annotations

import numpy as np
import pytest

from patterns.SLUG import shrunken_means


def test_without_strength_they_are_the_means() -> None:
    assert shrunken_means([1.0, 3.0, 5.0], ["a", "a", "b"], strength=0).tolist() == [2.0, 5.0]


def test_they_lie_between_the_means_and_the_mean_of_all() -> None:
    y, group = np.array([0.0, 0.0, 6.0]), [0, 0, 1]
    low, high = shrunken_means(y, group)
    assert 0 < low < y.mean() < high < 6


def test_rows_without_a_group_are_refused() -> None:
    with pytest.raises(ValueError, match="y and group must be of one shape"):
        shrunken_means([1.0, 2.0], [0])
