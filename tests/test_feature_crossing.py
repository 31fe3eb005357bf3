"""The feature cross: laws of keys, vocabularies and bins, agreement with libraries, refusals."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

from datasets import make_high_cardinality, make_xor
from patterns.feature_crossing import (
    FeatureCross,
    embedding_model,
    factorize_cross,
    signal_kept,
)
from patterns.feature_crossing.evidence import Config

HOURS = pd.DataFrame(
    {
        "hour": [8, 9, 8, 17],
        "dow": ["Mon", "Tue", "Mon", None],
        "origin": pd.Categorical(["EWR", "JFK", "LGA", "EWR"]),
    }
)

# What adversaries and databases put into categories.
TEXTS = st.one_of(st.none(), st.sampled_from(["", "1", "_", "1_", "nan", "missing", "a × b=c"]))
TABLES = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=12)


def table(rows: list[tuple[str | None, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list("abc"), dtype=object)


def groups(rows: Any) -> list[int]:
    """For each row, the number of its group of equal rows."""
    seen: dict[Any, int] = {}
    return [seen.setdefault(row, len(seen)) for row in rows]


@pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
@parametrize_with_checks([FeatureCross([(0, 1)]), FeatureCross([(0, 1)], n_hash_bins=8)])
def test_it_keeps_the_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


class TestVocabulary:
    @settings(deadline=None)
    @given(TABLES)
    def test_rows_share_a_column_where_they_are_equal(self, rows: Any) -> None:
        matrix = FeatureCross([("a", "b", "c")]).fit_transform(table(rows))
        assert_array_equal(matrix.sum(axis=1), 1)
        assert groups(matrix.indices.tolist()) == groups(rows)
        assert matrix.shape[1] == len(set(rows))

    @settings(deadline=None)
    @given(TABLES, TABLES)
    def test_unseen_rows_are_zero_and_seen_ones_keep_their_column(
        self, train: Any, rows: Any
    ) -> None:
        cross = FeatureCross([("a", "b", "c")]).fit(table(train))
        column = dict(zip(train, cross.transform(table(train)).indices, strict=True))
        matrix = cross.transform(table(rows)).toarray()
        for row, marks in zip(rows, matrix, strict=True):
            assert_array_equal(np.flatnonzero(marks), [column[row]] if row in column else [])

    @settings(deadline=None)
    @given(TABLES)
    def test_names_are_unique(self, rows: Any) -> None:
        cross = FeatureCross([("a", "b", "c"), ("a", "b")]).fit(table(rows))
        names = cross.get_feature_names_out()
        assert len(set(names)) == len(names) == cross.transform(table(rows)).shape[1]

    @settings(deadline=None)
    @given(TABLES, st.randoms())
    def test_the_order_of_rows_does_not_matter(self, rows: Any, random: Any) -> None:
        shuffled = random.sample(rows, len(rows))
        one, other = (FeatureCross([("a", "b")]).fit(table(t)) for t in (rows, shuffled))
        assert_array_equal(one.get_feature_names_out(), other.get_feature_names_out())
        assert_array_equal(
            one.transform(table(rows)).toarray(), other.transform(table(rows)).toarray()
        )

    def test_names_read_as_what_they_mean(self) -> None:
        cross = FeatureCross([("hour", "dow")]).fit(HOURS)
        assert list(cross.get_feature_names_out()) == [
            "hour=17 × dow=missing",
            "hour=8 × dow=Mon",
            "hour=9 × dow=Tue",
        ]

    def test_several_crosses_stand_side_by_side(self) -> None:
        crosses = [("hour", "dow"), ("origin", "dow"), ("hour", "dow", "origin")]
        together = FeatureCross(crosses).fit_transform(HOURS).toarray()
        apart = [FeatureCross([cross]).fit_transform(HOURS).toarray() for cross in crosses]
        assert_array_equal(together, np.hstack(apart))

    def test_dense_marks_and_numbers_say_the_same_as_sparse_marks(self) -> None:
        crosses = [("hour", "dow"), ("origin", "dow")]
        for bins in (None, 8):
            sparse, dense, ordinal = (
                FeatureCross(crosses, bins, encode=encode).fit_transform(HOURS)
                for encode in ("onehot", "onehot-dense", "ordinal")
            )
            assert_array_equal(sparse.toarray(), dense)
            widths = [dense.shape[1] // 2] * 2 if bins else ordinal.max(axis=0) + 1
            marks = [np.eye(width)[ordinal[:, i]] for i, width in enumerate(widths)]
            assert_array_equal(np.hstack(marks), dense)

    def test_an_unseen_combination_has_the_number_minus_one(self) -> None:
        cross = FeatureCross([("hour", "dow")], encode="ordinal").fit(HOURS)
        rows = HOURS.assign(hour=[9, 9, 8, 7])
        assert cross.transform(rows)[:, 0].tolist() == [-1, 2, 1, -1]
        assert list(cross.get_feature_names_out()) == ["hour × dow"]

    def test_it_agrees_with_the_product_of_one_hot_columns(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.integers(0, 4, size=(300, 2))
        one_hot = OneHotEncoder(sparse_output=False).fit_transform(X)
        products = (one_hot[:, :4, None] * one_hot[:, None, 4:]).reshape(len(X), -1)
        assert_array_equal(FeatureCross([(0, 1)]).fit_transform(X).toarray(), products)
        # The same by PolynomialFeatures, which makes products within a column too: always zero.
        polynomial = PolynomialFeatures(2, interaction_only=True, include_bias=False)
        all_products = polynomial.fit_transform(one_hot)
        assert (all_products == 0).all(axis=0).sum() == 12

    def test_any_arity_and_more_combinations_than_64_bits(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.integers(0, 200, size=(200, 12))
        matrix = FeatureCross([tuple(range(12))]).fit_transform(X)
        assert matrix.shape == (200, 200)
        assert_array_equal(matrix.sum(axis=0), 1)


class TestHashing:
    @settings(deadline=None)
    @given(TABLES, TABLES)
    def test_a_row_has_the_same_bin_in_any_batch(self, one: Any, other: Any) -> None:
        cross = FeatureCross([("a", "b", "c")], n_hash_bins=2**40).fit(table(one))
        together = cross.transform(table(one + other)).indices
        apart = [*cross.transform(table(one)).indices, *cross.transform(table(other)).indices]
        assert_array_equal(together, apart)
        assert groups(together.tolist()) == groups(one + other)  # 2**40 bins: no collisions

    def test_the_key_does_not_depend_on_dtype(self) -> None:
        tables = [
            pd.DataFrame({"a": column, "b": [1, 2, 3]})
            for column in (
                np.array([7, 8, 9]),
                np.array([7, 8, 9], dtype=np.float32),
                ["7", "8", "9"],
                pd.Categorical([7, 8, 9]),
                pd.array([7, 8, 9], dtype="Int64"),
                np.array(["7", 8, 9.0], dtype=object),
            )
        ]
        for bins in (None, 1000):
            cross = FeatureCross([("a", "b")], bins).fit(tables[0])
            for other in tables:
                assert (cross.transform(other) != cross.transform(tables[0])).nnz == 0

    def test_keys_are_the_same_in_every_process_and_release(self) -> None:
        code = (
            "import pandas as pd; from patterns.feature_crossing import cross_keys;"
            "cells = pd.MultiIndex([['8', '9'], ['Mon']], [[0, 1, -1], [0, -1, 0]]);"
            "print(*cross_keys(cells))"
        )
        runs = [
            subprocess.run(
                [sys.executable, "-c", code],
                env={"PYTHONHASHSEED": seed, "PATH": ""},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        ]
        assert runs[0] == runs[1] == KEYS

    @pytest.mark.parametrize("n_bins", [1, 2, 7, 64])
    def test_bins_are_used_evenly(self, n_bins: int) -> None:
        X = np.stack(np.divmod(np.arange(64_000), 200), axis=1)
        counts = np.bincount(FeatureCross([(0, 1)], n_bins).fit_transform(X).indices)
        expected = len(X) / n_bins
        assert len(counts) == n_bins
        chi_square = np.sum((counts - expected) ** 2 / expected)
        assert chi_square < n_bins - 1 + 5 * np.sqrt(2 * n_bins)

    def test_bins_are_named_after_the_cross(self) -> None:
        cross = FeatureCross([("hour", "dow")], n_hash_bins=2).fit(HOURS)
        assert list(cross.get_feature_names_out()) == ["hour × dow, bin 0", "hour × dow, bin 1"]

    def test_the_law_is_the_expected_number_of_bins_in_use(self) -> None:
        rng = np.random.default_rng(0)
        for n_cells, n_bins in ((100, 30), (100, 100), (100, 1000)):
            used = [len(set(rng.integers(n_bins, size=n_cells))) for _ in range(2000)]
            assert np.mean(used) / n_cells == pytest.approx(signal_kept(n_cells, n_bins), rel=0.01)

    @given(st.integers(1, 10**6), st.integers(1, 10**6))
    def test_the_law_is_a_share_and_grows_with_bins(self, n_cells: int, n_bins: int) -> None:
        few, more = signal_kept(n_cells, [n_bins, 2 * n_bins])
        assert 0 < few <= more * (1 + 1e-9)
        assert more <= 1 + 1e-9

    def test_the_usual_choice_of_bins_is_too_few(self) -> None:
        assert_allclose(signal_kept(2500, [2500, 25_000]), [0.632, 0.952], atol=1e-3)


# Written down once: a change would make every model that was trained before it wrong.
KEYS = "16578867875895049164 14392838005162323111 8582540295953432338\n"


class TestInput:
    def test_missing_values_of_all_kinds_are_one_category(self) -> None:
        column = np.array([None, np.nan, pd.NA, pd.NaT, "nan", "missing"], dtype=object)
        frame = pd.DataFrame({"a": column, "b": ["x"] * 6})
        cross = FeatureCross([("a", "b")]).fit(frame)
        assert groups(cross.transform(frame).indices.tolist()) == [0, 0, 0, 0, 1, 2]
        assert list(cross.get_feature_names_out()) == [
            'a="missing" × b=x',
            "a=nan × b=x",
            "a=missing × b=x",
        ]

    def test_a_list_keeps_its_missing_values(self) -> None:
        rows = [["a", None], ["a", float("nan")], ["a", "nan"]]
        assert groups(FeatureCross([(0, 1)]).fit_transform(rows).indices.tolist()) == [0, 0, 1]

    def test_true_and_one_are_different_categories(self) -> None:
        for values in ([True, 1], [1, True]):
            frame = pd.DataFrame({"a": np.array(values, dtype=object), "b": ["x", "x"]})
            assert FeatureCross([("a", "b")]).fit_transform(frame).shape[1] == 2

    def test_a_categorical_may_lack_values(self) -> None:
        frame = pd.DataFrame({"a": pd.Categorical([1, None, 2]), "b": ["x"] * 3})
        assert FeatureCross([("a", "b")]).fit_transform(frame).shape[1] == 3

    def test_days_and_times_are_categories(self) -> None:
        frame = pd.DataFrame({"a": pd.to_datetime(["2013-01-01", None]), "b": ["x", "x"]})
        names = FeatureCross([("a", "b")]).fit(frame).get_feature_names_out()
        assert list(names) == ["a=2013-01-01 00:00:00 × b=x", "a=missing × b=x"]

    def test_buckets_of_numbers_are_welcome(self) -> None:
        data = make_xor(2000, random_state=0)
        bins = KBinsDiscretizer(4, encode="ordinal", strategy="uniform")
        model = make_pipeline(bins, FeatureCross([(0, 1)]), LogisticRegression())
        assert model.fit(data.X, data.y).score(data.X, data.y) > 0.88

    def test_it_works_beside_main_effects_and_can_be_cloned(self) -> None:
        encoder = make_column_transformer(
            (OneHotEncoder(), ["hour"]), (FeatureCross([("hour", "dow")], 4), ["hour", "dow"])
        )
        assert clone(encoder).fit_transform(HOURS).shape == (4, 3 + 4)
        assert "featurecross__hour × dow, bin 3" in encoder.fit(HOURS).get_feature_names_out()

    @pytest.mark.parametrize(
        ("crosses", "n_hash_bins", "message"),
        [
            ([("hour", "day")], None, r"columns that X does not have: \['day'\]; it has \['hour'"),
            ([("hour", 3)], None, r"X does not have: \[3\]"),
            ([("hour",)], None, "two or more different columns"),
            ([("hour", "hour")], None, "two or more different columns"),
            (("hour", "dow"), None, r"as in \[\('hour', 'dow'\)\]; got 'hour'"),
            ("hour", None, "crosses must be a list of tuples"),
            ([], None, "crosses must be a list of tuples"),
            ([("hour", "dow")], 0, "n_hash_bins must be None or an integer of at least 1, got 0"),
            ([("hour", "dow")], 2.5, "n_hash_bins must be None or an integer"),
        ],
    )
    def test_wrong_parameters_are_named(self, crosses: Any, n_hash_bins: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            FeatureCross(crosses, n_hash_bins).fit(HOURS)

    def test_an_unknown_encoding_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"encode must be one of .*, got 'dense'"):
            FeatureCross([("hour", "dow")], encode="dense").fit(HOURS)  # type: ignore[arg-type]

    @pytest.mark.parametrize("as_frame", [True, False])
    @pytest.mark.parametrize("n_hash_bins", [None, 16])
    def test_a_continuous_column_is_refused_with_the_remedy(
        self, as_frame: bool, n_hash_bins: Any
    ) -> None:
        X = make_xor(100, random_state=0).X
        X = X if as_frame else X.to_numpy()
        with pytest.raises(ValueError, match=r"column .* is continuous: 100 .* bucketize it"):
            FeatureCross([(0, 1)], n_hash_bins).fit(X)

    def test_a_few_fractions_are_categories(self) -> None:
        sizes = pd.DataFrame({"size": [0.5, 1.5, 2.0, 0.5] * 5, "b": ["x"] * 20})
        names = FeatureCross([("size", "b")]).fit(sizes).get_feature_names_out()
        assert list(names) == ["size=0.5 × b=x", "size=1.5 × b=x", "size=2 × b=x"]

    def test_another_table_is_refused(self) -> None:
        cross = FeatureCross([("hour", "dow")]).fit(HOURS)
        with pytest.raises(ValueError, match="feature names"):
            cross.transform(HOURS[["dow", "hour", "origin"]])

    @pytest.mark.parametrize(("n_cells", "n_bins"), [(0, 1), (1, 0), (1, [3, np.nan])])
    def test_the_law_refuses_less_than_one(self, n_cells: int, n_bins: Any) -> None:
        with pytest.raises(ValueError, match="must be at least 1"):
            signal_kept(n_cells, n_bins)


class TestEmbedding:
    @staticmethod
    def ratings() -> Any:
        data = make_high_cardinality(8000, n_levels=60, random_state=1)
        users, items = np.divmod(np.arange(3600), 60)
        truth = data.oracle_mean(pd.DataFrame({"user": users, "item": items}))
        return data, users, items, truth

    def test_least_squares_find_the_low_rank(self) -> None:
        data, users, items, truth = self.ratings()
        X, y = data.X, data.y.to_numpy()
        of_user, of_item = factorize_cross(
            X["user"].to_numpy(), X["item"].to_numpy(), y, (60, 60), 2
        )
        fit = np.sum(of_user[users] * of_item[items], axis=1)
        assert np.corrcoef(fit, truth)[0, 1] > 0.98

    def test_keras_finds_the_same(self) -> None:
        import keras

        data, users, items, truth = self.ratings()
        X, y = data.X, data.y.to_numpy()
        keras.utils.set_random_seed(0)
        model = embedding_model((60, 60), 2)
        model.fit([X["user"].to_numpy(), X["item"].to_numpy()], y, 256, epochs=25, verbose=0)
        fit = np.asarray(model([users, items]))[:, 0]
        assert np.corrcoef(fit, truth)[0, 1] > 0.97

    def test_wrong_numbers_are_named(self) -> None:
        codes, y = np.array([0, 1]), np.array([1.0, 2.0])
        with pytest.raises(ValueError, match="second must hold codes from 0 to 0, got 1"):
            factorize_cross(codes, codes, y, (2, 1))
        with pytest.raises(ValueError, match="dimension must be at least 1, got 0"):
            factorize_cross(codes, codes, y, (2, 2), 0)
        with pytest.raises(ValueError, match="n_categories and dimension must be at least 1"):
            embedding_model((0, 3))


class TestEvidence:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"n_train": 10}, "n_train must be at least"),
            ({"n_folds": 0}, "n_folds must be"),
            ({"n_cells": 1000}, "n_cells must be a square"),
            ({"share_of_days": 1.1}, "share_of_days must be at most 1"),
            ({"row_counts": (1000, 2000)}, "row_counts must be some of"),
        ],
    )
    def test_settings_it_cannot_measure_with_are_refused(self, settings: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Config(**settings)
