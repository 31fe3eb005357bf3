"""Counterfactuals: the smallest change found that makes the model decide otherwise.

The nearest row that is decided otherwise differs in nearly every feature. Take it as a start, and
undo every change that the other decision does not need.

Source: Wachter, Mittelstadt, Russell, "Counterfactual explanations without opening the black box"
(2018); the start is the nearest unlike neighbor of case-based reasoning.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Counterfactual:
    """What would have to be different.

    Attributes
    ----------
    decision, other : what the model decides of the row, and what it would decide
    changes : mapping of feature to (value of the row, other value)
    distance : float
        Sum, over the changed features, of the change in units of `spread`; a text that changes
        counts one.
    """

    decision: Hashable
    other: Hashable
    changes: dict[str, tuple[Any, Any]]
    distance: float


def counterfactuals(
    decide: Callable[[pd.DataFrame], ArrayLike],
    X: pd.DataFrame,
    candidates: pd.DataFrame,
    *,
    target: Hashable | None = None,
    immutable: Sequence[str] = (),
    n_starts: int = 5,
) -> list[Counterfactual | None]:
    """For each row, the nearest candidate that is decided otherwise, with few of its changes.

    The candidates are real rows, so no feature gets a value that no row has. Together the changed
    values need not occur. It says what the model would decide, not what a change would cause.

    Parameters
    ----------
    decide : function of rows that returns one decision per row, such as ``model.predict``
    X, candidates : frames of shapes (n_rows, n_features) and (n_candidates, n_features)
    target : decision, optional
        The decision that is wanted. The default is any other than that of the row.
    immutable : sequence of str
        Features that keep the value of the row, such as age. Candidates get that value before they
        are judged.
    n_starts : int, default 5
        How many of the nearest candidates to start from; the smallest change that is found counts.

    Returns
    -------
    list of n_rows Counterfactual
        None where no candidate is decided as wanted, and for a row that already is.

    Raises
    ------
    ValueError
        For columns that are not those of ``X``, for an immutable feature that is no column, and for
        less than one start.
    """
    if n_starts < 1:
        raise ValueError(f"n_starts must be at least 1, got {n_starts}")
    if list(candidates.columns) != list(X.columns):
        raise ValueError(f"X has the columns {[*X]} and candidates {[*candidates]}")
    if unknown := set(immutable) - {*X}:
        raise ValueError(f"immutable names {sorted(unknown)}, which are no columns of X")
    scale = spread(candidates)
    found: list[Counterfactual | None] = []
    for i, decision in enumerate(np.asarray(decide(X))):
        row = X.iloc[[i]]

        def wanted(rows: pd.DataFrame, decision: Any = decision) -> NDArray[np.bool_]:
            decided = np.asarray(decide(rows))
            return decided != decision if target is None else decided == target

        kept = {name: row[name].iloc[0] for name in immutable}
        possible = candidates.reset_index(drop=True).assign(**kept)
        unlike = possible[wanted(possible)]
        if wanted(row)[0] or not len(unlike):
            found.append(None)
            continue
        away = distances(row, unlike, scale)
        nearest = np.argsort(away.sum(axis=1), kind="stable")[:n_starts]
        tries = [_undo(wanted, row, unlike.iloc[[k]], away[k]) for k in nearest]
        other, away = min(tries, key=lambda one: one[1].sum())
        found.append(
            Counterfactual(
                decision=decision,
                other=np.asarray(decide(other))[0],
                changes={
                    str(name): (row[name].iloc[0], other[name].iloc[0])
                    for name, distance in zip(row.columns, away, strict=True)
                    if distance > 0
                },
                distance=float(away.sum()),
            )
        )
    return found


def spread(frame: pd.DataFrame) -> dict[str, float]:
    """Median absolute deviation of each number; where it is zero, the standard deviation, or one.

    Raises
    ------
    ValueError
        For a frame without rows.
    """
    if not len(frame):
        raise ValueError("candidates must have at least one row")
    found = {}
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            column = frame[name].to_numpy(dtype=float, na_value=np.nan)
            middle = np.nanmedian(np.abs(column - np.nanmedian(column)))
            found[str(name)] = float(middle or np.nanstd(column) or 1)
    return found


def distances(
    one: pd.DataFrame, rows: pd.DataFrame, scale: dict[str, float]
) -> NDArray[np.float64]:
    """How far each feature of each row is from one row, shape (n_rows, n_features).

    A number counts in units of ``scale``. A text that differs counts one, and so does a value that
    is missing in one of the two.
    """
    columns = []
    for name in rows:
        here, there = one[name].iloc[0], rows[name]
        gone = there.isna().to_numpy(bool)
        if name in scale and not pd.isna(here):
            away = np.abs(there.to_numpy(float, na_value=np.nan) - float(here)) / scale[name]
            columns.append(np.where(gone, 1.0, away))
        elif pd.isna(here):
            columns.append(np.where(gone, 0.0, 1.0))
        else:
            columns.append(np.where(gone, True, (there != here).to_numpy(bool)).astype(float))
    return np.stack(columns, axis=1)


def _undo(
    wanted: Callable[[pd.DataFrame], NDArray[np.bool_]],
    row: pd.DataFrame,
    other: pd.DataFrame,
    away: NDArray[np.float64],
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """The other row with needless changes undone, the largest first, and how far it is then."""
    both = pd.concat([row, other], ignore_index=True)
    taken = away > 0  # what comes from the other row

    def mixed(choices: NDArray[np.bool_]) -> pd.DataFrame:
        columns = enumerate(both.columns)
        return pd.DataFrame({name: both[name].array.take(choices[:, j] * 1) for j, name in columns})

    while taken.sum() > 1:
        changed = np.flatnonzero(taken)
        trials = np.tile(taken, (len(changed), 1))
        trials[np.arange(len(changed)), changed] = False
        possible = changed[wanted(mixed(trials))]
        if not len(possible):
            break
        taken[possible[np.argmax(away[possible])]] = False
    return mixed(taken[None]), np.where(taken, away, 0)
