"""Feature cross: give a linear model the products of categories that it cannot form by itself.

A linear model adds up what the hour is worth and what the day is worth; that eight o'clock matters
on Monday and not on Sunday, it cannot say. A cross makes each combination a feature: the model
stays linear, convex and readable, and the interaction becomes a coefficient.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 2; hashing
as in Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

ENCODINGS = ("onehot", "onehot-dense", "ordinal")


def cross_keys(cells: pd.MultiIndex) -> NDArray[np.uint64]:
    """One 64-bit key a row, equal where all parts of the cell are equal, in the same order.

    The key depends on the texts alone, not on the process, the platform or the other rows. Parts
    are digested before they are combined, so no text can shift the border between them: "1_2" and
    "_3" is another cell than "1" and "_2_3". Two of V cells share a key by a chance of V² / 2⁶⁵.

    Parameters
    ----------
    cells : MultiIndex of n_samples rows
        A level for each part of the cross, which holds text; missing parts have the code -1.

    Returns
    -------
    array of shape (n_samples,)
    """
    # --8<-- [start:ex-key]
    key = np.zeros(len(cells), dtype=np.uint64)
    for texts, codes in zip(cells.levels, cells.codes, strict=True):
        digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
        numbers = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
        key ^= np.append(numbers, np.uint64(0))[codes]  # missing has the code -1: the last
        # Mixing between the parts makes their order count (the finalizer of splitmix64).
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(31)
    return key
    # --8<-- [end:ex-key]


def signal_kept(n_cells: int, n_bins: ArrayLike) -> NDArray[np.float64]:
    """Share of a cross's signal that is left when its cells are hashed: the collision law.

    Cells that share a bin share a coefficient. So of equally frequent cells with unrelated effects,
    and with plenty of rows, what is left is the number of bins in use, relative to cells. With as
    many bins as cells that is 63 %, with ten times as many 95 %.

    Parameters
    ----------
    n_cells : int
        Number of combinations that occur, not the product of the numbers of categories.
    n_bins : int or array-like of int
        The answer has its shape.

    Raises
    ------
    ValueError
        For a number below 1.
    """
    bins = np.asarray(n_bins, dtype=float)
    if n_cells < 1 or not np.all(bins >= 1):
        raise ValueError(f"n_cells and n_bins must be at least 1, got {n_cells} and {bins}")
    # --8<-- [start:ex-law]
    bins_in_use = bins * (1 - (1 - 1 / bins) ** n_cells)
    return np.asarray(bins_in_use / n_cells)
    # --8<-- [end:ex-law]


class FeatureCross(TransformerMixin, BaseEstimator):
    """One-hot encode combinations of categories, as scikit-learn's encoders do single ones.

    A category is its text: 7, 7.0 and "7" are the same, so a column that is read as float because
    values are missing keeps its meaning. A missing value is a category of its own. Add the single
    columns with `ColumnTransformer`, and regularize: crosses soon outnumber the rows.

    Parameters
    ----------
    crosses : list of tuples of str or int
        The columns of each cross, two or more, by name or by position.
    n_hash_bins : int of at least 1, default None
        None learns a vocabulary: an output column for each combination among the training rows; a
        combination that was not among them is all zeros. A number hashes each cross into so many
        output columns: nothing is learned or stored, new combinations find a place, and some share
        one (see `signal_kept`).
    encode : {"onehot", "onehot-dense", "ordinal"}, default "onehot"
        As in KBinsDiscretizer: a sparse or a dense matrix with an output column for each
        combination, or one column for each cross, with the number of the combination, for an
        encoder that follows. There, a combination that was not in training is -1.

    Attributes
    ----------
    columns_ : list of tuples of int, the positions of each cross's columns
    vocabularies_ : list of MultiIndex, the training combinations of each cross; without hashing

    Raises
    ------
    ValueError
        In ``fit``, for a parameter outside its range, a cross of fewer than two columns, an unknown
        column, and a continuous one: more different fractions than the square root of the rows.
    """

    def __init__(
        self,
        crosses: Sequence[Sequence[str | int]],
        n_hash_bins: int | None = None,
        *,
        encode: Literal["onehot", "onehot-dense", "ordinal"] = "onehot",
    ) -> None:
        self.crosses = crosses
        self.n_hash_bins = n_hash_bins
        self.encode = encode

    def fit(self, X: Any, y: object = None) -> Self:
        """Find the columns and, without hashing, learn which combinations there are."""
        bins = self.n_hash_bins
        if bins is not None and not (isinstance(bins, int | np.integer) and bins >= 1):
            raise ValueError(f"n_hash_bins must be None or an integer of at least 1, got {bins!r}")
        if self.encode not in ENCODINGS:
            raise ValueError(f"encode must be one of {ENCODINGS}, got {self.encode!r}")
        frame = self._frame(X, reset=True)
        self.columns_ = self._positions()
        for position in set().union(*self.columns_):
            _refuse_continuous(frame.iloc[:, position])
        if bins is None:
            cells = self._cells(frame)
            # --8<-- [start:ex-vocabulary]
            self.vocabularies_ = [cross.unique().sort_values() for cross in cells]
            # --8<-- [end:ex-vocabulary]
        return self

    def transform(self, X: Any) -> sparse.csr_matrix | NDArray[Any]:
        """Mark or number each row's combinations: (n_samples, n_output_columns)."""
        check_is_fitted(self)
        cells = self._cells(self._frame(X, reset=False))
        found: list[NDArray[np.integer[Any]]]
        if self.n_hash_bins is None:
            widths = [len(vocabulary) for vocabulary in self.vocabularies_]
            # --8<-- [start:ex-lookup]
            pairs = zip(self.vocabularies_, cells, strict=True)
            found = [vocabulary.get_indexer(cross) for vocabulary, cross in pairs]  # unseen: -1
            # --8<-- [end:ex-lookup]
        else:
            n_hash_bins = np.uint64(self.n_hash_bins)
            widths = [self.n_hash_bins] * len(cells)
            # --8<-- [start:ex-bins]
            found = [cross_keys(cross) % n_hash_bins for cross in cells]
            # --8<-- [end:ex-bins]
        column = np.column_stack(found).astype(np.int64)
        if self.encode == "ordinal":
            return column
        seen = column >= 0
        starts = np.cumsum([0, *widths])
        row_ends = np.append(0, np.cumsum(seen.sum(axis=1)))
        content = np.ones(row_ends[-1]), (column + starts[:-1])[seen], row_ends
        marks = sparse.csr_matrix(content, shape=(len(column), starts[-1]))
        return marks if self.encode == "onehot" else marks.toarray()

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Names such as ``hour=8 × dow=Mon``, and ``hour × dow, bin 17`` with hashing."""
        check_is_fitted(self)
        inputs = _check_feature_names_in(self, input_features)
        names: list[str] = []
        for i, positions in enumerate(self.columns_):
            parts = [inputs[position] for position in positions]
            if self.encode == "ordinal":
                names.append(" × ".join(parts))
                continue
            if self.n_hash_bins is not None:
                names += [f"{' × '.join(parts)}, bin {bin}" for bin in range(self.n_hash_bins)]
                continue
            for cell in self.vocabularies_[i]:
                shown = [f"{a}={_shown(value)}" for a, value in zip(parts, cell, strict=True)]
                names.append(" × ".join(shown))
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Categories come as numbers or text, and may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.string = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _frame(self, X: Any, reset: bool) -> pd.DataFrame:
        if isinstance(X, pd.DataFrame):  # each column keeps its own type
            return validate_data(self, X, reset=reset, skip_check_array=True)
        if isinstance(X, list | tuple):  # as they are: numpy would write None and NaN as text
            X = np.asarray(X, dtype=object)
        X = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        return pd.DataFrame(X)

    def _positions(self) -> list[tuple[int, ...]]:
        names = list(getattr(self, "feature_names_in_", []))
        known: dict[str | int, int] = {i: i for i in range(self.n_features_in_)}
        known |= {name: i for i, name in enumerate(names)}
        if isinstance(self.crosses, str) or len(self.crosses) == 0:
            raise ValueError(f"crosses must be a list of tuples of columns, got {self.crosses!r}")
        for cross in self.crosses:
            columns = [cross] if isinstance(cross, str | int) else list(cross)
            if len(set(columns)) < 2 or len(set(columns)) < len(columns):
                raise ValueError(
                    f"each of crosses must name two or more different columns, as in "
                    f"[('hour', 'dow')]; got {cross!r}"
                )
            unknown = [column for column in columns if column not in known]
            if unknown:
                raise ValueError(
                    f"crosses names columns that X does not have: {unknown}; it has "
                    f"{names or 'no names'}, n_features = {self.n_features_in_}"
                )
        return [tuple(known[column] for column in cross) for cross in self.crosses]

    def _cells(self, frame: pd.DataFrame) -> list[pd.MultiIndex]:
        """The combination of each row, for each cross: texts as levels, -1 for what is missing."""
        coded = {i: _texts(frame.iloc[:, i]) for i in set().union(*self.columns_)}
        parts = [zip(*(coded[i] for i in positions), strict=True) for positions in self.columns_]
        return [pd.MultiIndex(texts, codes, verify_integrity=False) for codes, texts in parts]


def _texts(column: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Code of each row, -1 where the value is missing, and the text of each code."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    codes, values = pd.factorize(column)
    if column.dtype == object and pd.api.types.infer_dtype(values) != "string":
        # pandas takes 1, 1.0 and True for one value, whichever comes first.
        codes, values = pd.factorize(column.map(_text, na_action="ignore"))
    return codes, [_text(value) for value in values]


def _text(value: object) -> str:
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_whole else value)  # type: ignore[call-overload]


def _refuse_continuous(column: pd.Series) -> None:
    """Categories repeat; fractions that are many and seldom repeat are measurements."""
    values = column.dropna().unique()
    fractions = [v for v in values if isinstance(v, float | np.floating) and not v.is_integer()]
    if len(fractions) > np.sqrt(len(column)):
        raise ValueError(
            f"column {column.name!r} is continuous: {len(fractions)} different fractions in "
            f"{len(column)} rows, such as {fractions[0]!s}; bucketize it first, for instance with "
            'KBinsDiscretizer(encode="ordinal"), or make it text if such numbers are names'
        )


def _shown(text: object) -> str:
    """A category in a name, in quotes where it could be taken for another name."""
    if not isinstance(text, str):
        return "missing"
    plain = text != "missing" and " × " not in text and '"' not in text
    return text if plain else json.dumps(text, ensure_ascii=False)
