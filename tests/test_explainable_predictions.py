"""What is particular to the explainable predictions pattern."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from patterns.explainable_predictions import (
    AdditivityError,
    Attributions,
    attribution_drift,
    coalition_worth,
    counterfactuals,
    examples,
    explain,
    explainer,
    integrated_gradients,
    shapley_values,
    source_columns,
    sum_by_source,
    suspicion,
)

RNG = np.random.default_rng(0)
M = 4
X = RNG.normal(size=(300, M))
Y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.3 * RNG.normal(size=300)
BINARY, THREE = (Y > 0).astype(int), np.digitize(Y, [-0.5, 0.3])
ROWS, BASELINE = X[:5], X[100:120]
BOOSTED = {"n_estimators": 15, "max_depth": 3, "n_jobs": 1}
FOREST = {"n_estimators": 10, "max_depth": 4, "random_state": 0}


def by_definition(
    f: Callable[[Any], Any], X: Any = ROWS, baseline: Any = BASELINE
) -> tuple[np.ndarray, np.ndarray]:
    """Shapley values and base values of a function, one coalition and one row after the other."""
    m = X.shape[1]
    worth = {}
    for coalition in range(2**m):
        members = [j for j in range(m) if coalition & 2**j]
        outputs = []
        for row in X:
            mixed = baseline.copy()
            mixed[:, members] = row[members]
            outputs.append(np.asarray(f(mixed), dtype=float).reshape(len(mixed), -1).mean(axis=0))
        worth[coalition] = np.array(outputs)
    values = np.zeros((len(X), m, worth[0].shape[1]))
    for coalition, outputs in worth.items():
        size = coalition.bit_count()
        for j in range(m):
            if not coalition & 2**j:
                share = math.factorial(size) * math.factorial(m - size - 1) / math.factorial(m)
                values[:, j] += share * (worth[coalition | 2**j] - outputs)
    return values, worth[0][0]


def assert_exact(found: Attributions, f: Callable[[Any], Any], atol: float = 1e-6) -> None:
    """The values are those of the definition, applied to the real model."""
    expected, base = by_definition(f)
    if expected.shape[2] == 2 and found.values.ndim == 2:
        expected, base = expected[..., 1:], base[1:]
    assert_allclose(found.values.reshape(expected.shape), expected, atol=atol)
    assert_allclose(np.ravel(found.base_value), base, atol=atol)
    assert np.abs(found.error).max() < atol


def margin(model: Any) -> Callable[[Any], Any]:
    return lambda rows: model.predict(rows, output_margin=True)


class TestEveryModelAgainstRowsIsExact:
    @pytest.mark.parametrize("target", [BINARY, THREE])
    def test_classes_of_xgboost_with_the_offset_of_each_class(self, target: Any) -> None:
        model = xgb.XGBClassifier(**BOOSTED).fit(X, target)
        found = explain(model, ROWS, baseline=BASELINE)
        assert_exact(found, margin(model))
        assert found.method == "trees against rows"
        assert found.link == ("log-odds" if target is BINARY else "logits")
        assert found.output_names == (("1",) if target is BINARY else ("0", "1", "2"))

    @pytest.mark.parametrize(
        ("settings", "method"),
        [
            ({}, "trees against rows"),
            ({"booster": "dart", "rate_drop": 0.5}, "16 coalitions"),
            ({"booster": "gblinear"}, "16 coalitions"),
            ({"num_parallel_tree": 3, "subsample": 0.5}, "16 coalitions"),
        ],
    )
    def test_regressions_of_xgboost(self, settings: dict[str, Any], method: str) -> None:
        model = xgb.XGBRegressor(**{**BOOSTED, **settings}, random_state=0)
        if settings.get("booster") == "gblinear":
            model = xgb.XGBRegressor(n_estimators=15, booster="gblinear", updater="coord_descent")
        model.fit(X, Y)
        found = explain(model, ROWS, baseline=BASELINE)
        assert_exact(found, model.predict)
        assert found.method == method

    @pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
    def test_several_targets_of_xgboost(self, strategy: str) -> None:
        model = xgb.XGBRegressor(**BOOSTED, multi_strategy=strategy).fit(X, np.c_[Y, Y**2 + 5])
        assert_exact(explain(model, ROWS, baseline=BASELINE), model.predict, 1e-5)

    def test_a_booster_alone(self) -> None:
        model = xgb.XGBRegressor(**BOOSTED).fit(X, Y)
        found = explain(model.get_booster(), ROWS, baseline=BASELINE)
        assert_exact(found, model.predict)

    def test_only_the_trees_that_predict_after_an_early_stop(self) -> None:
        model = xgb.XGBRegressor(n_estimators=200, max_depth=3, early_stopping_rounds=3)
        model.fit(X[:200], Y[:200], eval_set=[(X[200:], Y[200:])], verbose=False)
        assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
        assert_exact(explain(model, ROWS, baseline=BASELINE), model.predict)
        paths = explain(model, ROWS, baseline="tree_paths")
        assert_allclose(paths.base_value + paths.values.sum(1), model.predict(ROWS), atol=1e-5)

    @pytest.mark.parametrize(
        "model",
        [
            RandomForestRegressor(**FOREST),
            ExtraTreesRegressor(**FOREST),
            DecisionTreeRegressor(max_depth=4, random_state=0),
            GradientBoostingRegressor(n_estimators=15, random_state=0),
            GradientBoostingRegressor(n_estimators=15, init=LinearRegression(), random_state=0),
            HistGradientBoostingRegressor(max_iter=15),
            LinearRegression(),
            Ridge(),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_regressions_of_scikit_learn(self, model: Any) -> None:
        found = explain(model.fit(X, Y), ROWS, baseline=BASELINE)
        assert_exact(found, model.predict)
        assert found.link == "identity"

    @pytest.mark.parametrize("target", [BINARY, THREE], ids=["two", "three"])
    @pytest.mark.parametrize(
        ("model", "method", "link"),
        [
            (RandomForestClassifier(**FOREST), "predict_proba", "probability"),
            (ExtraTreesClassifier(**FOREST), "predict_proba", "probability"),
            (DecisionTreeClassifier(max_depth=4), "predict_proba", "probability"),
            (KNeighborsClassifier(), "predict_proba", "probability"),
            (GradientBoostingClassifier(n_estimators=15), "decision_function", "logistic"),
            (HistGradientBoostingClassifier(max_iter=15), "decision_function", "logistic"),
            (LogisticRegression(), "decision_function", "logistic"),
            (SGDClassifier(loss="log_loss", random_state=0), "decision_function", "logistic"),
            (SGDClassifier(random_state=0), "decision_function", "margin"),
            (RidgeClassifier(), "decision_function", "margin"),
            (LinearSVC(), "decision_function", "margin"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_classifiers_of_scikit_learn(
        self, model: Any, method: str, link: str, target: Any
    ) -> None:
        model.fit(X, target)
        found = explain(model, ROWS, baseline=BASELINE)
        assert_exact(found, getattr(model, method))
        logistic = "log-odds" if target is BINARY else "logits"
        assert found.link == (logistic if link == "logistic" else link)

    @pytest.mark.parametrize(
        "model",
        [
            PoissonRegressor(),
            TweedieRegressor(power=1.5),
            HistGradientBoostingRegressor(loss="poisson", max_iter=15),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_models_of_a_logarithm(self, model: Any) -> None:
        found = explain(model.fit(X, np.exp(Y)), ROWS, baseline=BASELINE)
        assert_exact(found, lambda rows: np.log(model.predict(rows)))
        assert found.link == "log"

    def test_a_function(self) -> None:
        def product(rows: Any) -> Any:
            return rows[:, 0] * rows[:, 1] * rows[:, 2]

        assert_exact(explain(product, ROWS, baseline=BASELINE), product)

    def test_probabilities_where_they_are_asked_for(self) -> None:
        model = xgb.XGBClassifier(**BOOSTED).fit(X, BINARY)
        found = explain(model, ROWS, baseline=BASELINE, link="probability")
        assert_exact(found, model.predict_proba)
        assert found.link == "probability"

    def test_missing_values(self) -> None:
        holes = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
        for model in (xgb.XGBRegressor(**BOOSTED), RandomForestRegressor(**FOREST)):
            model.fit(holes, Y)
            found = explain(model, holes[:5], baseline=holes[100:120])
            expected, _ = by_definition(model.predict, holes[:5], holes[100:120])
            assert_allclose(found.values, expected[..., 0], atol=1e-6)

    def test_another_value_for_missing(self) -> None:
        holes = np.where(RNG.random(X.shape) < 0.2, -999, X)
        model = xgb.XGBRegressor(**BOOSTED, missing=-999).fit(holes, Y)
        found = explain(model, holes[:5], baseline=holes[100:120])
        expected, _ = by_definition(model.predict, holes[:5], holes[100:120])
        assert_allclose(found.values, expected[..., 0], atol=1e-6)
        assert explain(model, holes[:5], baseline="tree_paths").error.max() < 1e-5

    def test_more_baseline_rows_than_a_hundred_are_all_used(self) -> None:
        model = RandomForestRegressor(**FOREST).fit(X, Y)
        found = explain(model, ROWS, baseline=X)
        assert found.baseline == "300 baseline rows"
        assert found.base_value == pytest.approx(model.predict(X).mean())
        expected, _ = by_definition(model.predict, ROWS, X)
        assert_allclose(found.values, expected[..., 0], atol=1e-6)


class TestAlongThePathsOfTheTrees:
    """By definition: a split on a feature that is left out goes both ways, by their rows."""

    def worth(self, nodes: dict[int, dict[str, Any]], row: Any, members: int, at: int = 0) -> float:
        node = nodes[at]
        if "leaf" in node:
            return node["leaf"]
        if members >> node["feature"] & 1:
            return self.worth(nodes, row, members, node["goes"](row[node["feature"]]))
        ways = [nodes[node["left"]], nodes[node["right"]]]
        total = sum(way["rows"] for way in ways)
        return sum(
            way["rows"] / total * self.worth(nodes, row, members, at)
            for way, at in zip(ways, (node["left"], node["right"]), strict=True)
        )

    def expected(self, trees: list[dict[int, dict[str, Any]]], rows: Any) -> Any:
        worth = [
            [sum(self.worth(nodes, row, members) for nodes in trees) for row in rows]
            for members in range(2**M)
        ]
        return shapley_values(np.array(worth)).T

    def test_xgboost(self) -> None:
        model = xgb.XGBRegressor(n_estimators=4, max_depth=3).fit(X, Y)
        trees = []
        for text in model.get_booster().get_dump(with_stats=True, dump_format="json"):
            nodes: dict[int, dict[str, Any]] = {}
            todo = [json.loads(text)]
            while todo:
                at = todo.pop()
                if "leaf" in at:
                    nodes[at["nodeid"]] = {"leaf": at["leaf"], "rows": at["cover"]}
                    continue
                nodes[at["nodeid"]] = {
                    "feature": int(at["split"][1:]),
                    "rows": at["cover"],
                    "left": at["yes"],
                    "right": at["no"],
                    "goes": lambda value, at=at: (
                        at["yes"] if np.float32(value) < at["split_condition"] else at["no"]
                    ),
                }
                todo += at["children"]
            trees.append(nodes)
        found = explain(model, ROWS, baseline="tree_paths")
        assert_allclose(found.values, self.expected(trees, ROWS), atol=1e-6)

    def test_histogram_gradient_boosting(self) -> None:
        model = HistGradientBoostingRegressor(max_iter=4, max_depth=3).fit(X, Y)
        trees = []
        for (predictor,) in model._predictors:
            nodes = {}
            for i, node in enumerate(predictor.nodes):
                nodes[i] = {"leaf": node["value"]} if node["is_leaf"] else {}
                nodes[i] |= {
                    "rows": int(node["count"]),
                    "feature": int(node["feature_idx"]),
                    "left": int(node["left"]),
                    "right": int(node["right"]),
                    "goes": lambda value, node=node: int(
                        node["left"] if value <= node["num_threshold"] else node["right"]
                    ),
                }
            trees.append(nodes)
        found = explain(model, ROWS, baseline="tree_paths")
        assert_allclose(found.values, self.expected(trees, ROWS), atol=1e-9)

    @pytest.mark.parametrize(
        "model",
        [
            RandomForestClassifier(**FOREST),
            GradientBoostingClassifier(n_estimators=10),
            HistGradientBoostingClassifier(max_iter=10),
            xgb.XGBClassifier(**BOOSTED),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_sums_are_those_of_the_model(self, model: Any) -> None:
        found = explain(model.fit(X, BINARY), ROWS, baseline="tree_paths")
        total = found.base_value + found.values.sum(axis=1)
        if found.link == "log-odds":
            total = 1 / (1 + np.exp(-total))
        assert_allclose(total, model.predict_proba(ROWS)[:, 1], atol=1e-6)

    def test_they_answer_another_question_than_rows(self) -> None:
        model = xgb.XGBRegressor(**BOOSTED).fit(X, Y)
        paths = explain(model, ROWS, baseline="tree_paths")
        rows = explain(model, ROWS, baseline=BASELINE)
        assert np.abs(paths.values - rows.values).max() > 0.05

    def test_native_categories_of_xgboost(self) -> None:
        frame = pd.DataFrame(X, columns=list("abcd"))
        frame["d"] = pd.Categorical(np.digitize(X[:, 3], [-1, 0, 1]))
        model = xgb.XGBRegressor(**BOOSTED, enable_categorical=True)
        model.fit(frame, Y + 2 * (frame["d"] == 2))
        assert np.abs(explain(model, frame[:5], baseline="tree_paths").error).max() < 1e-5
        found = explain(model, frame[:5], baseline=frame[100:120])
        assert found.method == "16 coalitions"
        assert np.abs(found.error).max() < 1e-5


class TestWhatNoRouteComputesRightlyIsRefused:
    def test_native_categories_of_histogram_gradient_boosting(self) -> None:
        coded = X.copy()
        coded[:, 3] = np.digitize(X[:, 3], [-1, 0, 1])
        model = HistGradientBoostingRegressor(max_iter=20, categorical_features=[3])
        model.fit(coded, Y + 2 * (coded[:, 3] == 2))
        with pytest.raises(ValueError, match="cannot explain native categories; give baseline"):
            explain(model, coded[:5], baseline="tree_paths")
        found = explain(model, coded[:5], baseline=coded[100:120])
        expected, _ = by_definition(model.predict, coded[:5], coded[100:120])
        assert_allclose(found.values, expected[..., 0], atol=1e-9)

    def test_histogram_gradient_boosting_of_many_features_against_rows(self) -> None:
        wide = RNG.normal(size=(100, 13))
        model = HistGradientBoostingRegressor(max_iter=5).fit(wide, wide[:, 0])
        with pytest.raises(ValueError, match='at most 12 can be enumerated; baseline="tree_paths"'):
            explain(model, wide[:2], baseline=wide)
        explain(model, wide[:2], baseline="tree_paths")

    @pytest.mark.parametrize(
        "model",
        [
            LinearRegression(),
            KNeighborsClassifier(),
            GradientBoostingClassifier(n_estimators=3),
            xgb.XGBRegressor(n_estimators=3, booster="gblinear", updater="coord_descent"),
            make_pipeline(PCA(), RandomForestRegressor(**FOREST)),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_paths_where_there_are_none(self, model: Any) -> None:
        with pytest.raises(ValueError, match='baseline="tree_paths" cannot explain'):
            explain(model.fit(X, THREE), ROWS, baseline="tree_paths")

    def test_a_scale_that_the_model_does_not_have(self) -> None:
        forest = RandomForestClassifier(**FOREST).fit(X, BINARY)
        model = xgb.XGBClassifier(**BOOSTED).fit(X, BINARY)
        with pytest.raises(ValueError, match=r"link must be one of \['probability'\]"):
            explain(forest, ROWS, baseline=BASELINE, link="log-odds")
        with pytest.raises(ValueError, match="explains log-odds only"):
            explain(model, ROWS, baseline="tree_paths", link="probability")

    def test_a_classifier_without_probabilities(self) -> None:
        with pytest.raises(TypeError, match="predicts no probabilities; give a function"):
            explain(SVC().fit(X, BINARY), ROWS, baseline=BASELINE)

    def test_what_is_no_model(self) -> None:
        with pytest.raises(TypeError, match="model must be a function or have predict"):
            explain("model", ROWS, baseline=BASELINE)

    def test_sums_that_miss_the_real_model(self) -> None:
        class Shifted(LinearRegression):  # adds what its coefficients do not say
            def predict(self, X: Any) -> Any:
                return super().predict(X) + X[:, 0] ** 2

        with pytest.raises(AdditivityError, match="miss the output of Shifted by up to"):
            explain(Shifted().fit(X, Y), ROWS, baseline=BASELINE)


class TestRows:
    MODEL = LinearRegression().fit(X, Y)

    @pytest.mark.parametrize("baseline", [X[0], X[:0], np.zeros((2, 2, 2))])
    def test_a_baseline_of_another_shape_is_refused(self, baseline: Any) -> None:
        with pytest.raises(ValueError, match="baseline must have two dimensions and a row"):
            explain(self.MODEL, ROWS, baseline=baseline)

    def test_columns_must_agree(self) -> None:
        frame = pd.DataFrame(ROWS, columns=list("abcd"))
        with pytest.raises(ValueError, match=r"baseline lacks the columns \['d'\]"):
            explain(self.MODEL, frame, baseline=frame[["a", "b", "c"]])
        with pytest.raises(ValueError, match="X has 4 columns and baseline 3"):
            explain(self.MODEL, ROWS, baseline=BASELINE[:, :3])
        with pytest.raises(TypeError, match="give two frames or two arrays"):
            explain(self.MODEL, frame, baseline=BASELINE)

    def test_columns_in_another_order_mean_the_same(self) -> None:
        frame = pd.DataFrame(X, columns=list("abcd"))
        model = LinearRegression().fit(frame, Y)
        found = explain(model, frame[:5], baseline=frame[["d", "c", "b", "a"]])
        assert_array_equal(found.values, explain(model, frame[:5], baseline=frame).values)

    def test_numbers_name_columns_too(self) -> None:
        frame = pd.DataFrame(X)
        model = RandomForestRegressor(**FOREST).fit(X, Y)
        assert explain(model, frame.to_numpy()[:2], baseline=X).feature_names[0] == "x0"
        linear = LinearRegression().fit(frame, Y)
        assert explain(linear, frame[:2], baseline=frame).feature_names[0] == "0"

    def test_a_sparse_table_is_refused(self) -> None:
        sparse = OneHotEncoder().fit_transform(X[:, :1])
        with pytest.raises(TypeError, match=r"give X.toarray\(\)"):
            explain(self.MODEL, sparse, baseline=BASELINE)

    def test_the_arguments_come_back_unchanged(self) -> None:
        rows, baseline = ROWS.copy(), BASELINE.copy()
        explain(RandomForestRegressor(**FOREST).fit(X, Y), rows, baseline=baseline)
        assert_array_equal(rows, ROWS)
        assert_array_equal(baseline, BASELINE)

    def test_texts_are_columns_like_others(self) -> None:
        frame = pd.DataFrame({"a": X[:, 0], "kind": np.where(X[:, 1] > 0, "up", "down")})

        def model(rows: pd.DataFrame) -> Any:
            return rows["a"] * (rows["kind"] == "up")

        found = explain(model, frame[:3], baseline=frame[100:110])
        assert found.data["kind"].tolist() == frame["kind"][:3].tolist()
        assert_allclose(found.base_value + found.values.sum(axis=1), model(frame[:3]))


class TestLaws:
    """What Shapley (1953) asked of shares, on random games."""

    WORTHS = st.lists(st.floats(-10, 10), min_size=8, max_size=8).map(np.array)

    @given(WORTHS)
    def test_the_shares_sum_to_what_is_shared(self, worth: np.ndarray) -> None:
        assert shapley_values(worth).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-9)

    @given(WORTHS, WORTHS)
    def test_the_shares_of_a_sum_are_the_sum_of_the_shares(self, one: Any, other: Any) -> None:
        assert_allclose(
            shapley_values(one + other), shapley_values(one) + shapley_values(other), atol=1e-9
        )

    @given(st.lists(st.floats(-10, 10), min_size=4, max_size=4))
    def test_who_adds_nothing_gets_nothing(self, worth: list[float]) -> None:
        assert shapley_values(np.array(worth * 2))[2] == 0  # the third player changes no worth

    @given(WORTHS)
    def test_equal_players_get_equal_shares(self, worth: np.ndarray) -> None:
        worth = worth.copy()
        worth[[2, 6]] = worth[[1, 5]]
        values = shapley_values(worth)
        assert values[0] == pytest.approx(values[1], abs=1e-9)

    def test_a_coalition_has_the_values_of_the_row(self) -> None:
        worth = coalition_worth(lambda rows: rows @ [1, 10], [[1, 2]] * np.eye(1), [[3, 4], [5, 6]])
        assert worth[:, 0, 0].tolist() == [54, 51, 24, 21]


class TestIntegratedGradients:
    def test_a_linear_function_is_exact_in_one_step(self) -> None:
        weights = np.array([3.0, -2, 1, 0])
        found = integrated_gradients(lambda rows: rows * 0 + weights, ROWS, BASELINE, n_steps=1)
        assert_allclose(found, (ROWS - BASELINE.mean(axis=0)) * weights)

    def test_a_square_is_exact_by_the_midpoint_rule(self) -> None:
        found = integrated_gradients(lambda rows: 2 * rows, ROWS, np.zeros((1, M)), n_steps=3)
        assert_allclose(found, ROWS**2)

    def test_more_steps_err_less(self) -> None:
        def complete(n_steps: int) -> float:
            found = integrated_gradients(np.cos, ROWS, np.zeros((1, M)), n_steps)
            return float(np.abs(found - np.sin(ROWS)).max())

        assert complete(50) < complete(10) / 20


class TestNetworks:
    """Keras is imported where it is needed: the other tests do not wait for it."""

    def network(self, *layers: Any, shape: tuple[int, ...] = (6,)) -> Any:
        import keras

        keras.utils.set_random_seed(0)
        return keras.Sequential([keras.Input(shape), *layers])

    def test_a_linear_network_has_its_weights(self) -> None:
        import keras

        network = self.network(keras.layers.Dense(1))
        rows = RNG.normal(size=(5, 6))
        found = explain(network, rows, baseline=rows[3:], n_steps=2)
        weights = network.get_weights()[0][:, 0]
        assert_allclose(found.values, (rows - rows[3:].mean(axis=0)) * weights, atol=1e-6)
        assert found.link == "identity"
        assert found.baseline == "2 baseline rows"

    def test_layers_that_deep_explainer_cannot_take(self) -> None:
        import keras
        from keras import layers

        keras.utils.set_random_seed(0)  # layers draw the seeds of their weights when they are made
        rows = np.random.default_rng(0).normal(size=(4, 6))
        for inner in (
            [layers.Dense(8, "gelu"), layers.LayerNormalization(), layers.Dropout(0.5)],
            [layers.Reshape((6, 1)), layers.GRU(3)],
        ):
            network = self.network(*inner, layers.Dense(3, "softmax"))
            found = explain(network, rows, baseline=np.zeros((1, 6)), n_steps=300)
            assert found.values.shape == (4, 6, 3)
            assert found.link == "probability"
            assert np.abs(found.error).max() < 1e-3

    def test_pictures_have_a_name_for_each_element(self) -> None:
        from keras import layers

        network = self.network(layers.Flatten(), layers.Dense(1, "sigmoid"), shape=(2, 3, 1))
        rows = RNG.normal(size=(4, 2, 3, 1))
        found = explain(network, rows, baseline=np.zeros((1, 2, 3, 1)))
        assert found.feature_names[:2] == ("x[0, 0, 0]", "x[0, 1, 0]")
        assert found.values.shape == (4, 6)
        with pytest.raises(ValueError, match=r"of shape \(n, 2, 3, 1\); got \(2, 3, 1\)"):
            explain(network, rows, baseline=np.zeros((2, 3, 1)))
        with pytest.raises(ValueError, match="link must be 'probability'"):
            explain(network, rows, baseline=rows, link="log-odds")

    def test_an_embedding_is_refused(self) -> None:
        from keras import layers

        network = self.network(
            layers.Embedding(9, 2), layers.Flatten(), layers.Dense(1), shape=(3,)
        )
        with pytest.raises(ValueError, match="no gradient by its input: an embedding"):
            explain(network, RNG.integers(0, 9, (4, 3)), baseline=np.zeros((1, 3)))

    def test_paths_of_trees_are_refused(self) -> None:
        from keras import layers

        with pytest.raises(TypeError, match="a network needs baseline rows"):
            explain(self.network(layers.Dense(1)), np.zeros((1, 6)), baseline="tree_paths")


class TestWhatTodaysShapDoes:
    """Each route that `explain` avoids is still wrong: where one is repaired, it can be taken."""

    def direct(self, model: Any) -> tuple[Any, Any]:
        explain(RandomForestRegressor(**FOREST).fit(X, Y), ROWS, baseline=BASELINE)  # imports shap
        import shap

        trees = shap.TreeExplainer(model, BASELINE, feature_perturbation="interventional")
        return trees.shap_values(ROWS, check_additivity=False), trees.expected_value

    def error(self, model: Any) -> float:
        expected, _ = by_definition(model.predict)
        return float(np.abs(self.direct(model)[0] - expected[..., 0]).max())

    def test_histogram_gradient_boosting_against_rows_is_wrong(self) -> None:
        model = HistGradientBoostingRegressor(max_iter=20).fit(X, Y)
        assert self.error(model) > 1e-3

    def test_dropped_trees_against_rows_are_wrong(self) -> None:
        model = xgb.XGBRegressor(**BOOSTED, booster="dart", rate_drop=0.5).fit(X, Y)
        assert self.error(model) > 0.1

    def test_the_base_values_of_several_classes_are_wrong(self) -> None:
        model = xgb.XGBClassifier(**BOOSTED).fit(X, np.digitize(Y, [0.5, 1.5]))
        found = explain(model, ROWS, baseline=BASELINE)
        assert np.abs(self.direct(model)[1] - found.base_value).max() > 0.1

    def test_native_categories_are_read_as_numbers(self) -> None:
        coded = X.copy()
        coded[:, 3] = np.digitize(X[:, 3], [-1, 0, 1])
        model = HistGradientBoostingRegressor(max_iter=20, categorical_features=[3])
        model.fit(coded, Y + 2 * (coded[:, 3] == 2))
        self.direct(RandomForestRegressor(**FOREST).fit(X, Y))  # imports shap
        import shap

        trees = shap.TreeExplainer(model)
        total = trees.expected_value + trees.shap_values(coded[:50], check_additivity=False).sum(1)
        assert np.abs(total - model.predict(coded[:50])).max() > 0.1

    def test_a_hundred_baseline_rows_are_kept(self) -> None:
        self.direct(RandomForestRegressor(**FOREST).fit(X, Y))
        import shap

        assert len(shap.maskers.Independent(X).data) == 100

    def test_a_failed_deep_explainer_breaks_other_networks(self) -> None:
        code = """
