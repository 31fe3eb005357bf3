"""Splits for rows that are not independent: by time, by group and by key.

Each returns positions of rows, as scikit-learn's splitters do: use them with ``frame.iloc``.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import operator
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

Indices = npt.NDArray[np.intp]


def split_forward(
    times: pd.Series | pd.DatetimeIndex | npt.NDArray[np.datetime64],
    boundaries: Sequence[str | datetime | np.datetime64],
    *,
    gap: str | pd.Timedelta | None = None,
) -> list[tuple[Indices, Indices]]:
    """Split into folds that train on the past and test on what comes next.

    Fold i trains on every row before ``boundaries[i]`` and tests on the rows from ``boundaries[i]``
    up to, but not including, ``boundaries[i + 1]``. Rows need not be sorted.

    Parameters
    ----------
    times : array-like of shape (n_samples,)
        Time of each row, as datetimes.
    boundaries : sequence of at least two times
        In increasing order. With a time zone if ``times`` have one, without if they have none.
    gap : str or Timedelta, optional
        Leave out of training what lies less than this before the boundary, such as ``"2h"``: rows
        whose target or lagged features reach into the test period.

    Returns
    -------
    list of (train, test)
        Positions of rows in increasing order, one pair for each two neighboring boundaries. The
        list is what scikit-learn takes as ``cv``.

    Raises
    ------
    TypeError
        If ``times`` are not datetimes.
    ValueError
        If a time is missing, boundaries are too few or out of order, time zones do not match, the
        gap is negative, or a fold has no rows to train on or none to test on.
    """
    when = pd.Index(times)
    if not isinstance(when, pd.DatetimeIndex):
        raise TypeError(
            f"times must be datetimes, got {when.dtype}; convert them with pandas.to_datetime."
        )
    if when.hasnans:
        rows = np.flatnonzero(when.isna())
        raise ValueError(f"times are missing in {len(rows)} rows, first at position {rows[0]}.")

    edges = [pd.Timestamp(boundary) for boundary in boundaries]
    if len(edges) < 2:
        raise ValueError(f"boundaries must be two times or more, got {len(edges)}.")
    for edge, written in zip(edges, boundaries, strict=True):
        if pd.isna(edge):
            raise ValueError(f"boundaries has a missing time: {written!r}.")
        if (edge.tzinfo is None) != (when.tz is None):
            zone = "no time zone" if when.tz is None else f"time zone {when.tz}"
            raise ValueError(
                f"times have {zone}, and the boundary {written!r} has "
                f"{'none' if edge.tzinfo is None else edge.tzinfo}; write boundaries as "
                f"{'2013-07-01' if when.tz is None else '2013-07-01T00:00Z'!r}, for instance."
            )
    for earlier, later in itertools.pairwise(edges):
        if earlier >= later:
            raise ValueError(f"boundaries must increase, and {earlier} is followed by {later}.")
    width = pd.Timedelta(0 if gap is None else gap)
    if not width >= pd.Timedelta(0):
        raise ValueError(f"gap must not be negative, got {gap!r}.")

    folds = []
    for start, end in itertools.pairwise(edges):
        train = np.flatnonzero(when < start - width)
        test = np.flatnonzero((when >= start) & (when < end))
        for part, rows in (("train on", train), ("test on", test)):
            if len(rows) == 0:
                raise ValueError(
                    f"The fold from {start} to {end} has no rows to {part}: times run from "
                    f"{when.min()} to {when.max()}, and gap is {gap!r}."
                )
        folds.append((train, test))
    return folds


def split_by_group(
    groups: npt.ArrayLike | pd.Series,
    *,
    test_size: float,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> tuple[Indices, Indices]:
    """Split at random, with no group on both sides and the nearest possible share of rows in test.

    scikit-learn's ``GroupShuffleSplit`` counts groups: where groups differ in size, a test_size of
    0.2 may hold 5 % of the rows or 60 %. Here ``test_size`` is a share of rows, and no other choice
    of groups comes nearer to it. Where groups are few and differ in size, the larger ones are
    tested on somewhat more often.

    Parameters
    ----------
    groups : array-like of shape (n_samples,)
        Label of each row's group: a plane, a day, a customer.
    test_size : float
        Share of rows to test on, between 0 and 1.
    random_state : int, sequence of int, Generator or None
        Decides which groups are tested on.

    Returns
    -------
    train, test
        Positions of rows, in increasing order; neither is empty.

    Raises
    ------
    ValueError
        If ``test_size`` is out of range, a label is missing, or there are fewer than two groups.
    """
    _check_test_size(test_size)
    codes, labels = pd.factorize(pd.Series(groups))
    if (codes < 0).any():
        raise ValueError(
            f"groups are missing in {(codes < 0).sum()} rows, first at position "
            f"{codes.argmin()}; drop those rows or give them a group."
        )
    if len(labels) < 2:
        raise ValueError(f"groups must be two or more to be on two sides, got {len(labels)}.")

    sizes = np.bincount(codes)
    wanted = test_size * len(codes)
    # Which numbers of rows can be reached by adding groups in random order, and which group was the
    # first to reach each?
    reached_by = np.full(len(codes), -1)
    reached = np.zeros(len(codes), dtype=bool)
    reached[0] = True
    for group in np.random.default_rng(random_state).permutation(len(sizes)):
        size = sizes[group]
        new = np.zeros_like(reached)
        new[size:] = reached[: len(reached) - size]
        new &= ~reached
        reached_by[new] = group
        reached |= new
    totals = np.flatnonzero(reached[1:]) + 1
    total = totals[np.abs(totals - wanted).argmin()]

    # Before a group reached a total, the rest had been reached by groups before it, so no group is
    # taken twice.
    chosen = []
    while total > 0:
        chosen.append(reached_by[total])
        total -= sizes[chosen[-1]]
    in_test = np.isin(codes, chosen)
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def split_by_key(
    keys: npt.ArrayLike | pd.Series | pd.DataFrame, *, test_size: float, salt: str = ""
) -> tuple[Indices, Indices]:
    """Split so that a key is on the same side for ever.

    A key's side depends on its text, ``salt`` and ``test_size``, and on nothing else: not on the
    other rows, their number or order, the process, the platform, or whether the key is stored as 7
    or as "7". New rows join without moving old ones, and a larger ``test_size`` only moves keys
    from train to test. The price: the share of *keys* in test is ``test_size`` only on average, and
    a side of a small data set can be empty.

    Parameters
    ----------
    keys : array-like of shape (n_samples,) or DataFrame of shape (n_samples, n_columns)
        Integers or strings. Rows of a frame with equal values in all columns have the same key.
    test_size : float
        Share of keys to test on, between 0 and 1.
    salt : str
        Another salt makes another, independent split.

    Returns
    -------
    train, test
        Positions of rows, in increasing order.

    Raises
    ------
    TypeError
        If a key is neither an integer nor a string.
    ValueError
        If ``test_size`` is out of range, a key is missing, or a frame has no columns.
    """
    _check_test_size(test_size)
    frame = keys if isinstance(keys, pd.DataFrame) else pd.Series(keys, name="keys").to_frame()
    if frame.shape[1] == 0:
        raise ValueError("keys must have at least one column, got a frame without.")
    columns = [_encoded(frame.iloc[:, i]) for i in range(frame.shape[1])]
    codes, unique = pd.factorize(functools.reduce(operator.add, columns))

    prefix = _netstring(salt)
    below = test_size * 2**64
    tested = np.array([_hash(prefix + key) < below for key in unique], dtype=bool)
    in_test = tested[codes]
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def _check_test_size(test_size: float) -> None:
    if not 0 < test_size < 1:
        raise ValueError(f"test_size must lie between 0 and 1, got {test_size!r}.")


def _encoded(column: pd.Series) -> npt.NDArray[np.object_]:
    """Return each key as bytes that no other sequence of keys can imitate when joined."""
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax())
        raise ValueError(
            f"{column.name} is missing in {column.isna().sum()} rows, first at position {row}; "
            "drop those rows, or fill them with a key of their own."
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype == object:
        # pandas counts 1, 1.0 and True as one value, so each must be checked before it looks.
        column = pd.Series([_text(key) for key in column], dtype=object)
    codes, unique = pd.factorize(column)
    encoded = np.empty(len(unique), dtype=object)
    encoded[:] = [_netstring(_text(key)) for key in unique]
    return encoded[codes]


def _text(key: object) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return str(int(key))
    hint = (
        " Whole numbers read as floats, as pandas does where some are missing: drop the missing "
        "rows and use astype('int64')."
        if isinstance(key, float | np.floating)
        else " Turn it into text in a form that never changes."
    )
    raise TypeError(f"keys must be integers or strings, got {key!r} ({type(key).__name__}).{hint}")


def _netstring(text: str) -> bytes:
    """Put the length first, so that "1_2" + "_3" and "1" + "_2_3" differ when joined."""
    content = text.encode()
    return b"%d:%b" % (len(content), content)


def _hash(key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")
