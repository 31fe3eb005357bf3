"""What every ``load_*`` and ``make_*`` returns."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


# Without eq=False, == would compare the frames cell by cell and fail on the answer.
@dataclass(frozen=True, eq=False)
class Dataset:
    """A table and the roles of its columns.

    Attributes
    ----------
    frame : DataFrame of shape (n_samples, n_columns)
        The whole table. It may hold columns that are neither features nor targets: keys, or values
        that become known too late to predict from.
    feature_names : tuple of str
        Columns that a model may use.
    target_names : tuple of str
        Columns to predict; empty for a table that others are joined with.
    """

    frame: pd.DataFrame
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802
        """The features, of shape (n_samples, n_features)."""
        return self.frame[list(self.feature_names)]

    @property
    def y(self) -> pd.Series:
        """The only target, of shape (n_samples,).

        Raises
        ------
        ValueError
            If the data set has no target or several.
        """
        if len(self.target_names) != 1:
            raise ValueError(
                f"y needs exactly one target, and target_names is {self.target_names!r}; "
                "choose a column of frame instead."
            )
        return self.frame[self.target_names[0]]