import warnings
warnings.simplefilter("ignore")
import keras, numpy as np, shap
def network(*layers):
    return keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
rows = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
try:
    shap.DeepExplainer(network(keras.layers.LayerNormalization()), rows).shap_values(rows[:2])
except Exception as error:
    print(type(error).__name__)
healthy = network()
healthy.compile("sgd", "mse")
try:
    healthy.fit(rows, rows[:, 0], verbose=0)
except LookupError as error:
    print(type(error).__name__)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
        )
        assert done.stdout.split() == ["StagingError", "LookupError"]


class TestPipelines:
    FRAME = pd.DataFrame(X, columns=list("abcd")).assign(
        kind=np.array(["cold", "mild", "hot"])[np.digitize(X[:, 3], [-0.5, 0.5])]
    )
    BEFORE = make_column_transformer(
        (OneHotEncoder(), ["kind"]), (StandardScaler(), ["b", "a"]), remainder="passthrough"
    )
    TARGET = Y + 2 * (FRAME["kind"] == "hot") * (X[:, 0] > 0) - (FRAME["kind"] == "cold")

    @pytest.mark.parametrize(
        "last",
        [Ridge(), xgb.XGBRegressor(**BOOSTED), RandomForestRegressor(**FOREST)],
        ids=lambda model: type(model).__name__,
    )
    def test_raw_columns_are_explained_exactly(self, last: Any) -> None:
        pipeline = make_pipeline(self.BEFORE, last).fit(self.FRAME, self.TARGET)
        found = explain(pipeline, self.FRAME[:4], baseline=self.FRAME[100:110])
        worth = coalition_worth(pipeline.predict, self.FRAME[:4], self.FRAME[100:110])
        assert_allclose(found.values, shapley_values(worth)[..., 0].T, atol=1e-6)
        assert found.feature_names == tuple(self.FRAME)
        assert found.data["kind"].tolist() == self.FRAME["kind"][:4].tolist()

    def test_columns_of_an_encoder_are_summed_along_the_paths(self) -> None:
        pipeline = make_pipeline(self.BEFORE, RandomForestRegressor(**FOREST))
        pipeline.fit(self.FRAME, self.TARGET)
        found = explain(pipeline, self.FRAME[:4], baseline="tree_paths")
        features = pipeline[:-1].transform(self.FRAME[:4])
        inner = explain(pipeline[-1], features, baseline="tree_paths")
        names = dict(zip(inner.feature_names, pipeline[0].get_feature_names_out(), strict=True))
        ones = [x for x, name in names.items() if "kind_" in name]
        assert len(ones) == 3
        grouped = inner.grouped({"kind": ones})
        at = grouped.feature_names.index("kind")
        assert_allclose(found.values[:, 4], grouped.values[:, at])

    def test_many_scaled_columns_of_trees_are_explained_through_the_scaler(self) -> None:
        wide = RNG.normal(size=(200, 20))
        pipeline = make_pipeline(StandardScaler(), xgb.XGBRegressor(**BOOSTED))
        pipeline.fit(wide, wide[:, 0] * wide[:, 1])
        assert explain(pipeline, wide[:3], baseline=wide).method == "trees against rows"

    def test_many_columns_that_are_mixed_are_refused(self) -> None:
        wide = RNG.normal(size=(200, 20))
        pipeline = make_pipeline(PCA(), LinearRegression()).fit(wide, wide[:, 0])
        with pytest.raises(ValueError, match="Pipeline has no exact route"):
            explain(pipeline, wide[:3], baseline=wide)

    def test_where_columns_come_from(self) -> None:
        fitted = self.BEFORE.fit(self.FRAME)
        expected = ["kind", "kind", "kind", "b", "a", "c", "d"]
        assert source_columns(fitted, list(self.FRAME)) == expected
        assert source_columns(make_pipeline(StandardScaler(), PCA()).fit(X), list("abcd")) is None

    def test_a_pipeline_of_one_step(self) -> None:
        pipeline = make_pipeline(LinearRegression()).fit(X, Y)
        assert explain(pipeline, ROWS, baseline=BASELINE).method == "coefficients"


