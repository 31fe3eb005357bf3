"""Data sets, their schemas and their splits.

``load_*`` reads real data bundled with the package, ``make_*`` draws synthetic data whose true
distribution is known. Each returns a :class:`Dataset`. Where the data come from, under which
license and with which flaws is written in ``SOURCES.md``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets._bundled import DataIntegrityError as DataIntegrityError
    from datasets._dataset import Dataset as Dataset
    from datasets.crosses import CrossData as CrossData
    from datasets.crosses import make_circle as make_circle
    from datasets.crosses import make_day_hour as make_day_hour
    from datasets.crosses import make_high_cardinality as make_high_cardinality
    from datasets.crosses import make_lat_lon as make_lat_lon
    from datasets.crosses import make_overcrossing as make_overcrossing
    from datasets.crosses import make_xor as make_xor
    from datasets.crosses import overcrossing_pair as overcrossing_pair
    from datasets.nyc_flights import load_nyc_airlines as load_nyc_airlines
    from datasets.nyc_flights import load_nyc_airports as load_nyc_airports
    from datasets.nyc_flights import load_nyc_flights as load_nyc_flights
    from datasets.nyc_flights import load_nyc_planes as load_nyc_planes
    from datasets.nyc_flights import load_nyc_weather as load_nyc_weather
    from datasets.prescriptions import Prescriptions as Prescriptions
    from datasets.prescriptions import make_book_prescriptions as make_book_prescriptions
    from datasets.prescriptions import make_prescriptions as make_prescriptions
    from datasets.rainfall import Rainfall as Rainfall
    from datasets.rainfall import make_rainfall as make_rainfall
    from datasets.restaurant_reviews import RestaurantReviews as RestaurantReviews
    from datasets.restaurant_reviews import make_restaurant_reviews as make_restaurant_reviews
    from datasets.schemas import DataValidationError as DataValidationError
    from datasets.schemas import validate as validate
    from datasets.splits import split_by_group as split_by_group
    from datasets.splits import split_by_key as split_by_key
    from datasets.splits import split_forward as split_forward
    from datasets.traffic_camera import TrafficCamera as TrafficCamera
    from datasets.traffic_camera import make_traffic_camera as make_traffic_camera

# Each name's module is imported when the name is first asked for: a program that only makes rain
# does not pay for reading Parquet. The imports above say the same to type checkers.
_MODULE_OF = {
    "CrossData": "crosses",
    "DataIntegrityError": "_bundled",
    "DataValidationError": "schemas",
    "Dataset": "_dataset",
    "Prescriptions": "prescriptions",
    "Rainfall": "rainfall",
    "RestaurantReviews": "restaurant_reviews",
    "TrafficCamera": "traffic_camera",
    "load_nyc_airlines": "nyc_flights",
    "load_nyc_airports": "nyc_flights",
    "load_nyc_flights": "nyc_flights",
    "load_nyc_planes": "nyc_flights",
    "load_nyc_weather": "nyc_flights",
    "make_book_prescriptions": "prescriptions",
    "make_circle": "crosses",
    "make_day_hour": "crosses",
    "make_high_cardinality": "crosses",
    "make_lat_lon": "crosses",
    "make_overcrossing": "crosses",
    "make_prescriptions": "prescriptions",
    "make_rainfall": "rainfall",
    "make_restaurant_reviews": "restaurant_reviews",
    "make_traffic_camera": "traffic_camera",
    "make_xor": "crosses",
    "overcrossing_pair": "crosses",
    "split_by_group": "splits",
    "split_by_key": "splits",
    "split_forward": "splits",
    "validate": "schemas",
}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
