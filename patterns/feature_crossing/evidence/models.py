"""What the experiments share: encoders, linear models, boosted trees, and how each is tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, TargetEncoder

from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.pattern import FeatureCross

Columns = Sequence[str]

# Of whatever is tuned, five candidates: a budget for all.
PENALTIES = {"C": [0.01, 0.03, 0.1, 0.3, 1.0]}
DEPTHS = {"max_depth": [1, 2, 3, 4, 6]}


def trees(config: Config, **settings: Any) -> dict[str, Any]:
    """Settings of boosted trees as one starts with them."""
    usual = {"n_estimators": config.n_trees, "learning_rate": 0.1}
    return {**usual, "n_jobs": 1, "random_state": config.seed, **settings}


def slow_trees(config: Config, **settings: Any) -> dict[str, Any]:
    """Settings of boosted trees for few rows: smaller steps, each with a part of the rows."""
    return trees(config, learning_rate=0.03, subsample=0.7, **settings)


def main_effects(columns: Columns) -> Any:
    """A feature for each category of each column."""
    return make_column_transformer((OneHotEncoder(handle_unknown="ignore"), list(columns)))


def crossed(
    columns: Columns,
    crosses: Sequence[Columns],
    n_hash_bins: int | None = None,
    min_frequency: int | None = None,
) -> Any:
    """The same, and a feature for each combination of the crossed columns."""
    cross = FeatureCross(crosses, n_hash_bins, min_frequency=min_frequency)
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), list(columns)), (cross, list(columns))
    )


def target_means(columns: Columns, crosses: Sequence[Columns], config: Config) -> Any:
    """One feature for each column and each cross: the mean target of the category or the cell."""
    means = TargetEncoder(cv=KFold(5, shuffle=True, random_state=config.seed))
    steps: list[Any] = [("passthrough", list(columns))]
    if crosses:
        steps.append((FeatureCross(crosses, encode="ordinal"), list(columns)))
    return make_pipeline(make_column_transformer(*steps), means)


def buckets(n_buckets: int, encode: str = "onehot") -> Any:
    """Buckets of equal width of each numeric column, without a cross."""
    return KBinsDiscretizer(n_buckets, encode=encode, strategy="uniform", subsample=None)


def crossed_buckets(n_buckets: int, n_hash_bins: int | None = None) -> Any:
    """The cross of the buckets of two numeric columns."""
    return make_pipeline(buckets(n_buckets, "ordinal"), FeatureCross([(0, 1)], n_hash_bins))


def logistic(C: float = 1.0, l1_ratio: float = 0.0) -> Any:
    """Logistic regression with a penalty of strength 1 / C, L2 or, at an l1_ratio of 1, L1."""
    if l1_ratio:
        return LogisticRegression(C=C, l1_ratio=l1_ratio, solver="liblinear", random_state=0)
    return LogisticRegression(C=C, solver="newton-cg", tol=1e-6)


def tuned(model: Any, grid: Mapping[str, list[Any]]) -> Any:
    """The same cross-validation, of the same number of candidates, for whatever is tuned."""
    return GridSearchCV(model, dict(grid), scoring="neg_log_loss", cv=3)
