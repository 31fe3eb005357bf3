"""The proof behind the neutral class: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = (
    "free_choice",
    "two_experts",
    "review_only",
    "review_price",
    "mistakes",
    "copies",
    "flights",
    "ratings",
    "book_example",
    "accuracy_trap",
)


PRICE_PERCENTS = (5, 10, 20, 30, 40)  # of a review, in percent of the cost of a wrong drug


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_train: int = 1000  # patients that experts have voted on
    n_train_large: int = 3000  # the same, for boosted trees and where experts are only two
    n_validation: int = 300  # patients whose true state is known, to tune thresholds on
    n_test: int = 20_000  # patients to judge by, with their true probabilities
    n_experts: int = 3  # votes per patient
    review_price: float = 0.2  # cost of a review; a wrong drug costs 1
    error_rate: float = 0.1  # of experts who make mistakes
    copy_rate: float = 0.8  # of experts who copy, and share one coin
    habit: float = 0.8  # share of acetaminophen where either would do, of experts with a habit
    n_real: int = 5000  # flights to train on, in each fold
    n_real_test: int = 10_000  # flights to test on, in each fold
    n_book: int = 20  # draws of the book's example
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 300, "n_train_large": 300, "n_validation": 100, "n_test": 500}
        least |= {"n_experts": 2, "n_real": 500, "n_real_test": 500, "n_book": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if not 0 < self.review_price < 0.5:
            raise ValueError(f"review_price must lie between 0 and 0.5, got {self.review_price}")


FAST = Config(n_test=5000, n_real=3000, n_real_test=5000, n_book=5)

GLOSSARY = {
    "cost": Measure(
        "mean cost of a case: 1 for a wrong drug or a wrong word, and the price of a review",
        "lower",
    ),
    "reviewed": Measure("share of cases that the method sends to review"),
    "aurc": Measure(
        "mean cost of the decided cases, averaged over every share that might be decided", "lower"
    ),
    "free_choice": Measure(
        "cost where a patient for whom either drug would do may get one at once, at no cost",
        "lower",
    ),
    "review_only": Measure(
        "cost where such a patient must see a doctor: a drug without review costs 1", "lower"
    ),
    **{
        f"at_{percent}_percent": Measure(
            f"cost where a review costs {percent} % of a wrong drug", "lower"
        )
        for percent in PRICE_PERCENTS
    },
    "observed": Measure("share of patients on whom all experts agree, or all but one"),
    "by_chance": Measure("the same for independent experts who toss fair coins"),
    "p_value": Measure("probability of at least as much agreement by chance"),
    "apr_jun": Measure("cost of the flights from April to June", "lower"),
    "jul_sep": Measure("cost of the flights from July to September", "lower"),
    "oct_dec": Measure("cost of the flights from October to December", "lower"),
    "accuracy": Measure(
        "share of labels guessed right, out of the model's own set of labels", "higher"
    ),
    "decided": Measure("share of patients who get a drug without review"),
    "accuracy_of_decided": Measure(
        "share of the decided patients who get the drug they were prescribed", "higher"
    ),
    "same_actions": Measure("share of patients with whom the three classes do the same"),
    "accuracy_apr_jun": Measure("accuracy on the flights from April to June", "higher"),
    "accuracy_jul_sep": Measure("accuracy on the flights from July to September", "higher"),
    "accuracy_oct_dec": Measure("accuracy on the flights from October to December", "higher"),
    "balanced_accuracy": Measure(
        "mean recall of the classes, which is 1 / number of classes for a constant; from October "
        "to December",
        "higher",
    ),
    "log_loss": Measure(
        "mean negative log probability of the true class, from October to December", "lower"
    ),
}
