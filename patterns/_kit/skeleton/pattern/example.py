# %% [markdown]
"""# Say what the reader will see, in one sentence: means of few rows err less when they are shrunk.

**Problem.** Say what goes wrong without the pattern. The mean of a group with few rows says more
about those rows than about the group.

**Idea.** Say how the pattern answers. Let the mean of all rows count as a few more rows of each
group.

**When not to.** Say when something simpler does as well. With many rows in each group, nothing
changes.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from patterns._kit.story import tell
from patterns.SLUG import shrunken_means

plt.style.use("patterns._kit.figures")

# %% [markdown]
# One data set. This one is synthetic, so the true means are known: 200 groups of 1 to 10 rows. The
# rows of a group spread twice as much as the true means do.

# %%
rng = np.random.default_rng(0)
truth = rng.normal(size=200)
group = np.repeat(np.arange(200), rng.integers(1, 11, size=200))
y = truth[group] + 2 * rng.normal(size=len(group))
count = np.bincount(group)

# %% [markdown]
# **The baseline** is the strongest simple thing that a good engineer would try, and **the pattern**
# stands beside it, in parallel lines.

# %%
plain = np.bincount(group, weights=y) / count
shrunken = shrunken_means(y, group)

# %% [markdown]
# **The best possible** knows the true distribution: the mean of all is 0, and the variance of the
# rows is 4 times that of the true means.

# %%
best = count * plain / (count + 4)


def error(means: np.ndarray) -> float:
    """Root mean squared error."""
    return float(np.sqrt(np.mean((means - truth) ** 2)))


figure, axes = plt.subplots(figsize=(6, 3.4))
axes.plot(count, np.abs(plain - truth), ".", color="#999999", label="mean of each group")
axes.plot(count, np.abs(shrunken - truth), ".", color="#0072B2", label="shrunken mean")
axes.set(xlabel="rows of the group", ylabel="error of its mean")
axes.legend()

tell(
    "SLUG",
    question="How well do a few rows tell the mean of their group?",
    scores={"RMSE": "lower"},
    rows=[
        ("baseline", "mean of each group", error(plain)),
        ("pattern", "shrunken mean", error(shrunken)),
        ("best possible", "true distribution", error(best)),
    ],
    figure=figure,
    caption="Say what to see: the fewer rows a group has, the more the shrunken mean gains.",
    at_most=0.9,
)
