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
    "x0": pa.Column(float, _MINUS_1_TO_1, description="a coordinate"),
    "x1": pa.Column(float, _MINUS_1_TO_1, description="a coordinate"),
    "y": pa.Column(int, _BINARY, description="class"),
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
    description="the hour, in UTC",
)

SCHEMAS = {
    "rainfall": pa.DataFrameSchema(
        {
            "hour": pa.Column(float, _SHARE, description="time of day, from 0 to 1"),
            "cloud": pa.Column(float, _SHARE, description="cloud cover"),
            "pressure": pa.Column(float, description="air pressure, standardized"),
            "noise_0": pa.Column(float, description="no influence"),
            "noise_1": pa.Column(float, description="no influence"),
            "noise_2": pa.Column(float, description="no influence"),
            "rain": pa.Column(
                float, pa.Check.ge(0), description="amount of rain, without unit; 0 when dry"
            ),
        },
        strict=True,
    ),
    "house_prices": pa.DataFrameSchema(
        {
            "area": pa.Column(float, pa.Check.gt(0), description="living area, m²"),
            "age": pa.Column(
                float, pa.Check.in_range(0, 100), description="years since it was built"
            ),
            "distance": pa.Column(float, pa.Check.ge(0), description="to the center, km"),
            "garden": pa.Column(int, _BINARY, description="whether there is one"),
            "noise_0": pa.Column(float, description="no influence"),
            "noise_1": pa.Column(float, description="no influence"),
            "price": pa.Column(float, pa.Check.gt(0), description="price, in thousands"),
        },
        strict=True,
    ),
    "traffic_camera": pa.DataFrameSchema(
        {
            "image_id": pa.Column(
                int,
                pa.Check.in_range(0, 1796),
                description="number of the picture among scikit-learn's digits",
            ),
            "speed_limit": pa.Column(
                int, pa.Check.isin(range(30, 100, 10)), description="what the sign says, km/h"
            ),
            "measured_speed": pa.Column(float, description="by the camera, km/h"),
            "hour": pa.Column(int, _HOUR, description="of the day"),
            "school_zone": pa.Column(int, _BINARY, description="whether the road is at a school"),
            "weather": pa.Column(
                str, pa.Check.isin(["dry", "rain", "snow"]), description="on the road"
            ),
            "label": pa.Column(int, _BINARY, description="violation or incident, by `metadata`"),
            "top": pa.Column(
                int, pa.Check.ge(0), description="first row of the sign in its picture, pixels"
            ),
            "left": pa.Column(int, pa.Check.ge(0), description="first column of the sign, pixels"),
        },
        strict=True,
    ),
    "restaurant_reviews": pa.DataFrameSchema(
        {
            "text": pa.Column(str, pa.Check.str_length(min_value=1), description="the review"),
            "meal": pa.Column(
                str, pa.Check.isin(["breakfast", "lunch", "dinner"]), description="of the visit"
            ),
            "price": pa.Column(int, pa.Check.in_range(1, 4), description="level of prices"),
            "wait": pa.Column(int, pa.Check.in_range(0, 40), description="waiting, minutes"),
            "meaning": pa.Column(float, description="what the clauses add up to; the oracle's"),
            "liked": pa.Column(int, _BINARY, description="whether the guest liked it"),
        },
        strict=True,
    ),
    "prescriptions": pa.DataFrameSchema(
        {
            "balance": pa.Column(
                float, description="how much more the stomach is at risk than the liver"
            ),
            "severity": pa.Column(float, description="of the illness"),
            "noise_0": pa.Column(float, description="no influence"),
            "noise_1": pa.Column(float, description="no influence"),
            r"vote_\d+": pa.Column(
                str, _DRUG, regex=True, description="drug that this expert prescribed"
            ),
            "state": pa.Column(
                str, _STATE, description="what is true, which no expert writes down"
            ),
        },
        strict=True,
    ),
    "book_prescriptions": pa.DataFrameSchema(
        {
            "jaundice": pa.Column(int, pa.Check.isin([0, 1]), description="had jaundice"),
            "ulcer": pa.Column(int, pa.Check.isin([0, 1]), description="has an ulcer"),
            "prescription": pa.Column(str, _DRUG, description="drug that was prescribed"),
            "state": pa.Column(str, _STATE, description="what is true"),
        },
        strict=True,
    ),
    "bike_rentals": pa.DataFrameSchema(
        {
            "start": pa.Column(str, _UTC_TEXT, description="start of the ride, in UTC"),
            "station": pa.Column(
                str, pa.Check.str_length(min_value=1), description="where it starts"
            ),
            "weather": pa.Column(
                str, pa.Check.isin(["clear", "cloud", "rain"]), description="at the start"
            ),
            "temperature": pa.Column(
                float, pa.Check.in_range(-30, 50), nullable=True, description="at the start, °C"
            ),
            "end": pa.Column(str, _UTC_TEXT, description="end of the ride, in UTC"),
            "minutes": pa.Column(float, pa.Check.gt(0), description="duration, minutes"),
        },
        strict=True,
    ),
    "xor": pa.DataFrameSchema(_TWO_CLASSES, strict=True),
    "circle": pa.DataFrameSchema(_TWO_CLASSES, strict=True),
    "day_hour": pa.DataFrameSchema(
        {
            "day": pa.Column(str, _DAY_NAME, description="of the week"),
            "hour": pa.Column(int, _HOUR, description="of the day"),
            "demand": pa.Column(float, description="rentals or the like, without unit"),
        },
        strict=True,
    ),
    "overcrossing": pa.DataFrameSchema(
        {
            **{
                f"c{i}": pa.Column(int, pa.Check.in_range(0, 5), description="a category")
                for i in range(8)
            },
            "y": pa.Column(int, _BINARY, description="class"),
        },
        strict=True,
    ),
    "high_cardinality": pa.DataFrameSchema(
        {
            "user": pa.Column(int, pa.Check.ge(0), description="number of the user"),
            "item": pa.Column(int, pa.Check.ge(0), description="number of the item"),
            "rating": pa.Column(float, description="rating, without unit"),
        },
        strict=True,
    ),
    "slopes": pa.DataFrameSchema(
        {
            "group": pa.Column(int, pa.Check.ge(0), description="number of the group"),
            "x": pa.Column(float, description="a number"),
            "y": pa.Column(float, description="target"),
        },
        strict=True,
    ),
    "lat_lon": pa.DataFrameSchema(
        {
            "lat": pa.Column(float, pa.Check.in_range(40, 41), description="latitude, degrees"),
            "lon": pa.Column(float, pa.Check.in_range(-74, -73), description="longitude, degrees"),
            "log_price": pa.Column(float, description="logarithm of the price, standardized"),
        },
        strict=True,
    ),
    "nyc_flights": pa.DataFrameSchema(
        {
            "year": pa.Column(int, _YEAR, description="of the scheduled departure"),
            "month": pa.Column(int, _MONTH, description="of the scheduled departure"),
            "day": pa.Column(int, _DAY, description="of the scheduled departure"),
            "dep_time": pa.Column(
                float, _CLOCK, nullable=True, description="departure, HHMM in New York"
            ),
            "sched_dep_time": pa.Column(
                int, _CLOCK, description="scheduled departure, HHMM in New York"
            ),
            "dep_delay": pa.Column(
                float, _DELAY, nullable=True, description="departure delay, minutes"
            ),
            "arr_time": pa.Column(
                float, _CLOCK, nullable=True, description="arrival, HHMM at the destination"
            ),
            "sched_arr_time": pa.Column(
                int, _CLOCK, description="scheduled arrival, HHMM at the destination"
            ),
            "arr_delay": pa.Column(
                float,
                _DELAY,
                nullable=True,
                description="arrival delay, minutes; negative when early",
            ),
            "carrier": pa.Column(str, _CODE_2, description="code of the airline"),
            "flight": pa.Column(int, pa.Check.ge(1), description="flight number"),
            "tailnum": pa.Column(
                str, _TAIL_NUMBER, nullable=True, description="tail number of the plane"
            ),
            "origin": pa.Column(str, _NEW_YORK_AIRPORT, description="airport of departure"),
            "dest": pa.Column(str, _CODE_3, description="airport of destination"),
            "air_time": pa.Column(
                float,
                pa.Check.in_range(1, 1440),
                nullable=True,
                description="time in the air, minutes",
            ),
            "distance": pa.Column(int, pa.Check.in_range(1, 5000), description="miles"),
            "hour": pa.Column(int, _HOUR, description="of the scheduled departure, in New York"),
            "minute": pa.Column(int, _MINUTE, description="of the scheduled departure"),
            "time_hour": _HOUR_OF_2013,
        },
        strict=True,
        unique=["time_hour", "carrier", "flight"],
    ),
    "nyc_weather": pa.DataFrameSchema(
        {
            "origin": pa.Column(str, _NEW_YORK_AIRPORT, description="airport"),
            "year": pa.Column(int, _YEAR, description="of the observation"),
            "month": pa.Column(int, _MONTH, description="of the observation"),
            "day": pa.Column(int, _DAY, description="of the observation"),
            "hour": pa.Column(int, _HOUR, description="in New York"),
            "temp": pa.Column(float, _FAHRENHEIT, nullable=True, description="temperature, °F"),
            "dewp": pa.Column(float, _FAHRENHEIT, nullable=True, description="dew point, °F"),
            "humid": pa.Column(
                float, pa.Check.in_range(0, 100), nullable=True, description="relative humidity, %"
            ),
            "wind_dir": pa.Column(
                float,
                pa.Check.in_range(0, 360),
                nullable=True,
                description="direction of the wind, degrees",
            ),
            "wind_speed": pa.Column(float, _WIND, nullable=True, description="mph"),
            "wind_gust": pa.Column(float, _WIND, nullable=True, description="mph"),
            "precip": pa.Column(
                float, pa.Check.in_range(0, 5), description="precipitation within the hour, inches"
            ),
            "pressure": pa.Column(
                float, pa.Check.in_range(950, 1060), nullable=True, description="at sea level, mbar"
            ),
            "visib": pa.Column(float, pa.Check.in_range(0, 10), description="visibility, miles"),
            "time_hour": _HOUR_OF_2013,
        },
        strict=True,
        unique=["origin", "time_hour"],
    ),
    "nyc_planes": pa.DataFrameSchema(
        {
            "tailnum": pa.Column(str, _TAIL_NUMBER, unique=True, description="tail number"),
            "year": pa.Column(
                float, pa.Check.in_range(1950, 2013), nullable=True, description="of manufacture"
            ),
            "type": pa.Column(str, description="kind of aircraft"),
            "manufacturer": pa.Column(str, description="name"),
            "model": pa.Column(str, description="name"),
            "engines": pa.Column(int, pa.Check.in_range(1, 4), description="number of engines"),
            "seats": pa.Column(int, pa.Check.in_range(1, 600), description="number of seats"),
            "speed": pa.Column(
                float, pa.Check.gt(0), nullable=True, description="cruising speed, mph"
            ),
            "engine": pa.Column(str, description="kind of engine"),
        },
        strict=True,
    ),
    "nyc_airports": pa.DataFrameSchema(
        {
            "faa": pa.Column(str, _CODE_3, unique=True, description="code of the airport"),
            "name": pa.Column(str, description="of the airport"),
            "lat": pa.Column(float, pa.Check.in_range(-90, 90), description="latitude, degrees"),
            "lon": pa.Column(float, pa.Check.in_range(-180, 180), description="longitude, degrees"),
            "alt": pa.Column(int, pa.Check.in_range(-300, 15_000), description="altitude, feet"),
            "tz": pa.Column(int, pa.Check.in_range(-12, 14), description="hours from UTC"),
            "dst": pa.Column(
                str, pa.Check.isin(["A", "N", "U"]), description="rule of daylight saving time"
            ),
            "tzone": pa.Column(str, nullable=True, description="time zone"),
        },
        strict=True,
    ),
    "nyc_airlines": pa.DataFrameSchema(
        {
            "carrier": pa.Column(str, _CODE_2, unique=True, description="code of the airline"),
            "name": pa.Column(str, description="of the airline"),
        },
        strict=True,
    ),
}
