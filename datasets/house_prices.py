"""Synthetic house prices with a known distribution: skewed, and less certain for some houses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]

FEATURES = ("area", "age", "distance", "garden", "noise_0", "noise_1")


@dataclass(frozen=True, eq=False)
class HousePrices(Dataset):
    """House prices and their oracle: the log-normal distribution that each was drawn from.

    Every oracle method takes a frame ``X`` with the columns ``feature_names``; others are ignored.
    Prices ``y`` and levels are one number for all rows, an array of shape (n_samples,) with one for
    each row, or one of shape (n_samples, m) or (1, m). The answer has shape (n_samples,), or
    (n_samples, m) in the last case.
    """

    def oracle_mean(self, X: pd.DataFrame) -> FloatArray:
        """Return the expected price: the prediction with the least squared error."""
        mu, sigma = _law(X)
        mean: FloatArray = np.exp(mu + sigma**2 / 2)
        return mean

    def oracle_cdf(self, X: pd.DataFrame, y: npt.ArrayLike) -> FloatArray:
        """Return the probability of a price of at most ``y``."""
        y, mu, sigma = _aligned(X, y)
        cdf: FloatArray = ndtr((_log(y) - mu) / sigma)
        return cdf

    def oracle_quantile(self, X: pd.DataFrame, level: npt.ArrayLike) -> FloatArray:
        """Return the price that is not exceeded with probability ``level``, in [0, 1).

        Raises
        ------
        ValueError
            If a level is outside [0, 1).
        """
        level, mu, sigma = _aligned(X, level)
        if not ((level >= 0) & (level < 1)).all():
            raise ValueError(f"level must lie in [0, 1), got {level.min()} to {level.max()}.")
        quantile: FloatArray = np.exp(mu + sigma * ndtri(level))
        return quantile

    def oracle_crps(self, X: pd.DataFrame, y: npt.ArrayLike) -> FloatArray:
        """Return the continuous ranked probability score of the true distribution at ``y``.

        Exact, in the closed form of Baran and Lerch [1]_.

        References
        ----------
        .. [1] S. Baran and S. Lerch (2015). "Log-normal distribution based Ensemble Model Output
           Statistics models for probabilistic wind-speed forecasting." Quarterly Journal of the
           Royal Meteorological Society 141.
        """
        y, mu, sigma = _aligned(X, y)
        z = (_log(y) - mu) / sigma
        above = ndtr(z - sigma) + ndtr(sigma / np.sqrt(2)) - 1
        crps: FloatArray = y * (2 * ndtr(z) - 1) - 2 * np.exp(mu + sigma**2 / 2) * above
        return crps


def make_house_prices(
    n_samples: int = 2000,
    *,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> HousePrices:
    """Draw houses whose prices are log-normal, with a spread that depends on the house.

    With ``Φ`` the normal distribution function, and ``noise_0`` and ``noise_1``, standard normal,
    without influence:

    - ``area`` in square meters is log-normal with median 100 and deviation 0.35 of its logarithm;
      ``age`` in years is uniform on [0, 100]; ``distance`` to the center in kilometers is a gamma
      variate of shape 2 and scale 4; ``garden`` is 0 or 1, equally likely;
    - the logarithm of ``price``, in thousands, is normal with the mean log(300) + log(area / 100)
      - 0.05 distance + 0.02 garden · distance - 0.006 min(age, 60) + 0.004 max(age - 60, 0);
    - its deviation is 0.05 + 0.2 Φ((age - 60) / 12) + 0.005 distance: some old houses are
      restored and others are not, and far from the center few are sold to compare with.

    The features explain much of the price, so bins of all prices are wide beside what remains
    uncertain of one house.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    HousePrices
        With ``frame`` of shape (n_samples, 7): the six features and ``price``.

    Raises
    ------
    ValueError
        If ``n_samples`` is less than 1.

    Examples
    --------
    >>> from datasets import make_house_prices
    >>> houses = make_house_prices(1000, random_state=0)
    >>> houses.X.head(3)
             area        age   distance  garden   noise_0   noise_1
    0  104.498818  84.187724   0.861498       0  1.452866 -1.411216
    1   95.481593  41.802900  21.593991       0 -0.378183 -0.906954
    2  125.125610  39.246782   5.964676       0  0.651416 -0.065808
    >>> houses.y.head(3).round(1).tolist()
    [137.8, 98.0, 217.7]
    >>> houses.oracle_mean(houses.X.head(3)).round(1)  # the best prediction of each price
    array([238.1,  76.8, 221. ])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    rng = np.random.default_rng(random_state)
    frame = pd.DataFrame(
        {
            "area": 100 * np.exp(0.35 * rng.normal(size=n_samples)),
            "age": rng.uniform(0, 100, size=n_samples),
            "distance": rng.gamma(2, 4, size=n_samples),
            "garden": rng.integers(2, size=n_samples),
            "noise_0": rng.normal(size=n_samples),
            "noise_1": rng.normal(size=n_samples),
        }
    )
    mu, sigma = _law(frame)
    frame["price"] = np.exp(mu + sigma * rng.normal(size=n_samples))
    return HousePrices(frame, FEATURES, ("price",))


def _law(X: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of the logarithm of each price."""
    missing = [name for name in FEATURES if name not in X]
    if missing:
        raise ValueError(f"X lacks the columns {missing}; it needs {list(FEATURES)}.")
    area, age, distance, garden = (X[name].to_numpy(dtype=float) for name in FEATURES[:4])
    mu = np.log(300) + np.log(area / 100) - 0.05 * distance + 0.02 * garden * distance
    mu = mu - 0.006 * np.minimum(age, 60) + 0.004 * np.maximum(age - 60, 0)
    return mu, 0.05 + 0.2 * ndtr((age - 60) / 12) + 0.005 * distance


def _aligned(X: pd.DataFrame, values: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, and the law of each row in a shape that fits them."""
    mu, sigma = _law(X)
    values = np.asarray(values, dtype=float)
    if values.shape not in ((), mu.shape) and (values.ndim != 2 or len(values) not in (1, len(mu))):
        raise ValueError(
            f"values of shape {values.shape} do not fit {len(mu)} rows of X: give a number, "
            f"({len(mu)},), ({len(mu)}, m) or (1, m)."
        )
    return (values, mu[:, None], sigma[:, None]) if values.ndim == 2 else (values, mu, sigma)


def _log(y: FloatArray) -> FloatArray:
    """Logarithm; of what no price can be, minus infinity."""
    return np.log(y, where=y > 0, out=np.full(y.shape, -np.inf))
