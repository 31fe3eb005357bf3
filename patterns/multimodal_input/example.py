# %% [markdown]
"""# A network that sees a review and the visit at once understands what two models cannot.

**Problem.** "Rather quick" is praise at breakfast and none at dinner. "Worth the time" is a
compliment after ten minutes of waiting and irony after forty. The text alone does not say what the
words mean, and the columns alone do not say anything was written.

**Idea.** Encode each kind of input in its own way: text by windows of words, columns by scaling and
one-hot. Put the encodings side by side, and train one network above them.

**When not to.** With few rows, words and columns that are crossed by hand do better. Where text and
columns hint at the answer independently, the average of two models is enough.
"""

# %%
from patterns._kit.story import tell  # before Keras, because it silences TensorFlow's greeting
from patterns._kit.figures import ALTERNATIVE, BASELINE, BEST, PATTERN

# isort: split
from textwrap import fill
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
from scipy import sparse
from scipy.special import expit
from scipy.stats import norm
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from datasets import make_restaurant_reviews
from patterns.multimodal_input import model_inputs, multimodal_model, tabular_encoder, text_encoder

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The reviews are synthetic, so the true probability that a guest was happy is known. Beside each
# text stand the meal, the price from 1 to 4, and the minutes of waiting.

# %%
train = make_restaurant_reviews(8000, random_state=0)
test = make_restaurant_reviews(4000, random_state=1)

# %% [markdown]
# **Late fusion** trains one model of the text and one of the columns, and a third one on their
# answers.

# %%
words = CountVectorizer(ngram_range=(1, 3), min_df=20)
codes = make_column_transformer((OneHotEncoder(), ["meal"]), ("passthrough", ["price", "wait"]))
of_text = make_pipeline(make_column_transformer((words, "text")), LogisticRegression(C=0.1))
of_columns = make_pipeline(codes, HistGradientBoostingClassifier(max_iter=30))
late = StackingClassifier([("text", of_text), ("columns", of_columns)], cv=3)
late_fusion = late.fit(train.frame, train.y).predict_proba(test.frame)[:, 1]

# %% [markdown]
# **The baseline** sees both at once without an encoder: a linear model of words, pairs and triples
# of words, the columns in bins, and every word crossed with every column.

# %%
bins = KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf")
visit = make_column_transformer((OneHotEncoder(), ["meal", "price"]), (bins, ["wait"]))
words.fit(train.frame["text"])
visit.fit(train.frame)


def crossed(frame: Any) -> Any:
    """Words, columns, and each word times each column."""
    W, V = words.transform(frame["text"]), visit.transform(frame)
    return sparse.hstack([W, V, *(W.multiply(V[:, [j]]) for j in range(V.shape[1]))], "csr")


linear = LogisticRegression(C=0.1, max_iter=500).fit(crossed(train.frame), train.y)
baseline = linear.predict_proba(crossed(test.frame))[:, 1]

# %% [markdown]
# **The pattern.** An encoder for the text, an encoder for the columns, and one network above both.

# %%
keras.config.set_floatx("float64")  # the same result on every processor
keras.utils.set_random_seed(0)
text = text_encoder(train.frame["text"], length=22, max_words=120, units=48)
ways = {"meal": "category", "price": ("number", "buckets"), "wait": ("number", "buckets")}
rate = keras.optimizers.schedules.CosineDecay(0.015, decay_steps=8 * len(train.y) // 250)
encoders = {"text": text, "columns": tabular_encoder(train.frame, ways)}
model = multimodal_model(encoders, joint_units=128, learning_rate=rate)
happy = train.y.to_numpy()[:, None]
model.fit(model_inputs(model, train.frame), happy, batch_size=250, epochs=8, verbose=0)
pattern = expit(np.asarray(model(model_inputs(model, test.frame))))[:, 0]

# %% [markdown]
# **The judge** is the log loss: the mean negative log probability of what was true.

# %%
rows = [
    (role, method, log_loss(test.y, answer), accuracy_score(test.y, answer > 0.5))
    for role, method, answer in [
        ("alternative", "late fusion, stacked", late_fusion),
        ("baseline", "linear, words crossed with columns", baseline),
        ("pattern", "joined network", pattern),
        ("best possible", "true probability", test.oracle_proba()),
    ]
]

# %% [markdown]
# One review, read again after more and more waiting. After 20 minutes its praise is ironic.

# %%
praised = test.frame[test.frame["text"].str.contains("Worth the time") & (test.frame["wait"] < 20)]
review = praised.iloc[(praised["meaning"] - 1.5).abs().argmin()]
minutes = np.arange(41)
visits = praised.loc[[review.name] * 41].assign(wait=minutes)
meaning = review["meaning"] - 0.02 * (minutes - review["wait"]) - np.where(minutes < 20, 0, 4)

figure, axis = plt.subplots(figsize=(6.5, 3.6))
for answer, label, color in [
    (late.predict_proba(visits)[:, 1], "late fusion", ALTERNATIVE),
    (linear.predict_proba(crossed(visits))[:, 1], "linear, crossed", BASELINE),
    (expit(np.asarray(model(model_inputs(model, visits))))[:, 0], "joined network", PATTERN),
    (norm.cdf(meaning / 0.7), "truth", BEST),
]:
    axis.plot(minutes, answer, color=color, label=label)
axis.set(xlabel="minutes of waiting", ylabel="probability of a happy guest", ylim=(0, 1))
axis.set_title(fill(f"“{review['text']}”", 85), fontsize=8)
axis.legend()

tell(
    "multimodal_input",
    question="Was the guest happy, given the review, the meal, the price and the wait?",
    scores={"log loss": "lower", "accuracy": "higher"},
    rows=rows,
    figure=figure,
    caption="One review, read after more and more waiting. The truth falls at 20 minutes, where "
    "the praise turns into irony. The joined network follows it. Late fusion cannot: its reading "
    "of the text does not know the wait.",
    at_most=0.85,
)
