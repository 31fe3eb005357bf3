"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

NUMBER = """
if way == "number":
    return _rescaling(values.mean(), _deviation(values))
"""
BUCKETS = """
if way == "buckets":
    middle, unit = np.median(values), 2.0 ** np.rint(np.log2(_deviation(values)))
    cuts = np.unique(np.quantile(values, np.arange(1, n_buckets) / n_buckets))
    buckets = layers.Discretization(
        (cuts / unit - middle / unit).tolist(), output_mode="one_hot", dtype="float32"
    )
    return keras.Sequential(
        [keras.Input((1,), dtype="float64"), _rescaling(middle, unit), buckets]
    )
"""
CATEGORY = """
words = sorted(set(values))
return layers.StringLookup(vocabulary=words, oov_token="\\n", output_mode="one_hot")
"""
MEAN = """
is_token = is_token[..., None]
n_tokens = ops.sum(ops.cast(is_token, tokens.dtype), axis=1)
if how == "mean":
    return ops.sum(ops.where(is_token, tokens, 0.0), axis=1) / ops.maximum(n_tokens, 1)
"""
MAX = """
greatest = ops.max(ops.where(is_token, tokens, -np.inf), axis=1)
return ops.where(n_tokens > 0, greatest, 0.0)
"""
DROP = """
if training:
    draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
    draws = ops.where(flags > 0, draws, -1.0)
    luckiest = draws >= ops.max(draws, axis=1, keepdims=True)
    stays = ops.logical_or(draws >= chance, luckiest)
    flags = flags * ops.cast(stays, flags.dtype)
"""
JOIN = """
kept = [features * flags[:, i : i + 1] for i, features in enumerate(encoded)]
return ops.concatenate([*kept, flags], axis=1)
"""

