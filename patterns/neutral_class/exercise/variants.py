"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

MISTAKES = (
    Mistake(
        name="neutral-where-they-agree",
        part="labels",
        title="Agreement was made neutral, and disagreement a label",
        why="Exchange the two branches.",
        code={
            "ex-labels": """
unanimous = (votes == votes[:, [0]]).all(axis=1)
return np.where(unanimous, neutral_label, votes[:, 0])
"""
        },
    ),
    Mistake(
        name="first-expert",
        part="labels",
        title="The first expert decides",
        why="That is the binary model again, on one vote: compare it with the others.",
        code={
            "ex-labels": """
return votes[:, 0]
"""
        },
    ),
    Mistake(
        name="disagreements-dropped",
        part="labels",
        title="The rows on which experts disagree were dropped",
        why="They are the rows to learn from, and each row of the features needs its label.",
        code={
            "ex-labels": """
return votes[(votes == votes[:, [0]]).all(axis=1), 0]
"""
        },
    ),
    Mistake(
        name="majority-vote",
        part="labels",
        title="The majority decides",
        why="Of three coins two always agree, so no row would be neutral: ask for all votes.",
        code={
            "ex-labels": """
low, high = np.unique(votes)[[0, -1]]
share = (votes == high).mean(axis=1)
return np.where(share == 0.5, neutral_label, np.where(share > 0.5, high, low))
"""
        },
    ),
    Mistake(
        name="name-cut-short",
        part="labels",
        title="The neutral label was cut to the length of the others",
        why='numpy\'s strings have a fixed length: an array of "A" and "B" keeps one letter of '
        '"either". Make a new array with np.where.',
        code={
            "ex-labels": """
labels = votes[:, 0].copy()
labels[(votes != votes[:, [0]]).any(axis=1)] = neutral_label
return labels
"""
        },
    ),
    Mistake(
        name="array-of-objects",
        part="labels",
        title="The labels are Python objects",
        why="Numbers in an array of objects are no labels to scikit-learn: keep the type of the "
        "votes.",
        code={
            "ex-labels": """
labels = votes[:, 0].astype(object)
labels[(votes != votes[:, [0]]).any(axis=1)] = neutral_label
return labels
"""
        },
    ),
    Mistake(
        name="uncorrected",
        part="correction",
        title="Chance was left out",
        why="Those who agreed by chance are missing from neutral. With two experts, that costs "
        "more than to have no neutral class.",
        code={
            "ex-rates": """
return np.eye(3)
"""
        },
    ),
    Mistake(
        name="one-side-of-the-coin",
        part="correction",
        title="Coins that all show heads were counted, and all tails forgotten",
        why="Each happens with probability 2 ** -m, so by chance they agree with twice that.",
        code={
            "ex-rates": """
rates = np.eye(3)
rates[neutral_column] = 2.0**-n_votes / 2
rates[neutral_column, neutral_column] = 1 - 2.0**-n_votes
return rates
"""
        },
    ),
    Mistake(
        name="always-half",
        part="correction",
        title="Half of the neutral cases hide, whatever the number of votes",
        why="Half of the neutral cases hide behind two votes, a quarter behind three.",
        code={
            "ex-rates": """
rates = np.eye(3)
rates[neutral_column] = 0.25
rates[neutral_column, neutral_column] = 0.5
return rates
"""
        },
    ),
    Mistake(
        name="taken-twice",
        part="correction",
        title="Each of the two labels got all that hides",
        why="They share it: 2 ** -m for each, 2 ** (1 - m) for both together.",
        code={
            "ex-rates": """
rates = np.eye(3)
rates[neutral_column] = 2.0 ** (1 - n_votes)
rates[neutral_column, neutral_column] = 1 - 2.0 ** (1 - n_votes)
return rates
"""
        },
    ),
    Mistake(
        name="column-for-row",
        part="correction",
        title="The rates are in the column of neutral, not in its row",
        why="A row is a true state: it is the neutral case that may show any label.",
        code={
            "ex-rates": """
rates = np.eye(3)
rates[:, neutral_column] = 2.0**-n_votes
rates[neutral_column, neutral_column] = 1 - 2.0 ** (1 - n_votes)
return rates
"""
        },
    ),
    Mistake(
        name="neutral-in-the-middle",
        part="correction",
        title="The middle class was taken for the neutral one",
        why="Which it is depends on the names of the classes: use neutral_column.",
        code={
            "ex-rates": """
alike = 2.0**-n_votes
return np.array([[1, 0, 0], [alike, 1 - 2 * alike, alike], [0, 0, 1]])
"""
        },
    ),
    Mistake(
        name="applied-again",
        part="correction",
        title="The rates were applied once more, not undone",
        why="proba already holds what the votes show: solve for the states, with the inverse.",
        code={
            "ex-correction": """
return proba @ label_rates
"""
        },
    ),
    Mistake(
        name="transposed-equations",
        part="correction",
        title="The equations were transposed",
        why="A row of proba is a row of states times the rates, whose rows are states.",
        code={
            "ex-correction": """
state = proba @ np.linalg.inv(label_rates).T
neutral = np.clip(state[:, neutral_column], 0, 1)
decided = np.maximum(np.delete(state, neutral_column, axis=1), 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="rows-rescaled",
        part="correction",
        title="Neutral was raised, and the rows were rescaled to a sum of 1",
        why="That takes from neutral again what the correction has given it.",
        code={
            "ex-correction": """
corrected = proba.copy()
corrected[:, neutral_column] /= label_rates[neutral_column, neutral_column]
return corrected / corrected.sum(axis=1, keepdims=True)
"""
        },
    ),
    Mistake(
        name="labels-rescaled",
        part="correction",
        title="Each label gave up the same share, not the same amount",
        why="Coins fall on either side alike: a label that is seldom right owes the most of its "
        "votes to chance.",
        code={
            "ex-correction": """
neutral = np.minimum(proba[:, neutral_column] / label_rates[neutral_column, neutral_column], 1)
decided = np.delete(proba, neutral_column, axis=1)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="coins-taken-for-granted",
        part="correction",
        title="The two labels gave up the same, though the rates say otherwise",
        why="Only fair coins fall on both sides alike. With a habit, one label owes more to it.",
        code={
            "ex-correction": """
shown = label_rates[neutral_column, neutral_column]
neutral = np.minimum(proba[:, neutral_column] / shown, 1)
decided = np.delete(proba, neutral_column, axis=1) - neutral[:, None] * (1 - shown) / 2
decided = np.maximum(decided, 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="mistakes-forgotten",
        part="correction",
        title="Only the neutral row of the rates was used",
        why="Where experts make mistakes, other states show the neutral label, too.",
        code={
            "ex-correction": """
rates = label_rates[neutral_column]
neutral = np.minimum(proba[:, neutral_column] / rates[neutral_column], 1)
state = proba - neutral[:, None] * rates
decided = np.maximum(np.delete(state, neutral_column, axis=1), 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="nothing-by-nothing",
        part="correction",
        title="Where all is neutral, nothing was divided by nothing",
        why="The two labels sum to 0 there, and their share of what is left is 0: do not divide.",
        code={
            "ex-correction": """
state = proba @ np.linalg.inv(label_rates)
neutral = np.clip(state[:, neutral_column], 0, 1)
decided = np.maximum(np.delete(state, neutral_column, axis=1), 0)
decided *= ((1 - neutral) / decided.sum(axis=1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="subtracted-without-its-factor",
        part="correction",
        title="Each label gave up the rate of chance, not the rate times the neutral cases",
        why="Only neutral cases fall by chance: multiply the rate by how probable neutral is.",
        code={
            "ex-correction": """
rates = label_rates[neutral_column]
neutral = np.minimum(proba[:, neutral_column] / rates[neutral_column], 1)
decided = np.maximum(np.delete(proba - rates, neutral_column, axis=1), 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="factor-of-the-shown",
        part="correction",
        title="The rate of chance was multiplied by the shown neutrals, not by the true ones",
        why="Those who hide are missing among the shown: correct neutral first, then subtract.",
        code={
            "ex-correction": """
rates, shown = label_rates[neutral_column], proba[:, [neutral_column]]
neutral = np.minimum(proba[:, neutral_column] / rates[neutral_column], 1)
decided = np.maximum(np.delete(proba - shown * rates, neutral_column, axis=1), 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="neutral-moved-to-the-end",
        part="correction",
        title="The neutral column was moved to the end",
        why="The columns are those of classes_, and the rows of the costs have the same order.",
        code={
            "ex-correction": """
state = proba @ np.linalg.inv(label_rates)
neutral = np.clip(state[:, neutral_column], 0, 1)
decided = np.maximum(np.delete(state, neutral_column, axis=1), 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.column_stack([decided[:, 0], neutral, decided[:, 1]])
"""
        },
    ),
    Mistake(
        name="negative-probabilities",
        part="correction",
        title="Probabilities fall below 0 or rise above 1",
        why="Let neutral end at 0 and 1 and each label at 0; the other label has what neutral "
        "leaves.",
        code={
            "ex-correction": """
return proba @ np.linalg.inv(label_rates)
"""
        },
    ),
    Mistake(
        name="cut-and-rescaled-with-neutral",
        part="correction",
        title="After the cut, neutral was rescaled with the labels",
        why="Its estimate was not what fell below 0: rescale the two labels only.",
        code={
            "ex-correction": """
state = np.clip(proba @ np.linalg.inv(label_rates), 0, 1)
return state / state.sum(axis=1, keepdims=True)
"""
        },
    ),
    Mistake(
        name="written-over",
        part="correction",
        title="The array that was passed in was written over",
        why="proba may be the caller's own array: work on a copy.",
        code={
            "ex-correction": """
proba[:] = proba @ np.linalg.inv(label_rates)
neutral = np.clip(proba[:, neutral_column], 0, 1)
decided = np.maximum(np.delete(proba, neutral_column, axis=1), 0)
total = decided.sum(axis=1)
decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
return np.insert(decided, neutral_column, neutral, axis=1)
"""
        },
    ),
    Mistake(
        name="as-if-certain",
        part="decision",
        title="The most probable class was taken for certain",
        why="How probable it is must count too, or nothing is ever reviewed.",
        code={
            "ex-decision": """
return np.argmin(cost[np.argmax(proba, axis=1)], axis=1)
"""
        },
    ),
    Mistake(
        name="most-probable-class",
        part="decision",
        title="The most probable class was returned",
        why="A class is no action: multiply by the costs first.",
        code={
            "ex-decision": """
return np.argmax(proba, axis=1)
"""
        },
    ),
    Mistake(
        name="transposed",
        part="decision",
        title="The cost matrix was transposed",
        why="Its rows are classes, as the columns of proba are: proba @ cost.",
        code={
            "ex-decision": """
return np.argmin(proba @ cost.T, axis=1)
"""
        },
    ),
    Mistake(
        name="chow-by-hand",
        part="decision",
        title="Chow's rule was written by hand",
        why="It holds for two classes, errors that cost 1 and a review in the last column; the "
        "expected costs hold always.",
        code={
            "ex-decision": """
action = np.argmin(cost[np.argmax(proba, axis=1)], axis=1)
review, price = cost.shape[1] - 1, cost[:, -1].min()
return np.where(proba.max(axis=1) < 1 - price, review, action)
"""
        },
    ),
    Mistake(
        name="costs-of-the-first-row",
        part="decision",
        title="The costs of the first row were used for all",
        why="With three axes, the first one of the costs is that of the rows.",
        code={
            "ex-decision": """
return np.argmin(proba @ (cost if cost.ndim == 2 else cost[0]), axis=1)
"""
        },
    ),
    Mistake(
        name="last-of-equals",
        part="decision",
        title="Of equal actions the last is taken",
        why="argmin takes the first; a loop with <= does not.",
        code={
            "ex-decision": """
expected = proba @ cost if cost.ndim == 2 else np.einsum("nc,nca->na", proba, cost)
return expected.shape[1] - 1 - np.argmin(expected[:, ::-1], axis=1)
"""
        },
    ),
    Mistake(
        name="single-losses",
        part="curve",
        title="The risk is that of the last case decided, not of all so far",
        why="Add up the losses from the most confident case on, and divide by their number.",
        code={
            "ex-curve": """
order = np.argsort(-confidence, kind="stable")
return np.arange(1, len(loss) + 1) / len(loss), loss[order]
"""
        },
    ),
    Mistake(
        name="confidence-on-the-axis",
        part="curve",
        title="Confidence is on the axis of coverage",
        why="Two models' confidences are on no common scale; shares of cases are.",
        code={
            "ex-curve": """
_, group, size = np.unique(-confidence, return_inverse=True, return_counts=True)
mean_of_equals = np.bincount(group, weights=loss) / size
risk = np.cumsum(np.repeat(mean_of_equals, size)) / np.arange(1, len(loss) + 1)
return np.sort(confidence)[::-1], risk
"""
        },
    ),
    Mistake(
        name="a-point-for-each-level",
        part="curve",
        title="There is a point for each level of confidence, not for each case",
        why="Curves of different models then have different points, and the mean over them is no "
        "area.",
        code={
            "ex-curve": """
_, group, size = np.unique(-confidence, return_inverse=True, return_counts=True)
kept = np.cumsum(size)
return kept / len(loss), np.cumsum(np.bincount(group, weights=loss)) / kept
"""
        },
    ),
    Mistake(
        name="least-confident-first",
        part="curve",
        title="The least confident case is decided first",
        why="argsort goes upward: sort by minus the confidence.",
        code={
            "ex-curve": """
_, group, size = np.unique(confidence, return_inverse=True, return_counts=True)
mean_of_equals = np.bincount(group, weights=loss) / size
kept = np.arange(1, len(loss) + 1)
return kept / len(loss), np.cumsum(np.repeat(mean_of_equals, size)) / kept
"""
        },
    ),
    Mistake(
        name="divided-by-all",
        part="curve",
        title="The losses were divided by the number of all cases",
        why="The risk is the mean over the cases that are decided: k of them at coverage k/n.",
        code={
            "ex-curve": """
_, group, size = np.unique(-confidence, return_inverse=True, return_counts=True)
mean_of_equals = np.bincount(group, weights=loss) / size
coverage = np.arange(1, len(loss) + 1) / len(loss)
return coverage, np.cumsum(np.repeat(mean_of_equals, size)) / len(loss)
"""
        },
    ),
    Mistake(
        name="equals-in-order-of-rows",
        part="curve",
        title="Cases of equal confidence are decided in the order of the rows",
        why="Shuffle the rows and the curve is another one: give each the mean loss of its equals.",
        code={
            "ex-curve": """
order = np.argsort(-confidence, kind="stable")
kept = np.arange(1, len(loss) + 1)
return kept / len(loss), np.cumsum(loss[order]) / kept
"""
        },
    ),
    Mistake(
        name="errors-last-among-equals",
        part="curve",
        title="Of cases of equal confidence, those with the least loss come first",
        why="Pairs are sorted by the loss where the confidence is equal, and a model of constant "
        "confidence looks as if it knew its errors.",
        code={
            "ex-curve": """
ordered = np.array([case for _, case in sorted(zip(-confidence, loss))])
kept = np.arange(1, len(loss) + 1)
return kept / len(loss), np.cumsum(ordered) / kept
"""
        },
    ),
    Mistake(
        name="equals-all-at-once",
        part="curve",
        title="Cases of equal confidence are all decided together",
        why="Then the risk at coverage k/n is that of more than k cases: count them one after the "
        "other, each with their mean loss.",
        code={
            "ex-curve": """
kept = np.arange(1, len(loss) + 1)
thresholds = np.sort(confidence)[::-1]
return kept / len(loss), np.array([loss[confidence >= t].mean() for t in thresholds])
"""
        },
    ),
)

ALTERNATIVES = (
    Alternative(
        name="labels by least and greatest vote",
        code={
            "ex-labels": """
values, codes = np.unique(votes, return_inverse=True)
codes = codes.reshape(votes.shape)
low, high = codes.min(axis=1), codes.max(axis=1)
return np.where(low == high, values[low], neutral_label)
"""
        },
    ),
    Alternative(
        name="labels in a loop over sets",
        code={
            "ex-labels": """
labels = []
for row in votes.tolist():
    labels.append(row[0] if len(set(row)) == 1 else neutral_label)
return np.array(labels)
"""
        },
    ),
    Alternative(
        name="labels by pandas, as objects where they are words",
        code={
            "ex-labels": """
frame = pd.DataFrame(votes)
labels = frame[0].where(frame.nunique(axis=1) == 1, neutral_label)
return labels.to_numpy()
"""
        },
    ),
    Alternative(
        name="rates by counting heads",
        code={
            "ex-rates": """
from math import comb
chances = [comb(n_votes, heads) / 2**n_votes for heads in range(n_votes + 1)]
others = [column for column in range(3) if column != neutral_column]
rates = np.zeros((3, 3))
for other in others:
    rates[other, other] = 1
rates[neutral_column, others[0]] = chances[0]
rates[neutral_column, others[1]] = chances[-1]
rates[neutral_column, neutral_column] = sum(chances[1:-1])
return rates
"""
        },
    ),
    Alternative(
        name="rates as a list, by conditions",
        code={
            "ex-rates": """
def rate(state, label):
    if state != neutral_column:
        return float(state == label)
    return 1 - 0.5 ** (n_votes - 1) if label == state else 0.5**n_votes
return [[rate(state, label) for label in range(3)] for state in range(3)]
"""
        },
    ),
    Alternative(
        name="correction by what neutral leaves to the first label",
        code={
            "ex-correction": """
state = np.linalg.solve(label_rates.T, proba.T).T
corrected = np.empty_like(state)
first, second = (column for column in range(3) if column != neutral_column)
corrected[:, neutral_column] = state[:, neutral_column].clip(0, 1)
a, b = state[:, first].clip(0), state[:, second].clip(0)
left = 1 - corrected[:, neutral_column]
share = np.divide(a, a + b, out=np.zeros_like(a), where=a + b > 0)
corrected[:, first] = left * share
corrected[:, second] = left - corrected[:, first]
return corrected
"""
        },
    ),
    Alternative(
        name="correction row by row",
        code={
            "ex-correction": """
others = [column for column in range(3) if column != neutral_column]
result = []
for row in proba:
    solved = np.linalg.solve(label_rates.T, row)
    neutral = min(max(solved[neutral_column], 0.0), 1.0)
    a, b = (max(solved[other], 0.0) for other in others)
    scale = (1 - neutral) / (a + b) if a + b > 0 else 0.0
    fixed = [0.0, 0.0, 0.0]
    fixed[neutral_column], fixed[others[0]], fixed[others[1]] = neutral, a * scale, b * scale
    result.append(fixed)
return np.array(result)
"""
        },
    ),
    Alternative(
        name="decision by broadcasting",
        code={
            "ex-decision": """
expected = (proba[:, :, None] * cost).sum(axis=1)
return expected.argmin(axis=-1)
"""
        },
    ),
    Alternative(
        name="decision in a loop, with the greatest negative cost",
        code={
            "ex-decision": """
actions = []
for i, row in enumerate(proba):
    own = cost if cost.ndim == 2 else cost[i]
    expected = [-sum(p * c for p, c in zip(row, column)) for column in own.T]
    actions.append(expected.index(max(expected)))
return actions
"""
        },
    ),
    Alternative(
        name="curve by pandas",
        code={
            "ex-curve": """
table = pd.DataFrame({"loss": loss, "confidence": confidence})
table["loss"] = table.groupby("confidence")["loss"].transform("mean")
table = table.sort_values("confidence", ascending=False)
risk = table["loss"].expanding().mean().to_numpy()
return np.linspace(1 / len(loss), 1, len(loss)), risk
"""
        },
    ),
    Alternative(
        name="curve in plain loops",
        code={
            "ex-curve": """
coverage, risk, total, k = [], [], 0.0, 0
for level in sorted(set(confidence.tolist()), reverse=True):
    losses = loss[confidence == level]
    for _ in losses:
        k += 1
        total += losses.sum() / len(losses)
        coverage.append(k / len(loss))
        risk.append(total / k)
return np.array(coverage), np.array(risk)
"""
        },
    ),
)
