"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

# What right and wrong cuts have in common: joining the bins that hold fewer than two values.
JOIN = """
bounds, n_before = [-np.inf], 0
for cut in np.unique(cuts):
    n_below = np.sum(y < cut)
    if n_below - n_before >= 2 and len(y) - n_below >= 2:
        bounds.append(cut)
        n_before = n_below
return np.asarray(bounds)
"""

MISTAKES = (
    Mistake(
        name="edges-of-the-data",
        part="bounds",
        title="The edges from minimum to maximum were returned",
        why="They are one more than there are bins, and no bin takes the value below them all: "
        "drop the last edge and let the first be minus infinity.",
        code={
            "ex-bounds": """
return np.quantile(y, np.linspace(0, 1, n_bins + 1))
"""
        },
    ),
    Mistake(
        name="equal-width",
        part="bounds",
        title="The bins have equal width",
        why="Of a skewed target, nearly all values fall into the first of them.",
        code={
            "ex-bounds": """
if isinstance(atoms, str):
    values, counts = np.unique(y, return_counts=True)
    atoms = values[counts > len(y) / n_bins]
atoms = np.asarray([] if atoms is None else atoms, dtype=float)
rest = y[~np.isin(y, atoms)]
inner = np.linspace(rest.min(), rest.max(), n_bins + 1)[1:-1]
cuts = np.concatenate([atoms, np.nextafter(atoms, np.inf), inner])
"""
            + JOIN
        },
    ),
    Mistake(
        name="no-atom",
        part="bounds",
        title="The atoms were not given bins of their own",
        why="The zeros share a bin with small values, or the quantiles that fall on them are lost.",
        code={
            "ex-bounds": """
cuts = inner_cuts(y, n_bins, strategy, weight)
"""
            + JOIN
        },
    ),
    Mistake(
        name="atom-with-neighbors",
        part="bounds",
        title="The bin of an atom goes on to the next cut",
        why="An atom needs two cuts: at its value, and at the next float above it.",
        code={
            "ex-bounds": """
if isinstance(atoms, str):
    values, counts = np.unique(y, return_counts=True)
    atoms = values[counts > len(y) / n_bins]
atoms = np.asarray([] if atoms is None else atoms, dtype=float)
rest = y[~np.isin(y, atoms)]
cuts = np.concatenate([atoms, inner_cuts(rest, n_bins, strategy, np.ones(len(rest)))])
"""
            + JOIN
        },
    ),
    Mistake(
        name="atoms-among-the-quantiles",
        part="bounds",
        title="The quantiles were taken over the atoms too",
        why="Most quantiles fall on the zeros then, and few bins remain for the other values: of "
        "twenty asked for on a target with 93 % zeros, two.",
        code={
            "ex-bounds": """
if isinstance(atoms, str):
    values, counts = np.unique(y, return_counts=True)
    atoms = values[counts > len(y) / n_bins]
atoms = np.asarray([] if atoms is None else atoms, dtype=float)
inner = inner_cuts(y, n_bins, strategy, weight)
cuts = np.concatenate([atoms, np.nextafter(atoms, np.inf), inner])
"""
            + JOIN
        },
    ),
    Mistake(
        name="empty-bins",
        part="bounds",
        title="Bins with one training value, or with none, were kept",
        why="Join each to its neighbor by leaving out the cut between them.",
        code={
            "ex-bounds": """
if isinstance(atoms, str):
    values, counts = np.unique(y, return_counts=True)
    atoms = values[counts > len(y) / n_bins]
atoms = np.asarray([] if atoms is None else atoms, dtype=float)
rest = ~np.isin(y, atoms)
inner = inner_cuts(y[rest], n_bins, strategy, weight[rest])
cuts = np.unique(np.concatenate([atoms, np.nextafter(atoms, np.inf), inner]))
cuts = cuts[(cuts > y.min()) & (cuts <= y.max())]
return np.concatenate([[-np.inf], cuts])
"""
        },
    ),
    Mistake(
        name="whole-bin-at-its-lower-end",
        part="cdf",
        title="The whole bin is counted as soon as its lower end is reached",
        why="Inside the bin that y lies in, count only the share of its values that are at most y.",
        code={
            "ex-cdf": """
k = np.searchsorted(self.bin_lower_, y, side="right") - 1
return np.take_along_axis(cumulative, k + 1, axis=1)
"""
        },
    ),
    Mistake(
        name="bin-not-counted",
        part="cdf",
        title="The bin that the value lies in is not counted at all",
        why="Add the share of its values that are at most y, times the probability of the bin.",
        code={
            "ex-cdf": """
k = np.searchsorted(self.bin_lower_, y, side="right") - 1
return np.take_along_axis(cumulative, k, axis=1)
"""
        },
    ),
    Mistake(
        name="uniform-inside-the-bin",
        part="cdf",
        title="The bin is taken as evenly filled from end to end",
        why="Values crowd at the lower end of a skewed bin: count them instead.",
        code={
            "ex-cdf": """
k = np.searchsorted(self.bin_lower_, y, side="right") - 1
edges = np.concatenate([[self.values_[0]], self.bin_lower_[1:], [self.values_[-1]]])
share = np.clip((y - edges[k]) / (edges[k + 1] - edges[k]), 0, 1)
before, after = (np.take_along_axis(cumulative, k + i, axis=1) for i in (0, 1))
return before + (after - before) * share
"""
        },
    ),
    Mistake(
        name="strictly-below",
        part="cdf",
        title="The CDF is the probability strictly below the value",
        why='"At most" includes the value: search for the position right of it.',
        code={
            "ex-cdf": """
k = np.searchsorted(self.bin_lower_, y, side="right") - 1
n_below = np.searchsorted(self.values_, y, side="left") - self._bin_start[k]
share = n_below / self.bin_count_[k]
before, after = (np.take_along_axis(cumulative, k + i, axis=1) for i in (0, 1))
return before * (1 - share) + after * share
"""
        },
    ),
    Mistake(
        name="most-probable-bin",
        part="cdf",
        title="Every quantile is taken from the most probable bin",
        why="That is the classifier's argmax, whatever the level; walk up the cumulative "
        "probabilities until they reach the level.",
        code={
            "ex-quantile": """
k = np.argmax(np.diff(cumulative, axis=1), axis=1)[:, None]
rank = np.ceil(q * count[k]).astype(int) - 1
return self.values_[start[k] + np.clip(rank, 0, count[k] - 1)]
"""
        },
    ),
    Mistake(
        name="middle-of-the-bin",
        part="cdf",
        title="The quantile is the middle of its bin",
        why="Go up inside the bin as well, value by value, by the share of the bin still missing.",
        code={
            "ex-quantile": """
k = np.sum(cumulative[:, None, 1:-1] < q[:, :, None], axis=2)
last = start + count - 1
return ((self.values_[start] + self.values_[last]) / 2)[k]
"""
        },
    ),
    Mistake(
        name="mean-of-the-bin",
        part="cdf",
        title="The quantile is the mean of its bin",
        why="Then all levels that fall into a bin get the same answer: go up inside it as well.",
        code={
            "ex-quantile": """
k = np.sum(cumulative[:, None, 1:-1] < q[:, :, None], axis=2)
return self.bin_mean_[k]
"""
        },
    ),
    Mistake(
        name="end-of-the-bin",
        part="cdf",
        title="The quantile is the greatest value of its bin",
        why="A smaller value of the bin may reach the level already: go up one value at a time.",
        code={
            "ex-quantile": """
k = np.sum(cumulative[:, None, 1:-1] < q[:, :, None], axis=2)
return self.values_[start[k] + count[k] - 1]
"""
        },
    ),
    Mistake(
        name="level-not-rescaled",
        part="cdf",
        title="Inside the bin, the level of the whole forecast was used",
        why="Subtract what lies below the bin and divide by the bin's own probability.",
        code={
            "ex-quantile": """
k = np.sum(cumulative[:, None, 1:-1] < q[:, :, None], axis=2)
rank = np.ceil(q * count[k]).astype(int) - 1
return self.values_[start[k] + np.clip(rank, 0, count[k] - 1)]
"""
        },
    ),
    Mistake(
        name="ranks-not-distances",
        part="crps",
        title="The distances between values do not count, only the numbers of bins between them",
        why="This is the ranked probability score of the classes; it has no unit.",
        code={
            "ex-crps": """
k = np.searchsorted(lower, y, side="right") - 1
reached = np.arange(len(count)) >= k[:, None]
scores = np.sum((np.cumsum(proba, axis=1) - reached) ** 2, axis=1)
"""
        },
    ),
    Mistake(
        name="error-of-the-mean",
        part="crps",
        title="The score is the absolute error of the forecast's mean",
        why="That judges one number: a forecast that is unsure scores as one that is not.",
        code={
            "ex-crps": """
scores = np.abs(proba @ mean - y)
"""
        },
    ),
    Mistake(
        name="error-of-the-most-probable-bin",
        part="crps",
        title="The score is the absolute error of the most probable bin's mean",
        why="What the forecast says of the other bins does not count then.",
        code={
            "ex-crps": """
scores = np.abs(mean[np.argmax(proba, axis=1)] - y)
"""
        },
    ),
    Mistake(
        name="no-spread",
        part="crps",
        title="The spread term is missing",
        why="E|Y - y| alone is least for a forecast of one number, the median; subtract half of "
        "E|Y - Y'|.",
        code={
            "ex-crps": """
weights = np.repeat(proba, count, axis=1) * shares
scores = np.sum(weights * np.abs(values - y[:, None]), axis=1)
"""
        },
    ),
    Mistake(
        name="whole-spread",
        part="crps",
        title="The whole spread was subtracted",
        why="Only half of E|Y - Y'| belongs there: with all of it, the vaguest forecast is best.",
        code={
            "ex-crps": """
weights = np.repeat(proba, count, axis=1) * shares
distance = np.sum(weights * np.abs(values - y[:, None]), axis=1)
apart = np.abs(values[:, None] - values)
scores = distance - np.sum(weights @ apart * weights, axis=1)
"""
        },
    ),
    Mistake(
        name="bins-as-points",
        part="crps",
        title="All values of a bin are taken to be at its mean",
        why="Between bins the means are enough; in the bin that y lies in, and for two values of "
        "one bin, the single values matter.",
        code={
            "ex-crps": """
distance = np.abs(mean - y[:, None])
spread = np.abs(mean[:, None] - mean)
scores = np.sum(proba * (distance - proba @ spread / 2), axis=1)
"""
        },
    ),
    Mistake(
        name="prediction-minus-target",
        part="residuals",
        title="The sign is the wrong way round",
        why="A residual is what is left of the target when the prediction is taken away.",
        code={
            "ex-residuals": """
residuals = np.full(len(target), np.nan)
for train, test in splits:
    model = clone(regressor).fit(X[train], target[train])
    residuals[test] = model.predict(X[test]) - target[test]
return residuals
"""
        },
    ),
    Mistake(
        name="predictions-themselves",
        part="residuals",
        title="These are the predictions",
        why="Take them away from the target.",
        code={
            "ex-residuals": """
predictions = np.full(len(target), np.nan)
for train, test in splits:
    predictions[test] = clone(regressor).fit(X[train], target[train]).predict(X[test])
return predictions
"""
        },
    ),
    Mistake(
        name="absolute-errors",
        part="residuals",
        title="The sign is lost",
        why="Errors are seldom symmetric: of rain, misses upward are larger.",
        code={
            "ex-residuals": """
residuals = np.full(len(target), np.nan)
for train, test in splits:
    model = clone(regressor).fit(X[train], target[train])
    residuals[test] = np.abs(target[test] - model.predict(X[test]))
return residuals
"""
        },
    ),
    Mistake(
        name="in-sample",
        part="residuals",
        title="The model had seen the rows that it predicts",
        why="One nearest neighbor finds the row itself and has no error at all: predict each fold "
        "with a model of the other folds.",
        code={
            "ex-residuals": """
return target - clone(regressor).fit(X, target).predict(X)
"""
        },
    ),
    Mistake(
        name="untested-as-zero",
        part="residuals",
        title="Rows that no fold tests have a residual of zero",
        why="A zero says that the model was exactly right there. Start from NaN: nobody knows.",
        code={
            "ex-residuals": """
residuals = np.zeros(len(target))
for train, test in splits:
    residuals[test] = target[test] - clone(regressor).fit(X[train], target[train]).predict(X[test])
return residuals
"""
        },
    ),
    Mistake(
        name="folds-of-its-own",
        part="residuals",
        title="The folds are always the same five",
        why="Go through the splits that are given: rows that belong together must stay together.",
        code={
            "ex-residuals": """
residuals = np.empty(len(target))
for test in np.array_split(np.arange(len(target)), 5):
    train = np.setdiff1d(np.arange(len(target)), test)
    model = clone(regressor).fit(X[train], target[train])
    residuals[test] = target[test] - model.predict(X[test])
return residuals
"""
        },
    ),
)

