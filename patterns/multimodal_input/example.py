"""A model that joins an image and columns sees violations that no single-input model can.

Problem: a camera photographs a speed limit; a radar, a clock and a weather station add columns. A
car is too fast when its speed exceeds what the sign says, in this weather, at this hour. A model of
the image and a model of the columns know half of that each, and so does any average of the two.

Idea: encode each kind of input in its own way, put the encodings side by side, and train the layers
above them together.

When not to: where the inputs hint at the answer independently of each other, late fusion of two
separate models does as well and is easier to run; where one of them carries nothing, joining gains
nothing. And where an image is eight pixels wide, boosted trees on flat pixels do as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBClassifier

# Its names are imported when they are first used: Keras takes seconds, and --help needs none of it.
import patterns.multimodal_input as multimodal
from datasets import make_restaurant_reviews, make_traffic_camera
from patterns._kit.evidence import Claim, Result
from patterns.multimodal_input import figures

FloatArray = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Config:
    """The documented run."""

    n_cars: int = 4500  # training rows of the violations
    n_controls: int = 2500  # training rows where the columns are irrelevant or independent
    n_reviews: int = 2000  # training rows of the reviews, short or long
    n_held_out: int = 1000  # rows that weight the models of late fusion
    n_test: int = 3000  # rows to judge by
    n_images: int = 60  # of the leak: so few, photographed again and again
    epochs: int = 16  # over the cars, for every network
    epochs_of_reviews: int = 10  # over the reviews, likewise
    text_kinds: tuple[str, ...] = ("bag_of_words", "embedding", "rnn", "transformer")  # beside conv
    several_ways: bool = True  # whether to measure the same input in several ways
    dropout_rate: float = 0.3  # how often a modality goes missing in training
    text_length: int = 22  # words that a sequence keeps; long reviews are cut
    max_words: int = 120  # size of the vocabulary; other words are one unknown word
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        sizes = ("n_cars", "n_controls", "n_reviews", "n_held_out", "n_test")
        least = dict.fromkeys(sizes, 200) | {"n_images": 20, "max_words": 3}
        least |= dict.fromkeys(("epochs", "epochs_of_reviews", "text_length"), 1)
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.n_images > 756:
            raise ValueError(f"n_images must be at most 756, got {self.n_images}")
        kinds = ("bag_of_words", "embedding", "rnn", "transformer")
        if unknown := set(self.text_kinds) - set(kinds):
            raise ValueError(f"text_kinds must be among {kinds}, got {sorted(unknown)}")
        if not 0 < self.dropout_rate < 1:
            raise ValueError(f"dropout_rate must lie in (0, 1), got {self.dropout_rate}")


FAST = Config(
    n_cars=3000,
    n_controls=1000,
    n_reviews=2000,
    n_held_out=500,
    n_test=1200,
    epochs=14,
    several_ways=False,
    text_kinds=(),
)

SHAPE = (8, 8)  # of the images
BATCH = 125  # rows a training step
CAR_WAYS = {
    "measured_speed": "number",
    "hour": ("number", "buckets"),
    "school_zone": "number",
    "weather": "category",
}
VISIT_WAYS = {"meal": "category", "price": ("number", "buckets"), "wait": ("number", "buckets")}


# ---------------------------------------------------------------------------------- data
def cars(config: Config, metadata: Any, n_train: int) -> list[Any]:
    """Train, held-out and test rows. No image is in two of them."""
    sizes = {"train": n_train, "validation": config.n_held_out, "test": config.n_test}
    return [
        make_traffic_camera(
            size,
            part=part,  # type: ignore[arg-type]
            metadata=metadata,
            partition=config.seed,
            random_state=[config.seed, i],
        )
        for i, (part, size) in enumerate(sizes.items())
    ]


def columns_of(data: Any) -> Columns:
    """What the models may see of a data set, as it came: raw, and by name."""
    columns = {name: data.frame[name].to_numpy() for name in data.feature_names}
    return columns | {"image": data.images} if "image_id" in data.frame else columns


def single_and_joined(columns: Columns) -> tuple[dict[str, Any], Any]:
    """Models of the image and of the columns of cars, and one of both."""

    def image() -> Any:
        return multimodal.image_encoder(SHAPE)

    def table() -> Any:
        return multimodal.tabular_encoder(columns, CAR_WAYS)

    single = {
        "image_only": multimodal.multimodal_model({"image": image()}),
        "tabular_only": multimodal.multimodal_model({"tabular": table()}),
    }
    return single, multimodal.multimodal_model({"image": image(), "tabular": table()})


# ---------------------------------------------------------------------------------- training
@contextmanager
def double_precision() -> Iterator[None]:
    """Compute in float64: processors round float32 differently, and training amplifies that."""
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def train(
    models: Mapping[str, Any], columns: Columns, y: NDArray[Any], epochs: int, seed: int
) -> None:
    """Train several models in one fit: on the same batches, equally long, and as if alone.

    They share no weight, and Adam scales the step of each weight by its own gradients, so the sum
    of their losses trains each as its own loss would. TensorFlow then traces one training step and
    not one for each model, which for models as small as these takes longer than the training.
    """
    import keras

    raw = {
        name: keras.Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
        for model in models.values()
        for name, tensor in model.input.items()
    }
    logits = [model({name: raw[name] for name in model.input}) for model in models.values()]
    together = keras.Model(raw, keras.layers.Concatenate()(logits))
    # All epochs in a row, each in its own order: to start an epoch costs as much as ten steps.
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(y)) for _ in range(epochs)])
    together.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, len(order) // BATCH)),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    together.optimizer.build(together.trainable_variables)
    inputs = {n: a[order] for n, a in multimodal.model_inputs(together, columns).items()}
    labels = np.tile(y[order, None].astype(float), len(models))
    together.fit(inputs, labels, BATCH, shuffle=False, verbose=0)


def logit(model: Any, columns: Columns) -> FloatArray:
    """The logit of each row."""
    return np.asarray(model(multimodal.model_inputs(model, columns)), dtype=float)[:, 0]


# ---------------------------------------------------------------------------------- baselines
def single_and_late_fusion(
    single: Mapping[str, Any], held_out: Columns, y_held_out: NDArray[Any], test: Columns
) -> dict[str, FloatArray]:
    """What a good engineer tries first: single-input models, and their answers combined."""
    answers, answers_held_out = (
        np.column_stack([logit(model, columns) for model in single.values()])
        for columns in (test, held_out)
    )
    return {
        **dict(zip(single, expit(answers).T, strict=True)),
        "late_average": multimodal.late_average(answers),
        "late_stacked": multimodal.late_stacked(answers_held_out, y_held_out, answers),
    }


def trees(columns: Columns, y: NDArray[Any], test: Columns, seed: int) -> FloatArray:
    """Boosted trees on everything in one flat row: pixels, numbers, and codes of the weather."""
    codes = OrdinalEncoder().fit(columns["weather"][:, None])

    def flat(table: Columns) -> NDArray[Any]:
        numbers = np.column_stack([table[n] for n in ("measured_speed", "hour", "school_zone")])
        weather = codes.transform(table["weather"][:, None])
        return np.hstack([table["image"].reshape(len(numbers), -1), numbers, weather])

    model = XGBClassifier(n_estimators=150, learning_rate=0.15, n_jobs=1, random_state=seed)
    return np.asarray(model.fit(flat(columns), y).predict_proba(flat(test))[:, 1])


# ---------------------------------------------------------------------------------- scores
GLOSSARY = {
    "accuracy": "share of rows classified rightly; higher is better",
    "log_loss": "mean negative log probability of what was true; lower is better",
}


def score(task: str, y: NDArray[Any], probabilities: Mapping[str, FloatArray]) -> dict[str, float]:
    """The metrics of each method, by name."""
    metrics = {}
    for method, probability in probabilities.items():
        safe = np.clip(probability, 1e-7, 1 - 1e-7)
        metrics[f"{task}.{method}.accuracy"] = float(accuracy_score(y, safe > 0.5))
        metrics[f"{task}.{method}.log_loss"] = float(log_loss(y, safe))
    return metrics


# ---------------------------------------------------------------------------------- experiments
def violations(config: Config) -> tuple[dict[str, float], dict[str, Any]]:
    """The answer lies in the interaction; then the image goes missing."""
    train_set, held_out_set, test_set = cars(config, "interacting", config.n_cars)
    columns, held_out, test = map(columns_of, (train_set, held_out_set, test_set))
    y, y_test = train_set.y.to_numpy(), test_set.y.to_numpy()

    single, joined = single_and_joined(columns)
    encoders = {
        "image": multimodal.image_encoder(SHAPE),
        "tabular": multimodal.tabular_encoder(columns, CAR_WAYS),
    }
    robust = multimodal.multimodal_model(encoders, modality_dropout=config.dropout_rate)
    train({**single, "joined": joined, "robust": robust}, columns, y, config.epochs, config.seed)

    probabilities = single_and_late_fusion(single, held_out, held_out_set.y.to_numpy(), test)
    probabilities |= {
        "joined": expit(logit(joined, test)),
        "joined_modality_dropout": expit(logit(robust, test)),
        "trees_on_flat_pixels": trees(columns, y, test, config.seed),
        "oracle": test_set.oracle_proba(),
    }
    metrics = score("violation", y_test, probabilities)

    # At serving the camera fails. Zeros are a blank sign, unless a flag says what they mean.
    blank = np.zeros_like(test["image"])
    mean = np.broadcast_to(columns["image"].mean(axis=0), blank.shape)
    flag = np.zeros(len(blank))
    metrics |= score(
        "image_missing",
        y_test,
        {
            "joined_blank_image": expit(logit(joined, {**test, "image": blank})),
            "joined_mean_image": expit(logit(joined, {**test, "image": mean})),
            "modality_dropout": expit(
                logit(robust, {**test, "image": blank, "image_present": flag})
            ),
            "tabular_only": probabilities["tabular_only"],
        },
    )
    return metrics, {"model": joined, "test": test_set, "probabilities": probabilities}


def control(
    config: Config, metadata: Any, ways: Callable[[Columns], Mapping[str, Any]]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray], NDArray[Any]]:
    """Answers of all methods where joining gains nothing, of other models beside, and the truth."""
    train_set, held_out_set, test_set = cars(config, metadata, config.n_controls)
    columns, held_out, test = map(columns_of, (train_set, held_out_set, test_set))

    single, joined = single_and_joined(columns)
    beside = ways(columns) if config.several_ways else {}
    models = {**single, "joined": joined, **beside}
    train(models, columns, train_set.y.to_numpy(), config.epochs, config.seed)
    answers = single_and_late_fusion(single, held_out, held_out_set.y.to_numpy(), test)
    answers |= {"joined": expit(logit(joined, test)), "oracle": test_set.oracle_proba()}
    answers_beside = {name: expit(logit(model, test)) for name, model in beside.items()}
    return answers, answers_beside, test_set.y.to_numpy()


def irrelevant_columns(config: Config) -> dict[str, float]:
    """Only the image matters; and the image in several ways."""

    def ways(columns: Columns) -> dict[str, Any]:
        several = {"pixels": "pixels", "pixels_and_convolution": ("pixels", "convolution")}
        return {
            name: multimodal.multimodal_model({"image": multimodal.image_encoder(SHAPE, way)})
            for name, way in several.items()
        }

    answers, by_way, y = control(config, "irrelevant", ways)
    by_way = {"convolution": answers["image_only"], **by_way}
    return score("irrelevant_columns", y, answers) | score("image_in_several_ways", y, by_way)


def independent_evidence(config: Config) -> dict[str, float]:
    """Image and columns hint at the answer independently; and the hour in several ways."""

    def ways(columns: Columns) -> dict[str, Any]:
        # Without a hidden layer, the hour as a number has one weight; in buckets, one for each.
        several = {"number": "number", "buckets": "buckets", "both": ("number", "buckets")}
        return {
            name: multimodal.multimodal_model(
                {"tabular": multimodal.tabular_encoder(columns, {"hour": way})}, joint_units=0
            )
            for name, way in several.items()
        }

    answers, by_way, y = control(config, "independent", ways)
    return score("independent_evidence", y, answers) | score("hour_in_several_ways", y, by_way)


def reused_images(config: Config) -> dict[str, float]:
    """The leak: rows of one image on both sides of a random split promise too much."""
    few = make_traffic_camera(
        2 * config.n_controls,
        metadata="irrelevant",
        n_images=config.n_images,
        partition=config.seed,
        random_state=[config.seed, 3],
    )
    unseen = cars(config, "irrelevant", 200)[2]
    half = config.n_controls  # rows are in random order: a split by row may as well be this one
    images, y = few.images.reshape(2 * half, -1), few.y.to_numpy()
    model = XGBClassifier(n_estimators=50, n_jobs=1, random_state=config.seed)
    model.fit(images[:half], y[:half])
    proba = model.predict_proba(images[half:])[:, 1]
    proba_unseen = model.predict_proba(unseen.images.reshape(len(unseen.frame), -1))[:, 1]
    return score("reused_images", y[half:], {"split_by_row": proba}) | score(
        "reused_images", unseen.y.to_numpy(), {"split_by_image": proba_unseen}
    )


def reviews(config: Config) -> tuple[dict[str, float], dict[str, Any]]:
    """Words whose meaning depends on columns, by every text encoder."""
    sizes = (config.n_reviews, config.n_held_out, config.n_test)
    data = [
        make_restaurant_reviews(size, random_state=[config.seed, i]) for i, size in enumerate(sizes)
    ]
    columns, held_out, test = map(columns_of, data)
    y, y_held_out, y_test = (part.y.to_numpy() for part in data)

    def text(kind: Any) -> Any:
        # Its vocabulary is that of the training texts; a word that is not in it, such as most
        # names, becomes the one unknown word. Short texts are padded, and the padding is masked.
        length, max_words = config.text_length, config.max_words
        return multimodal.text_encoder(columns["text"], kind, length, max_words)

    def table() -> Any:
        return multimodal.tabular_encoder(columns, VISIT_WAYS)

    models = {
        "tabular_only": multimodal.multimodal_model({"tabular": table()}),
        **{
            kind: multimodal.multimodal_model({"text": text(kind)})
            for kind in (*config.text_kinds, "conv")
        },
        "conv_and_bag_of_words": multimodal.multimodal_model(
            {"text": text(("conv", "bag_of_words"))}
        ),
        "joined": multimodal.multimodal_model({"text": text("conv"), "tabular": table()}),
    }
    train(models, columns, y, config.epochs_of_reviews, config.seed)
    single = {name: models.pop(name) for name in ("tabular_only", "conv")}
    joined = models.pop("joined")
    answers = {"linear_on_word_pairs": word_pairs(columns["text"], y, test["text"])}
    answers |= {name: expit(logit(model, test)) for name, model in models.items()}
    answers |= single_and_late_fusion(single, held_out, y_held_out, test)
    answers |= {"joined": expit(logit(joined, test)), "oracle": data[2].oracle_proba()}
    return score("reviews", y_test, answers), {"test": data[2], "probabilities": answers}


def word_pairs(texts: NDArray[Any], y: NDArray[Any], test: NDArray[Any]) -> FloatArray:
    """The baseline to beat on text: a linear model on words and pairs of words."""
    counter = CountVectorizer(ngram_range=(1, 2), min_df=5).fit(texts)
    model = LogisticRegression(C=0.3, max_iter=500).fit(counter.transform(texts), y)
    return np.asarray(model.predict_proba(counter.transform(test))[:, 1])


def cut_reviews(config: Config) -> dict[str, float]:
    """Long reviews, of which a sequence keeps a third: what a bag of words beside it adds."""
    train_set, test_set = (
        make_restaurant_reviews(size, long=True, random_state=[config.seed, i])
        for i, size in enumerate((config.n_reviews, config.n_test))
    )
    columns, test = columns_of(train_set), columns_of(test_set)
    models = {
        name: multimodal.multimodal_model(
            {
                "text": multimodal.text_encoder(
                    columns["text"], kind, config.text_length, config.max_words
                ),
                "tabular": multimodal.tabular_encoder(columns, VISIT_WAYS),
            }
        )
        for name, kind in {
            "joined_conv": "conv",
            "joined_conv_and_bag_of_words": ("conv", "bag_of_words"),
        }.items()
    }
    train(models, columns, train_set.y.to_numpy(), config.epochs_of_reviews, config.seed)
    probabilities = {name: expit(logit(model, test)) for name, model in models.items()}
    probabilities["oracle"] = test_set.oracle_proba()
    return score("long_reviews_cut", test_set.y.to_numpy(), probabilities)


def gain(name: str, *others: str) -> Callable[[Mapping[str, float]], float]:
    """By how much one metric exceeds the greatest of others."""
    return lambda metrics: metrics[name] - max(metrics[other] for other in others)


CLAIMS = [
    Claim(
        "joined-beats-single",
        "benefit",
        "On violations, the joined model classifies at least {at_least} more of all cars rightly "
        "than the better of the models of the image and of the columns.",
        gain(
            "violation.joined.accuracy",
            "violation.image_only.accuracy",
            "violation.tabular_only.accuracy",
        ),
        at_least=0.06,
    ),
    Claim(
        "joined-beats-late-fusion",
        "benefit",
        "On violations, the joined model classifies at least {at_least} more of all cars rightly "
        "than late fusion, averaged or stacked on held-out rows.",
        gain(
            "violation.joined.accuracy",
            "violation.late_average.accuracy",
            "violation.late_stacked.accuracy",
        ),
        at_least=0.03,
    ),
    Claim(
        "reviews-beat-late-fusion",
        "benefit",
        "On reviews, whose words depend on meal, price and wait, the joined model exceeds late "
        "fusion by at least {at_least} in accuracy.",
        gain(
            "reviews.joined.accuracy",
            "reviews.late_average.accuracy",
            "reviews.late_stacked.accuracy",
        ),
        at_least=0.02,
    ),
    Claim(
        "trees-as-good",
        "limit",
        "On violations, the joined network exceeds boosted trees on flat pixels and columns by at "
        "most {at_most} in accuracy.",
        gain("violation.joined.accuracy", "violation.trees_on_flat_pixels.accuracy"),
        at_most=0.01,
    ),
    Claim(
        "irrelevant-columns",
        "limit",
        "Where the columns carry nothing, joining them gains at most {at_most} in accuracy over "
        "the image alone.",
        gain("irrelevant_columns.joined.accuracy", "irrelevant_columns.image_only.accuracy"),
        at_most=0.05,
    ),
    Claim(
        "independent-evidence",
        "limit",
        "Where image and columns are independent evidence, the joined model exceeds stacked late "
        "fusion by at most {at_most} in accuracy.",
        gain("independent_evidence.joined.accuracy", "independent_evidence.late_stacked.accuracy"),
        at_most=0.025,
    ),
    Claim(
        "bag-beside-whole-text",
        "limit",
        "A bag of words beside a sequence of the whole text gains at most {at_most} in accuracy.",
        gain("reviews.conv_and_bag_of_words.accuracy", "reviews.conv.accuracy"),
        at_most=0.04,
    ),
    Claim(
        "bag-beside-cut-text",
        "benefit",
        "Beside a sequence that keeps a third of a long text, a bag of words gains a joined model "
        "at least {at_least} in accuracy.",
        gain(
            "long_reviews_cut.joined_conv_and_bag_of_words.accuracy",
            "long_reviews_cut.joined_conv.accuracy",
        ),
        at_least=0.02,
    ),
    Claim(
        "dropout-log-loss",
        "benefit",
        "When the image is missing, the log loss of a model that was trained with modality dropout "
        "and a flag is at most {at_most} of that of the plain one, with a blank or a mean image.",
        lambda m: (
            m["image_missing.modality_dropout.log_loss"]
            / min(
                m["image_missing.joined_blank_image.log_loss"],
                m["image_missing.joined_mean_image.log_loss"],
            )
        ),
        at_most=0.9,
    ),
    Claim(
        "dropout-accuracy",
        "limit",
        "Judged by accuracy, modality dropout gains at most {at_most} when the image is missing.",
        gain(
            "image_missing.modality_dropout.accuracy",
            "image_missing.joined_blank_image.accuracy",
            "image_missing.joined_mean_image.accuracy",
        ),
        at_most=0.04,
    ),
    Claim(
        "dropout-as-good-as-columns-alone",
        "parity",
        "When the image is missing, its log loss exceeds that of a model of the columns alone by "
        "at most {at_most}.",
        gain("image_missing.modality_dropout.log_loss", "image_missing.tabular_only.log_loss"),
        at_most=0.07,
    ),
    Claim(
        "row-split-leaks",
        "benefit",
        "With few images that recur in many rows, a split by row promises an accuracy that is at "
        "least {at_least} above that on new images.",
        gain("reused_images.split_by_row.accuracy", "reused_images.split_by_image.accuracy"),
        at_least=0.05,
    ),
]


def run(config: Config) -> Result:
    """Interaction, its two controls, the leak, and the same with text."""
    import keras

    keras.utils.set_random_seed(config.seed)
    with double_precision():
        metrics, cars_story = violations(config)
        metrics |= irrelevant_columns(config) | independent_evidence(config)
        metrics_of_text, visits_story = reviews(config)
        metrics |= reused_images(config) | metrics_of_text | cut_reviews(config)
    return Result(
        metrics,
        figures={
            "model_graph": lambda: figures.model_graph(cars_story["model"]),
            "accuracy_by_inputs": lambda: figures.accuracy_by_inputs(metrics),
            "hard_cases": lambda: figures.hard_cases(cars_story, visits_story),
            "missing_image": lambda: figures.missing_image(metrics),
        },
    )


if __name__ == "__main__":
    from patterns._kit.cli import main

    raise SystemExit(main(["run", "multimodal_input", *sys.argv[1:]]))
