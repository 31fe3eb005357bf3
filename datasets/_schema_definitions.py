"""The schema of every data set; kept apart because importing pandera takes a second."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

_CODE_2 = pa.Check.str_length(2, 2)
_CODE_3 = pa.Check.str_length(3, 3)
_TAIL_NUMBER = pa.Check.str_length(5, 6)
_NEW_YORK_AIRPORT = pa.Check.isin(["EWR", "JFK", "LGA"])
_SHARE = pa.Check.in_range(0, 1)
_CLOCK = pa.Check.in_range(1, 2400)  # HHMM; midnight is 2400
_DELAY = pa.Check.in_range(-120, 1440)  # minutes
_FAHRENHEIT = pa.Check.in_range(-30, 120)
_WIND = pa.Check.in_range(0, 150)  # mph
_YEAR, _MONTH = pa.Check.eq(2013), pa.Check.in_range(1, 12)
_DAY, _HOUR, _MINUTE = pa.Check.in_range(1, 31), pa.Check.in_range(0, 23), pa.Check.in_range(0, 59)
_DRUG = pa.Check.isin(["acetaminophen", "ibuprofen"])
_STATE = pa.Check.isin(["acetaminophen", "either", "ibuprofen"])
_DAY_NAME = pa.Check.isin(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
_BINARY = pa.Check.isin([0, 1])
_UTC_TEXT = pa.Check.str_matches(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", error="such as 2015-07-01T07:45:00Z"
)
_MINUS_1_TO_1 = pa.Check.in_range(-1, 1)
_TWO_CLASSES = {
    "x0": pa.Column(float, _MINUS_1_TO_1),
    "x1": pa.Column(float, _MINUS_1_TO_1),
    "y": pa.Column(int, _BINARY),
}
_HOUR_OF_2013 = pa.Column(
    pd.DatetimeTZDtype("us", "UTC"),
    [
        pa.Check.in_range(
            pd.Timestamp("2013-01-01 00:00", tz="America/New_York"),
            pd.Timestamp("2013-12-31 23:00", tz="America/New_York"),
            error="within 2013 in New York",
        ),
        pa.Check(lambda times: times == times.dt.floor("h"), error="on the hour"),
    ],
)

SCHEMAS = {
    "rainfall": pa.DataFrameSchema(
        {
            "hour": pa.Column(float, _SHARE),
            "cloud": pa.Column(float, _SHARE),
            "pressure": pa.Column(float),
            "noise_0": pa.Column(float),
            "noise_1": pa.Column(float),
            "noise_2": pa.Column(float),
            "rain": pa.Column(float, pa.Check.ge(0)),
        },
        strict=True,
    ),
    "house_prices": pa.DataFrameSchema(
        {
            "area": pa.Column(float, pa.Check.gt(0)),
            "age": pa.Column(float, pa.Check.in_range(0, 100)),
            "distance": pa.Column(float, pa.Check.ge(0)),
            "garden": pa.Column(int, _BINARY),
            "noise_0": pa.Column(float),
            "noise_1": pa.Column(float),
            "price": pa.Column(float, pa.Check.gt(0)),
        },
        strict=True,
    ),
    "traffic_camera": pa.DataFrameSchema(
        {
            "image_id": pa.Column(int, pa.Check.in_range(0, 1796)),
            "speed_limit": pa.Column(int, pa.Check.isin(range(30, 100, 10))),
            "measured_speed": pa.Column(float),
            "hour": pa.Column(int, _HOUR),
            "school_zone": pa.Column(int, _BINARY),
            "weather": pa.Column(str, pa.Check.isin(["dry", "rain", "snow"])),
            "label": pa.Column(int, _BINARY),
            "top": pa.Column(int, pa.Check.ge(0)),
            "left": pa.Column(int, pa.Check.ge(0)),
        },
        strict=True,
    ),
    "restaurant_reviews": pa.DataFrameSchema(
        {
            "text": pa.Column(str, pa.Check.str_length(min_value=1)),
            "meal": pa.Column(str, pa.Check.isin(["breakfast", "lunch", "dinner"])),
            "price": pa.Column(int, pa.Check.in_range(1, 4)),
            "wait": pa.Column(int, pa.Check.in_range(0, 40)),
            "meaning": pa.Column(float),
            "liked": pa.Column(int, _BINARY),
        },
        strict=True,
    ),
    "prescriptions": pa.DataFrameSchema(
        {
            "balance": pa.Column(float),
            "severity": pa.Column(float),
            "noise_0": pa.Column(float),
            "noise_1": pa.Column(float),
            r"vote_\d+": pa.Column(str, _DRUG, regex=True),
            "state": pa.Column(str, _STATE),
        },
        strict=True,
    ),
    "book_prescriptions": pa.DataFrameSchema(
        {
            "jaundice": pa.Column(int, pa.Check.isin([0, 1])),
            "ulcer": pa.Column(int, pa.Check.isin([0, 1])),
            "prescription": pa.Column(str, _DRUG),
            "state": pa.Column(str, _STATE),
        },
        strict=True,
    ),
    "bike_rentals": pa.DataFrameSchema(
        {
            "start": pa.Column(str, _UTC_TEXT),
            "station": pa.Column(str, pa.Check.str_length(min_value=1)),
            "weather": pa.Column(str, pa.Check.isin(["clear", "cloud", "rain"])),
            "temperature": pa.Column(float, pa.Check.in_range(-30, 50), nullable=True),
            "end": pa.Column(str, _UTC_TEXT),
            "minutes": pa.Column(float, pa.Check.gt(0)),
        },
        strict=True,
    ),
    "xor": pa.DataFrameSchema(_TWO_CLASSES, strict=True),
    "circle": pa.DataFrameSchema(_TWO_CLASSES, strict=True),
    "day_hour": pa.DataFrameSchema(
        {
            "day": pa.Column(str, _DAY_NAME),
            "hour": pa.Column(int, _HOUR),
            "demand": pa.Column(float),
        },
        strict=True,
    ),
    "overcrossing": pa.DataFrameSchema(
        {
            **{f"c{i}": pa.Column(int, pa.Check.in_range(0, 5)) for i in range(8)},
            "y": pa.Column(int, _BINARY),
        },
        strict=True,
    ),
    "high_cardinality": pa.DataFrameSchema(
        {
            "user": pa.Column(int, pa.Check.ge(0)),
            "item": pa.Column(int, pa.Check.ge(0)),
            "rating": pa.Column(float),
        },
        strict=True,
    ),
    "slopes": pa.DataFrameSchema(
        {
            "group": pa.Column(int, pa.Check.ge(0)),
            "x": pa.Column(float),
            "y": pa.Column(float),
        },
        strict=True,
    ),
    "lat_lon": pa.DataFrameSchema(
        {
            "lat": pa.Column(float, pa.Check.in_range(40, 41)),
            "lon": pa.Column(float, pa.Check.in_range(-74, -73)),
            "log_price": pa.Column(float),
        },
        strict=True,
    ),
    "nyc_flights": pa.DataFrameSchema(
        {
            "year": pa.Column(int, _YEAR),
            "month": pa.Column(int, _MONTH),
            "day": pa.Column(int, _DAY),
            "dep_time": pa.Column(float, _CLOCK, nullable=True),
            "sched_dep_time": pa.Column(int, _CLOCK),
            "dep_delay": pa.Column(float, _DELAY, nullable=True),
            "arr_time": pa.Column(float, _CLOCK, nullable=True),
            "sched_arr_time": pa.Column(int, _CLOCK),
            "arr_delay": pa.Column(float, _DELAY, nullable=True),
            "carrier": pa.Column(str, _CODE_2),
            "flight": pa.Column(int, pa.Check.ge(1)),
            "tailnum": pa.Column(str, _TAIL_NUMBER, nullable=True),
            "origin": pa.Column(str, _NEW_YORK_AIRPORT),
            "dest": pa.Column(str, _CODE_3),
            "air_time": pa.Column(float, pa.Check.in_range(1, 1440), nullable=True),
            "distance": pa.Column(int, pa.Check.in_range(1, 5000)),
            "hour": pa.Column(int, _HOUR),
            "minute": pa.Column(int, _MINUTE),
            "time_hour": _HOUR_OF_2013,
        },
        strict=True,
        unique=["time_hour", "carrier", "flight"],
    ),
    "nyc_weather": pa.DataFrameSchema(
        {
            "origin": pa.Column(str, _NEW_YORK_AIRPORT),
            "year": pa.Column(int, _YEAR),
            "month": pa.Column(int, _MONTH),
            "day": pa.Column(int, _DAY),
            "hour": pa.Column(int, _HOUR),
            "temp": pa.Column(float, _FAHRENHEIT, nullable=True),
            "dewp": pa.Column(float, _FAHRENHEIT, nullable=True),
            "humid": pa.Column(float, pa.Check.in_range(0, 100), nullable=True),
            "wind_dir": pa.Column(float, pa.Check.in_range(0, 360), nullable=True),
            "wind_speed": pa.Column(float, _WIND, nullable=True),
            "wind_gust": pa.Column(float, _WIND, nullable=True),
            "precip": pa.Column(float, pa.Check.in_range(0, 5)),
            "pressure": pa.Column(float, pa.Check.in_range(950, 1060), nullable=True),
            "visib": pa.Column(float, pa.Check.in_range(0, 10)),
            "time_hour": _HOUR_OF_2013,
        },
        strict=True,
        unique=["origin", "time_hour"],
    ),
    "nyc_planes": pa.DataFrameSchema(
        {
            "tailnum": pa.Column(str, _TAIL_NUMBER, unique=True),
            "year": pa.Column(float, pa.Check.in_range(1950, 2013), nullable=True),
            "type": pa.Column(str),
            "manufacturer": pa.Column(str),
            "model": pa.Column(str),
            "engines": pa.Column(int, pa.Check.in_range(1, 4)),
            "seats": pa.Column(int, pa.Check.in_range(1, 600)),
            "speed": pa.Column(float, pa.Check.gt(0), nullable=True),
            "engine": pa.Column(str),
        },
        strict=True,
    ),
    "nyc_airports": pa.DataFrameSchema(
        {
            "faa": pa.Column(str, _CODE_3, unique=True),
            "name": pa.Column(str),
            "lat": pa.Column(float, pa.Check.in_range(-90, 90)),
            "lon": pa.Column(float, pa.Check.in_range(-180, 180)),
            "alt": pa.Column(int, pa.Check.in_range(-300, 15_000)),
            "tz": pa.Column(int, pa.Check.in_range(-12, 14)),
            "dst": pa.Column(str, pa.Check.isin(["A", "N", "U"])),
            "tzone": pa.Column(str, nullable=True),
        },
        strict=True,
    ),
    "nyc_airlines": pa.DataFrameSchema(
        {
            "carrier": pa.Column(str, _CODE_2, unique=True),
            "name": pa.Column(str),
        },
        strict=True,
    ),
}
