"""The proof behind multimodal_input: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = (
    "reviews",
    "violations",
    "missing_image",
    "controls",
    "text_encoders",
    "long_reviews",
    "several_ways",
    "reused_images",
)


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_reviews: int = 8000  # training rows of the reviews
    epochs_of_reviews: int = 8  # over these reviews, for every network
    n_few_reviews: int = 500  # training rows where reviews are few
    epochs_of_few_reviews: int = 15  # over these reviews
    n_texts: int = 2000  # training rows where text encoders are compared, or texts are long
    epochs_of_texts: int = 10  # over these texts
    text_kinds: tuple[str, ...] = ("bag_of_words", "embedding", "rnn", "transformer")  # beside conv
    text_length: int = 22  # words that a sequence keeps; long reviews are cut
    max_words: int = 120  # size of the vocabulary; other words are one unknown word
    n_cars: int = 4500  # training rows of the violations
    max_shift: int = 2  # pixels that a sign stands off the middle, where an encoder must find it
    n_controls: int = 2000  # training rows where the columns are irrelevant or independent
    epochs: int = 16  # over the cars, for every network
    dropout_rate: float = 0.3  # how often a modality goes missing in training
    n_images: int = 60  # of the leak: so few, photographed again and again
    n_held_out: int = 1000  # rows that weight the models of late fusion, and tune baselines
    n_test: int = 3000  # rows to judge by
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        settings = asdict(self)
        least = {name: 200 for name in settings if name.startswith("n_")}
        least |= {name: 1 for name in settings if name.startswith("epochs")}
        least |= {"n_images": 20, "max_words": 3, "text_length": 1, "max_shift": 0}
        for name, bound in least.items():
            if settings[name] < bound:
                raise ValueError(f"{name} must be at least {bound}, got {settings[name]}")
        if self.n_images > 756:
            raise ValueError(f"n_images must be at most 756, got {self.n_images}")
        kinds = ("bag_of_words", "embedding", "rnn", "transformer")
        if unknown := set(self.text_kinds) - set(kinds):
            raise ValueError(f"text_kinds must be among {kinds}, got {sorted(unknown)}")
        if not 0 < self.dropout_rate < 1:
            raise ValueError(f"dropout_rate must lie in (0, 1), got {self.dropout_rate}")


FAST = Config(
    n_reviews=1000,
    epochs_of_reviews=2,
    epochs_of_few_reviews=2,
    n_texts=300,
    epochs_of_texts=2,
    text_kinds=("embedding",),
    n_cars=300,
    n_controls=300,
    epochs=2,
    n_held_out=200,
    n_test=300,
)

GLOSSARY = {
    "log_loss": Measure("mean negative log probability of what was true", "lower"),
    "accuracy": Measure("share of rows classified rightly", "higher"),
}
