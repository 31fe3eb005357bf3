"""All flights that left New York City in 2013, and what is known of the weather and the planes.

The tables of the R package nycflights13 (CC0). Missing values are NaN. Numbers that may be missing
are floats and the others are 64-bit integers, because scikit-learn takes both as they are and
arithmetic on narrower integers wraps around. Texts are strings, not categories: the categories of a
whole year would tell a model trained on its first months which carriers and planes come later, and
joining two tables whose categories differ loses them anyway.

``time_hour`` is an instant, in UTC, at which an hour begins. In flights it is the hour of the
scheduled departure. In weather it is the hour *during* which the observation was made, at its 51st
minute as a rule. Joining on equal ``time_hour`` therefore hands a flight weather from its own
future: a model that predicts must join an earlier hour. Columns ``year`` to ``minute`` are New York
wall time, which on 3 November has the hour 1 twice: join on ``time_hour``.
"""

from __future__ import annotations

from collections.abc import Sequence

from datasets._bundled import read_bundled
from datasets._dataset import Dataset

_KNOWN_BEFORE_DEPARTURE = (
    "year",
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "distance",
    "hour",
    "minute",
    "time_hour",
)


def load_nyc_flights(columns: Sequence[str] | None = None) -> Dataset:
    """Load the 336,776 flights from EWR, JFK and LGA in 2013.

    The target is ``arr_delay``, in minutes, negative when early; it is missing for the 2.8 % of
    flights that were canceled or diverted. The features are what is known before departure. The
    other columns, ``dep_time``, ``dep_delay``, ``arr_time`` and ``air_time``, become known later.

    Columns: ``year``, ``month``, ``day``, ``hour``, ``minute`` of the scheduled departure and
    ``sched_dep_time``, ``dep_time`` (HHMM) in New York time; ``sched_arr_time``, ``arr_time``
    (HHMM) in the destination's time; ``dep_delay``, ``arr_delay``, ``air_time`` (minutes);
    ``distance`` (miles); ``carrier``, ``flight``, ``tailnum``, ``origin``, ``dest``; ``time_hour``
    (UTC).

    A row is identified by ``time_hour``, ``carrier`` and ``flight``. Rows are in the published
    order, which is **not** the order of time: the months run 1, 10, 11, 12, 2, ... 9.

    Parameters
    ----------
    columns : sequence of str, optional
        Read only these columns. The names of features and target shrink accordingly.

    Returns
    -------
    Dataset
        With ``frame`` of shape (336776, 19).

    Raises
    ------
    FileNotFoundError, DataIntegrityError
        If the bundled file is missing or altered.
    TypeError, ValueError
        If ``columns`` is not a list of distinct columns of the table.

    Examples
    --------
    >>> from datasets import load_nyc_flights
    >>> flights = load_nyc_flights()
    >>> flights.frame.shape
    (336776, 19)
    >>> flights.X[["time_hour", "carrier", "origin", "dest", "distance"]].head(3)
                      time_hour carrier origin dest  distance
    0 2013-01-01 10:00:00+00:00      UA    EWR  IAH      1400
    1 2013-01-01 10:00:00+00:00      UA    LGA  IAH      1416
    2 2013-01-01 10:00:00+00:00      AA    JFK  MIA      1089
    >>> flights.target_names, flights.y.head(3).tolist()
    (('arr_delay',), [11.0, 20.0, 33.0])
    """
    frame = read_bundled("nyc_flights", columns)
    return Dataset(
        frame,
        feature_names=tuple(name for name in frame.columns if name in _KNOWN_BEFORE_DEPARTURE),
        target_names=("arr_delay",) if "arr_delay" in frame else (),
    )


