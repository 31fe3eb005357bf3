"""Ratios of speed: `explain` beside what it calls, and one served row beside its prediction.

Run with ``uv run python tests/benchmarks/explainable_predictions.py``. Each line is the median,
over rounds, of one time divided by another that was measured in the same round.
"""

from __future__ import annotations

import warnings

import xgboost as xgb
from sklearn.ensemble import RandomForestClassifier
from timing import ratio

from patterns.explainable_predictions import explain
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.evidence.flights import KNOWN, LATE, fit, load


def main() -> None:
    """Print the ratios."""
    frame = load()
    train, X = frame[frame["month"] <= 6][:20_000], frame[frame["month"] > 6][KNOWN][:10_000]
    model = fit(train, KNOWN, Config())
    booster = model.get_booster()

    native = ratio(
        lambda: explain(model, X, baseline="tree_paths"),
        lambda: booster.predict(xgb.DMatrix(X), pred_contribs=True),
    )
    print(f"explain / native contributions, 10,000 flights   {native:.2f}")
    one = X[:1]
    served = ratio(
        lambda: explain(model, one, baseline="tree_paths"), lambda: model.predict_proba(one)
    )
    print(f"explain / predict_proba, one flight              {served:.1f}")

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

    against = ratio(lambda: explain(forest, few, baseline=rows), direct)
    print(f"explain / shap directly, forest against rows     {against:.2f}")


if __name__ == "__main__":
    main()