class TestTheResult:
    FOUND = explain(xgb.XGBClassifier(**BOOSTED).fit(X, THREE), ROWS, baseline="tree_paths")
    ONE = FOUND.output(1)

    def test_outputs_are_named(self) -> None:
        assert self.FOUND.values.shape == (5, 4, 3)
        assert_array_equal(self.ONE.values, self.FOUND.values[..., 1])
        assert self.ONE.output("1") is self.ONE
        with pytest.raises(ValueError, match="output must be one of"):
            self.FOUND.output("4")

    def test_rows_are_chosen_in_many_ways(self) -> None:
        assert len(self.ONE[0]) == len(self.ONE[-1]) == 1
        assert_array_equal(self.ONE[1:3].values, self.ONE[[1, 2]].values)
        assert len(self.ONE[np.arange(5) > 1]) == 3

    def test_groups_sum_their_columns(self) -> None:
        grouped = self.FOUND.grouped({"pair": ["x1", "x3"]})
        assert grouped.feature_names == ("x0", "pair", "x2")
        assert_allclose(grouped.values[:, 1], self.FOUND.values[:, 1] + self.FOUND.values[:, 3])
        assert grouped.data["pair"][0].count(", ") == 1

    @pytest.mark.parametrize(
        "groups", [{"g": ["x9"]}, {"g": ["x1"], "h": ["x1"]}, {"x0": ["x1", "x2"]}]
    )
    def test_groups_that_make_no_sense_are_refused(self, groups: dict[str, list[str]]) -> None:
        with pytest.raises(ValueError, match="group"):
            self.FOUND.grouped(groups)

    def test_a_sum_by_source_keeps_names_without_columns(self) -> None:
        found = sum_by_source(np.array([[1.0, 2, 4]]), ["b", "a", "b"], ["a", "b", "c"])
        assert found.tolist() == [[2, 5, 0]]

    def test_one_row_prints_its_sum_and_many_their_importance(self) -> None:
        text = str(self.ONE[0])
        assert "logits" in text
        assert "the paths of the training rows" in text
        assert "+ attributions =" in text
        assert "mean absolute attributions" in str(self.ONE)
        order = [line.split()[0] for line in str(self.ONE).splitlines()[-4:]]
        assert order == list(self.ONE.importance().index)

    def test_the_plots_of_shap_take_it(self) -> None:
        for found in (self.FOUND, self.ONE):
            shown = found.to_shap()
            assert_array_equal(shown.values, found.values)
            assert shown.base_values.shape == found.error.shape
        texts = TestPipelines.FRAME[:5]
        shown = explain(lambda rows: rows["a"], texts, baseline=texts).to_shap()
        assert shown.data[:, 4].dtype == float
        assert shown.display_data[0, 4] == texts["kind"].iloc[0]