MISTAKES = (
    Mistake(
        name="statistics-of-the-batch",
        part="adapt",
        title="The values are standardized by the rows that the layer is called on",
        why="One row then is always 0, and the same speed means another thing in each batch: take "
        "mean and variance from the training values, once.",
        code={
            "ex-adapt": """
if way == "number":
    return layers.Lambda(lambda x: (x - ops.mean(x)) / ops.maximum(ops.std(x), 1e-7))
"""
            + BUCKETS
            + CATEGORY
        },
    ),
    Mistake(
        name="variance-for-deviation",
        part="adapt",
        title="The values are divided by the variance",
        why="The variance has the unit squared: divide by the standard deviation.",
        code={
            "ex-adapt": NUMBER.replace("_deviation(values)", "_deviation(values) ** 2")
            + BUCKETS
            + CATEGORY,
        },
    ),
    Mistake(
        name="deviation-of-a-sample",
        part="adapt",
        title="The deviation is that of a sample, with n - 1",
        why="Standardized training values then have no deviation of 1: NumPy's default, ddof=0, is "
        "meant.",
        code={
            "ex-adapt": NUMBER.replace("_deviation(values)", "values.std(ddof=1)")
            + BUCKETS
            + CATEGORY,
        },
    ),
    Mistake(
        name="rounded-before-centering",
        part="adapt",
        title="The values are rounded to float32, or their deviation to 1e-7, before centering",
        why="Normalization computes in float32 and takes no deviation below 1e-7: center and scale "
        "in float64.",
        code={
            "ex-adapt": """
if way == "number":
    variance = float(values.var()) or 1.0
    return layers.Normalization(mean=float(values.mean()), variance=variance)
"""
            + BUCKETS
            + CATEGORY
        },
    ),
    Mistake(
        name="constant-divides-by-zero",
        part="adapt",
        title="A constant column is divided by its deviation of zero",
        why="One NaN makes every answer of the model NaN: center the column, and leave its unit.",
        code={
            "ex-adapt": """
if way == "number":
    with np.errstate(all="ignore"):
        scale, offset = 1 / values.std(), -values.mean() / values.std()
    return layers.Rescaling(np.array([scale]), np.array([offset]), dtype="float64")
"""
            + BUCKETS
            + CATEGORY
        },
    ),
    Mistake(
        name="cuts-in-float32",
        part="adapt",
        title="The cuts are those of the raw values",
        why="Keras keeps cuts in float32, where seconds since 1970 are known to two minutes: move "
        "values and cuts near zero first.",
        code={
            "ex-adapt": NUMBER
            + """
if way == "buckets":
    inner = np.quantile(values, np.arange(1, n_buckets) / n_buckets)
    return layers.Discretization(bin_boundaries=np.unique(inner).tolist(), output_mode="one_hot")
"""
            + CATEGORY
        },
    ),
    Mistake(
        name="range-scaled",
        part="adapt",
        title="The values are scaled to the range from 0 to 1",
        why="One outlier squeezes all others into a corner of that range; asked for were mean 0 "
        "and deviation 1.",
        code={
            "ex-adapt": """
if way == "number":
    return _rescaling(values.min(), np.ptp(values) or 1.0)
"""
            + BUCKETS
            + CATEGORY
        },
    ),
    Mistake(
        name="as-it-is",
        part="adapt",
        title="The number goes on as it is",
        why="Speeds around 60 beside pixels below 1 drown the pixels: standardize.",
        code={
            "ex-adapt": """
if way == "number":
    return layers.Identity()
"""
            + BUCKETS
            + CATEGORY
        },
    ),
    Mistake(
        name="equal-width",
        part="adapt",
        title="The buckets have equal width",
        why="Of a skewed column nearly all rows fall into the first of them.",
        code={
            "ex-adapt": NUMBER
            + BUCKETS.replace(
                "np.quantile(values, np.arange(1, n_buckets) / n_buckets)",
                "np.linspace(values.min(), values.max(), n_buckets + 1)[1:-1]",
            )
            + CATEGORY
        },
    ),
    Mistake(
        name="ends-are-no-cuts",
        part="adapt",
        title="The smallest and the greatest value were taken as cuts too",
        why="n buckets have n - 1 cuts between them; a cut at the greatest value makes a bucket "
        "for it alone.",
        code={
            "ex-adapt": NUMBER
            + BUCKETS.replace("np.arange(1, n_buckets)", "np.arange(n_buckets + 1)")
            + CATEGORY
        },
    ),
    Mistake(
        name="number-of-the-bucket",
        part="adapt",
        title="The buckets are numbers, not columns",
        why="As a number, bucket 8 counts twice as much as bucket 4, which is the raw hour again: "
        "one-hot gives each a weight of its own.",
        code={"ex-adapt": NUMBER + BUCKETS.replace('"one_hot"', '"int"') + CATEGORY},
    ),
    Mistake(
        name="no-place-for-unknown",
        part="adapt",
        title="There is no place for a category that training did not have",
        why="The model then fails on the first day of hail; keep the lookup's place for unknown "
        "values.",
        code={
            "ex-adapt": NUMBER
            + BUCKETS
            + """
return layers.StringLookup(
    vocabulary=np.unique(values.astype(str)), output_mode="one_hot", num_oov_indices=0
)
"""
        },
    ),
    Mistake(
        name="code-of-the-category",
        part="adapt",
        title="The categories are numbers in the order of the alphabet",
        why="Snow is not twice the rain: one-hot gives each category a weight of its own.",
        code={
            "ex-adapt": NUMBER
            + BUCKETS
            + """
lookup = layers.StringLookup(vocabulary=np.unique(values.astype(str)))
return lambda x: ops.cast(lookup(x), "float32")[:, None]
"""
        },
    ),
    Mistake(
        name="unknown-is-the-most-frequent",
        part="adapt",
        title="An unknown category is taken for the most frequent one",
        why="The model cannot tell that it does not know, and neither can you.",
        code={
            "ex-adapt": NUMBER
            + BUCKETS
            + """
known, counts = np.unique(values.astype(str), return_counts=True)
lookup = layers.StringLookup(vocabulary=known)
usual = int(counts.argmax())
return lambda x: ops.one_hot(
    ops.where(lookup(x) > 0, ops.cast(lookup(x), "int32") - 1, usual), len(known)
)
"""
        },
    ),
    Mistake(
        name="mean-over-padding",
        part="pool",
        title="The mean is over the padding too",
        why="Add up the tokens only, and divide by how many they are.",
        code={
            "ex-pool": MEAN.replace(
                "ops.sum(ops.where(is_token, tokens, 0.0), axis=1) / ops.maximum(n_tokens, 1)",
                "ops.mean(tokens, axis=1)",
            )
            + MAX
        },
    ),
    Mistake(
        name="divided-by-the-length",
        part="pool",
        title="The sum over tokens is divided by the padded length",
        why="Divide by the number of tokens: the sum of the mask.",
        code={
            "ex-pool": MEAN.replace(
                "ops.sum(ops.where(is_token, tokens, 0.0), axis=1) / ops.maximum(n_tokens, 1)",
                "ops.mean(ops.where(is_token, tokens, 0.0), axis=1)",
            )
            + MAX
        },
    ),
    Mistake(
        name="sum",
        part="pool",
        title="The tokens are added up",
        why="Long texts then have long vectors: divide by the number of tokens.",
        code={
            "ex-pool": MEAN.replace(" / ops.maximum(n_tokens, 1)", "") + MAX,
        },
    ),
    Mistake(
        name="max-over-padding",
        part="pool",
        title="The maximum is over the padding too",
        why="Give the padding a value that is never the greatest.",
        code={"ex-pool": MEAN + "return ops.max(tokens, axis=1)"},
    ),
    Mistake(
        name="zero-wins",
        part="pool",
        title="The padding was set to zero before the maximum",
        why="Zero is greater than any negative value: set it to minus a great number.",
        code={"ex-pool": MEAN + "return ops.max(ops.where(is_token, tokens, 0.0), axis=1)"},
    ),
    Mistake(
        name="empty-divides-by-zero",
        part="pool",
        title="A text without tokens is divided by zero",
        why="One NaN makes the loss of the whole batch NaN.",
        code={
            "ex-pool": MEAN.replace("ops.maximum(n_tokens, 1)", "n_tokens") + MAX,
        },
    ),
    Mistake(
        name="minus-a-billion",
        part="pool",
        title="A text without tokens gets the value that masks the padding",
        why="A feature of minus a billion drowns all others: give zeros instead.",
        code={
            "ex-pool": MEAN + "return ops.max(ops.where(is_token, tokens, -1e9), axis=1)",
        },
    ),
    Mistake(
        name="too-great-for-half-precision",
        part="pool",
        title="The padding is masked by a number that half precision does not have",
        why="In float16, 1e9 is infinite, and infinity times zero is NaN: choose between values "
        "with ops.where.",
        code={
            "ex-pool": MEAN
            + """
mask = ops.cast(is_token, tokens.dtype)
greatest = ops.max(tokens - ops.cast(1e9, tokens.dtype) * (1 - mask), axis=1)
return ops.where(n_tokens > 0, greatest, 0.0)
"""
        },
    ),
    Mistake(
        name="first-encoder-only",
        part="join",
        title="Only the first encoder is used",
        why="Keras builds such a model without a word: put all encodings side by side.",
        code={
            "ex-join": """
hidden = encoded[0]
if joint_units:
    hidden = layers.Dense(joint_units, activation="relu")(hidden)
model = keras.Model(inputs, layers.Dense(1)(hidden))
"""
        },
    ),
    Mistake(
        name="average-of-answers",
        part="join",
        title="Each encoding gets its own answer, and these are averaged",
        why="That is late fusion, trained at once: put the encodings side by side, and a layer "
        "with an activation above them.",
        code={
            "ex-join": """
answers = []
for features in encoded:
    if joint_units:
        features = layers.Dense(joint_units, activation="relu")(features)
    answers.append(layers.Dense(1)(features))
model = keras.Model(inputs, answers[0] if len(answers) == 1 else layers.Average()(answers))
"""
        },
    ),
    Mistake(
        name="no-activation",
        part="join",
        title="The layer above the joined encodings has no activation",
        why="Two linear layers are one: it adds up shares of the inputs, and what one of them "
        "means cannot depend on another.",
        code={
            "ex-join": """
hidden = encoded[0] if len(encoded) == 1 else layers.Concatenate()(encoded)
hidden = layers.Dense(joint_units)(hidden) if joint_units else hidden
model = keras.Model(inputs, layers.Dense(1)(hidden))
"""
        },
    ),
    Mistake(
        name="probability",
        part="join",
        title="The answer is a probability already",
        why="The model is compiled with from_logits=True: leave the last layer without activation.",
        code={
            "ex-join": """
hidden = encoded[0] if len(encoded) == 1 else layers.Concatenate()(encoded)
if joint_units:
    hidden = layers.Dense(joint_units, activation="relu")(hidden)
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
"""
        },
    ),
    Mistake(
        name="two-classes",
        part="join",
        title="The answer has a column for each class",
        why="One logit says it all for two classes, and the loss expects one.",
        code={
            "ex-join": """
hidden = encoded[0] if len(encoded) == 1 else layers.Concatenate()(encoded)
if joint_units:
    hidden = layers.Dense(joint_units, activation="relu")(hidden)
model = keras.Model(inputs, layers.Dense(2)(hidden))
"""
        },
    ),
    Mistake(
        name="flag-without-zeros",
        part="dropout",
        title="The encoding of a missing modality is passed on",
        why="What stands in for a missing image was encoded too; multiply by the flag.",
        code={
            "ex-dropout": """
if training:
    draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
    draws = ops.where(flags > 0, draws, -1.0)
    luckiest = draws >= ops.max(draws, axis=1, keepdims=True)
    stays = ops.logical_or(draws >= chance, luckiest)
    flags = flags * ops.cast(stays, flags.dtype)
return ops.concatenate([*encoded, flags], axis=1)
"""
        },
    ),
    Mistake(
        name="flags-always-one",
        part="dropout",
        title="The flags say that everything is there",
        why="Give the flags that are left, or zeros and a dark image are the same to the model.",
        code={
            "ex-dropout": """
if training:
    draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
    draws = ops.where(flags > 0, draws, -1.0)
    luckiest = draws >= ops.max(draws, axis=1, keepdims=True)
    stays = ops.logical_or(draws >= chance, luckiest)
    flags = flags * ops.cast(stays, flags.dtype)
kept = [features * flags[:, i : i + 1] for i, features in enumerate(encoded)]
return ops.concatenate([*kept, ops.ones_like(flags)], axis=1)
"""
        },
    ),
    Mistake(
        name="no-flags",
        part="dropout",
        title="The flags are missing from the output",
        why="Without them the layers above cannot tell a missing modality from one that is "
        "encoded as zeros.",
        code={
            "ex-dropout": """
if training:
    draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
    draws = ops.where(flags > 0, draws, -1.0)
    luckiest = draws >= ops.max(draws, axis=1, keepdims=True)
    stays = ops.logical_or(draws >= chance, luckiest)
    flags = flags * ops.cast(stays, flags.dtype)
return ops.concatenate(
    [features * flags[:, i : i + 1] for i, features in enumerate(encoded)], axis=1
)
"""
        },
    ),
    Mistake(
        name="drops-when-serving",
        part="dropout",
        title="Modalities are dropped when serving, too",
        why="Only in training: ask for the argument training.",
        code={
            "ex-dropout": """
draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
draws = ops.where(flags > 0, draws, -1.0)
luckiest = draws >= ops.max(draws, axis=1, keepdims=True)
stays = ops.logical_or(draws >= chance, luckiest)
flags = flags * ops.cast(stays, flags.dtype)
"""
            + JOIN
        },
    ),
    Mistake(
        name="never-drops",
        part="dropout",
        title="Nothing is dropped in training",
        why="A model that has never missed a modality is sure of nonsense when it does.",
        code={"ex-dropout": JOIN},
    ),
    Mistake(
        name="one-draw-for-the-batch",
        part="dropout",
        title="One draw decides for the whole batch",
        why="Draw for each row: else a step of training sees the modality in all rows or in none.",
        code={
            "ex-dropout": DROP.replace("ops.shape(flags)", "(1, ops.shape(flags)[1])") + JOIN,
        },
    ),
    Mistake(
        name="rate-is-what-stays",
        part="dropout",
        title="The rate was taken as the share that stays",
        why="rate is the probability of going missing.",
        code={"ex-dropout": DROP.replace("draws >= chance", "draws < chance") + JOIN},
    ),
    Mistake(
        name="given-back-more-often",
        part="dropout",
        title="Rows that lose everything get everything back",
        why="Then a modality goes missing less often than the rate says: draw with chance, and "
        "give back one of the lost at random.",
        code={
            "ex-dropout": """
if training:
    stays = keras.random.uniform(ops.shape(flags), seed=self.seed_generator) >= self.rate
    thinned = flags * ops.cast(stays, flags.dtype)
    has_any = ops.any(thinned > 0, axis=1, keepdims=True)
    flags = ops.where(has_any, thinned, flags)
"""
            + JOIN
        },
    ),
    Mistake(
        name="first-is-given-back",
        part="dropout",
        title="Of rows that would lose all, it is always the first modality that stays",
        why="The first one then is missing less often than the rate says, and the others more "
        "often: choose at random.",
        code={
            "ex-dropout": """
if training:
    draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
    stays = ops.cast(draws >= chance, flags.dtype)
    thinned = flags * stays
    is_first = ops.cast(ops.cumsum(flags, axis=1) == 1, flags.dtype) * flags
    has_any = ops.any(thinned > 0, axis=1, keepdims=True)
    flags = ops.where(has_any, thinned, is_first)
"""
            + JOIN
        },
    ),
    Mistake(
        name="drawn-without-the-seed",
        part="dropout",
        title="The draws do not follow the seed of the layer",
        why="A training that cannot be repeated cannot be searched for errors: give the generator "
        "of the layer.",
        code={"ex-dropout": DROP.replace(", seed=self.seed_generator", "") + JOIN},
    ),
    Mistake(
        name="single-features",
        part="dropout",
        title="Single features are dropped, not modalities",
        why="That is ordinary dropout: it teaches the model to do without a pixel, not without the "
        "image.",
        code={
            "ex-dropout": """
kept = [features * flags[:, i : i + 1] for i, features in enumerate(encoded)]
if training:
    kept = [
        features
        * ops.cast(
            keras.random.uniform(ops.shape(features), seed=self.seed_generator) >= self.rate,
            features.dtype,
        )
        for features in kept
    ]
return ops.concatenate([*kept, flags], axis=1)
"""
        },
    ),
    Mistake(
        name="rescaled",
        part="dropout",
        title="What is kept was divided by the share that stays",
        why="Ordinary dropout rescales because all units are there when serving. Here one may be "
        "missing then as well, and a flag says so.",
        code={
            "ex-dropout": """
if training:
    draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
    draws = ops.where(flags > 0, draws, -1.0)
    luckiest = draws >= ops.max(draws, axis=1, keepdims=True)
    stays = ops.logical_or(draws >= chance, luckiest)
    flags = flags * ops.cast(stays, flags.dtype)
    encoded = [features / (1 - self.rate) for features in encoded]
"""
            + JOIN
        },
    ),
    Mistake(
        name="nothing-left",
        part="dropout",
        title="Some rows lose every modality",
        why="Where all would go, keep one of them.",
        code={
            "ex-dropout": """
if training:
    stays = keras.random.uniform(ops.shape(flags), seed=self.seed_generator) >= self.rate
    flags = flags * ops.cast(stays, flags.dtype)
"""
            + JOIN
        },
    ),
)

