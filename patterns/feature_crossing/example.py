# %% [markdown]
"""# Crosses find the two categories that matter where a thousand rows are too few for trees.

**Problem.** A linear model adds up what each category is worth. Where one category changes what
another is worth, no sum expresses it. Boosted trees can, but must find the combination first.

**Idea.** Make each combination of two categories a category of its own, a *cross*. Then a linear
model needs nothing but its usual features.

**When not to.** Where effects add up, crosses cost. Where all pairs interact a little, or where
neighboring values are alike, as hours and places are, boosted trees do as well or better.
"""

# %%
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder
from xgboost import XGBClassifier

from patterns._kit.story import tell
from datasets import make_overcrossing, overcrossing_pair
from patterns.feature_crossing import FeatureCross

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The data are synthetic, so the true probability of every row is known. Eight columns have six
# categories each. Two of the columns interact, and nobody says which two.

# %%
train = make_overcrossing(1000, random_state=0)
test = make_overcrossing(10_000, random_state=1)
X, y = train.X, train.y
columns = list(train.feature_names)
pairs = list(combinations(columns, 2))

# %% [markdown]
# **Without a cross** a logistic regression has one coefficient for each of 48 categories.

# %%
single = make_pipeline(OneHotEncoder(), LogisticRegression(C=0.1)).fit(X, y)

# %% [markdown]
# **The baseline** is the strongest of several models of boosted trees: small steps, a part of the
# rows and columns for each tree, one-hot columns, and a depth that is chosen by cross-validation.

# %%
grown = XGBClassifier(
    n_estimators=200,
    learning_rate=0.03,
    subsample=0.7,
    colsample_bytree=0.7,
    n_jobs=1,
    random_state=0,
)
depths = {"xgbclassifier__max_depth": [1, 2, 4, 6, 10]}
baseline = GridSearchCV(
    make_pipeline(OneHotEncoder(), grown), depths, scoring="neg_log_loss", cv=3
).fit(X, y)

# %% [markdown]
# **The pattern**: `FeatureCross` numbers the combinations of each of the 28 pairs. A target encoder
# replaces each number by the mean target of its rows, held out. The same logistic regression, with
# its defaults, then has one coefficient for each column and each pair.

# %%
cells = make_column_transformer(
    ("passthrough", columns), (FeatureCross(pairs, encode="ordinal"), columns)
)
means = TargetEncoder(cv=StratifiedKFold(5, shuffle=True, random_state=0))
pattern = make_pipeline(cells, means, LogisticRegression()).fit(X, y)

# %% [markdown]
# **The classic form** of the cross gives each of 1,008 combinations a coefficient. An L1 penalty
# sets most of them to zero.

# %%
marks = make_column_transformer((OneHotEncoder(), columns), (FeatureCross(pairs), columns))
lasso = LogisticRegression(l1_ratio=1, C=0.3, solver="liblinear", random_state=0)
classic = make_pipeline(marks, lasso).fit(X, y)

# %% [markdown]
# **The judge** is the log loss on rows that no model has seen. The true probability has the lowest
# one that is possible.

# %%
rows = [
    ("alternative", "logistic regression", log_loss(test.y, single.predict_proba(test.X))),
    ("baseline", "boosted trees, tuned", log_loss(test.y, baseline.predict_proba(test.X))),
    ("alternative", "28 crosses, L1 penalty", log_loss(test.y, classic.predict_proba(test.X))),
    ("pattern", "28 crosses, target means", log_loss(test.y, pattern.predict_proba(test.X))),
    ("best possible", "true probability", log_loss(test.y, test.oracle_mean(test.X))),
]

# %% [markdown]
# The coefficients of the pattern say which pair it is.

# %%
weights = np.full((8, 8), np.nan)
first, second = np.array([[columns.index(c) for c in pair] for pair in pairs]).T
weights[second, first] = pattern[-1].coef_[0, 8:]
figure, axis = plt.subplots(figsize=(5.2, 4))
image = axis.imshow(weights, cmap="Blues", vmin=0)
true_first, true_second = (columns.index(c) for c in overcrossing_pair())
axis.plot(
    true_first, true_second, "o", ms=22, mfc="none", mec="#E69F00", mew=2.5, label="the true pair"
)
axis.set_xticks(range(8), columns)
axis.set_yticks(range(8), columns)
axis.spines[:].set_visible(False)
axis.legend(loc="upper right")
figure.colorbar(image, label="coefficient of the pair")

tell(
    "feature_crossing",
    question="What is the chance of a yes, where two of eight categories decide together?",
    scores={"log loss": "lower"},
    rows=rows,
    figure=figure,
    caption="The coefficient of each pair of columns. One pair stands out: the one that truly "
    "interacts.",
    at_most=0.95,
)