class TestCounterfactuals:
    FRAME = pd.DataFrame(X, columns=list("abcd")).assign(kind=np.where(X[:, 3] > 0, "up", "down"))

    def decide(self, rows: pd.DataFrame) -> Any:
        return np.where(2 * rows["a"] + rows["b"] + (rows["kind"] == "up") > 1, "yes", "no")

    def test_what_is_said_to_change_changes_the_decision_and_nothing_less_does(self) -> None:
        found = counterfactuals(self.decide, self.FRAME[:30], self.FRAME[100:])
        for i, one in enumerate(found):
            assert one is not None
            row = self.FRAME.iloc[[i]]
            other = row.assign(**{name: new for name, (_, new) in one.changes.items()})
            assert self.decide(row)[0] == one.decision
            assert self.decide(other)[0] == one.other != one.decision
            for name in one.changes:
                without = other.assign(**{name: row[name].iloc[0]})
                assert self.decide(without)[0] == one.decision
            assert set(one.changes) <= {"a", "b", "kind"}
            assert one.distance > 0

    def test_immutable_features_keep_their_values(self) -> None:
        found = counterfactuals(self.decide, self.FRAME[:30], self.FRAME, immutable=["a", "kind"])
        changed = {name for one in found if one is not None for name in one.changes}
        assert changed == {"b"}

    def test_none_where_no_candidate_is_decided_otherwise(self) -> None:
        no = self.FRAME[self.decide(self.FRAME) == "no"]
        assert counterfactuals(self.decide, no[:3], no) == [None] * 3
        assert counterfactuals(self.decide, no[:3], self.FRAME, immutable=[*no]) == [None] * 3

    def test_a_target_is_reached_and_a_row_that_has_it_gets_none(self) -> None:
        found = counterfactuals(self.decide, self.FRAME[:30], self.FRAME, target="yes")
        for decision, one in zip(self.decide(self.FRAME[:30]), found, strict=True):
            assert (one is None) == (decision == "yes")
            assert one is None or one.other == "yes"

    def test_a_change_of_unit_changes_nothing(self) -> None:
        small = self.FRAME.assign(b=self.FRAME["b"] / 1000)

        def decide(rows: pd.DataFrame) -> Any:
            return self.decide(rows.assign(b=rows["b"] * 1000))

        one = counterfactuals(self.decide, self.FRAME[:20], self.FRAME)
        other = counterfactuals(decide, small[:20], small)
        assert [set(c.changes) for c in one if c] == [set(c.changes) for c in other if c]

    def test_missing_values_and_constant_columns_are_no_obstacle(self) -> None:
        frame = self.FRAME.assign(one=1.0, hole=np.where(X[:, 2] > 0, X[:, 2], np.nan))
        found = counterfactuals(self.decide, frame[:10], frame)
        assert all(one is not None and np.isfinite(one.distance) for one in found)

    def test_names_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"immutable names \['age'\]"):
            counterfactuals(self.decide, self.FRAME, self.FRAME, immutable=["age"])
        with pytest.raises(ValueError, match="and candidates"):
            counterfactuals(self.decide, self.FRAME, self.FRAME[["a"]])
        with pytest.raises(ValueError, match="at least one row"):
            counterfactuals(self.decide, self.FRAME, self.FRAME[:0])


