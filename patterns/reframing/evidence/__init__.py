"""The proof behind reframing: settings, glossary, and one experiment per file."""

from __future__ import annotations

from dataclasses import dataclass

from patterns._kit.evidence import Measure

EXPERIMENTS = (
    "rain",
    "number_of_bins",
    "next_hour",
    "prices",
    "intervals",
    "delays",
    "tables",
    "gaussian",
    "share",
)


@dataclass(frozen=True)
class Config:
    """The documented settings."""

    n_train: int = 2000  # hours of synthetic rain to learn from
    n_test: int = 4000  # hours of synthetic rain to judge by
    contrast: float = 20.0  # of a downpour to a drizzle, where the hurdle's form is wrong
    n_bins: int = 20  # bins of all that is no atom, in every experiment
    bin_counts: tuple[int, ...] = (2, 5, 20, 50, 200)  # the curve's numbers of bins
    n_folds: int = 3  # of the forward folds of the real data, the last ones
    n_real: int = 2000  # training rows drawn in each fold of the real data
    n_real_test: int = 2000  # test rows drawn in each fold of the real data
    n_forest: int = 50  # trees of the quantile forest
    n_tables: int = 15  # real tables of each kind, the first ones
    n_repeats: int = 10  # draws of the small Gaussian and bounded data sets
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 500, "n_test": 500, "n_bins": 2, "n_real": 500, "n_real_test": 200}
        for name, bound in (
            least | {"n_forest": 1, "n_tables": 2, "n_repeats": 1, "contrast": 1}
        ).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.n_folds not in (1, 2, 3):
            raise ValueError(f"n_folds must be 1, 2 or 3, got {self.n_folds}")
        if not {5, 20, 200} <= set(self.bin_counts):
            raise ValueError(f"bin_counts must include 5, 20 and 200; got {self.bin_counts}")


FAST = Config(
    n_train=500,
    n_test=500,
    n_bins=5,
    bin_counts=(5, 20, 200),
    n_folds=1,
    n_real=500,
    n_real_test=200,
    n_forest=5,
    n_tables=2,
    n_repeats=1,
)

GLOSSARY = {
    "crps": Measure("continuous ranked probability score, in the unit of the target", "lower"),
    "log_score": Measure("mean negative log probability of the step that came true", "lower"),
    "pit_distance": Measure(
        "largest gap between the forecasts' PIT values and uniform; 0 is calibrated", "lower"
    ),
    "pinball_90": Measure("pinball loss of the 90 % quantile", "lower"),
    "rmse": Measure("root mean squared error of the forecast mean", "lower"),
    "crps_ridge": Measure("CRPS of logistic regression with scikit-learn's penalty", "lower"),
    "crps_no_penalty": Measure("CRPS of logistic regression without a penalty", "lower"),
    "jul_aug": Measure("CRPS of the rows from July to August", "lower"),
    "sep_oct": Measure("CRPS of the rows from September to October", "lower"),
    "nov_dec": Measure("CRPS of the rows from November to December", "lower"),
    "apr_jun": Measure("CRPS of the rows from April to June", "lower"),
    "jul_sep": Measure("CRPS of the rows from July to September", "lower"),
    "oct_dec": Measure("CRPS of the rows from October to December", "lower"),
    "mean_ratio": Measure(
        "CRPS relative to a regression with its errors, geometric mean over the tables", "lower"
    ),
    "best": Measure("that ratio on the table where it is lowest", "lower"),
    "worst": Measure("that ratio on the table where it is highest", "lower"),
    "mean_rank": Measure("rank among the methods, mean over the tables; 1 is best", "lower"),
    "interval_score": Measure("width of the interval, plus ten times what lies outside", "lower"),
    "coverage": Measure("share of the prices that the interval holds; it should be 0.8"),
    "coverage_uncertain": Measure("that share, of the fifth of the houses that is least certain"),
    "skill": Measure("share of climatology's CRPS that a regression with its errors removes"),
    "target_bins": Measure(
        "CRPS of bins of the target, relative to a regression with its errors", "lower"
    ),
    "residual_bins": Measure(
        "CRPS of bins of the residuals, relative to a regression with its errors", "lower"
    ),
    "boosted_residuals": Measure(
        "CRPS of boosted quantiles of the residuals, relative to a regression with its errors",
        "lower",
    ),
    "crps_prices": Measure("CRPS with bins of the price", "lower"),
    "crps_residuals": Measure("CRPS with bins of the residuals of least squares", "lower"),
    "excess_log_loss": Measure("expected log loss above that of the true probability", "lower"),
}
