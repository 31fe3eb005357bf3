# %% [markdown]
"""# A class for "either would do" costs less than any threshold on a binary model.

**Problem.** A binary model says one half of a patient for whom either drug would do. It also says
one half of a patient for whom one drug is right and the features do not tell which. Only the second
is worth a review by a doctor.

**Idea.** Let several experts prescribe. Where they disagree, the label is "either", a third class.
Correct it for agreement by chance, and let the costs decide.

**When not to.** Where review is the only other action, a tuned threshold on the binary model does
the same. Where experts disagree by mistake or copy each other, the class costs more than it saves.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from patterns._kit.story import tell
from datasets import make_prescriptions
from patterns.neutral_class import MinimumExpectedCostClassifier, NeutralClassClassifier

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The data are synthetic, so the true probabilities are known. Two experts prescribe for each
# patient. They know the right drug where one is right. Where either would do, each tosses a coin.

# %%
train = make_prescriptions(1000, n_experts=2, random_state=0)
test = make_prescriptions(20_000, n_experts=2, random_state=1)
X, X_test = train.X.to_numpy(), test.X.to_numpy()
votes = train.frame[["vote_0", "vote_1"]].to_numpy(str)
classifier = make_pipeline(PolynomialFeatures(2), StandardScaler(), LogisticRegression())

# %% [markdown]
# A wrong drug costs 1, and a review costs a tenth of that. Where either drug would do, the choice
# is free. The judge is the mean cost of a patient, under the true probabilities.

# %%
cost = pd.DataFrame(
    {"acetaminophen": [0, 0, 1], "ibuprofen": [1, 0, 0], "review": [0.1, 0.1, 0.1]},
    index=["acetaminophen", "either", "ibuprofen"],  # what is true
)
truth = test.oracle_proba(X_test) @ cost.to_numpy()  # expected cost of each action
patient = np.arange(len(truth))

# %% [markdown]
# **The binary model** learns from every vote. Chow's rule reviews where the model is unsure, which
# includes the patients for whom it does not matter.

# %%
binary = MinimumExpectedCostClassifier(clone(classifier), cost)
binary.fit(np.repeat(X, 2, axis=0), votes.ravel())
chow = cost.columns.get_indexer(pd.Index(binary.predict(X_test)))

# %% [markdown]
# **The baseline** has the best threshold on the confidence of the binary model instead. It is
# chosen on the test patients themselves, which is generous.

# %%
vote_proba = binary.predict_proba(X_test)
confidence, drug = vote_proba.max(axis=1), vote_proba.argmax(axis=1)
thresholds = np.quantile(confidence, np.linspace(0, 1, 201))
best_threshold = min(
    np.where(confidence >= threshold, truth[patient, drug], 0.1).mean() for threshold in thresholds
)

# %% [markdown]
# **The pattern** learns disagreement as a third class. Two coins agree half of the time, so half of
# the patients for whom either would do are hidden among the others. Its correction finds them.

# %%
neutral = NeutralClassClassifier(clone(classifier), cost, neutral_label="either")
neutral.fit(X, votes)
pattern = cost.columns.get_indexer(pd.Index(neutral.predict(X_test)))

# %% [markdown]
# **An alternative** learns disagreement with a second binary model. It needs two thresholds, and so
# patients whose true state is known. Here too, they are the best for the test patients.

# %%
second = clone(classifier).fit(X, votes[:, 0] != votes[:, 1])
disagree = second.predict_proba(X_test)[:, 1]
two_models = min(
    np.where((disagree >= a) | (confidence >= b), truth[patient, drug], 0.1).mean()
    for a in np.quantile(disagree, np.linspace(0, 1, 51))
    for b in thresholds[::4]
)

# %% [markdown]
# Whom do they review? The true state of a patient depends on two features.

# %%
axis = np.linspace(-2.5, 2.5, 151)
plane = np.array([[balance, severity, 0, 0] for severity in axis for balance in axis])
best = cost.columns[(test.oracle_proba(plane) @ cost.to_numpy()).argmin(axis=1)]
figure, panels = plt.subplots(1, 3, figsize=(8.5, 3.6), sharey=True)
for panel, title, action in [
    (panels[0], "binary, Chow's rule", binary.predict(plane)),
    (panels[1], "neutral class", neutral.predict(plane)),
    (panels[2], "true probabilities", best),
]:
    region = cost.columns.get_indexer(pd.Index(action)).reshape(151, 151)
    colors = ListedColormap(["#56B4E9", "#E69F00", "#DDDDDD"])
    panel.pcolormesh(axis, axis, region, cmap=colors, vmax=2, rasterized=True)
    panel.set(title=title, xlabel="balance of risks", aspect="equal")
panels[0].set_ylabel("severity")
for x, y, said in [(0, 1.2, "review"), (-1.6, 0, "ibuprofen"), (1.45, 0, "acetamin-\nophen")]:
    panels[2].text(x, y, said, ha="center")
panels[0].text(0, -1.6, "either drug\nwould do", ha="center")

tell(
    "neutral_class",
    question="Which patients should a doctor review, if two experts prescribed for each?",
    scores={"cost": "lower"},
    rows=[
        ("alternative", "binary model, Chow's rule", truth[patient, chow].mean()),
        ("baseline", "binary model, best threshold", best_threshold),
        ("pattern", "neutral class", truth[patient, pattern].mean()),
        ("alternative", "two models, best thresholds", two_models),
        ("best possible", "true probabilities", truth.min(axis=1).mean()),
    ],
    figure=figure,
    caption="Gray patients are reviewed. Chow's rule reviews all mild cases, for whom either drug "
    "would do. The neutral class reviews nearly those whom the true probabilities would.",
    at_most=0.75,
)
