# %% [markdown]
"""# Attributions show that a classifier of tumors reads a pen mark, before the mark goes away.

**Problem.** A model has a good score on test data. Is it right for the right reason? If it reads a
trace of how the data were collected, the score says nothing about the next hospital.

**Idea.** Give each feature its share of the difference between a prediction and a stated baseline.
A person who knows the field then sees what the predictions rest on.

**When not to.** A shortcut that is one column is found by permutation importance as well. A
shortcut that is spread over a picture is found by neither. No attribution says what a change in
the world would cause.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from patterns._kit.story import tell
from patterns._kit.figures import BASELINE, PATTERN
from patterns.explainable_predictions import explain

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The data are measurements of 569 tumors (Wolberg, Street, Mangasarian 1995). The pen mark is ours:
# where these data were collected, doctors had marked nearly all suspicious samples. In the hospital
# that will use the model, marks mean nothing.

# %%
data = load_breast_cancer(as_frame=True)
X, malignant = data.data, 1 - data.target
rng = np.random.default_rng(0)
rightly = rng.random(len(X)) < 0.95
collected = X.assign(pen_mark=np.where(rightly, malignant, 1 - malignant))
elsewhere = X.assign(pen_mark=rng.integers(0, 2, len(X)))
train, test = train_test_split(np.arange(len(X)), test_size=0.4, random_state=0, stratify=malignant)


def fit(table: pd.DataFrame) -> XGBClassifier:
    """Boosted trees on the training rows."""
    model = XGBClassifier(n_estimators=100, max_depth=3, learning_rate=0.1, n_jobs=1)
    return model.fit(table.iloc[train], malignant.iloc[train])


def accuracies(model: XGBClassifier, columns: list[str]) -> tuple[float, float]:
    """In the next hospital, and on test rows from where the data were collected."""
    there, here = (
        float(np.mean(model.predict(table[columns].iloc[test]) == malignant.iloc[test]))
        for table in (elsewhere, collected)
    )
    return there, here


# %% [markdown]
# This is the model that the test score recommends.

# %%
marked = fit(collected)
columns = list(collected)

# %% [markdown]
# **The pattern** asks what its predictions on the test rows rest on. The unit is log-odds. The
# baseline is stated: the paths that training rows took through the trees.

# %%
found = explain(marked, collected.iloc[test], baseline="tree_paths")
first = found.importance().index[0]

# %% [markdown]
# A doctor knows that a pen mark is no property of a tumor. So the model is fitted without it.
# **The baseline** is permutation importance, the strongest simple way to find a column: how much
# accuracy is lost when one column of the test rows is shuffled? It finds the mark as well. What it
# cannot say is how much the mark weighed in the prediction for one patient.

# %%
kept = [c for c in columns if c != first]
clean = fit(collected[kept])
shuffled = permutation_importance(
    marked, collected.iloc[test], malignant.iloc[test], n_repeats=5, random_state=0, n_jobs=1
)
kept_by_shuffling = [c for c in columns if c != columns[np.argmax(shuffled.importances_mean)]]
baseline = fit(collected[kept_by_shuffling])

# %% [markdown]
# **The best possible** use of the mark is to learn from data where it means nothing.

# %%
rows = [
    ("alternative", "chosen by its test score", *accuracies(marked, columns)),
    ("baseline", "without the top of shuffling", *accuracies(baseline, kept_by_shuffling)),
    ("pattern", "without the top attribution", *accuracies(clean, kept)),
    ("best possible", "learned in the next hospital", *accuracies(fit(elsewhere), columns)),
]

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), width_ratios=[1, 1.2, 1])
places = ["test data", "next hospital"]
for (_, label, there, here), color in zip((rows[0], rows[2]), (BASELINE, PATTERN), strict=True):
    axes[0].plot(places, [here, there], "o-", color=color, label=label)
axes[0].set(title="1. A good score breaks", ylabel="accuracy", xlim=(-0.3, 1.3), ylim=(0.84, 1))
axes[0].legend(loc="lower left")
top = found.importance().head(6)[::-1]
colors = [BASELINE if name == first else PATTERN for name in top.index]
axes[1].barh(top.index, top, color=colors)
axes[1].set(title="2. What it rested on", xlabel="mean absolute attribution, log-odds")
axes[2].scatter(found.data[first], found.values[:, columns.index(first)], s=8, color=BASELINE)
axes[2].set(
    title="3. How the mark acts",
    xlabel="pen mark",
    ylabel="attribution, log-odds",
    xlim=(-0.5, 1.5),
)
axes[2].set_xticks([0, 1], ["absent", "present"])

tell(
    "explainable_predictions",
    question="Is the model that reads tumors right for the right reason?",
    scores={"accuracy in the next hospital": "higher", "on test data": "higher"},
    rows=rows,
    figure=figure,
    caption="The model has the best score on test data. Its attributions name the pen mark before "
    "all measurements, and each mark moves the log-odds up. Without the mark the score holds. "
    "The axis of the accuracy does not start at zero.",
    at_least=0.99,
)
