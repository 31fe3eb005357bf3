"""Reading the Parquet files that are committed beside the code."""

from __future__ import annotations

import difflib
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parent / "data"
CHECKSUMS = "SHA256SUMS"  # in the format of the sha256sum command

_REMEDY = (
    "Restore the committed file with `git restore datasets/data`, "
    "or rebuild it as datasets/SOURCES.md describes."
)


class DataIntegrityError(ValueError):
    """A bundled file is not the one that was published with this version of the code."""


def read_checksums() -> dict[str, str]:
    """Return the expected SHA-256 of every bundled file, by file name.

    Raises
    ------
    FileNotFoundError
        If the list of checksums itself is missing.
    """
    lines = _read_bytes(CHECKSUMS).decode().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def read_bundled(name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read one bundled table after verifying its checksum.

    Parameters
    ----------
    name : str
        The file's name in ``datasets/data``, without ``.parquet``.
    columns : sequence of str, optional
        Read only these columns, in this order.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    DataIntegrityError
        If the file is not listed, or its content differs from what was committed.
    TypeError
        If ``columns`` is one string.
    ValueError
        If ``columns`` repeats a column or names one that the table does not have.
    """
    import pyarrow.parquet as pq

    file_name = f"{name}.parquet"
    content = _read_bytes(file_name)
    expected = read_checksums().get(file_name)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataIntegrityError(
            f"{DATA / file_name} has SHA-256 {found}, and {CHECKSUMS} expects {expected}. {_REMEDY}"
        )
    if columns is not None:
        _check_columns(name, columns, pq.read_schema(io.BytesIO(content)).names)
        columns = list(columns)
    return pd.read_parquet(io.BytesIO(content), columns=columns)


def _read_bytes(file_name: str) -> bytes:
    path = DATA / file_name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is part of this package, and it is missing. {_REMEDY}")
    return path.read_bytes()


def _check_columns(name: str, columns: Sequence[str], available: list[str]) -> None:
    if isinstance(columns, str):
        raise TypeError(f"columns must be a list of names, got the string {columns!r}.")
    unknown = [column for column in columns if column not in available]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), available, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"columns has {unknown}, which {name} does not have.{hint} It has {available}."
        )
    repeated = sorted({column for column in columns if list(columns).count(column) > 1})
    if repeated:
        raise ValueError(f"columns repeats {repeated}; name each column once.")
