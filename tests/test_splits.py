from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.splits import split_by_group, split_by_key, split_forward

DAYS = pd.Series(pd.date_range("2013-01-01", "2013-12-31"))
BOUNDARIES = ["2013-07-01", "2013-09-01", "2013-11-01"]

sizes = st.floats(0.01, 0.99)
keys = st.lists(st.integers() | st.text(), min_size=1, max_size=40)


def keys_in_test(column: object, **options: object) -> list[object]:
    """Return the keys that split_by_key tests on."""
    _, test = split_by_key(column, **options)  # type: ignore[arg-type]
    return [column[i] for i in test]  # type: ignore[index]


class TestSplitForward:
    def test_a_fold_trains_on_the_past_and_tests_up_to_the_next_boundary(self) -> None:
        (train, test), _ = split_forward(DAYS, BOUNDARIES)
        assert DAYS[train].max() == pd.Timestamp("2013-06-30")
        assert DAYS[test].min() == pd.Timestamp("2013-07-01")
        assert DAYS[test].max() == pd.Timestamp("2013-08-31")

    def test_training_grows_from_fold_to_fold(self) -> None:
        folds = split_forward(DAYS, BOUNDARIES)
        assert [len(train) for train, _ in folds] == [181, 243]

    def test_the_gap_is_cut_off_the_end_of_training(self) -> None:
        (train, test), _ = split_forward(DAYS, BOUNDARIES, gap="3D")
        assert DAYS[train].max() == pd.Timestamp("2013-06-27")
        assert DAYS[test].min() == pd.Timestamp("2013-07-01")

    def test_boundaries_in_one_zone_split_times_in_another(self) -> None:
        hours = pd.date_range("2013-07-01", periods=24, freq="h", tz="UTC")
        noon, evening = (pd.Timestamp(2013, 7, 1, h, tz="America/New_York") for h in (8, 18))
        [(train, test)] = split_forward(hours, [noon, evening])
        assert (len(train), len(test)) == (12, 10)

    @given(order=st.permutations(range(12)))
    def test_the_order_of_rows_does_not_matter(self, order: list[int]) -> None:
        months = pd.Series(pd.date_range("2013-01-01", periods=12, freq="MS"))
        shuffled = months.iloc[order].reset_index(drop=True)
        for (train, test), (a, b) in zip(
            split_forward(shuffled, BOUNDARIES), split_forward(months, BOUNDARIES), strict=True
        ):
            assert set(shuffled[train]) == set(months[a])
            assert set(shuffled[test]) == set(months[b])

    @pytest.mark.parametrize(
        ("times", "boundaries", "gap", "message"),
        [
            (DAYS, ["2013-07-01"], None, "two times or more, got 1"),
            (DAYS, ["2013-07-01", "2013-07-01"], None, "must increase"),
            (DAYS, ["2013-07-01", "2013-06-01"], None, "must increase"),
            (DAYS, ["2013-07-01", "NaT"], None, "missing time: 'NaT'"),
            (DAYS, ["2013-07-01", "2013-08-01"], "-1D", "gap must not be negative, got '-1D'"),
            (DAYS, ["2013-01-01", "2013-02-01"], None, "no rows to train on"),
            (DAYS, ["2014-01-01", "2014-02-01"], None, "no rows to test on"),
            (DAYS, ["2013-07-01T00:00Z", "2013-08-01T00:00Z"], None, "times have no time zone"),
            (DAYS.dt.tz_localize("UTC"), BOUNDARIES, None, "times have time zone UTC"),
            (
                pd.Series([pd.NaT, *DAYS]),
                BOUNDARIES,
                None,
                "missing in 1 rows, first at position 0",
            ),
        ],
    )
    def test_bad_input_is_refused(
        self, times: pd.Series, boundaries: list[str], gap: str | None, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            split_forward(times, boundaries, gap=gap)

    def test_texts_are_not_times(self) -> None:
        with pytest.raises(TypeError, match=r"pandas\.to_datetime"):
            split_forward(DAYS.astype(str), BOUNDARIES)


class TestSplitByGroup:
    @given(
        groups=st.lists(st.integers(0, 5), min_size=2).filter(lambda g: len(set(g)) > 1),
        test_size=sizes,
        seed=st.integers(0, 99),
    )
    def test_no_group_is_on_both_sides(
        self, groups: list[int], test_size: float, seed: int
    ) -> None:
        train, test = split_by_group(groups, test_size=test_size, random_state=seed)
        labels = np.array(groups)
        assert not set(labels[train]) & set(labels[test])
        assert sorted([*train, *test]) == list(range(len(groups)))

    @given(
        counts=st.lists(st.integers(1, 30), min_size=2, max_size=8),
        test_size=sizes,
        seed=st.integers(0, 99),
    )
    def test_no_choice_of_groups_comes_nearer_to_the_wanted_rows(
        self, counts: list[int], test_size: float, seed: int
    ) -> None:
        groups = np.repeat(np.arange(len(counts)), counts)
        _, test = split_by_group(groups, test_size=test_size, random_state=seed)
        choices = itertools.chain.from_iterable(
            itertools.combinations(counts, k) for k in range(1, len(counts))
        )
        wanted = test_size * len(groups)
        assert abs(len(test) - wanted) == min(abs(sum(choice) - wanted) for choice in choices)

    def test_the_seed_decides_which_groups(self) -> None:
        groups = np.repeat(np.arange(50), 3)
        first, again, other = (
            split_by_group(groups, test_size=0.2, random_state=seed)[1].tolist()
            for seed in (0, 0, 1)
        )
        assert first == again != other

    def test_every_group_is_drawn_in_its_turn(self) -> None:
        groups = np.repeat(np.arange(20), np.arange(1, 21))
        rng = np.random.default_rng(0)
        draws = [
            np.unique(groups[split_by_group(groups, test_size=0.3, random_state=rng)[1]])
            for _ in range(1000)
        ]
        share = np.bincount(np.concatenate(draws)) / 1000
        assert share.min() > 0.15
        assert share.max() < 0.4

    @pytest.mark.parametrize("test_size", [0, 1, -0.1, 2, float("nan")])
    def test_a_share_lies_between_0_and_1(self, test_size: float) -> None:
        with pytest.raises(ValueError, match="test_size must lie between 0 and 1, got"):
            split_by_group([1, 2], test_size=test_size)

    def test_one_group_cannot_be_split(self) -> None:
        with pytest.raises(ValueError, match="two or more"):
            split_by_group(["a", "a"], test_size=0.5)

    def test_a_missing_label_is_refused(self) -> None:
        with pytest.raises(ValueError, match="missing in 1 rows, first at position 1"):
            split_by_group(["a", None, "b"], test_size=0.5)


class TestSplitByKey:
    # Of the integers below 40.
    PINNED = (3, 6, 8, 11, 12, 13, 17, 18, 19, 20, 22, 25, 28, 29, 37, 38)

    def test_outcomes_are_pinned_for_ever(self) -> None:
        assert tuple(keys_in_test(range(40), test_size=0.25)) == self.PINNED
        texts = ["N14228", "é", "", "N24211", "00", "-1"]
        assert keys_in_test(texts, test_size=0.5, salt="fold 1") == ["N14228", "é", "00", "-1"]
        pairs = pd.DataFrame({"a": [1, 1, 2, 2], "b": ["x", "y", "x", "y"]})
        assert split_by_key(pairs, test_size=0.5)[1].tolist() == [0, 2]

    def test_another_process_with_another_hash_seed_agrees(self) -> None:
        code = (
            "from datasets.splits import split_by_key;"
            "print(*split_by_key([str(i) for i in range(40)], test_size=0.25)[1])"
        )
        answer = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": "12345"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert tuple(map(int, answer.stdout.split())) == self.PINNED

    @given(column=keys, test_size=sizes, data=st.data())
    def test_a_key_keeps_its_side_among_other_rows(
        self, column: list[object], test_size: float, data: st.DataObject
    ) -> None:
        rows = data.draw(st.lists(st.sampled_from(range(len(column))), min_size=1))
        whole = pd.Series(column, dtype=object)
        sides = np.isin(np.arange(len(whole)), split_by_key(whole, test_size=test_size)[1])
        part = whole.iloc[rows]
        assert split_by_key(part, test_size=test_size)[1].tolist() == [
            i for i, row in enumerate(rows) if sides[row]
        ]

    @given(column=keys, small=sizes, large=sizes)
    def test_a_larger_test_set_contains_the_smaller_one(
        self, column: list[object], small: float, large: float
    ) -> None:
        small, large = sorted([small, large])
        whole = pd.Series(column, dtype=object)
        _, few = split_by_key(whole, test_size=small)
        _, many = split_by_key(whole, test_size=large)
        assert set(few) <= set(many)

    @given(numbers=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1), test_size=sizes)
    def test_storage_does_not_matter(self, numbers: list[int], test_size: float) -> None:
        texts = [str(number) for number in numbers]
        stored = [
            pd.Series(numbers, dtype="int64"),
            pd.Series(numbers, dtype="int32"),
            pd.Series(numbers, dtype="Int64"),
            pd.Series(numbers, dtype=object),
            pd.Series(numbers, dtype="category"),
            pd.Series(texts),
            pd.Series(texts, dtype="category"),
            pd.DataFrame({"key": numbers}),
            np.array(texts),
            numbers,
        ]
        answers = {tuple(split_by_key(column, test_size=test_size)[1]) for column in stored}
        assert len(answers) == 1

    def test_columns_cannot_be_joined_to_another_key(self) -> None:
        left = pd.DataFrame({"a": [f"{i}_2" for i in range(100)], "b": "_3"})
        right = pd.DataFrame({"a": [f"{i}" for i in range(100)], "b": "_2_3"})
        assert set(split_by_key(left, test_size=0.5)[1]) != set(
            split_by_key(right, test_size=0.5)[1]
        )

    def test_another_salt_splits_independently(self) -> None:
        first = set(keys_in_test(range(4000), test_size=0.5, salt="first"))
        second = set(keys_in_test(range(4000), test_size=0.5, salt="second"))
        assert 900 < len(first & second) < 1100

    def test_about_the_wanted_share_of_keys_is_tested(self) -> None:
        assert 0.18 < len(keys_in_test(range(10_000), test_size=0.2)) / 10_000 < 0.22

    @pytest.mark.parametrize(
        "column",
        [
            [1.0, 2.0],
            pd.Series([1, 1.0, True], dtype=object),
            [True, False],
            [b"a"],
            pd.date_range("2013-01-01", periods=2),
        ],
    )
    def test_keys_of_other_types_are_refused(self, column: object) -> None:
        with pytest.raises(TypeError, match="keys must be integers or strings, got"):
            split_by_key(column, test_size=0.5)  # type: ignore[arg-type]

    def test_floats_come_with_the_likely_cause(self) -> None:
        with pytest.raises(TypeError, match=r"read as floats.*astype\('int64'\)"):
            split_by_key([1.0], test_size=0.5)

    @pytest.mark.parametrize(
        "column", [["a", None], [1, np.nan], pd.Series([1, None], dtype="Int64")]
    )
    def test_missing_keys_are_refused(self, column: object) -> None:
        with pytest.raises(ValueError, match="missing in 1 rows, first at position 1; drop"):
            split_by_key(column, test_size=0.5)  # type: ignore[arg-type]

    def test_a_frame_without_columns_has_no_keys(self) -> None:
        with pytest.raises(ValueError, match="at least one column"):
            split_by_key(pd.DataFrame(index=[0, 1]), test_size=0.5)

    @pytest.mark.parametrize("test_size", [0, 1, 20])
    def test_a_share_lies_between_0_and_1(self, test_size: float) -> None:
        with pytest.raises(ValueError, match="test_size must lie between 0 and 1, got"):
            split_by_key([1], test_size=test_size)
