"""Synthetic hourly rain with a known distribution: mostly dry, and bimodal when wet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, expit, gammainc

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]
Features = pd.DataFrame | npt.NDArray[np.float64]

FEATURES = ("hour", "cloud", "pressure", "noise_0", "noise_1", "noise_2")
SHAPES = np.array([6.0, 12.0])  # of the two gamma distributions: drizzle, downpour


@dataclass(frozen=True, eq=False)
class Rainfall(Dataset):
    """A rain data set and its oracle: the distribution that the rain was drawn from.

    Every oracle method takes features ``X``, a frame with the columns ``feature_names`` (others are
    ignored) or an array of shape (n_samples, 6) in that order. Amounts ``y``, thresholds and levels
    are one number for all rows, an array of shape (n_samples,) with one for each row, or one of
    shape (n_samples, m) or (1, m) with m for each row. The answer has shape (n_samples,), or
    (n_samples, m) in the last case. A ``ValueError`` names shapes that fit none of these.

    Attributes
    ----------
    contrast : float
        Mean amount of a downpour relative to that of a drizzle.
    """

    contrast: float = 4.0

    def wet_probability(self, X: Features) -> FloatArray:
        """Return the probability of any rain, of shape (n_samples,)."""
        hour, cloud, pressure = _drivers(X)
        return _wet_probability(hour, cloud, pressure)

    def oracle_mean(self, X: Features) -> FloatArray:
        """Return the expected rain: the prediction with the least squared error."""
        law = _law(X, self.contrast)
        mean: FloatArray = (law.weight * SHAPES * law.scale).sum(axis=1)
        return mean

    def oracle_cdf(self, X: Features, y: npt.ArrayLike) -> FloatArray:
        """Return the probability of at most ``y`` rain."""
        return _per_row(_cdf, _law(X, self.contrast), y)

    def oracle_exceedance(self, X: Features, threshold: npt.ArrayLike) -> FloatArray:
        """Return the probability of more than ``threshold`` rain."""
        return 1.0 - self.oracle_cdf(X, threshold)

    def oracle_quantile(self, X: Features, level: npt.ArrayLike) -> FloatArray:
        """Return the least amount that is not exceeded with probability ``level``, in [0, 1).

        Raises
        ------
        ValueError
            If a level is outside [0, 1).
        """
        levels = np.asarray(level, dtype=float)
        if not ((levels >= 0) & (levels < 1)).all():
            raise ValueError(f"level must lie in [0, 1), got {level!r}.")
        return _per_row(_quantile, _law(X, self.contrast), levels)

    def oracle_crps(self, X: Features, y: npt.ArrayLike) -> FloatArray:
        """Return the continuous ranked probability score of the true distribution at ``y``.

        Exact, from CRPS = E|Y - y| - E|Y - Y'| / 2 [1]_ and closed forms of both terms.

        References
        ----------
        .. [1] T. Gneiting and A. E. Raftery (2007). "Strictly proper scoring rules, prediction, and
           estimation." Journal of the American Statistical Association 102, equation 21.
        """
        law = _law(X, self.contrast)
        spread = _mean_difference(law)[:, np.newaxis]
        return _per_row(lambda law, y: _mean_distance(law, y) - spread / 2, law, y)

    def oracle_expected_crps(self, X: Features) -> FloatArray:
        """Return the score that the true distribution has on average: no forecast has less."""
        return _mean_difference(_law(X, self.contrast)) / 2


def make_rainfall(
    n_samples: int = 2000,
    *,
    contrast: float = 4.0,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> Rainfall:
    """Draw hours of rain whose distribution has three parts: dry, drizzle and downpour.

    With ``logistic(z) = 1 / (1 + exp(-z))``, and ``noise_0`` to ``noise_2`` without influence:

    - ``hour`` and ``cloud`` are uniform on [0, 1], ``pressure`` and the noises standard normal;
    - wet, with probability logistic(-1 + 4 (hour - ½) - 0.8 pressure + 2 (hour - ½)(cloud - ½));
    - a downpour when wet, with probability logistic(6 (cloud - ½) + pressure (hour - ½));
    - ``rain`` is 0 when dry, a gamma variate of shape 12 and mean
      0.6 √contrast exp(½ (cloud - ½) - 0.1 pressure) in a downpour, and one of shape 6 and mean
      0.6 / √contrast exp(½ (hour - ½)) in a drizzle.

    Two thirds of the hours are dry. The oracle's CRPS is 0.176 on average where a downpour brings
    four times as much as a drizzle. There, the amount of a wet hour is nearly a log-linear function
    of the features with one error distribution; where the contrast is large, it is not.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    contrast : float
        Mean amount of a downpour relative to that of a drizzle, at least 1.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    Rainfall
        With ``frame`` of shape (n_samples, 7): the six features and ``rain``, without unit.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from datasets import make_rainfall
    >>> rain = make_rainfall(1000, random_state=0)
    >>> rain.X.head(3)
           hour     cloud  pressure   noise_0   noise_1   noise_2
    0  0.636962  0.269787  1.536818 -1.046025 -0.656005 -0.683254
    1  0.040974  0.016528  0.784801 -1.835912  1.250396 -0.243354
    2  0.813270  0.912756 -0.316866 -0.896681 -0.145451  1.470394
    >>> rain.y.head(3).round(3).tolist()
    [0.0, 0.0, 1.659]
    >>> rain.oracle_exceedance(rain.X.head(3), 0.5).round(3)  # the true chance of more than ½
    array([0.045, 0.002, 0.632])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    if not 1 <= contrast < np.inf:
        raise ValueError(f"contrast must be at least 1 and finite, got {contrast!r}.")
    rng = np.random.default_rng(random_state)
    X = np.hstack([rng.uniform(size=(n_samples, 2)), rng.normal(size=(n_samples, 4))])
    frame = pd.DataFrame(X, columns=list(FEATURES))

    law = _law(X, contrast)
    # One uniform draw picks the part: [0, dry), then drizzle, then downpour.
    drizzle_from = law.dry[:, 0]
    downpour_from = drizzle_from + law.weight[:, 0]
    pick = rng.uniform(size=n_samples)
    downpour = (pick >= downpour_from).astype(int)
    scale = law.scale[np.arange(n_samples), downpour]
    frame["rain"] = np.where(pick < drizzle_from, 0.0, rng.gamma(SHAPES[downpour], scale))
    return Rainfall(frame, FEATURES, ("rain",), contrast)


