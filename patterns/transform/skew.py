"""Statistics of data, and whether those of serving differ from those of training.

`describe` makes statistics of columns, as one summary that is ready for JSON. `compare` says which
columns differ by more than chance allows; the thresholds come from the numbers of rows. The
distances are those of TensorFlow Data Validation: Jensen-Shannon and L-infinity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Statistics = Mapping[str, Mapping[str, Mapping[str, Any]]]  # by stage and name
MAX_CATEGORIES = 1000  # that are counted one by one; rarer ones are counted together
REST = "(all others)"
UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)")


def describe(
    columns: Mapping[str, Mapping[str, Any]], like: Statistics | None = None
) -> dict[str, dict[str, dict[str, Any]]]:
    """Statistics of columns: type, missing and unique values, quantiles, counts.

    Parameters
    ----------
    columns : mapping of stage to mapping of name to column
        As ``Transform.columns`` gives them: a float array with NaN is a number, an Arrow array of
        texts a category, a datetime64 array a time.
    like : statistics, optional
        Of the training rows. Numbers are counted in their bins, and categories that were counted
        together stay together. Without it, bins hold a tenth of the numbers each.

    Returns
    -------
    dict of stage to dict of name to dict
        Ready for JSON.
    """
    like = like or {}
    return {
        stage: {name: _describe(c, like.get(stage, {}).get(name)) for name, c in of.items()}
        for stage, of in columns.items()
    }


def _describe(column: Any, like: Mapping[str, Any] | None) -> dict[str, Any]:
    if isinstance(column, pa.Array):
        return _describe_category(column, like)
    if column.dtype.kind == "M":
        known = column[~np.isnat(column)]
        ends = {"min": str(known.min()), "max": str(known.max())} if len(known) else {}
        return {**_head("time", column, known), **ends}
    known = np.sort(column[~np.isnan(column)])
    found = _head("number", column, known)
    edges = np.array(like["edges"] if like else [], dtype=np.float64)
    if len(known):
        quantiles = np.quantile(known, np.arange(21) / 20, method="inverted_cdf")
        found |= {"mean": float(known.mean()), "std": float(known.std())}
        found["quantiles"] = quantiles.tolist()
        if like is None:
            edges = np.unique(quantiles[2:-1:2])
            edges = edges[edges < known[-1]]
    # Bin i holds what is above edge i - 1 and at most edge i.
    below = [0, *np.searchsorted(known, edges, side="right").tolist(), len(known)]
    return {**found, "edges": edges.tolist(), "counts": np.diff(below).tolist()}


def _describe_category(column: pa.Array, like: Mapping[str, Any] | None) -> dict[str, Any]:
    known = column.drop_null()
    counted = pc.value_counts(known)
    values, numbers = (counted.field(i).to_pylist() for i in (0, 1))
    counts = sorted(zip(values, numbers, strict=True), key=lambda item: (-item[1], item[0]))
    kept = dict(counts[:MAX_CATEGORIES])
    if like and REST in like["counts"]:  # a value that is not among those may be new or not
        kept = {value: number for value, number in counts if value in like["counts"]}
    rest = len(known) - sum(kept.values())
    found = _head("category", column, counts) | {"missing": column.null_count}
    return {**found, "counts": {**kept, **({REST: rest} if rest else {})}}


def _head(kind: str, column: Any, known: Any) -> dict[str, Any]:
    unique = len(known) if kind == "category" else len(np.unique(known))
    n_missing = len(column) - len(known)
    return {"type": kind, "rows": len(column), "missing": n_missing, "unique": unique}


def jensen_shannon(p: NDArray[Any], q: NDArray[Any]) -> NDArray[np.float64]:
    """Distance of two distributions over the last axis, from 0 to 1.

    The square root of the Jensen-Shannon divergence in bits (Lin 1991). ``p`` and ``q`` hold counts
    or probabilities; each is scaled to a sum of 1.
    """
    p, q = (np.asarray(a, dtype=np.float64) for a in (p, q))
    p, q = (a / a.sum(axis=-1, keepdims=True) for a in (p, q))
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (np.where(a > 0, a * np.log2(a / middle), 0.0) for a in (p, q))
        divergence = sum(part.sum(axis=-1) for part in parts) / 2
    return np.sqrt(np.clip(divergence, 0.0, 1.0))


def l_infinity(p: NDArray[Any], q: NDArray[Any]) -> NDArray[np.float64]:
    """Largest difference between the shares of one value; arguments as for `jensen_shannon`."""
    p, q = (np.asarray(a, dtype=np.float64) for a in (p, q))
    shares = (a / a.sum(axis=-1, keepdims=True) for a in (p, q))
    return np.abs(np.subtract(*shares)).max(axis=-1)


def _new(training: NDArray[Any], serving: NDArray[Any]) -> NDArray[np.float64]:
    """Share of serving rows whose value the training rows do not have."""
    return np.where(training == 0, serving, 0).sum(axis=-1) / serving.sum(axis=-1)


DISTANCES = {"jensen_shannon": jensen_shannon, "l_infinity": l_infinity, "new_values": _new}


def compare(
    training: Statistics,
    serving: Statistics,
    *,
    rate: float = 0.01,
    tolerance: float = 0.0,
    random_state: int = 0,
) -> pd.DataFrame:
    """Which columns of the serving rows differ from the training rows by more than chance allows.

    Suppose that all rows come from one source. Then the serving rows are any of the rows, and the
    counts of both together, dealt again at random, show how large a distance gets by chance. A
    distance is an alarm when it exceeds all but the largest of these; how many, follows from
    ``rate``, divided by the number of distances that are looked at (Bonferroni).

    Parameters
    ----------
    training, serving : statistics by stage and name
        From `describe`, the second with ``like=`` the first.
    rate : float
        Largest share of comparisons with any alarm when nothing has changed: rows that are
        independent and from the same source.
    tolerance : float
        A Jensen-Shannon distance up to this is no alarm, however sure it is. Among many rows every
        real change is sure.
    random_state : int
        Of the random deals.

    Returns
    -------
    DataFrame, one row per distance, the largest relative to its threshold first
        ``stage``, ``name``, ``distance`` ("jensen_shannon", of categories also "l_infinity" and
        "new_values", and "missing"), ``value``, ``threshold``, ``alarm``.

    Raises
    ------
    ValueError
        When the two do not describe the same columns, and for a rate outside (0, 1).
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must lie strictly between 0 and 1, got {rate!r}")
    if not tolerance >= 0:
        raise ValueError(f"tolerance must not be negative, got {tolerance!r}")
    tables = list(_tables(training, serving))
    n_tests = max(sum(len(distances) for *_, distances in tables), 1)
    # So many deals that the threshold is the second largest of them, or a smaller one.
    n_deals = math.ceil(2 * n_tests / rate)
    rank = math.floor(rate / n_tests * (n_deals + 1))
    rng = np.random.default_rng(random_state)
    rows = []
    for stage, name, counts, distances in tables:
        pooled = counts.sum(axis=0)
        dealt = rng.multivariate_hypergeometric(pooled, counts[1].sum(), n_deals, "marginals")
        for distance in distances:
            measure = DISTANCES.get(distance, l_infinity)
            value = float(measure(counts[0], counts[1]))
            by_chance = np.partition(measure(pooled - dealt, dealt), n_deals - rank)
            threshold = float(by_chance[n_deals - rank])
            if distance == "jensen_shannon":
                threshold = max(threshold, tolerance)
            rows.append((stage, name, distance, value, threshold, value > threshold))
    names = ["stage", "name", "distance", "value", "threshold", "alarm"]
    table = pd.DataFrame(rows, columns=names)
    excess = table["value"] / table["threshold"].clip(lower=1e-9)
    return table.iloc[np.argsort(-excess.to_numpy(), kind="stable")].reset_index(drop=True)


