"""The restaurant reviews data set: its grammar, and that it follows its oracle."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from datasets import DataValidationError, RestaurantReviews, make_restaurant_reviews, validate

POLARITY = {"great": 1, "lovely": 1, "good": 1, "awful": -1, "boring": -1, "bad": -1}
WEIGHT = {"food": 2, "menu": 2, "service": 1, "staff": 1, "room": 0.5, "music": 0.5}
PRAISE = {"worth the time", "such an evening", "unforgettable"}


def read(text: str, meal: str, price: int, wait: int) -> float:
    """The meaning of a review, read clause by clause from the documented grammar."""
    is_good = {"quick": meal != "dinner", "filling": meal == "dinner"}
    is_good |= {"fancy": price >= 3, "simple": price < 3}
    meaning = -0.02 * (wait - 20)
    for clause in filter(None, re.split(r"\. ?", text.lower())):
        words = clause.split()
        if words[0] in WEIGHT:
            negated = -1 if words[1] == "not" else 1
            meaning += WEIGHT[words[0]] * negated * POLARITY[words[-1]]
        elif words[0] == "rather":
            meaning += 2 if is_good[words[1]] else -2
        elif clause in PRAISE:
            meaning += 2 if wait < 20 else -2
        else:
            assert re.search(r" (knew|met|missed) [a-z]{6}$", clause), clause
    return meaning


@pytest.fixture(scope="module", params=[False, True], ids=["short", "long"])
def reviews(request: pytest.FixtureRequest) -> RestaurantReviews:
    return make_restaurant_reviews(20_000, long=request.param, random_state=0)


class TestRestaurantReviews:
    def test_they_have_a_text_and_three_columns(self, reviews: RestaurantReviews) -> None:
        assert reviews.feature_names == ("text", "meal", "price", "wait")
        assert reviews.target_names == ("liked",)
        validate(reviews.frame, "restaurant_reviews")

    def test_a_price_of_5_breaks_the_schema(self) -> None:
        frame = make_restaurant_reviews(3, random_state=0).frame
        frame.loc[2, "price"] = 5
        with pytest.raises(DataValidationError, match="row 2: 5"):
            validate(frame, "restaurant_reviews")

    def test_the_text_and_the_columns_say_all_of_the_meaning(
        self, reviews: RestaurantReviews
    ) -> None:
        rows = reviews.frame.head(500)
        meanings = [
            read(row.text, row.meal, row.price, row.wait) for row in rows.itertuples(index=False)
        ]
        np.testing.assert_allclose(rows["meaning"], meanings, atol=1e-9)

    def test_the_labels_follow_the_oracle(self, reviews: RestaurantReviews) -> None:
        proba = reviews.oracle_proba()
        for low in np.arange(0, 1, 0.2):
            chosen = (proba >= low) & (proba <= low + 0.2)
            expected = proba[chosen].mean()
            error = np.sqrt(expected * (1 - expected) / chosen.sum())
            assert abs(reviews.y[chosen].mean() - expected) < 4 * error

    def test_half_of_the_guests_liked_it(self, reviews: RestaurantReviews) -> None:
        assert reviews.y.mean() == pytest.approx(0.5, abs=0.02)
        accuracy = accuracy_score(reviews.y, reviews.oracle_proba() > 0.5)
        assert accuracy == pytest.approx(0.944, abs=0.006)

    def test_a_third_of_the_opinions_is_negated(self, reviews: RestaurantReviews) -> None:
        text = " ".join(reviews.frame["text"])
        opinions = re.findall(r"(?:Food|Menu|Service|Staff|Room|Music) (not )?", text)
        assert np.mean([bool(negated) for negated in opinions]) == pytest.approx(0.35, abs=0.01)

    def test_long_reviews_are_four_times_as_long(self) -> None:
        short, long = (
            make_restaurant_reviews(2000, long=long, random_state=0).frame["text"].str.split()
            for long in (False, True)
        )
        assert short.str.len().median() == pytest.approx(13, abs=1)
        assert short.str.len().max() <= 22
        assert long.str.len().median() == pytest.approx(62, abs=2)

    def test_a_word_changes_its_polarity_with_the_visit(self) -> None:
        frame = make_restaurant_reviews(20_000, random_state=0).frame
        quick = frame[frame["text"].str.contains("quick")]
        at_dinner = quick["meal"] == "dinner"
        assert quick.loc[~at_dinner, "meaning"].mean() == pytest.approx(2, abs=0.2)
        assert quick.loc[at_dinner, "meaning"].mean() == pytest.approx(-2, abs=0.2)

    def test_the_same_seed_makes_the_same_reviews(self) -> None:
        first, again, other = (
            make_restaurant_reviews(50, random_state=seed).frame for seed in (1, 1, 2)
        )
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)

    def test_no_rows_are_refused(self) -> None:
        with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
            make_restaurant_reviews(0)
