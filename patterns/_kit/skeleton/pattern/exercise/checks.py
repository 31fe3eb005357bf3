"""What the exercise asks of an answer.

The expected numbers follow from a definition, not from the pattern's own lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from patterns._kit.exercise import Case, check, explore


def means_case(y: list[float], expected: list[float]) -> Case:
    """Two groups, of two rows and of one."""
    return Case(
        call=f"shrunken_means({y}, [0, 0, 1], strength=1)",
        answer=lambda module: module.shrunken_means(y, [0, 0, 1], strength=1),
        expected=expected,
    )


@check("shrink", why="The mean of all stands for rows of the group that nobody has seen.")
def the_mean_of_all_counts_as_rows() -> Iterator[Case]:
    """The mean of all counts as that many further rows."""
    yield means_case([0.0, 0.0, 6.0], [2 / 3, 4.0])
    yield means_case([3.0, 5.0, 1.0], [11 / 3, 2.0])


@explore("shrink", why="A group may have one row, and a strength may be 0.")
def any_groups(draw: Any) -> Case:
    """The means of any rows are those of the reference."""
    group = draw(st.lists(st.integers(0, 3), min_size=1, max_size=6))
    y = draw(st.lists(st.integers(-9, 9), min_size=len(group), max_size=len(group)))
    strength = draw(st.sampled_from([0, 1, 4]))
    return Case(
        call=f"shrunken_means({y}, {group}, {strength})",
        answer=lambda module: module.shrunken_means(y, group, strength),
        arguments={"y": y, "group": group},
    )
