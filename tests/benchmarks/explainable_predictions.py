"""Ratios of speed: `explain` beside what it calls, and one served row beside its prediction.

Run with ``uv run python tests/benchmarks/explainable_predictions.py``. Each line is the median,
over rounds, of one time divided by another that was measured in the same round.
"""

from __future__ import annotations

import warnings

import xgboost as xgb
from sklearn.ensemble import RandomForestClassifier
from timing import Comparison, arguments, ratios, report

from patterns.explainable_predictions import explain
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.evidence.flights import KNOWN, LATE, fit, load


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    frame = load()
    train, X = frame[frame["month"] <= 6][:20_000], frame[frame["month"] > 6][KNOWN][:10_000]
    model = fit(train, KNOWN, Config())
    booster = model.get_booster()

    native = ratios(
        lambda: explain(model, X, baseline="tree_paths"),
        lambda: booster.predict(xgb.DMatrix(X), pred_contribs=True),
    )
    one = X[:1]
    served = ratios(
        lambda: explain(model, one, baseline="tree_paths"), lambda: model.predict_proba(one)
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap

    rows = train[KNOWN][:100]
    forest = RandomForestClassifier(50, max_depth=8, random_state=0, n_jobs=1)
    forest.fit(train[KNOWN], train["arr_delay"] > LATE)
    few = X[:200]

    def direct() -> object:
        mask = shap.maskers.Independent(rows, max_samples=len(rows))
        trees = shap.TreeExplainer(forest, mask, feature_perturbation="interventional")
        return trees.shap_values(few, check_additivity=False)

    against = ratios(lambda: explain(forest, few, baseline=rows), direct)
    rows_of_the_table = {
        "10,000 flights, to XGBoost's own contributions": [native],
        "one flight, to its prediction alone": [served],
        "200 flights, forest against 100 rows, to shap called directly": [against],
    }
    table = Comparison("Time of explain", ["relative time"], rows_of_the_table)
    report(__file__, [table], ["shap", "xgboost", "scikit-learn"], options.record)


if __name__ == "__main__":
    main()