class _Law(NamedTuple):
    """The distribution of each row: a mass at zero and two gammas, drizzle and downpour."""

    dry: FloatArray  # (n_samples, 1), probability
    weight: FloatArray  # (n_samples, 2), probabilities; dry and weight sum to 1
    scale: FloatArray  # (n_samples, 2); the shapes are SHAPES


def _drivers(X: Features) -> tuple[FloatArray, FloatArray, FloatArray]:
    if isinstance(X, pd.DataFrame):
        missing = [name for name in FEATURES if name not in X]
        if missing:
            raise ValueError(f"X lacks the columns {missing}; it needs {list(FEATURES)}.")
        X = X[list(FEATURES)].to_numpy(dtype=float)
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != len(FEATURES):
        raise ValueError(f"X must have shape (n_samples, {len(FEATURES)}), got {X.shape}.")
    return X[:, 0], X[:, 1], X[:, 2]


def _wet_probability(hour: FloatArray, cloud: FloatArray, pressure: FloatArray) -> FloatArray:
    wet: FloatArray = expit(
        -1 + 4 * (hour - 0.5) - 0.8 * pressure + 2 * (hour - 0.5) * (cloud - 0.5)
    )
    return wet


def _law(X: Features, contrast: float) -> _Law:
    hour, cloud, pressure = _drivers(X)
    wet = _wet_probability(hour, cloud, pressure)
    downpour = expit(6 * (cloud - 0.5) + pressure * (hour - 0.5))
    drizzle_mean = 0.6 / np.sqrt(contrast) * np.exp(0.5 * (hour - 0.5))
    downpour_mean = 0.6 * np.sqrt(contrast) * np.exp(0.5 * (cloud - 0.5) - 0.1 * pressure)
    return _Law(
        dry=(1 - wet)[:, np.newaxis],
        weight=np.column_stack([wet * (1 - downpour), wet * downpour]),
        scale=np.column_stack([drizzle_mean, downpour_mean]) / SHAPES,
    )


