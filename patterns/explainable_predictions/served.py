"""Explanations for a service: rows in, JSON out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def explainer(
    attribute: Callable[[pd.DataFrame], Any],
    counterfactual: Callable[[pd.DataFrame], Sequence[Any]] | None = None,
    *,
    n_top: int = 3,
    columns: Sequence[str] | None = None,
) -> Callable[[Sequence[Mapping[str, Any]]], list[dict[str, Any]]]:
    """Make a function that explains rows in types that JSON has.

    Parameters
    ----------
    attribute : function of a frame that returns attributions, such as
        ``lambda frame: explain(model, frame, baseline=rows)``
    counterfactual : function of a frame that returns one counterfactual, or None, per row, optional
    n_top : int, default 3
        How many features of each row are told; the others are summed.
    columns : sequence of str, optional
        Order of the columns of the frame; the default is the order in the first row.

    Returns
    -------
    function of a sequence of mappings that returns one dict per row
        ``outputs``: for each output its ``base_value``, the ``top`` features with ``value`` and
        ``attribution``, and the sum of all ``others``; with ``link`` and ``baseline``. With a
        counterfactual, ``counterfactual``: its ``decision`` and ``changes``, or None.

    Raises
    ------
    ValueError
        For ``n_top`` below one.
    """
    if n_top < 1:
        raise ValueError(f"n_top must be at least 1, got {n_top}")

    def answer(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        if not rows:
            return []
        frame = pd.DataFrame(list(rows), columns=None if columns is None else list(columns))
        found = attribute(frame)
        outputs = {name: found.output(name) for name in found.output_names}
        answers: list[dict[str, Any]] = [
            {
                "link": found.link,
                "baseline": found.baseline,
                "outputs": {name: _told(one, i, n_top) for name, one in outputs.items()},
            }
            for i in range(len(frame))
        ]
        if counterfactual is not None:
            for told, other in zip(answers, counterfactual(frame), strict=True):
                told["counterfactual"] = None if other is None else _changes(other)
        return answers

    return answer


def _told(one: Any, row: int, n_top: int) -> dict[str, Any]:
    values = one.values[row]
    order = np.argsort(-np.abs(values), kind="stable")
    return {
        "base_value": float(one.base_value),
        "top": [
            {
                "feature": str(one.feature_names[j]),
                "value": _plain(one.data.iloc[row, j]),
                "attribution": float(values[j]),
            }
            for j in order[:n_top]
        ],
        "others": float(values[order[n_top:]].sum()),
    }


def _changes(other: Any) -> dict[str, Any]:
    return {
        "decision": _plain(other.other),
        "changes": {
            str(name): {"from": _plain(old), "to": _plain(new)}
            for name, (old, new) in other.changes.items()
        },
    }


def _plain(value: Any) -> Any:
    """As JSON knows it; what is missing becomes None."""
    if pd.isna(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, str | int | float | bool) else str(value)
