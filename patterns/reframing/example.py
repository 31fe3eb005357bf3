# %% [markdown]
"""# A classifier over bins forecasts rain better than models that assume its shape.

**Problem.** Most hours are dry, some bring a drizzle, a few a downpour. One predicted number says
nothing of that, and a formula for the distribution has to be the right one.

**Idea.** Cut the amount of rain into bins, predict the bin with any classifier, and read the whole
distribution from the probabilities of the bins.

**When not to.** Where a regression explains much of the target, bins of the target are too coarse.
Bin what the regression leaves, with `regressor=`. Where the right formula is known, it does as
well.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from quantile_forest import RandomForestQuantileRegressor
from scoringrules import crps_ensemble
from sklearn.linear_model import LinearRegression, LogisticRegression

from patterns._kit.story import tell
from datasets import make_rainfall
from patterns._kit.figures import ALTERNATIVE, BEST, PATTERN
from patterns.reframing import BinnedDistributionRegressor

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The data are synthetic, so the true distribution of every hour is known. A downpour brings twenty
# times as much as a drizzle. A forecast answers with 99 quantiles for each hour.

# %%
train = make_rainfall(2000, contrast=20, random_state=0)
test = make_rainfall(4000, contrast=20, random_state=1)
levels = (np.arange(99) + 0.5) / 99

# %% [markdown]
# **A model that assumes the shape** is the hurdle model: logistic regression for wet or dry, a
# linear regression of the logarithm for how much, and the errors of that regression around it.

# %%
wet = train.y > 0
chance = LogisticRegression().fit(train.X, wet).predict_proba(test.X)[:, [1]]
amount = LinearRegression().fit(train.X[wet], np.log(train.y[wet]))
errors = np.log(train.y[wet]) - amount.predict(train.X[wet])
level_if_wet = np.clip((levels - (1 - chance)) / chance, 0, 1)
hurdle = np.exp(amount.predict(test.X)[:, None] + np.quantile(errors, level_if_wet))
hurdle = np.where(levels > 1 - chance, hurdle, 0)

# %% [markdown]
# **The baseline** is the strongest model that assumes nothing: a random forest that remembers the
# rain in its leaves.

# %%
forest = RandomForestQuantileRegressor(
    100, min_samples_leaf=10, max_samples_leaf=None, random_state=0
)
forest.fit(train.X, train.y)
baseline = forest.predict(test.X, quantiles=list(levels))

# %% [markdown]
# **The pattern**: a classifier over twenty bins of the wet hours and one bin for the dry ones. The
# default classifier is a logistic regression.

# %%
bins = BinnedDistributionRegressor(n_bins=20, atoms="auto")
bins.fit(train.X, train.y)
pattern = bins.predict_quantile(test.X, levels)

# %% [markdown]
# **The judge** is the continuous ranked probability score (CRPS): the mean absolute error of a
# forecast that is a whole distribution. The true distribution has the lowest that is possible.

# %%
rain = test.y.to_numpy()
rows = [
    ("alternative", "hurdle model", crps_ensemble(rain, hurdle, estimator="qd").mean()),
    ("baseline", "quantile forest", crps_ensemble(rain, baseline, estimator="qd").mean()),
    ("pattern", "classifier over bins", crps_ensemble(rain, pattern, estimator="qd").mean()),
    ("best possible", "true distribution", test.oracle_crps(test.X, rain).mean()),
]

# %% [markdown]
# One hour in which rain is as likely as not shows the difference.

# %%
hour = np.abs(test.wet_probability(test.X) - 0.5).argmin()
figure, axis = plt.subplots(figsize=(6.5, 3.6))
for quantiles, label, color in [
    (hurdle, "hurdle model", ALTERNATIVE),
    (pattern, "classifier over bins", PATTERN),
    (test.oracle_quantile(test.X, levels[None]), "truth", BEST),
]:
    axis.step(quantiles[hour], levels, where="post", color=color, label=label)
axis.set(xlabel="rain", ylabel="probability of at most this much", ylim=(0, 1), xlim=(-0.5, 15))
axis.legend()

tell(
    "reframing",
    question="How much will it rain in the next hour, as a distribution?",
    scores={"CRPS": "lower"},
    rows=rows,
    figure=figure,
    caption="The forecast for one hour. The true curve has a step at zero, then a drizzle, then a "
    "downpour. The classifier over bins follows it; the hurdle model smooths the two together.",
    at_most=0.99,
)
