"""The multimodal input pattern: encoders, masks, dropout, saved files, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import StandardScaler

from patterns.multimodal_input import (
    ModalityDropout,
    column_layer,
    image_encoder,
    late_average,
    late_stacked,
    model_inputs,
    multimodal_model,
    pool_tokens,
    tabular_encoder,
    text_encoder,
)
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import train
from patterns.multimodal_input.pattern import TEXT_KINDS

ROOT = Path(__file__).parents[1]
TEXTS = ["good food", "not good", "the food was bad bad", "a", "not bad at all good food"]


def table(n: int = 60, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "speed": rng.normal(60, 20, n),
        "hour": rng.integers(0, 24, n),
        "weather": rng.choice(["dry", "rain", "snow"], n),
        "image": rng.uniform(size=(n, 8, 8)).astype("f4"),
        "text": rng.choice(TEXTS, n),
    }


WAYS = {"speed": "number", "hour": ("number", "buckets"), "weather": "category"}


def everything(modality_dropout: float | None = None) -> tuple[keras.Model, dict[str, Any]]:
    keras.utils.set_random_seed(0)
    columns = table()
    encoders = {
        "image": image_encoder((8, 8), ("pixels", "convolution")),
        "tabular": tabular_encoder(columns, WAYS),
        "text": text_encoder(columns["text"], TEXT_KINDS, length=6),
    }
    return multimodal_model(encoders, modality_dropout=modality_dropout), columns


def predict(model: keras.Model, columns: Any) -> Any:
    return np.asarray(model(model_inputs(model, columns)))


class TestColumns:
    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=40).filter(lambda v: np.std(v) > 1))
    def test_a_number_is_standardized_as_by_scikit_learn(self, values: list[float]) -> None:
        train = np.array(values)[:, None]
        new = np.array([[0.0], [5.0], [-7.0]])
        layer = column_layer(train[:, 0], "number")
        expected = StandardScaler().fit(train).transform(new)
        assert_allclose(np.asarray(layer(new.astype("f4"))), expected, rtol=1e-3, atol=1e-3)

    @settings(deadline=None, max_examples=20)
    @given(st.integers(2, 12), st.integers(0, 100))
    def test_buckets_hold_equal_shares(self, n_buckets: int, seed: int) -> None:
        values = np.exp(np.random.default_rng(seed).normal(size=240)).astype("f4")
        one_hot = np.asarray(column_layer(values, "buckets", n_buckets)(values[:, None]))
        assert one_hot.shape == (240, n_buckets)
        assert_array_equal(one_hot.sum(axis=1), 1)
        assert np.ptp(one_hot.sum(axis=0)) <= 2

    def test_repeated_values_leave_fewer_buckets(self) -> None:
        one_hot = column_layer(np.array([0.0] * 90 + [1.0] * 10), "buckets")(np.zeros((1, 1)))
        assert one_hot.shape[1] < 12

    def test_unknown_categories_share_one_place(self) -> None:
        layer = column_layer(np.array(["dry", "rain"]), "category")
        known, hail, fog = np.asarray(layer(np.array(["rain", "hail", "fog"], dtype=object)))
        assert_array_equal(hail, fog)
        assert known @ hail == 0

    @settings(deadline=None, max_examples=20)
    @given(st.floats(-300, 300), st.floats(-1e4, 1e4), st.sampled_from(["number", "buckets"]))
    def test_the_unit_and_the_origin_of_a_column_do_not_matter(
        self, exponent: float, origin: float, way: str
    ) -> None:
        values = np.random.default_rng(0).permutation(24.0 * np.arange(50))
        moved = (values + np.rint(origin)) * 10.0**exponent
        layer, other = column_layer(values, way), column_layer(moved, way)
        expected = np.asarray(layer(values[:, None]))
        assert_allclose(np.asarray(other(moved[:, None])), expected, atol=1e-4)

    def test_seconds_since_1970_keep_their_differences(self) -> None:
        seconds = 1_700_000_000 + np.arange(3600)
        for dtype in (float, int):
            values = seconds.astype(dtype)
            number = np.asarray(column_layer(values, "number")(values[:, None].astype(float)))
            assert len(np.unique(number)) == 3600
            buckets = np.asarray(column_layer(values, "buckets")(values[:, None].astype(float)))
            assert_array_equal(buckets.sum(axis=0), 300)

    # What `fit` and `predict` are given as float64 they round to float32; whole numbers they keep.
    def test_a_model_tells_seconds_apart_in_fit_and_predict(self) -> None:
        columns = {"time": 1_700_000_000 + np.arange(0, 3600, 6)}
        model = multimodal_model({"table": tabular_encoder(columns, {"time": "number"})})
        inputs = model_inputs(model, columns)
        assert len(np.unique(model.predict(inputs, verbose=0))) > 500
        model.fit(inputs, np.zeros((600, 1)), verbose=0)
        assert_allclose(model.predict(inputs, verbose=0), predict(model, columns), atol=1e-6)
        with pytest.raises(ValueError, match=r"'time' must hold whole numbers of int64.*1.5"):
            model_inputs(model, {"time": [1.5]})

    def test_fractions_that_float32_cannot_tell_apart_are_refused(self) -> None:
        columns = {"time": 1_700_000_000 + np.arange(100) / 10}
        with pytest.raises(ValueError, match="fractions that float32 cannot tell apart"):
            tabular_encoder(columns, {"time": "number"})

    def test_a_number_too_great_for_the_model_is_refused(self) -> None:
        model, columns = everything()
        with pytest.raises(ValueError, match=r"'speed' must hold numbers of float32.*1e\+300"):
            model_inputs(model, {**columns, "speed": [1e300, *columns["speed"][1:]]})

    @pytest.mark.parametrize("absurd", [1e9, 3e38, -3e38])
    def test_an_absurd_number_makes_no_nan(self, absurd: float) -> None:
        model, columns = everything(modality_dropout=0.3)
        columns["speed"] = np.array([absurd, *columns["speed"][1:]])
        assert np.isfinite(predict(model, columns)).all()

    def test_a_value_at_a_cut_stays_on_its_side(self) -> None:
        values = np.random.default_rng(0).integers(0, 24, 500).astype(float) / 10
        one_hot = np.asarray(column_layer(values, "buckets")(values[:, None]))
        cuts = np.unique(np.quantile(values, np.arange(1, 12) / 12))
        assert_array_equal(one_hot.argmax(axis=1), np.digitize(values, cuts))

    def test_a_constant_column_that_no_float_holds_is_centered(self) -> None:
        layer = column_layer(np.full(9, 0.1), "number")
        assert_allclose(np.asarray(layer(np.array([[0.1], [1.1]]))), [[0], [1]], atol=1e-9)

    def test_a_constant_column_is_centered(self) -> None:
        layer = column_layer(np.full(9, 5.0), "number")
        assert_allclose(np.asarray(layer(np.array([[5.0], [6.0]]))), [[0], [1]])


class TestPooling:
    @settings(deadline=None, max_examples=30)
    @given(st.integers(0, 1000), st.integers(1, 6), st.sampled_from(["mean", "max"]))
    def test_padding_has_no_influence(self, seed: int, n_padding: int, how: str) -> None:
        rng = np.random.default_rng(seed)
        tokens = rng.normal(size=(3, 5, 2)).astype("f4")
        mask = rng.uniform(size=(3, 5)) < 0.6
        padding = 9 * rng.normal(size=(3, n_padding, 2)).astype("f4")
        padded = np.concatenate([tokens, padding], axis=1)
        padded_mask = np.hstack([mask, np.zeros((3, n_padding), bool)])
        expected = np.asarray(pool_tokens(tokens, mask, how))
        assert_allclose(np.asarray(pool_tokens(padded, padded_mask, how)), expected, atol=1e-6)
        reduce = np.mean if how == "mean" else np.max
        for row in range(3):
            wanted = reduce(tokens[row, mask[row]], axis=0) if mask[row].any() else 0
            assert_allclose(expected[row], wanted, atol=1e-5)


class TestTexts:
    @pytest.mark.parametrize("kind", TEXT_KINDS)
    def test_the_length_that_a_text_is_padded_to_has_no_influence(self, kind: str) -> None:
        answers = []
        for length in (7, 15):
            keras.utils.set_random_seed(0)
            model = multimodal_model({"text": text_encoder(TEXTS, kind, length=length)})
            # The transformer has a table of places, whose size is the length: same rows for both.
            for i, weight in enumerate(model.weights if kind == "transformer" else []):
                values = np.random.default_rng(i).normal(size=(1000, *weight.shape[1:])) / 4
                weight.assign(values[: weight.shape[0]])
            answers.append(predict(model, {"text": TEXTS}))
        assert_allclose(answers[0], answers[1], atol=1e-5)

    @pytest.mark.parametrize("kind", TEXT_KINDS)
    def test_only_a_bag_and_a_mean_ignore_the_order_of_words(self, kind: str) -> None:
        keras.utils.set_random_seed(1)
        model = multimodal_model({"text": text_encoder(TEXTS, kind, length=8)})
        one, other = predict(model, {"text": ["food not bad good", "food not good bad"]})
        ignores = kind in ("bag_of_words", "embedding")
        assert (abs(one - other) < 1e-6)[0] == ignores

    def test_the_bag_is_that_of_scikit_learn(self) -> None:
        model = multimodal_model({"text": text_encoder(TEXTS, "bag_of_words")})
        layer = model.layers[1]
        words = layer.get_vocabulary()
        counter = CountVectorizer(binary=True, token_pattern=r"\S+", vocabulary=words[1:])
        ours = np.asarray(layer(np.array(TEXTS, dtype=object)))[:, 1:]
        assert_array_equal(ours, counter.transform(TEXTS).toarray())

    def test_words_that_training_did_not_have_are_one_word(self) -> None:
        model = multimodal_model({"text": text_encoder(TEXTS, "conv")})
        first, second, known = predict(model, {"text": ["good xyzzy", "good plugh", "good food"]})
        assert first == second != known

    def test_the_vocabulary_keeps_the_most_frequent_words(self) -> None:
        model = multimodal_model({"text": text_encoder(TEXTS, "embedding", max_words=4)})
        layer = next(x for x in model.layers if isinstance(x, keras.layers.TextVectorization))
        assert layer.get_vocabulary() == ["", "[UNK]", "good", "food"]

    def test_a_sequence_is_cut_and_a_bag_is_not(self) -> None:
        texts = ["a b c d bad", "a b c d good"]
        answers = [
            predict(
                multimodal_model({"text": text_encoder(texts, kind, length=4)}), {"text": texts}
            )
            for kind in ("conv", "bag_of_words")
        ]
        assert_allclose(answers[0][0], answers[0][1], atol=1e-6)
        assert abs(answers[1][0] - answers[1][1]) > 1e-4

    @pytest.mark.parametrize("kind", TEXT_KINDS)
    def test_an_empty_text_has_an_answer(self, kind: str) -> None:
        model = multimodal_model({"text": text_encoder(TEXTS, kind)})
        assert np.isfinite(predict(model, {"text": ["", "good"]})).all()

    @pytest.mark.parametrize("kind", ["conv", "rnn", "transformer"])
    def test_a_sequence_learns_negation_and_a_bag_does_not(self, kind: str) -> None:
        rng = np.random.default_rng(0)
        is_negated, is_good = rng.integers(0, 2, (2, 400))
        filler = rng.choice(["well", "so"], 400)
        nots = np.where(is_negated, "not", "")
        words = np.where(is_good, "good", "bad")
        # Both have the word "not"; only its place tells which word it belongs to.
        texts = [
            f"{f} food {n} {w} and room {'' if n else 'not'} plain"
            for f, n, w in zip(filler, nots, words, strict=True)
        ]
        y = (is_negated ^ is_good)[:, None].astype("f4")
        accuracies = {}
        for each in (kind, "bag_of_words"):
            keras.utils.set_random_seed(0)
            model = multimodal_model({"text": text_encoder(texts, each, length=10)})
            model.fit(model_inputs(model, {"text": texts}), y, 50, epochs=15, verbose=0)
            accuracies[each] = np.mean((predict(model, {"text": texts}) > 0) == y)
        assert accuracies[kind] > 0.95
        assert accuracies["bag_of_words"] < 0.7


class TestModalityDropout:
    @settings(deadline=None, max_examples=30)
    @given(st.integers(0, 1000), st.floats(0, 0.66))
    def test_a_modality_is_whole_or_gone_and_something_stays(self, seed: int, rate: float) -> None:
        rng = np.random.default_rng(seed)
        encoded = [rng.uniform(1, 2, size=(50, width)).astype("f4") for width in (1, 3, 2)]
        flags = (rng.uniform(size=(50, 3)) < 0.7).astype("f4")
        layer = ModalityDropout(rate, seed=seed)
        result = np.asarray(layer(encoded, [flags[:, [i]] for i in range(3)], training=True))
        *parts, left = np.split(result, [1, 4, 6], axis=1)
        assert (left <= flags).all()
        assert_array_equal(left.any(axis=1), flags.any(axis=1))
        for i, part in enumerate(parts):
            assert_array_equal(part, encoded[i] * left[:, [i]])

    def test_it_drops_at_the_given_rate(self) -> None:
        ones = np.ones((20_000, 1), dtype="f4")
        layer = ModalityDropout(0.3, seed=0)
        left = np.asarray(layer([ones] * 2, [ones] * 2, training=True))[:, 2:]
        assert_allclose(1 - left.mean(axis=0), 0.3, atol=0.01)

    @settings(deadline=None, max_examples=20)
    @given(st.integers(2, 5), st.floats(0, 1), st.integers(0, 100))
    def test_the_rate_is_the_share_of_rows_that_lose_each_modality(
        self, n: int, share: float, seed: int
    ) -> None:
        rate = share * (1 - 1 / n)
        ones = np.ones((20_000, 1), dtype="f4")
        left = np.asarray(ModalityDropout(rate, seed=seed)([ones] * n, [ones] * n, training=True))
        assert_allclose(1 - left[:, n:].mean(axis=0), rate, atol=0.02)
        assert left[:, n:].any(axis=1).all()

    def test_rows_that_lack_a_modality_lose_the_others_at_the_rate(self) -> None:
        ones, zeros = np.ones((20_000, 1), dtype="f4"), np.zeros((20_000, 1), dtype="f4")
        flags = [ones, ones, zeros]
        left = np.asarray(ModalityDropout(0.3, seed=0)([ones] * 3, flags, training=True))[:, 3:]
        assert_allclose(1 - left.mean(axis=0), [0.3, 0.3, 1], atol=0.015)

    def test_what_is_missing_may_be_nan(self) -> None:
        ones = np.ones((2, 1), dtype="f4")
        layer = ModalityDropout(0.3)
        assert_array_equal(layer([ones * np.nan, ones], [ones * 0, ones]), [[0, 1, 0, 1]] * 2)

    def test_a_rate_that_would_leave_nothing_is_refused(self) -> None:
        ones = np.ones((2, 1), dtype="f4")
        for n, rate in ((1, 0.1), (2, 0.6), (3, 0.7)):
            with pytest.raises(ValueError, match=rf"at most 1 - 1/{n} for {n} modalities"):
                ModalityDropout(rate)([ones] * n, [ones] * n)

    def test_without_training_it_drops_nothing(self) -> None:
        ones = np.ones((100, 2), dtype="f4")
        result = np.asarray(ModalityDropout(0.5)([ones, ones], [ones[:, :1]] * 2))
        assert_array_equal(result, 1)

    def test_what_stands_in_for_a_missing_modality_does_not_matter(self) -> None:
        model, columns = everything(modality_dropout=0.3)
        gone = {**columns, "image_present": np.zeros(60)}
        blank = {**gone, "image": np.zeros((60, 8, 8))}
        assert_array_equal(predict(model, gone), predict(model, blank))
        assert np.abs(predict(model, gone) - predict(model, columns)).max() > 1e-4

    def test_a_column_whose_name_ends_like_a_flag_is_a_column(self) -> None:
        columns = {"seat_present": np.arange(9.0), "speed": np.arange(9.0)}
        encoder = tabular_encoder(columns, {"seat_present": "number"})
        for dropout in (None, 0.3):
            encoders = {"seats": encoder, "b": tabular_encoder(columns, {"speed": "number"})}
            model = multimodal_model(encoders, modality_dropout=dropout)
            with pytest.raises(ValueError, match="columns lacks the input 'seat_present'"):
                model_inputs(model, {"speed": np.arange(9.0)})

    def test_a_column_that_has_the_name_of_a_flag_is_refused(self) -> None:
        columns = {"seat_present": np.arange(9.0), "speed": np.arange(9.0)}
        encoders = {
            "seat": tabular_encoder(columns, {"seat_present": "number"}),
            "speed": tabular_encoder(columns, {"speed": "number"}),
        }
        with pytest.raises(ValueError, match=r"the names of flags: \['seat_present'\]"):
            multimodal_model(encoders, modality_dropout=0.3)

    def test_a_flag_is_zero_or_one(self) -> None:
        model, columns = everything(modality_dropout=0.3)
        with pytest.raises(ValueError, match="'image_present' is a flag: it must hold 0 and 1"):
            model_inputs(model, {**columns, "image_present": np.full(60, 0.5)})

    @pytest.mark.parametrize("rate", [-0.1, 1.0])
    def test_a_rate_out_of_range_is_refused(self, rate: float) -> None:
        with pytest.raises(ValueError, match=r"rate must lie in \[0, 1\)"):
            ModalityDropout(rate)


class TestModel:
    def test_it_learns_what_only_both_inputs_tell(self) -> None:
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(2, 600))
        columns, y = {"a": a, "b": b}, (a * b > 0)[:, None].astype("f4")
        encoders = {name: tabular_encoder(columns, {name: "number"}) for name in columns}
        for units, low, high in ((32, 0.9, 1.0), (0, 0.3, 0.7)):
            model = multimodal_model(encoders, joint_units=units)
            model.fit(model_inputs(model, columns), y, 50, epochs=20, verbose=0)
            assert low <= np.mean((predict(model, columns) > 0) == y) <= high

    def test_the_same_seed_gives_the_same_model(self) -> None:
        answers = [predict(*everything()) for _ in range(2)]
        assert_array_equal(answers[0], answers[1])

    @pytest.mark.parametrize("modality_dropout", [None, 0.3])
    def test_half_precision_gives_no_nan(self, modality_dropout: float | None) -> None:
        keras.config.set_dtype_policy("mixed_float16")
        try:
            model, columns = everything(modality_dropout)
            columns["text"] = np.array(["", *columns["text"][1:]])
            assert np.isfinite(predict(model, columns)).all()
            y = (columns["hour"] > 12)[:, None].astype("f4")
            history = model.fit(model_inputs(model, columns), y, epochs=2, verbose=0).history
            assert np.isfinite(history["loss"]).all()
            assert np.isfinite(predict(model, columns)).all()
        finally:
            keras.config.set_dtype_policy("float32")

    @pytest.mark.parametrize("way", ["pixels", "convolution"])
    def test_bytes_are_scaled_by_the_model(self, way: str) -> None:
        image = np.random.default_rng(0).integers(0, 256, (9, 10, 12)).astype("u1")
        answers = []
        for dtype, values in (("uint8", image), ("float32", image / 255)):
            keras.utils.set_random_seed(0)
            model = multimodal_model({"image": image_encoder((10, 12), way, dtype=dtype)})
            answers.append(predict(model, {"image": values}))
        assert_allclose(answers[0], answers[1], atol=1e-5)

    def test_a_convolution_finds_a_sign_wherever_it_is(self) -> None:
        keras.utils.set_random_seed(0)
        model = multimodal_model({"image": image_encoder((24, 24))})
        images = np.zeros((2, 24, 24))
        images[0, 8:13, 8:13] = images[1, 10:15, 12:17] = np.random.default_rng(0).uniform(
            size=(5, 5)
        )
        one, other = predict(model, {"image": images})
        assert_allclose(one, other, atol=1e-6)

    # Keras 3.15 reads TensorFlow's variables in a way that NumPy 2 will drop.
    @pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
    @pytest.mark.parametrize("modality_dropout", [None, 0.3])
    def test_the_saved_file_takes_raw_inputs_in_a_new_process(
        self, tmp_path: Path, modality_dropout: float | None
    ) -> None:
        model, columns = everything(modality_dropout)
        path = tmp_path / "model.keras"
        model.save(path)
        raw = {name: np.asarray(values[:5]).tolist() for name, values in columns.items()}
        code = (
            "import patterns.multimodal_input\n"
            "import json, sys, numpy as np, keras\n"
            f"model = keras.saving.load_model({str(path)!r})\n"
            "columns = json.loads(sys.argv[1])\n"
            "inputs = patterns.multimodal_input.model_inputs(model, columns)\n"
            "print(json.dumps(np.asarray(model(inputs))[:, 0].tolist()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, json.dumps(raw)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        )
        assert_allclose(json.loads(done.stdout), predict(model, columns)[:5, 0], atol=1e-5)

    @pytest.mark.skipif(not find_spec("jax"), reason="uv run --group jax pytest -k jax runs it")
    def test_what_needs_no_strings_runs_on_jax(self) -> None:
        code = (
            "import numpy as np, keras\n"
            "from patterns.multimodal_input import *\n"
            "rng = np.random.default_rng(0)\n"
            "columns = {'image': rng.uniform(size=(200, 8, 8)), 'speed': rng.normal(size=200)}\n"
            "y = (columns['speed'] > 0)[:, None].astype('f4')\n"
            "encoders = {'image': image_encoder((8, 8)),\n"
            "    'table': tabular_encoder(columns, {'speed': ('number', 'buckets')})}\n"
            "model = multimodal_model(encoders, modality_dropout=0.2)\n"
            "inputs = model_inputs(model, columns)\n"
            "model.fit(inputs, y, epochs=10, verbose=0)\n"
            "print(keras.backend.backend(), np.mean((model.predict(inputs, verbose=0) > 0) == y))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
            env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        )
        backend, accuracy = done.stdout.split()
        assert backend == "jax"
        assert float(accuracy) > 0.9


class TestInput:
    def test_a_frame_is_as_good_as_arrays(self) -> None:
        columns = table()
        frame = pd.DataFrame({name: columns[name] for name in WAYS})
        model = multimodal_model({"tabular": tabular_encoder(frame, WAYS)})
        assert_array_equal(predict(model, frame), predict(model, columns))

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: image_encoder((8, 8), "pixel"), r"way must be one or more of .*got 'pixel'"),
            (lambda: text_encoder(TEXTS, "lstm"), r"kind must be one or more of .*got 'lstm'"),
            (lambda: text_encoder(TEXTS, []), r"kind must be one or more of"),
            (
                lambda: tabular_encoder(table(), {"sped": "number"}),
                r"ways names the column 'sped'; columns has \['speed'",
            ),
            (
                lambda: tabular_encoder(table(), {"speed": "raw"}),
                r"ways\['speed'\] must be one or more of .*got 'raw'",
            ),
            (
                lambda: tabular_encoder(table(), {"weather": ("category", "number")}),
                r"ways\['weather'\] must be a category or a number",
            ),
            (lambda: tabular_encoder(table(), {}), "ways must name at least one column"),
            (
                lambda: tabular_encoder({"speed": [50.0, np.nan]}, {"speed": "number"}),
                r"columns\['speed'\] must hold finite numbers, but 1 of 2 are not, such as nan",
            ),
            (lambda: column_layer([1.0], "raw"), r"way must be one or more of .*got 'raw'"),
            (
                lambda: column_layer([], "number"),
                r"values must have shape \(n_samples,\), not empty",
            ),
            (lambda: column_layer(["a"], "number"), "values must hold numbers: could not convert"),
            (
                lambda: column_layer(["dry", None], "category"),
                "values must hold strings, but 1 of 2 are not, such as None",
            ),
            (lambda: column_layer([3, 4], "category"), "values must hold strings, .* such as 3"),
            (lambda: text_encoder("a text"), r"texts must have shape \(n_samples,\)"),
            (lambda: text_encoder(["a", None]), "texts must hold strings, .* such as None"),
            (lambda: text_encoder(TEXTS, length=0), "length must be at least 1"),
            (lambda: text_encoder(TEXTS, max_words=2), "max_words at least 3, got 32 and 2"),
            (lambda: image_encoder((8, 7)), r"shape must be \(height, width\), each at least 8"),
            (
                lambda: image_encoder((8, 8), dtype="float16"),
                r"dtype must be one of \['float32', 'uint8'\], got 'float16'",
            ),
            (lambda: image_encoder((8, 8, 3)), r"shape must be \(height, width\)"),  # type: ignore[arg-type]
            (
                lambda: pool_tokens(np.ones((1, 2, 3)), np.ones((1, 2), bool), "min"),
                "how must be one or more of .* got 'min'",
            ),
            (
                lambda: ModalityDropout(0.1)([np.ones((2, 1))] * 2, [np.ones((2, 1))]),
                "got 2 encodings and 1 flags",
            ),
            (lambda: multimodal_model({}), "at least one encoder"),
            (
                lambda: multimodal_model({"a": image_encoder((8, 8)), "b": image_encoder((8, 8))}),
                r"encoder 'b' takes inputs of another: \['image'\]",
            ),
        ],
    )
    def test_what_cannot_be_built_is_named(self, build: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            build()

    def test_a_missing_input_is_named(self) -> None:
        model, columns = everything()
        del columns["weather"]
        with pytest.raises(ValueError, match="columns lacks the input 'weather'; it has"):
            model_inputs(model, columns)

    def test_an_image_of_another_shape_is_named(self) -> None:
        model, columns = everything()
        columns["image"] = columns["image"][:, :4]
        with pytest.raises(ValueError, match=r"input 'image' must have shape \(n, 8, 8\), got"):
            model_inputs(model, columns)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("speed", np.nan, "input 'speed' must hold finite numbers, but 1 of 60 are not"),
            ("weather", None, "input 'weather' must hold strings, but 1 of 60 are not"),
        ],
    )
    def test_a_missing_value_is_refused_and_makes_no_nan(
        self, name: str, value: Any, message: str
    ) -> None:
        model, columns = everything()
        columns[name] = np.array([value, *columns[name][1:]], dtype=object)
        with pytest.raises(ValueError, match=message):
            model_inputs(model, columns)

    @pytest.mark.parametrize(
        ("dtype", "values", "message"),
        [
            ("float32", np.full((3, 8, 8), 7, "u1"), "gray values from 0 to 1, got uint8 up to 7"),
            ("uint8", np.full((3, 8, 8), 0.5), "whole numbers of uint8, but holds 0.5"),
            ("uint8", np.full((3, 8, 8), 256), "whole numbers of uint8, but holds 256"),
            ("uint8", np.full((3, 8, 8), -1), "whole numbers of uint8, but holds -1"),
        ],
    )
    def test_images_of_another_scale_are_refused(
        self, dtype: str, values: Any, message: str
    ) -> None:
        model = multimodal_model({"image": image_encoder((8, 8), dtype=dtype)})
        with pytest.raises(ValueError, match=message):
            model_inputs(model, {"image": values})

    def test_columns_of_different_lengths_are_refused(self) -> None:
        model, columns = everything()
        columns["hour"] = columns["hour"][:7]
        with pytest.raises(ValueError, match=r"must have one length.*'hour': 7"):
            model_inputs(model, columns)


class TestTraining:
    def test_models_that_are_trained_together_are_trained_as_if_alone(self) -> None:
        columns = table(500)
        y = (columns["speed"] > 60) ^ (columns["image"][:, 0, 0] > 0.5)
        answers = {}
        for names in (["joined", "image"], ["joined"]):
            keras.utils.set_random_seed(0)
            models = {
                "joined": multimodal_model(
                    {"image": image_encoder((8, 8)), "table": tabular_encoder(columns, WAYS)}
                ),
                "image": multimodal_model({"image": image_encoder((8, 8))}),
            }
            train({name: models[name] for name in names}, columns, y, epochs=5, seed=0)
            answers[len(names)] = predict(models["joined"], columns)
        assert np.std(answers[1] - answers[2]) < 0.05 * np.std(answers[1])


class TestConfig:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"n_cars": 10}, "n_cars must be at least 200, got 10"),
            ({"epochs": 0}, "epochs must be at least 1, got 0"),
            ({"n_images": 800}, "n_images must be at most 756, got 800"),
            ({"max_words": 2}, "max_words must be at least 3, got 2"),
            ({"text_kinds": ("lstm",)}, r"text_kinds must be among .*, got \['lstm'\]"),
            ({"dropout_rate": 1.0}, r"dropout_rate must lie in \(0, 1\), got 1.0"),
        ],
    )
    def test_settings_that_cannot_be_measured_are_refused(
        self, settings: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            Config(**settings)


class TestLateFusion:
    def test_the_average_is_that_of_probabilities(self) -> None:
        logits = np.array([[0.0, 2.0], [-1.0, 1.0]])
        assert_allclose(late_average(logits), [(0.5 + expit(2)) / 2, 0.5])

    def test_stacking_finds_the_model_that_knows(self) -> None:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, 500)
        logits = np.column_stack([rng.normal(size=500), rng.normal(2 * y - 1, 0.5)])
        stacked = late_stacked(logits[:250], y[:250], logits[250:])
        assert np.mean((stacked > 0.5) == y[250:]) > 0.95

    def test_stacking_adds_up_independent_evidence(self) -> None:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, 20_000)
        logits = 2 * rng.normal((2 * y - 1)[:, None], 1, (20_000, 2))  # each the true log odds
        assert_allclose(late_stacked(logits, y, logits), expit(logits.sum(axis=1)), atol=0.02)

    def test_shapes_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"logits must have shape \(n_samples, n_models\)"):
            late_average([1.0, 2.0])
        with pytest.raises(ValueError, match="of the same models, got 2 and 3 columns"):
            late_stacked(np.zeros((4, 2)), [0, 1, 0, 1], np.zeros((4, 3)))