ALTERNATIVES = (
    Alternative(
        name="layers adapted by Keras, near zero",
        code={
            "ex-adapt": """
if way == "category":
    layer = layers.StringLookup(output_mode="one_hot", oov_token="unknown to the training rows")
    layer.adapt(values.astype(object))
    return layer
span = float(np.ptp(values)) or 1.0
raw = keras.Input((1,), dtype="float64")
near_zero = (values - values[0]) / span
if way == "number":
    variance = float(near_zero.var()) or 1.0
    layer = layers.Normalization(
        mean=float(near_zero.mean()), variance=variance, axis=None, dtype="float64"
    )
    return keras.Sequential([raw, _rescaling(values[0], span), layer])
ordered = np.sort(values)
cuts = np.array(sorted({ordered[len(ordered) * i // n_buckets] for i in range(1, n_buckets)}))
shifted = (cuts - values[0]).tolist()
layer = layers.Discretization(bin_boundaries=shifted, output_mode="one_hot")
return keras.Sequential([raw, _rescaling(values[0], 1.0), layer])
"""
        },
    ),
    Alternative(
        name="columns by hand",
        code={
            "ex-adapt": """
if way == "number":
    mean, deviation = float(np.mean(values)), float(np.std(values))
    deviation = 1.0 if values.min() == values.max() else deviation
    return layers.Lambda(
        lambda x: (x - np.float64(mean)) / np.float64(deviation), dtype="float64"
    )
if way == "buckets":
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, n_buckets + 1)[1:-1], method="higher"))
    return layers.Lambda(
        lambda x: ops.one_hot(
            ops.sum(ops.cast(x >= cuts[None, :], "int32"), axis=1), len(cuts) + 1
        ),
        dtype="float64",
    )
known = sorted(set(values.tolist()))
return layers.StringLookup(
    vocabulary=known, num_oov_indices=1, oov_token=max(known) + "?", output_mode="one_hot"
)
"""
        },
    ),
    Alternative(
        name="pooled by where",
        code={
            "ex-pool": """
is_token = is_token[:, :, None]
n = ops.sum(ops.cast(is_token, tokens.dtype), axis=1)
if how == "mean":
    total = ops.sum(ops.where(is_token, tokens, 0.0), axis=1)
    return ops.where(n > 0, total / ops.where(n > 0, n, 1.0), 0.0)
top = ops.max(ops.where(is_token, tokens, -1e30), axis=1)
return ops.where(top > -1e29, top, 0.0)
"""
        },
    ),
    Alternative(
        name="pooled by a product of matrices",
        code={
            "ex-pool": """
mask = ops.cast(is_token, tokens.dtype)
n = ops.sum(mask, axis=1, keepdims=True)
if how == "mean":
    weights = mask / ops.maximum(n, 1.0)
    return ops.einsum("bl,blf->bf", weights, tokens)
lowest = ops.min(tokens, axis=1, keepdims=True)
top = ops.max((tokens - lowest) * mask[..., None], axis=1) + lowest[:, 0]
return top * ops.minimum(n, 1.0)
"""
        },
    ),
    Alternative(
        name="joined by ops, tanh and two layers",
        code={
            "ex-join": """
hidden = ops.concatenate(encoded, axis=-1)
if joint_units > 0:
    hidden = layers.Dense(joint_units, activation="tanh")(hidden)
    hidden = layers.Dense(joint_units, activation="relu")(hidden)
logit = layers.Dense(1, activation="linear", name="logit")(hidden)
model = keras.Model(inputs=inputs, outputs=logit)
"""
        },
    ),
    Alternative(
        name="joined by products of projections",
        code={
            "ex-join": """
if joint_units:
    hidden = layers.Dense(joint_units)(encoded[0])
    for features in encoded[1:]:
        hidden = hidden * layers.Dense(joint_units)(features)
else:
    hidden = encoded[0] if len(encoded) == 1 else layers.concatenate(encoded)
model = keras.Model(inputs, layers.Dense(1)(hidden))
"""
        },
    ),
    Alternative(
        name="dropout that gives one of the lost back",
        code={
            "ex-dropout": """
if training:
    shape = ops.shape(flags)
    draw = keras.random.uniform(shape, seed=self.seed_generator)
    kept_flags = flags * ops.cast(draw >= ops.cast(chance, draw.dtype), flags.dtype)
    lot = flags * (0.5 + keras.random.uniform(shape, seed=self.seed_generator))
    chosen = ops.one_hot(ops.argmax(lot, axis=1), len(encoded), dtype=flags.dtype) * flags
    lost = ops.cast(ops.sum(kept_flags, axis=1, keepdims=True) == 0, flags.dtype)
    flags = kept_flags + lost * chosen
return ops.concatenate(
    [encoded[i] * flags[:, i, None] for i in range(len(encoded))] + [flags], axis=-1
)
"""
        },
    ),
    Alternative(
        name="dropout by a draw for each modality",
        code={
            "ex-dropout": """
kept_flags = flags
if training:
    columns = []
    for i in range(len(encoded)):
        draw = keras.random.uniform((ops.shape(flags)[0],), seed=self.seed_generator)
        columns.append(ops.where(flags[:, i] > 0, draw, -1.0))
    draws = ops.stack(columns, axis=1)
    kept_flags = ops.where(draws > chance, flags, 0.0)
    best = ops.one_hot(ops.argmax(draws, axis=1), len(encoded), dtype=flags.dtype) * flags
    kept_flags = ops.maximum(kept_flags, best)
kept = []
for i, features in enumerate(encoded):
    kept.append(ops.where(kept_flags[:, i : i + 1] > 0, features, 0.0))
return ops.concatenate(kept + [kept_flags], axis=1)
"""
        },
    ),
)