ALTERNATIVES = (
    Alternative(
        name="bounds by ranks of the sorted values",
        code={
            "ex-bounds": """
if atoms is None:
    atoms = []
elif isinstance(atoms, str):
    atoms = [value for value in set(y.tolist()) if np.sum(y == value) * n_bins > len(y)]
ordered = np.sort([value for value in y if value not in set(atoms)])
if len(ordered) == 0:
    inner = []
elif strategy == "quantile":
    inner = [ordered[len(ordered) * i // n_bins] for i in range(1, n_bins)]
else:
    inner = np.linspace(ordered[0], ordered[-1], n_bins + 1)[1:-1]
cuts = sorted({*inner, *atoms, *(np.nextafter(atom, np.inf) for atom in atoms)})
kept = []
for cut in cuts:
    inside = (y >= (kept[-1] if kept else -np.inf)) & (y < cut)
    if inside.sum() > 1 and (y >= cut).sum() > 1:
        kept.append(cut)
return np.array([-np.inf, *kept])
"""
        },
    ),
    Alternative(
        name="bounds by interpolated quantiles, joining from above",
        code={
            "ex-bounds": """
if isinstance(atoms, str):
    values, counts = np.unique(y, return_counts=True)
    atoms = values[counts > len(y) / n_bins]
atoms = np.asarray([] if atoms is None else atoms, dtype=float)
rest = y[~np.isin(y, atoms)]
levels = np.arange(1, n_bins) / n_bins
if strategy == "quantile":
    inner = np.quantile(rest, levels)
else:
    inner = rest.min() + (rest.max() - rest.min()) * levels
cuts = np.unique(np.concatenate([atoms, np.nextafter(atoms, np.inf), inner]))
kept, upper = [], np.inf
for cut in cuts[::-1]:
    if np.sum((y >= cut) & (y < upper)) >= 2 and np.sum(y < cut) >= 2:
        kept.append(cut)
        upper = cut
return np.array([-np.inf, *kept[::-1]])
"""
        },
    ),
    Alternative(
        name="CDF and quantile from a weight for each training value",
        code={
            "ex-cdf": """
weights = np.repeat(np.diff(cumulative, axis=1), self.bin_count_, axis=1) * self.shares_
return np.einsum("iv,ijv->ij", weights, self.values_ <= y[:, :, None])
""",
            "ex-quantile": """
weights = np.repeat(np.diff(cumulative, axis=1), count, axis=1) * self.shares_
steps = np.cumsum(weights, axis=1)
first = np.argmax(steps[:, None, :] >= np.minimum(q, steps[:, -1:])[:, :, None] - 1e-12, axis=2)
return self.values_[first]
""",
        },
    ),
    Alternative(
        name="CDF and quantile in plain loops",
        code={
            "ex-cdf": """
cdf = np.zeros(y.shape)
for i, j in np.ndindex(*y.shape):
    for k, first in enumerate(self._bin_start):
        rows = slice(first, first + self.bin_count_[k])
        share = self.shares_[rows][self.values_[rows] <= y[i, j]].sum()
        cdf[i, j] += (cumulative[i, k + 1] - cumulative[i, k]) * share
return cdf
""",
            "ex-quantile": """
result = np.empty(q.shape)
for i, j in np.ndindex(*q.shape):
    reached = 0.0
    for k, first in enumerate(start):
        for row in range(first, first + count[k]):
            if reached < q[i, j] - 1e-12 or row == 0:
                result[i, j] = self.values_[row]
            reached += (cumulative[i, k + 1] - cumulative[i, k]) * self.shares_[row]
return result
""",
        },
    ),
    Alternative(
        name="CRPS as the integral over the squared step function",
        code={
            "ex-crps": """
weights = np.repeat(proba, count, axis=1) * shares
scores = []
for row, outcome in zip(weights, y):
    grid = np.append(values, outcome)
    order = np.argsort(grid)
    grid = grid[order]
    cdf = np.cumsum(np.append(row, 0.0)[order])
    scores.append(np.sum((cdf - (grid >= outcome))[:-1] ** 2 * np.diff(grid)))
scores = np.array(scores)
"""
        },
    ),
    Alternative(
        name="CRPS over all pairs of values",
        code={
            "ex-crps": """
weights = np.repeat(proba, count, axis=1) * shares
distance = np.sum(weights * np.abs(values - y[:, None]), axis=1)
apart = np.abs(np.subtract.outer(values, values))
scores = distance - np.einsum("ri,ij,rj->r", weights, apart, weights) / 2
"""
        },
    ),
    Alternative(
        name="residuals of all rows of each fold, then in order",
        code={
            "ex-residuals": """
tests = [test for _, test in splits]
errors = [
    target[test] - _fit(regressor, X[train], target[train], None).predict(X[test])
    for train, test in splits
]
residuals = np.full(len(target), np.nan)
residuals[np.concatenate(tests)] = np.concatenate(errors)
return residuals
"""
        },
    ),
    Alternative(
        name="residuals by a mask for each fold",
        code={
            "ex-residuals": """
predicted = np.full(len(target), np.nan)
for train, test in splits:
    seen, held_out = (np.isin(np.arange(len(target)), rows) for rows in (train, test))
    model = clone(regressor).fit(X[seen], target[seen])
    predicted[held_out] = model.predict(X[held_out])
return -(predicted - target)
"""
        },
    ),
)