class TestNeighbors:
    POINTS = np.array([[0.0], [1], [2], [10], [11], [12]])

    def test_the_nearest_rows_and_their_agreement(self) -> None:
        rows, agreement = examples(self.POINTS, list("aabbbb"), [[0.1], [11.2]], ["a", "b"], 3)
        assert rows.tolist() == [[0, 1, 2], [4, 5, 3]]
        assert agreement.tolist() == pytest.approx([2 / 3, 1])

    def test_a_wrong_label_is_suspicious_and_a_row_is_not_its_own_neighbor(self) -> None:
        found = suspicion(self.POINTS, [0, 1, 0, 1, 1, 1], n_neighbors=2)
        assert found.tolist() == [0.5, 1, 0.5, 0, 0, 0]

    def test_labels_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="inconsistent numbers"):
            suspicion(self.POINTS, [0, 1])


class TestDrift:
    def found(self, rows: Any) -> Attributions:
        weights = np.array([2.0, 1, 0, 0])
        return explain(lambda rows: rows @ weights, rows, baseline=X)

    def test_what_the_model_uses_drifts_and_what_it_does_not_use_does_not(self) -> None:
        moved = X.copy()
        moved[:, [1, 3]] += 2
        table = attribution_drift(self.found(X), self.found(moved))
        assert table.index[0] == "x1"
        assert table.loc["x1", "mean_change"] == pytest.approx(2)
        assert table.loc["x3", "distance"] == 0
        assert table.loc["x1", "share_now"] > table.loc["x1", "share_before"]
        assert table["share_now"].sum() == pytest.approx(1)

    def test_what_cannot_be_compared_is_refused(self) -> None:
        three = explain(lambda rows: rows @ np.eye(4), X, baseline=X)
        with pytest.raises(ValueError, match="choose one with output"):
            attribution_drift(three, three)
        with pytest.raises(ValueError, match="same features and link"):
            attribution_drift(self.found(X), self.found(X).grouped({"both": ["x0", "x1"]}))


