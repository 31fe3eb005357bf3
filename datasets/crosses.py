"""Synthetic data sets whose truth is an interaction, or looks like one and is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]
RandomState = int | Sequence[int] | np.random.Generator | None

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
N_HOURS = 24
N_FEATURES, N_LEVELS = 8, 6  # of make_overcrossing


@dataclass(frozen=True, eq=False)
class CrossData(Dataset):
    """A data set and its oracle.

    Attributes
    ----------
    mean_of : function of the features, in the order of ``feature_names``
        The expected target of rows whose features are the arrays given.
    """

    mean_of: Callable[..., FloatArray]

    def oracle_mean(self, X: pd.DataFrame) -> FloatArray:
        """Return the expected target, of shape (n_samples,): the best prediction there is.

        For a target of 0 and 1 that is the true probability of 1.

        Raises
        ------
        ValueError
            If ``X`` lacks a feature.
        """
        missing = [name for name in self.feature_names if name not in X]
        if missing:
            raise ValueError(f"X lacks the columns {missing}; it needs {list(self.feature_names)}.")
        return self.mean_of(*(X[name].to_numpy() for name in self.feature_names))


def make_xor(
    n_samples: int = 1000, *, error_rate: float = 0.1, random_state: RandomState = None
) -> CrossData:
    """Draw points whose class is the sign of a product: neither feature alone says anything.

    ``x0`` and ``x1`` are uniform on [-1, 1]; ``y`` is 1 where x0 x1 > 0, and wrong in a share
    ``error_rate`` of all rows.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    error_rate : float
        Probability of a wrong label, from 0 up to, but not including, ½.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    CrossData
        With ``frame`` of shape (n_samples, 3).

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from datasets import make_xor
    >>> data = make_xor(1000, random_state=0)
    >>> data.frame.head(3)
             x0        x1  y
    0  0.273923 -0.460427  0
    1 -0.918053 -0.966945  1
    2  0.626540  0.825511  0
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the true chance of 1
    array([0.1, 0.9, 0.9])
    """
    return _two_classes(lambda x0, x1: x0 * x1 > 0, n_samples, error_rate, random_state)


def make_circle(
    n_samples: int = 1000, *, error_rate: float = 0.1, random_state: RandomState = None
) -> CrossData:
    """Draw points whose class is whether they lie in a circle: a sum of squares, not a product.

    It is often shown as a case for crosses, and is none: bins of each feature add up to it.
    ``x0`` and ``x1`` are uniform on [-1, 1]; ``y`` is 1 where x0² + x1² < 2 / pi, half of the
    square, and wrong in a share ``error_rate`` of all rows.

    Parameters, return value and errors are those of `make_xor`.

    Examples
    --------
    >>> from datasets import make_circle
    >>> data = make_circle(1000, random_state=0)
    >>> data.frame.head(3)
             x0        x1  y
    0  0.273923 -0.460427  0
    1 -0.918053 -0.966945  1
    2  0.626540  0.825511  0
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the true chance of 1
    array([0.9, 0.1, 0.1])
    """
    return _two_classes(
        lambda x0, x1: x0**2 + x1**2 < 2 / np.pi, n_samples, error_rate, random_state
    )


def _two_classes(
    rule: Callable[[FloatArray, FloatArray], npt.NDArray[np.bool_]],
    n_samples: int,
    error_rate: float,
    random_state: RandomState,
) -> CrossData:
    if not 0 <= error_rate < 0.5:
        raise ValueError(f"error_rate must lie in [0, 0.5), got {error_rate!r}.")

    def mean_of(x0: FloatArray, x1: FloatArray) -> FloatArray:
        return np.where(rule(x0, x1), 1 - error_rate, error_rate)

    rng = _generator(n_samples, random_state)
    X = rng.uniform(-1, 1, size=(n_samples, 2))
    frame = pd.DataFrame(X, columns=["x0", "x1"])
    frame["y"] = (rng.uniform(size=n_samples) < mean_of(X[:, 0], X[:, 1])).astype(int)
    return CrossData(frame, ("x0", "x1"), ("y",), mean_of)


def make_day_hour(
    n_samples: int = 1000, *, interaction: float = 1.0, random_state: RandomState = None
) -> CrossData:
    """Draw the demand of hours of the week, with or without an interaction of hour and day.

    Expected demand is 20 + f(day) + g(hour) + interaction x I(day, hour); what is drawn has noise
    of standard deviation 2. I is a commuter's week: two peaks on working days and one at midday on
    the others; it sums to 0 over each day and each hour, so main effects cannot express any of it.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1, each of a day and an hour drawn at random.
    interaction : float
        Size of the interaction. At 1, its standard deviation over the cells is 1; at 0, demand is
        the sum of what the day and the hour are worth.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    CrossData
        With ``frame`` of shape (n_samples, 3): ``day`` ("Mon" to "Sun"), ``hour`` (0 to 23) and
        ``demand``.

    Raises
    ------
    ValueError
        If ``n_samples`` is less than 1.

    Examples
    --------
    >>> from datasets import make_day_hour
    >>> data = make_day_hour(1000, random_state=0)
    >>> data.frame.head(3)
       day  hour     demand
    0  Sat    13  25.506122
    1  Fri     1  20.445830
    2  Thu     4  21.961726
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the expected demand
    array([25.34, 18.65, 17.55])
    """
    hours = np.arange(N_HOURS)
    peaks = [np.exp(-(((hours - peak) / 1.5) ** 2)) for peak in (8, 17.5, 13)]
    working = np.arange(7)[:, np.newaxis] < 5
    commute = _doubly_centered(np.where(working, peaks[0] + peaks[1], peaks[2]))
    of_day = np.array([0.5, 0.2, 0.3, 0.6, 1.4, -1.0, -2.0])
    of_hour = -3 * np.cos(2 * np.pi * (hours - 3) / N_HOURS)
    table = 20 + of_day[:, np.newaxis] + of_hour + interaction * commute / commute.std()

    def mean_of(day: npt.NDArray[np.object_], hour: npt.NDArray[np.int64]) -> FloatArray:
        return table[pd.Index(DAYS).get_indexer(pd.Index(day)), hour]

    rng = _generator(n_samples, random_state)
    day = np.array(DAYS, dtype=object)[rng.integers(7, size=n_samples)]
    hour = rng.integers(N_HOURS, size=n_samples)
    demand = mean_of(day, hour) + 2 * rng.normal(size=n_samples)
    frame = pd.DataFrame({"day": day.astype(str), "hour": hour, "demand": demand})
    return CrossData(frame, ("day", "hour"), ("demand",), mean_of)


def make_overcrossing(
    n_samples: int = 1000, *, n_pairs: int = 1, truth: int = 0, random_state: RandomState = None
) -> CrossData:
    """Draw rows of eight categories, of which one pair interacts, or several, or none.

    The log odds of ``y`` are the sum of an effect of each category, of standard deviation 0.3, and
    of each combination of ``n_pairs`` pairs, of standard deviation 1.5 in all. The latter sum to 0
    over each category of a pair, so main effects cannot express any of them. There are 28 pairs
    with 1,008 combinations, and 56 triples with 12,096: crosses outnumber the data quickly.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    n_pairs : int
        Number of pairs that interact, from 0 to 28, all equally strongly.
    truth : int
        Which truth: a seed of the effects and the pair. Rows of one truth and different
        ``random_state`` belong to one problem.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    CrossData
        With ``frame`` of shape (n_samples, 9): ``c0`` to ``c7`` (0 to 5) and ``y``. The names of
        the first interacting pair are `overcrossing_pair` of the same ``truth``.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from datasets import make_overcrossing
    >>> data = make_overcrossing(1000, random_state=0)
    >>> data.frame.head(3)
       c0  c1  c2  c3  c4  c5  c6  c7  y
    0   5   3   3   1   1   0   0   0  1
    1   1   4   3   5   3   3   5   4  0
    2   3   3   3   5   1   4   4   0  0
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the true chance of 1
    array([0.95, 0.12, 0.19])
    """
    pairs = _interacting_pairs(truth)
    if not 0 <= n_pairs <= len(pairs):
        raise ValueError(f"n_pairs must lie between 0 and {len(pairs)}, got {n_pairs!r}.")
    names = tuple(f"c{i}" for i in range(N_FEATURES))
    effects = _truth_generator(truth)
    single = 0.3 * effects.normal(size=(N_FEATURES, N_LEVELS))
    double = {}
    for pair in pairs[:n_pairs]:
        table = _doubly_centered(effects.normal(size=(N_LEVELS, N_LEVELS)))
        double[pair] = table * 1.5 / np.sqrt(n_pairs) / table.std()

    def mean_of(*columns: npt.NDArray[np.int64]) -> FloatArray:
        log_odds = sum(effect[column] for effect, column in zip(single, columns, strict=True))
        for (i, j), effect in double.items():
            log_odds = log_odds + effect[columns[i], columns[j]]
        probability: FloatArray = expit(log_odds)
        return probability

    rng = _generator(n_samples, random_state)
    X = rng.integers(N_LEVELS, size=(n_samples, N_FEATURES))
    frame = pd.DataFrame(X, columns=list(names))
    frame["y"] = (rng.uniform(size=n_samples) < mean_of(*X.T)).astype(int)
    return CrossData(frame, names, ("y",), mean_of)


def overcrossing_pair(truth: int = 0) -> tuple[str, str]:
    """Names of the two features that interact in `make_overcrossing`."""
    first, second = _interacting_pairs(truth)[0]
    return f"c{first}", f"c{second}"


def _interacting_pairs(truth: int) -> list[tuple[int, int]]:
    """All pairs of features, in the order in which they come to interact."""
    pairs, generator = list(combinations(range(N_FEATURES), 2)), _truth_generator(truth, 1)
    first = pairs.pop(generator.integers(len(pairs)))
    return [first, *(pairs[i] for i in generator.permutation(len(pairs)))]


def make_high_cardinality(
    n_samples: int = 100_000,
    *,
    n_levels: int = 300,
    rank: int | None = 2,
    truth: int = 0,
    random_state: RandomState = None,
) -> CrossData:
    """Draw pairs of a user and an item, whose effects have a low rank or none.

    With a ``rank``, users and items have that many hidden traits, and the expected rating is what
    they have in common: the sum of products of traits. With None, each pair has an effect of its
    own. Either way it is normal or a sum of products of normals, with standard deviation 1 over
    pairs; the noise has standard deviation 0.5.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1, each of a user and an item drawn at random.
    n_levels : int
        Number of users, and of items, at least 1.
    rank : int of at least 1, or None
        Number of hidden traits.
    truth : int
        Which truth: a seed of the effects.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    CrossData
        With ``frame`` of shape (n_samples, 3): ``user`` and ``item`` (from 0), and ``rating``.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from datasets import make_high_cardinality
    >>> data = make_high_cardinality(1000, random_state=0)
    >>> data.frame.head(3)
       user  item    rating
    0   255   166 -0.470256
    1   191    24  0.927172
    2   153    55 -0.828092
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the expected rating
    array([-0.51,  0.48, -1.93])
    """
    if n_levels < 1 or (rank is not None and rank < 1):
        raise ValueError(
            f"n_levels must be at least 1, got {n_levels!r}, and rank at least 1 or None, "
            f"got {rank!r}."
        )
    effects = _truth_generator(truth)
    if rank is None:
        table = effects.normal(size=(n_levels, n_levels))
    else:
        of_user, of_item = effects.normal(size=(2, n_levels, rank))
        table = of_user @ of_item.T / np.sqrt(rank)

    def mean_of(user: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> FloatArray:
        return table[user, item]

    rng = _generator(n_samples, random_state)
    user, item = rng.integers(n_levels, size=(2, n_samples))
    rating = mean_of(user, item) + 0.5 * rng.normal(size=n_samples)
    frame = pd.DataFrame({"user": user, "item": item, "rating": rating})
    return CrossData(frame, ("user", "item"), ("rating",), mean_of)


def make_slopes(
    n_samples: int = 1000,
    *,
    n_groups: int = 100,
    spread: float = 0.5,
    truth: int = 0,
    random_state: RandomState = None,
) -> CrossData:
    """Draw groups in which a number has slopes of its own: a category that interacts with it.

    The expected target is a level of the group, normal with standard deviation 1, plus ``x`` times
    a slope of the group, normal with mean 1 and standard deviation ``spread``. ``x`` and the noise
    are standard normal.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1, each of a group drawn at random.
    n_groups : int
        Number of groups, at least 1.
    spread : float
        Standard deviation of the slopes, at least 0; at 0 they are equal.
    truth : int
        Which truth: a seed of the levels and slopes.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    CrossData
        With ``frame`` of shape (n_samples, 3): ``group`` (from 0), ``x`` and ``y``.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from datasets import make_slopes
    >>> data = make_slopes(1000, random_state=0)
    >>> data.frame.head(3)
       group         x         y
    0     85  1.355438  0.769152
    1     63  0.002212  0.042946
    2     51 -0.790545 -0.645972
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the expected y
    array([ 1.22, -0.66, -1.16])
    """
    if n_groups < 1 or not spread >= 0:
        raise ValueError(
            f"n_groups must be at least 1, got {n_groups!r}, and spread at least 0, got {spread!r}."
        )
    level, deviation = _truth_generator(truth).normal(size=(2, n_groups))
    slope = 1 + spread * deviation

    def mean_of(group: npt.NDArray[np.int64], x: FloatArray) -> FloatArray:
        return level[group] + slope[group] * x

    rng = _generator(n_samples, random_state)
    group, x = rng.integers(n_groups, size=n_samples), rng.normal(size=n_samples)
    y = mean_of(group, x) + rng.normal(size=n_samples)
    frame = pd.DataFrame({"group": group, "x": x, "y": y})
    return CrossData(frame, ("group", "x"), ("y",), mean_of)


def make_lat_lon(
    n_samples: int = 3000, *, truth: int = 0, random_state: RandomState = None
) -> CrossData:
    """Draw places and their log prices: neighborhoods around twenty centers of different width.

    ``lat`` and ``lon`` are uniform on a square degree. The expected log price is a sum of twenty
    bells, each with a random center, a width of 0.05 to 0.2 degrees and a normal height, scaled to
    standard deviation 1; the noise has standard deviation 0.5.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    truth : int
        Which truth: a seed of the centers, widths and heights.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    CrossData
        With ``frame`` of shape (n_samples, 3): ``lat`` (40 to 41), ``lon`` (-74 to -73) and
        ``log_price``.

    Raises
    ------
    ValueError
        If ``n_samples`` is less than 1.

    Examples
    --------
    >>> from datasets import make_lat_lon
    >>> data = make_lat_lon(1000, random_state=0)
    >>> data.frame.head(3)
             lat        lon  log_price
    0  40.636962 -73.986992  -1.362440
    1  40.269787 -73.172237  -1.597526
    2  40.040974 -73.503757  -1.378515
    >>> data.oracle_mean(data.X.head(3)).round(2)  # the expected logarithm
    array([-2.13, -1.07, -1.05])
    """
    effects = _truth_generator(truth)
    lat_0, lon_0 = effects.uniform(size=(2, 20))
    width, height = effects.uniform(0.05, 0.2, size=20), effects.normal(size=20)

    def surface(lat: FloatArray, lon: FloatArray) -> FloatArray:
        square = np.subtract.outer(lat - 40, lat_0) ** 2 + np.subtract.outer(lon + 74, lon_0) ** 2
        return np.exp(-square / (2 * width**2)) @ height

    grid = np.meshgrid(*[np.linspace(0, 1, 101)] * 2)
    scale = surface(grid[0].ravel() + 40, grid[1].ravel() - 74).std()

    def mean_of(lat: FloatArray, lon: FloatArray) -> FloatArray:
        return surface(lat, lon) / scale

    rng = _generator(n_samples, random_state)
    lat, lon = 40 + rng.uniform(size=n_samples), -74 + rng.uniform(size=n_samples)
    log_price = mean_of(lat, lon) + 0.5 * rng.normal(size=n_samples)
    frame = pd.DataFrame({"lat": lat, "lon": lon, "log_price": log_price})
    return CrossData(frame, ("lat", "lon"), ("log_price",), mean_of)


def _doubly_centered(table: FloatArray) -> FloatArray:
    """What is left of a table without its row and column means."""
    centered: FloatArray = table - table.mean(axis=0)
    return centered - centered.mean(axis=1, keepdims=True)


def _truth_generator(truth: int, part: int = 0) -> np.random.Generator:
    """Return a generator that no ``random_state`` gives, so that rows do not depend on effects."""
    return np.random.default_rng(np.random.SeedSequence(truth, spawn_key=(part,)))


def _generator(n_samples: int, random_state: RandomState) -> np.random.Generator:
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    return np.random.default_rng(random_state)
