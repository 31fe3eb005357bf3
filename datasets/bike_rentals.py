"""Synthetic bicycle rentals in London: how long a ride takes depends on the hour of the wall clock.

The scenario is that of Lakshmanan, Robinson and Munn (2020), "Machine Learning Design Patterns",
chapter 6, whose data are London's public bicycle rentals. The rows are as a serving system gets
them: the start is a text in UTC, and from spring to autumn the wall clock is an hour ahead of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]

FEATURES = ("start", "station", "weather", "temperature")
ZONE = "Europe/London"

# For each station: its share of all rides, and how much longer than usual its rides take (minutes).
STATIONS = {
    "Bank": (0.16, -2.0),
    "Camden": (0.10, 1.0),
    "Greenwich": (0.05, 6.0),
    "Hyde Park": (0.17, 8.0),
    "Kings Cross": (0.18, -1.0),
    "Regents Park": (0.08, 5.0),
    "Soho": (0.12, -3.0),
    "Waterloo": (0.14, 0.0),
}
WEATHER = {"clear": 0.45, "cloud": 0.35, "rain": 0.20}
SHAPE = 8.0  # of the gamma distribution of a ride's minutes: deviation is 35 % of the mean


@dataclass(frozen=True, eq=False)
class BikeRentals(Dataset):
    """Rides, and the oracle: the true mean of a ride's minutes.

    Attributes
    ----------
    zone : str
        The time zone whose wall clock people live by, ``"Europe/London"``.
    """

    zone: ClassVar[str] = ZONE

    def oracle_mean(self, X: pd.DataFrame) -> FloatArray:
        """Return the true mean minutes of each ride, of shape (n_samples,).

        No prediction from these features has a smaller expected squared error. Where
        ``temperature`` is missing, it is the mean over what the temperature may have been.

        Parameters
        ----------
        X : frame with the columns ``feature_names``; others are ignored

        Raises
        ------
        ValueError
            If a column is missing, or a station or weather is none of those that were drawn from.
        """
        missing = [name for name in FEATURES if name not in X]
        if missing:
            raise ValueError(f"X lacks the columns {missing}; it needs {list(FEATURES)}.")
        for name, known in (("station", list(STATIONS)), ("weather", list(WEATHER))):
            if unknown := sorted(set(X[name]) - set(known)):
                raise ValueError(f"{name} has {unknown}; the oracle knows {known}.")
        local = pd.to_datetime(X["start"], utc=True).dt.tz_convert(ZONE)
        warmer = (X["temperature"].to_numpy(dtype=float) - _usual_temperature(local)).copy()
        warmer[np.isnan(warmer)] = 0.0
        commute, to_work, leisure = _means(local, X["station"], X["weather"], warmer)
        return commute * to_work + (1 - commute) * leisure


def make_bike_rentals(
    n_samples: int = 1000,
    *,
    since: str = "2015-01-01",
    until: str = "2016-01-01",
    missing_rate: float = 0.05,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> BikeRentals:
    """Draw rides with a known mean duration.

    A ride starts at any day from ``since`` to ``until``, with most rides around 8 and 17 o'clock on
    workdays and in the afternoon on weekends. It is a commute with a probability that depends on
    hour and weekday of the London wall clock: 0.85 in the hours 7 to 9 and 16 to 18 of workdays,
    0.3 in the other hours from 6 to 20 of workdays, and 0.05 otherwise. With ``d`` the minutes that
    belong to the station, the mean minutes are

    - ``11 + d / 2`` for a commute,
    - ``26 + 2 d + 0.8 w`` for leisure, and 7 less in rain, where ``w`` is how many degrees it is
      warmer than usual, cut off at 9 and -9.

    The minutes follow a gamma distribution of shape 8 around that mean. Station and weather are
    drawn independently of everything else. The usual temperature is 11 °C with a swing of 8 over
    the year; the deviation from it is normal, 3 °C.

    Parameters
    ----------
    n_samples : int
        Number of rides, at least 1.
    since, until : str
        First day, and the day after the last one, such as ``"2015-01-01"``.
    missing_rate : float
        Share of rides whose temperature is missing, from 0 up to, but not including, 1.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    BikeRentals
        With ``frame`` of shape (n_samples, 6), in the order of time: the features ``start`` (a text
        such as ``"2015-07-01T07:45:00Z"``, in UTC), ``station``, ``weather``, ``temperature`` (°C,
        may be missing); ``end`` (like ``start``), which is known too late to predict from; and the
        target ``minutes``.

    Raises
    ------
    ValueError
        If a number is out of range or ``until`` is not after ``since``.

    Examples
    --------
    >>> from datasets import make_bike_rentals
    >>> rides = make_bike_rentals(1000, random_state=0)
    >>> rides.X.head(3)
                      start   station weather  temperature
    0  2015-01-01T06:38:00Z  Waterloo   clear    -0.932281
    1  2015-01-01T11:50:00Z      Bank   cloud     3.667512
    2  2015-01-02T07:27:00Z  Waterloo   clear     1.184164
    >>> rides.y.head(3).round(1).tolist()
    [17.4, 21.0, 6.1]
    >>> rides.oracle_mean(rides.X.head(3)).round(1)  # the best prediction of the minutes
    array([19.1, 18.5, 13. ])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    if not 0 <= missing_rate < 1:
        raise ValueError(f"missing_rate must lie in [0, 1), got {missing_rate!r}.")
    days = pd.date_range(since, until, freq="D", inclusive="left")
    if len(days) == 0:
        raise ValueError(f"until must lie after since, got {since!r} and {until!r}.")
    rng = np.random.default_rng(random_state)
    local = _starts(days, n_samples, rng)
    station, weather = (
        pd.Series(rng.choice(list(share), n_samples, p=list(share.values())).astype(str))
        for share in ({name: share for name, (share, _) in STATIONS.items()}, WEATHER)
    )
    warmer = rng.normal(0, 3, n_samples)
    commute, to_work, leisure = _means(local, station, weather, warmer)
    mean = np.where(rng.uniform(size=n_samples) < commute, to_work, leisure)
    minutes = rng.gamma(SHAPE, mean / SHAPE)
    temperature = _usual_temperature(local) + warmer
    temperature[rng.uniform(size=n_samples) < missing_rate] = np.nan

    start = local.dt.tz_convert("UTC")
    end = (start + pd.to_timedelta(minutes, unit="min")).dt.floor("s")
    as_text = "%Y-%m-%dT%H:%M:%SZ"
    frame = pd.DataFrame(
        {
            "start": start.dt.strftime(as_text),
            "station": station,
            "weather": weather,
            "temperature": temperature,
            "end": end.dt.strftime(as_text),
            "minutes": minutes,
        }
    )
    return BikeRentals(frame, feature_names=FEATURES, target_names=("minutes",))