class TestServed:
    FRAME = TestCounterfactuals.FRAME
    BEFORE = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    MODEL = make_pipeline(BEFORE, LogisticRegression()).fit(FRAME, BINARY)

    def answer(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        explains = explainer(
            lambda frame: explain(self.MODEL, frame, baseline=self.FRAME),
            lambda frame: counterfactuals(self.MODEL.predict, frame, self.FRAME),
            n_top=2,
            columns=list(self.FRAME),
        )
        return explains(rows)

    def test_rows_become_explanations_that_json_knows(self) -> None:
        rows = self.FRAME[:3].to_dict("records")
        answers = json.loads(json.dumps(self.answer(rows), allow_nan=False))
        assert len(answers) == 3
        for row, told in zip(self.FRAME[:3].itertuples(), answers, strict=True):
            assert told["link"] == "log-odds"
            (one,) = told["outputs"].values()
            total = one["base_value"] + one["others"] + sum(f["attribution"] for f in one["top"])
            at = self.FRAME.loc[[row.Index]]
            assert total == pytest.approx(self.MODEL.decision_function(at)[0])
            assert len(one["top"]) == 2
            changes = told["counterfactual"]["changes"]
            other = at.assign(**{name: change["to"] for name, change in changes.items()})
            assert self.MODEL.predict(other)[0] == told["counterfactual"]["decision"]

    def test_no_rows_and_rows_in_another_order_of_columns(self) -> None:
        assert self.answer([]) == []
        row = self.FRAME.iloc[0].to_dict()
        assert self.answer([row]) == self.answer([dict(reversed(row.items()))])

    def test_at_least_one_feature_is_told(self) -> None:
        with pytest.raises(ValueError, match="n_top must be at least 1"):
            explainer(lambda frame: None, n_top=0)
