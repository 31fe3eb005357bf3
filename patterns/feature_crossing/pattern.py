"""Feature cross: give a linear model the products of categories that it cannot form by itself.

A linear model adds up what the hour is worth and what the day is worth. It cannot say that eight
o'clock matters on Monday and not on Sunday. A cross makes each combination a feature. The model
stays linear, convex and readable, and the interaction becomes a coefficient.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 2; hashing
as in Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009).
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

IntArray = NDArray[np.int64]
Vocabulary = list[tuple[int, IntArray]]

ENCODINGS = ("onehot", "onehot-dense", "ordinal")
MOST_BINS = np.iinfo(np.int32).max  # solvers of sparse problems number columns with 32 bits
MANY_FRACTIONS, MANY_NUMBERS = 50, 1000  # more of them look like a measurement


class Part(NamedTuple):
    """A column of a cross."""

    codes: IntArray  # of each row: the position of its text, -1 where it is missing
    texts: list[str]


def cross_keys(parts: Sequence[Part]) -> NDArray[np.uint64]:
    """One 64-bit key per row, equal where all parts of the cell are equal, in the same order.

    The key depends on the texts alone, not on the process, the platform or the other rows. Parts
    are digested before they are combined, so no text can shift the border between them: "1_2" and
    "_3" is another cell than "1" and "_2_3". Two of V cells share a key by a chance of V² / 2⁶⁵.

    Parameters
    ----------
    parts : sequence of Part, one per column of the cross

    Returns
    -------
    array of shape (n_samples,)
    """
    # --8<-- [start:ex-key]
    key = np.zeros(len(parts[0].codes), dtype=np.uint64)
    for codes, texts in parts:
        digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
        numbers = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
        key ^= np.append(numbers, np.uint64(0))[codes]  # missing has the code -1: the last
        # Mixing between the parts makes their order count (the finalizer of splitmix64).
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(31)
    return key
    # --8<-- [end:ex-key]


def learn_cells(rows: IntArray) -> Vocabulary:
    """Learn which combinations of codes there are, so that `find_cells` can find them.

    Column by column, a pair of two numbers becomes one number: no step exceeds 64 bits, however
    many columns and categories there are, and nothing but integers is sorted or searched.

    Parameters
    ----------
    rows : array of shape (n_samples, n_columns)
        Codes of at least 0; equal codes of a column mean equal categories.
    """
    # --8<-- [start:ex-vocabulary]
    vocabulary, number = [], np.zeros(len(rows), dtype=np.int64)
    for codes in rows.T:
        size = int(codes.max(initial=0)) + 1
        number, pairs = pd.factorize(number * size + codes, sort=True)
        beyond = np.iinfo(np.int64).max  # no pair reaches it, so a search always ends inside
        vocabulary.append((size, np.append(pairs, beyond)))
    return vocabulary
    # --8<-- [end:ex-vocabulary]


def find_cells(vocabulary: Vocabulary, rows: IntArray) -> IntArray:
    """Number of each row's combination among those that were learned; -1 if it is not there.

    Parameters
    ----------
    vocabulary : as `learn_cells` returned it
    rows : array of shape (n_samples, n_columns)
        Codes of at least 0; those that were not learned are found nowhere.

    Returns
    -------
    array of shape (n_samples,)
        From 0 on, sorted by the first column, then by the second, and so on.
    """
    # --8<-- [start:ex-lookup]
    number = np.zeros(len(rows), dtype=np.int64)
    for codes, (size, pairs) in zip(rows.T, vocabulary, strict=True):
        # Negative, and so found nowhere, for what an earlier column had not found either.
        pair = np.where(codes < size, number * size + codes, -1)
        place = np.searchsorted(pairs, pair)
        number = np.where(pairs[place] == pair, place, -1)
    return number
    # --8<-- [end:ex-lookup]


def signal_kept(n_cells: int, n_bins: ArrayLike) -> NDArray[np.float64]:
    """Share of a cross's signal that is left when its cells are hashed: the collision law.

    Cells that share a bin share a coefficient. So of equally frequent cells with unrelated effects,
    and with plenty of rows, what is left is the number of bins in use, relative to cells. With as
    many bins as cells that is 63 %, with ten times as many 95 %. `signal_kept_at` has the law for
    cells that are not equally frequent: they lose less.

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
    n_hash_bins : int from 1 to 2³¹ - 1, default None
        None learns a vocabulary: an output column for each combination among the training rows; a
        combination that was not among them is all zeros. A number hashes each cross into so many
        output columns: nothing is learned or stored, new combinations find a place, and some share
        one (see `signal_kept`).
    encode : {"onehot", "onehot-dense", "ordinal"}, default "onehot"
        As in KBinsDiscretizer: a sparse or a dense matrix with an output column for each
        combination, or one column for each cross, with the number of the combination, for an
        encoder that follows. There, a combination that was not in training is -1. Data frames as
        output (``set_output``) need one of the last two.
    min_frequency : int of at least 1 or float in (0, 1), default None
        Combinations in fewer training rows, or in a smaller share of them, have one output column
        together. If there are any, new combinations belong to it too.
    numeric_features : list of str or int, default ()
        Columns of crosses that are numbers and no categories. Then the output column of a
        combination holds their product instead of 1: a slope for each category. A missing number
        stays missing.

    Attributes
    ----------
    columns_ : list of tuples of int
        The positions of each cross's columns.
    numeric_columns_ : list of int
        The positions of the numeric features.
    n_columns_ : list of int
        The number of output columns of each cross.
    categories_ : list of dicts of str to int
        Without hashing: the categories of each column of X and their codes; none of a column that
        is in no cross.
    cells_ : list of arrays of shape (n_cells, n_categorical_columns)
        Without hashing: the combination that each output column stands for, as codes in
        ``categories_``; the number of categories where a value is missing.
    vocabularies_ : list of what `learn_cells` returned
        Without hashing.

    Raises
    ------
    ValueError
        In ``fit``, for a parameter outside its range, an unknown column, and a cross of fewer than
        two columns, without a category or of the same columns as another. In ``transform``, for a
        numeric feature that holds something else.

    Warns
    -----
    UserWarning
        In ``fit``, for a column of numbers that looks like a measurement: more than 50 different
        fractions or 1,000 different numbers. Text and pandas categories are never asked.
    """

    def __init__(
        self,
        crosses: Sequence[Sequence[str | int]],
        n_hash_bins: int | None = None,
        *,
        encode: Literal["onehot", "onehot-dense", "ordinal"] = "onehot",
        min_frequency: float | None = None,
        numeric_features: Sequence[str | int] = (),
    ) -> None:
        self.crosses = crosses
        self.n_hash_bins = n_hash_bins
        self.encode = encode
        self.min_frequency = min_frequency
        self.numeric_features = numeric_features

    def fit(self, X: Any, y: object = None) -> Self:
        """Find the columns and, without hashing, learn which combinations there are."""
        self._check_parameters()
        frame = self._frame(X, reset=True)
        self._find_columns()
        for position in self._categorical_columns():
            _warn_of_measurements(frame.iloc[:, position])
        if self.n_hash_bins is not None:
            self.n_columns_ = [int(self.n_hash_bins)] * len(self.columns_)
            return self
        parts = self._parts(frame, sort=True)
        texts = [parts[i].texts if i in parts else [] for i in range(frame.shape[1])]
        self.categories_ = [{text: code for code, text in enumerate(known)} for known in texts]
        self.n_columns_, self.cells_, self.vocabularies_ = [], [], []
        least = self.min_frequency or 1
        least = least if least >= 1 else least * len(frame)
        for rows in self._coded(parts):
            vocabulary = learn_cells(rows)
            number = find_cells(vocabulary, rows)
            frequent = np.bincount(number)[number] >= least
            if not frequent.all():
                rows = rows[frequent]
                vocabulary = learn_cells(rows)
                number = find_cells(vocabulary, rows)
            cells = np.empty((number.max(initial=-1) + 1, rows.shape[1]), dtype=np.int64)
            cells[number] = rows
            self.n_columns_.append(len(cells) + int(not frequent.all()))
            self.cells_.append(cells)
            self.vocabularies_.append(vocabulary)
        return self

    def transform(self, X: Any) -> sparse.csr_matrix | NDArray[Any]:
        """Mark or number each row's combinations: (n_samples, n_output_columns)."""
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        parts = self._parts(frame)
        if self.n_hash_bins is None:
            found = []
            for i, rows in enumerate(self._coded(parts)):
                number, n_cells = find_cells(self.vocabularies_[i], rows), len(self.cells_[i])
                infrequent = n_cells if n_cells < self.n_columns_[i] else -1
                found.append(np.where(number < 0, infrequent, number))
        else:
            n_hash_bins = np.uint64(self.n_hash_bins)
            cells = [[parts[i] for i in cross if i in parts] for cross in self.columns_]
            # --8<-- [start:ex-bins]
            found = [cross_keys(cross) % n_hash_bins for cross in cells]
            # --8<-- [end:ex-bins]
        column = np.column_stack(found).astype(np.int64)
        if self.encode == "ordinal":
            return column
        seen = column >= 0
        starts = np.cumsum([0, *self.n_columns_])
        row_ends = np.append(0, np.cumsum(seen.sum(axis=1)))
        values = self._products(frame)[seen] if self.numeric_columns_ else np.ones(row_ends[-1])
        content = values, (column + starts[:-1])[seen], row_ends
        marks = sparse.csr_matrix(content, shape=(len(column), starts[-1]))
        return marks if self.encode == "onehot" else marks.toarray()

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Names such as ``hour=8 × dow=Mon``, and ``hour × dow, bin 17`` with hashing."""
        inputs = [
            _quoted(name)
            for name in OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        ]
        names: list[str] = []
        for i, positions in enumerate(self.columns_):
            cross = " × ".join(inputs[position] for position in positions)
            if self.encode == "ordinal":
                names.append(cross)
            elif self.n_hash_bins is not None:
                names += [f"{cross}, bin {bin}" for bin in range(self.n_hash_bins)]
            else:
                names += self._cell_names(i, inputs)
                names += [f"{cross}, infrequent"] * (self.n_columns_[i] - len(self.cells_[i]))
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Categories come as numbers or text, and may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.string = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _check_parameters(self) -> None:
        bins, least, numeric = self.n_hash_bins, self.min_frequency, self.numeric_features
        if not (bins is None or (_is_whole(bins) and 1 <= bins <= MOST_BINS)):
            raise ValueError(
                f"n_hash_bins must be None or an integer from 1 to {MOST_BINS}, got {bins!r}"
            )
        if self.encode not in ENCODINGS:
            raise ValueError(f"encode must be one of {ENCODINGS}, got {self.encode!r}")
        is_share = isinstance(least, float | np.floating) and 0 < least < 1
        if not (least is None or is_share or (_is_whole(least) and least >= 1)):
            raise ValueError(
                f"min_frequency must be None, an integer of at least 1 or a float between 0 and 1, "
                f"got {least!r}"
            )
        if bins is not None and least is not None:
            raise ValueError("with n_hash_bins nothing is counted, so min_frequency must be None")
        if isinstance(numeric, str) or isinstance(self.crosses, str) or not len(self.crosses):
            raise ValueError(
                f"crosses must be a list of tuples of columns and numeric_features a list of "
                f"columns, got {self.crosses!r} and {numeric!r}"
            )
        if self.encode == "ordinal" and len(numeric):
            raise ValueError(
                'a number cannot be told by "ordinal": with numeric_features, take '
                'encode="onehot" or "onehot-dense"'
            )

    def _frame(self, X: Any, reset: bool) -> pd.DataFrame:
        if hasattr(X, "to_pandas"):  # polars, for instance
            X = X.to_pandas()
        if isinstance(X, pd.DataFrame):  # each column keeps its own type
            if reset and len(X) == 0:
                raise ValueError("Found array with 0 sample(s); a cross is learned from rows")
            return validate_data(self, X, reset=reset, skip_check_array=True)
        if isinstance(X, list | tuple):  # as they are: numpy would write None and NaN as text
            X = np.asarray(X, dtype=object)
        X = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        return pd.DataFrame(X)

    def _find_columns(self) -> None:
        """Set ``columns_`` and ``numeric_columns_``."""
        self.numeric_columns_ = self._positions("numeric_features", self.numeric_features)
        self.columns_: list[tuple[int, ...]] = []
        for cross in self.crosses:
            columns = [cross] if isinstance(cross, str | int) else cross
            positions = tuple(self._positions("crosses", columns))
            if len(set(positions)) < max(2, len(positions)):
                wrong = "must name two or more different columns, as in [('hour', 'dow')]"
            elif set(positions) <= set(self.numeric_columns_):
                wrong = "must name a category; PolynomialFeatures multiplies numbers alone"
            elif set(positions) in map(set, self.columns_):
                wrong = "must have columns that no other has"
            else:
                self.columns_.append(positions)
                continue
            raise ValueError(f"each of crosses {wrong}; got {cross!r}")
        if idle := set(self.numeric_columns_).difference(*self.columns_):
            raise ValueError(f"numeric_features must be columns of crosses; not so: {sorted(idle)}")

    def _positions(self, argument: str, columns: Any) -> list[int]:
        """Where the columns are that are given by name or position."""
        names = list(getattr(self, "feature_names_in_", []))
        known: dict[str | int, int] = {i: i for i in range(self.n_features_in_)}
        known |= {name: i for i, name in enumerate(names)}
        if unknown := [column for column in columns if column not in known]:
            raise ValueError(
                f"{argument} names columns that X does not have: {unknown}; it has "
                f"{names or 'no names'}, n_features = {self.n_features_in_}"
            )
        return [known[column] for column in columns]

    def _categorical_columns(self) -> list[int]:
        return sorted(set().union(*self.columns_) - set(self.numeric_columns_))

    def _parts(self, frame: pd.DataFrame, sort: bool = False) -> dict[int, Part]:
        """The crossed columns of categories, by position."""
        return {i: _part(frame.iloc[:, i], sort) for i in self._categorical_columns()}

    def _coded(self, parts: dict[int, Part]) -> list[IntArray]:
        """The combination of each row, for each cross, as codes in ``categories_``.

        A missing value has the code after the last, an unknown category the one after that.
        """
        codes = {}
        for i, part in parts.items():
            known, n = self.categories_[i], len(self.categories_[i])
            numbers = np.array([*(known.get(text, n + 1) for text in part.texts), n])
            codes[i] = numbers[part.codes]
        return [np.stack([codes[i] for i in cross if i in codes], 1) for cross in self.columns_]

    def _products(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """For each row and cross, the product of the numeric features."""
        numbers = {i: _numbers(frame.iloc[:, i]) for i in self.numeric_columns_}
        products = np.ones((len(frame), len(self.columns_)))
        for i, cross in enumerate(self.columns_):
            for position in set(cross) & set(numbers):
                products[:, i] *= numbers[position]
        return products

    def _cell_names(self, i: int, inputs: list[str]) -> list[str]:
        """The names of the combinations of one cross."""
        codes, names = iter(self.cells_[i].T.tolist()), []
        for position in self.columns_[i]:
            name = inputs[position]
            if position in self.numeric_columns_:
                names.append([name] * len(self.cells_[i]))
            else:
                shown = [f"{name}={_quoted(text)}" for text in self.categories_[position]]
                shown.append(f"{name}=missing")
                names.append([shown[code] for code in next(codes)])
        return [" × ".join(parts) for parts in zip(*names, strict=True)]


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _part(column: pd.Series, sort: bool) -> Part:
    """The text of each category: sorted by value, or in the order of a categorical column."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
    else:
        if column.dtype == object and pd.api.types.infer_dtype(column.unique()) != "string":
            # pandas takes 1, 1.0 and True for one value, whichever comes first.
            column = column.map(_text, na_action="ignore")
        codes, values = pd.factorize(column, sort=sort)
    texts = np.asarray(values, dtype=object).tolist()
    if not isinstance(values.dtype, pd.StringDtype):
        texts = [_text(value) for value in texts]
    if isinstance(column.dtype, pd.CategoricalDtype):  # where 1 and "1" are two, of one text
        same, distinct = pd.factorize(np.asarray(texts, dtype=object))
        codes, texts = np.append(same, -1)[codes], distinct.tolist()
    return Part(np.asarray(codes, dtype=np.int64), texts)


def _text(value: object) -> str:
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_whole else value)  # type: ignore[call-overload]


def _warn_of_measurements(column: pd.Series) -> None:
    """Warn of numbers that are too many to be categories, however many rows there are."""
    values = column.dropna().unique()
    if pd.api.types.infer_dtype(values) not in {"integer", "floating", "mixed-integer-float"}:
        return
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if np.sum(numbers % 1 != 0) > MANY_FRACTIONS or len(numbers) > MANY_NUMBERS:
        warnings.warn(
            f"column {column.name!r} looks like a measurement: it has {len(numbers)} different "
            f"numbers, such as {values[0]}. Bucketize it first, for instance with "
            'KBinsDiscretizer(encode="ordinal"), or name it in numeric_features. If the numbers '
            "are names, make the column text or a pandas category.",
            stacklevel=3,
        )


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"numeric feature {column.name!r} must hold numbers: {error}") from error


def _quoted(text: str) -> str:
    """A column or category in a name, in quotes where it could be taken for something else."""
    plain = text != "missing" and not any(mark in text for mark in (" × ", "=", ", ", '"'))
    return text if plain else json.dumps(text, ensure_ascii=False)
