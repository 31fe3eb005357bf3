"""What the experiments on reviews share: rows, and models without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder
from xgboost import XGBClassifier

from datasets import RestaurantReviews, make_restaurant_reviews
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import FloatArray

WAYS = {"meal": "category", "price": ("number", "buckets"), "wait": ("number", "buckets")}


def draw_visits(config: Config, n_train: int, long: bool = False) -> list[RestaurantReviews]:
    """Train, held-out and test rows."""
    sizes = (n_train, config.n_held_out, config.n_test)
    return [
        make_restaurant_reviews(size, long=long, random_state=[config.seed, i])
        for i, size in enumerate(sizes)
    ]


def on_words_and_columns(data: Sequence[RestaurantReviews], seed: int) -> dict[str, FloatArray]:
    """Probabilities of what a good engineer tries first: words and columns in one flat row.

    Words are counted with their pairs and triples, if one review in 400 has them. The linear model
    also gets each of them crossed with each column; its penalty is the better of two on held-out
    rows. Trees cross by themselves.
    """
    words = CountVectorizer(ngram_range=(1, 3), min_df=0.0025).fit(data[0].frame["text"])
    bins = KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf")
    visit = make_column_transformer((OneHotEncoder(), ["meal", "price"]), (bins, ["wait"]))
    visit.fit(data[0].frame)

    def flat(part: RestaurantReviews) -> Any:
        wait = part.frame[["price", "wait"]].to_numpy(float)
        counts, columns = words.transform(part.frame["text"]), visit.transform(part.frame)
        return sparse.hstack([counts, columns, wait], format="csr")

    def crossed(part: RestaurantReviews) -> Any:
        counts, columns = words.transform(part.frame["text"]), visit.transform(part.frame)
        crosses = (counts.multiply(columns[:, [j]]) for j in range(columns.shape[1]))
        return sparse.hstack([counts, columns, *crosses], format="csr")

    train, held_out, test = data
    boosted = XGBClassifier(n_estimators=150, learning_rate=0.15, n_jobs=1, random_state=seed)
    boosted.fit(flat(train), train.y)
    X, X_held_out = crossed(train), crossed(held_out)
    linear = min(
        (LogisticRegression(C=C, max_iter=500).fit(X, train.y) for C in (0.1, 0.3)),
        key=lambda model: log_loss(held_out.y, model.predict_proba(X_held_out)),
    )
    return {
        "trees_on_words_and_columns": boosted.predict_proba(flat(test))[:, 1],
        "linear_on_crossed_words": linear.predict_proba(crossed(test))[:, 1],
    }


def word_pairs(texts: NDArray[Any], y: NDArray[Any], test: NDArray[Any]) -> FloatArray:
    """The baseline to beat on text alone: a linear model on words and pairs of words."""
    counter = CountVectorizer(ngram_range=(1, 2), min_df=5).fit(texts)
    model = LogisticRegression(C=0.3, max_iter=500).fit(counter.transform(texts), y)
    return np.asarray(model.predict_proba(counter.transform(test))[:, 1])