def _starts(days: pd.DatetimeIndex, n: int, rng: np.random.Generator) -> pd.Series:
    """Starts of rides on the London wall clock, to the minute, in order."""
    hours = np.arange(24)
    peaks = np.exp(-(((hours[:, None] - [8, 17]) / 1.5) ** 2)).sum(axis=1)
    workday = 0.15 * ((hours >= 6) & (hours < 23)) + peaks
    weekend = np.exp(-(((hours - 14) / 4) ** 2))
    day = rng.integers(0, len(days), n)
    is_weekend = days.day_of_week.to_numpy()[day] >= 5
    draw = rng.uniform(size=n)
    hour = np.empty(n, dtype=int)
    for chosen, weights in ((is_weekend, weekend), (~is_weekend, workday)):
        hour[chosen] = np.searchsorted(np.cumsum(weights) / weights.sum(), draw[chosen])
    minute = 60 * hour + rng.integers(0, 60, n)
    wall = pd.Series(days[day] + pd.to_timedelta(minute, unit="min")).sort_values()
    # The night in which the clock goes back has an hour twice, and in spring one is skipped.
    local = wall.dt.tz_localize(ZONE, ambiguous=np.zeros(n, bool), nonexistent="shift_forward")
    return local.reset_index(drop=True)


def _usual_temperature(local: pd.Series) -> FloatArray:
    day = local.dt.day_of_year.to_numpy(dtype=float)
    usual: FloatArray = 11 - 8 * np.cos(2 * np.pi * (day - 20) / 365.25)
    return usual


def _means(
    local: pd.Series, station: pd.Series, weather: pd.Series, warmer: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Probability of a commute, and the mean minutes of a commute and of leisure."""
    hour, workday = local.dt.hour.to_numpy(), local.dt.day_of_week.to_numpy() < 5
    is_peak = np.isin(hour, [7, 8, 9, 16, 17, 18])
    is_day = (hour >= 6) & (hour <= 20)
    commute = np.where(workday & is_peak, 0.85, np.where(workday & is_day, 0.3, 0.05))
    minutes = {name: minutes for name, (_, minutes) in STATIONS.items()}
    longer = station.map(minutes).to_numpy(dtype=float)
    rain = (weather == "rain").to_numpy()
    leisure = 26 + 2 * longer + 0.8 * np.clip(warmer, -9, 9) - 7 * rain
    return commute, 11 + longer / 2, leisure