def load_nyc_weather(columns: Sequence[str] | None = None) -> Dataset:
    """Load 26,115 hourly observations at EWR, JFK and LGA in 2013.

    Columns: ``origin``; ``year``, ``month``, ``day``, ``hour`` (New York time); ``temp``, ``dewp``
    (°F); ``humid`` (%); ``wind_dir`` (degrees); ``wind_speed``, ``wind_gust`` (mph); ``precip``
    (inches within the hour); ``pressure`` (mbar at sea level); ``visib`` (miles); ``time_hour``
    (UTC).

    A row is identified by ``origin`` and ``time_hour``. Hours are missing: 75 in 45 gaps, and
    everything after 23:00 UTC on 30 December. There is no target: what to forecast, and how far
    ahead, is the user's question.

    Parameters, returns and errors are those of :func:`load_nyc_flights`; ``frame`` has shape
    (26115, 15).

    Examples
    --------
    >>> from datasets import load_nyc_weather
    >>> weather = load_nyc_weather().frame
    >>> weather[["origin", "time_hour", "temp", "wind_speed", "precip"]].head(3)
      origin                 time_hour   temp  wind_speed  precip
    0    EWR 2013-01-01 06:00:00+00:00  39.02    10.35702     0.0
    1    EWR 2013-01-01 07:00:00+00:00  39.02     8.05546     0.0
    2    EWR 2013-01-01 08:00:00+00:00  39.02    11.50780     0.0
    """
    return _table("nyc_weather", columns)


def load_nyc_planes(columns: Sequence[str] | None = None) -> Dataset:
    """Load the 3,322 planes of the flights, by ``tailnum``.

    Columns: ``tailnum``, ``year`` (of manufacture), ``type``, ``manufacturer``, ``model``,
    ``engines``, ``seats``, ``speed`` (mph, 99 % missing), ``engine``.

    15 % of the flights that have a ``tailnum`` have one that is not in this table.

    Parameters, returns and errors are those of :func:`load_nyc_flights`; ``frame`` has shape (3322,
    9).

    Examples
    --------
    >>> from datasets import load_nyc_planes
    >>> planes = load_nyc_planes().frame
    >>> planes[["tailnum", "year", "manufacturer", "engines", "seats"]].head(3)
      tailnum    year      manufacturer  engines  seats
    0  N10156  2004.0           EMBRAER        2     55
    1  N102UW  1998.0  AIRBUS INDUSTRIE        2    182
    2  N103US  1999.0  AIRBUS INDUSTRIE        2    182
    """
    return _table("nyc_planes", columns)


def load_nyc_airports(columns: Sequence[str] | None = None) -> Dataset:
    """Load 1,458 airports, by their ``faa`` code.

    Columns: ``faa``, ``name``, ``lat``, ``lon`` (degrees), ``alt`` (feet), ``tz`` (hours from UTC),
    ``dst``, ``tzone``.

    Four destinations of the flights are not in this table: BQN, PSE, SJU and STT.

    Parameters, returns and errors are those of :func:`load_nyc_flights`; ``frame`` has shape (1458,
    8).

    Examples
    --------
    >>> from datasets import load_nyc_airports
    >>> airports = load_nyc_airports().frame
    >>> airports[["faa", "name", "lat", "lon", "alt"]].head(3)
       faa                           name        lat        lon   alt
    0  04G              Lansdowne Airport  41.130472 -80.619583  1044
    1  06A  Moton Field Municipal Airport  32.460572 -85.680028   264
    2  06C            Schaumburg Regional  41.989341 -88.101243   801
    """
    return _table("nyc_airports", columns)


def load_nyc_airlines(columns: Sequence[str] | None = None) -> Dataset:
    """Load the names of the 16 carriers, by ``carrier``.

    Parameters, returns and errors are those of :func:`load_nyc_flights`; ``frame`` has shape (16,
    2).

    Examples
    --------
    >>> from datasets import load_nyc_airlines
    >>> load_nyc_airlines().frame.head(3)
      carrier                    name
    0      9E       Endeavor Air Inc.
    1      AA  American Airlines Inc.
    2      AS    Alaska Airlines Inc.
    """
    return _table("nyc_airlines", columns)


def _table(name: str, columns: Sequence[str] | None) -> Dataset:
    frame = read_bundled(name, columns)
    return Dataset(frame, feature_names=tuple(frame.columns), target_names=())
