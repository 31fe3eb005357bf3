"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

MISTAKES = (  # four or more
    Mistake(
        name="not-shrunken",
        part="shrink",
        title="The mean of all is left out",
        why="Say what to change: add strength rows of the mean of all to each group.",
        code={
            "ex-shrink": """
return np.bincount(position, weights=values) / np.bincount(position)
"""
        },
    ),
)

ALTERNATIVES = (  # two or more for each part
    Alternative(
        name="a loop over groups",
        code={
            "ex-shrink": """
means = []
for i in range(position.max() + 1):
    rows = values[position == i]
    means.append((rows.sum() + strength * values.mean()) / (len(rows) + strength))
return np.array(means)
"""
        },
    ),
)