def _per_row(
    function: Callable[[_Law, FloatArray], FloatArray], law: _Law, values: npt.ArrayLike
) -> FloatArray:
    """Apply ``function`` to a law of n rows and values brought to shape (n or 1, m)."""
    values = np.asarray(values, dtype=float)
    n_samples = len(law.dry)
    fits = values.ndim == 0 or (values.ndim <= 2 and values.shape[0] in (n_samples, 1))
    if not fits or (values.ndim == 1 and len(values) != n_samples):
        raise ValueError(
            f"values of shape {values.shape} do not fit {n_samples} rows of X: give a number, "
            f"({n_samples},), ({n_samples}, m) or (1, m)."
        )
    columns = values if values.ndim == 2 else values.reshape(-1, 1)
    result = function(law, columns)
    return result if values.ndim == 2 else result[:, 0]


def _cdf(law: _Law, y: FloatArray) -> FloatArray:
    result = law.dry * (y >= 0)
    for k, shape in enumerate(SHAPES):
        result = result + law.weight[:, [k]] * _gamma_cdf(shape, law.scale[:, [k]], y)
    return result


def _gamma_cdf(shape: float, scale: FloatArray, y: FloatArray) -> FloatArray:
    cdf: FloatArray = gammainc(shape, np.maximum(y, 0.0) / scale)
    return cdf


def _quantile(law: _Law, level: FloatArray) -> FloatArray:
    """Invert the distribution function by bisection, to the last bit."""
    low = np.zeros(np.broadcast_shapes(law.dry.shape, level.shape))
    high = np.ones_like(low)
    while (short := _cdf(law, high) < level).any():
        high[short] *= 2
    for _ in range(60):
        middle = (low + high) / 2
        reached = _cdf(law, middle) >= level
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    quantile: FloatArray = np.where(level <= law.dry, 0.0, high)
    return quantile


def _mean_distance(law: _Law, y: FloatArray) -> FloatArray:
    """E|Y - y|. For one gamma of mean m it is y (2 F(y) - 1) + m (1 - 2 G(y)), G of shape + 1."""
    result = law.dry * np.abs(y)
    for k, shape in enumerate(SHAPES):
        scale = law.scale[:, [k]]
        below = _gamma_cdf(shape, scale, y)
        mean_below = _gamma_cdf(shape + 1, scale, y)
        distance = y * (2 * below - 1) + shape * scale * (1 - 2 * mean_below)
        result = result + law.weight[:, [k]] * distance
    return result


def _mean_difference(law: _Law) -> FloatArray:
    """E|Y - Y'| for two independent draws: a sum over the pairs of parts they may come from."""
    mean = SHAPES * law.scale
    result: FloatArray = 2 * law.dry[:, 0] * (law.weight * mean).sum(axis=1)
    for i in range(2):
        for j in range(2):
            # E|A - B| = E[A; B < A] - E[A; B > A], plus the same with A and B exchanged. To weight
            # a gamma variate of shape a by its value makes it one of shape a + 1, and for two
            # gammas P(B < A) is a regularized incomplete beta function of s / (s + t).
            a, b, s, t = SHAPES[i], SHAPES[j], law.scale[:, i], law.scale[:, j]
            difference = mean[:, i] * (2 * betainc(b, a + 1, s / (s + t)) - 1)
            difference = difference + mean[:, j] * (2 * betainc(a, b + 1, t / (s + t)) - 1)
            result = result + law.weight[:, i] * law.weight[:, j] * difference
    return result