def _tables(training: Statistics, serving: Statistics) -> Any:
    """For each column the counts of both, aligned, and the distances that make sense for it."""
    for stage in training:
        if stage not in serving or training[stage].keys() != serving[stage].keys():
            raise ValueError(
                f"both must describe the same columns; training has {_names(training)}, "
                f"serving {_names(serving)}"
            )
        for name, before in training[stage].items():
            now = serving[stage][name]
            if (before["type"], before.get("edges")) != (now["type"], now.get("edges")):
                raise ValueError(
                    f"{name!r} is described in other bins or as another type; describe the "
                    "serving rows with like= the statistics of the training rows"
                )
            known = np.array([[s["rows"] - s["missing"], s["missing"]] for s in (before, now)])
            if known.sum(axis=1).min() == 0:
                continue  # no rows
            if known[:, 1].any():
                yield stage, name, known, ("missing",)
            if known[:, 0].min() == 0 or before["type"] == "time":
                continue
            if before["type"] == "category":
                values = list(before["counts"] | now["counts"])
                counts = [[s["counts"].get(v, 0) for v in values] for s in (before, now)]
                distances = ("jensen_shannon", "l_infinity", "new_values")
                yield stage, name, np.array(counts), distances
            else:
                yield stage, name, np.array([before["counts"], now["counts"]]), ("jensen_shannon",)


def _names(statistics: Statistics) -> list[str]:
    return [name for of in statistics.values() for name in of]


def infer_schema(table: Any) -> list[dict[str, Any]]:
    """What the columns of a table seem to be: the arguments of an ``Input`` for each.

    A text is a time if each of its values looks like one, with its zone. Ranges and closed lists of
    categories are for you to add: rows do not tell what else may come.

    Parameters
    ----------
    table : pyarrow Table, pandas frame or mapping of name to values

    Returns
    -------
    list of {"name": ..., "type": ..., "nullable": ...}

    Raises
    ------
    ValueError
        For a column that holds neither numbers nor texts nor times, or no value at all.
    """
    found = []
    names = table.column_names if isinstance(table, pa.Table) else list(table)
    for name in names:
        values = table[name]
        is_arrow = isinstance(values, pa.Array | pa.ChunkedArray)
        array = values if is_arrow else pa.array(values, from_pandas=True)
        known = array.drop_null()
        n_missing = len(array) - len(known)
        kind, column = None, known.type
        if pa.types.is_integer(column) or pa.types.is_floating(column):
            kind = "number"
            n_missing += pc.sum(pc.is_nan(known)).as_py() or 0
        elif pa.types.is_timestamp(column) and column.tz:
            kind = "time"
        elif str(column).startswith(("string", "large_string", "dictionary<values=string")):
            texts: Sequence[str] = known.unique().to_pylist()
            kind = "time" if all(map(UTC_TEXT.fullmatch, texts)) else "category"
        if kind is None or not len(known):
            raise ValueError(
                f"column {name!r} has the type {column} and {len(known)} values; an input has "
                "numbers, texts, or times with their zone"
            )
        found.append({"name": name, "type": kind, "nullable": n_missing > 0})
    return found
