"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

# What most answers have in common.
REPORT = """
best, best_step = math.inf, None
for step, loss in losses:
    if math.isnan(loss):
        raise ValueError("the loss is NaN")
    trial.report(loss, int(step))
    if best_step is None or sign * loss < best:
        best, best_step = sign * loss, step
    if trial.should_prune():
        raise TrialPruned
    if patience is not None and step - best_step >= patience:
        break
"""
RESUME = """
failed = []
for trial in study.get_trials(deepcopy=False):
    if trial.state == TrialState.RUNNING and not is_alive(trial):
        study.tell(trial.number, state=TrialState.FAIL)
        failed.append(trial.number)
        retries = trial.user_attrs.get("retries", 0)
        if trial.params and retries < max_retries:
            study.enqueue_trial(trial.params, user_attrs={"retries": retries + 1})
return failed
"""
COST = """
best = np.append(np.nan, sign * np.fmin.accumulate(sign * value))
return best[np.searchsorted(np.cumsum(cost), budget, side="right")]
"""
HONEST = """
winner = study.best_trial
own, honest = winner.value, score(winner)
optimism = honest - own if study.direction == StudyDirection.MINIMIZE else own - honest
"""
NESTED = """
study = search(train)
scores.append(honest_score(study, lambda winner: score(train, test, winner)))
"""


def changed(text: str, *slips: tuple[str, str]) -> str:
    """An answer with slips."""
    for old, new in slips:
        assert old in text, old
        text = text.replace(old, new)
    return text


MISTAKES = (
    Mistake(
        name="last-loss",
        part="report",
        title="The last loss was returned",
        why="Keep the best loss and its step: the last one is often that of an overfitted model.",
        code={
            "ex-report": changed(
                REPORT, ("    if best_step is None or sign * loss < best:\n    ", "")
            )
        },
    ),
    Mistake(
        name="direction-ignored",
        part="report",
        title="The least value was kept in a study that maximizes",
        why="Compare sign * loss: sign is -1 where a score is maximized.",
        code={
            "ex-report": changed(
                REPORT,
                ("or sign * loss < best", "or loss < sign * best"),
            )
        },
    ),
    Mistake(
        name="last-of-equals",
        part="report",
        title="A loss that equals the best one was taken for an improvement",
        why="The first step that has the best loss is enough, and patience counts from there.",
        code={"ex-report": changed(REPORT, ("sign * loss < best", "sign * loss <= best"))},
    ),
    Mistake(
        name="infinite-loss-ignored",
        part="report",
        title="A loss that is infinite was not taken for a loss",
        why="The first loss is the best one so far, whatever it is: ask whether best_step is None.",
        code={"ex-report": changed(REPORT, ("best_step is None or sign * loss", "sign * loss"))},
    ),
    Mistake(
        name="losses-counted",
        part="report",
        title="Losses were reported with a count of their own",
        why="Report each at the step that came with it: other trials may report more often.",
        code={
            "ex-report": changed(
                REPORT,
                ("for step, loss in losses", "for i, (step, loss) in enumerate(losses)"),
                ("int(step)", "i"),
            )
        },
    ),
    Mistake(
        name="best-reported",
        part="report",
        title="The best loss so far was reported in place of the loss",
        why="The pruner knows best values by itself, and needs the curve as it is.",
        code={
            "ex-report": changed(
                REPORT,
                ("    trial.report(loss, int(step))\n", ""),
                (
                    "    if trial.should",
                    "    trial.report(sign * best, int(step))\n    if trial.should",
                ),
            )
        },
    ),
    Mistake(
        name="sign-reported",
        part="report",
        title="sign * loss was reported",
        why="The pruner knows the direction of the study: report the score as it is.",
        code={"ex-report": changed(REPORT, ("report(loss,", "report(sign * loss,"))},
    ),
    Mistake(
        name="pruner-not-asked",
        part="report",
        title="The pruner was not asked",
        why="To report is not enough: ask trial.should_prune() after each report.",
        code={"ex-report": changed(REPORT, ("trial.should_prune()", "False"))},
    ),
    Mistake(
        name="pruned-trial-returns",
        part="report",
        title="A pruned trial returned as if it were complete",
        why="Raise TrialPruned: otherwise half a training competes with whole ones.",
        code={"ex-report": changed(REPORT, ("raise TrialPruned", "break"))},
    ),
    Mistake(
        name="trained-to-the-end",
        part="report",
        title="All losses were asked for before the first one was reported",
        why="The generator trains when it is asked. Ask, report, and only then ask for the next.",
        code={"ex-report": changed(REPORT, ("in losses:", "in list(losses):"))},
    ),
    Mistake(
        name="asked-before-the-report",
        part="report",
        title="The pruner was asked before it was told the loss",
        why="It decides by the losses that it knows: report first.",
        code={
            "ex-report": changed(
                REPORT,
                ("    trial.report(loss, int(step))\n", ""),
                (
                    "        raise TrialPruned\n",
                    "        raise TrialPruned\n    trial.report(loss, int(step))\n",
                ),
            )
        },
    ),
    Mistake(
        name="patience-in-losses",
        part="report",
        title="Patience was counted in losses",
        why="It is a number of steps: losses may come every ten rounds.",
        code={
            "ex-report": """
best, best_step, n_since = math.inf, None, 0
for step, loss in losses:
    if math.isnan(loss):
        raise ValueError("the loss is NaN")
    trial.report(loss, int(step))
    n_since += 1
    if best_step is None or sign * loss < best:
        best, best_step, n_since = sign * loss, step, 0
    if trial.should_prune():
        raise TrialPruned
    if patience is not None and n_since >= patience:
        break
"""
        },
    ),
    Mistake(
        name="patience-from-the-start",
        part="report",
        title="Patience was counted from the start of the training",
        why="It begins anew with each improvement: count from best_step.",
        code={"ex-report": changed(REPORT, ("step - best_step >=", "step >="))},
    ),
    Mistake(
        name="one-loss-too-many",
        part="report",
        title="Training went on when the patience was just over",
        why="As many steps as patience says without improvement are enough: >=, not >.",
        code={"ex-report": changed(REPORT, ("best_step >= patience", "best_step > patience"))},
    ),
    Mistake(
        name="nan-skipped",
        part="report",
        title="A loss that is NaN was skipped",
        why="A model that has diverged once seldom comes back: raise ValueError at once.",
        code={"ex-report": changed(REPORT, ('raise ValueError("the loss is NaN")', "continue"))},
    ),
    Mistake(
        name="nan-pruned",
        part="report",
        title="A loss that is NaN has pruned the trial",
        why="Pruned trials count in the budget and teach the sampler; a failed one does not.",
        code={
            "ex-report": changed(
                REPORT, ('raise ValueError("the loss is NaN")', "raise TrialPruned")
            )
        },
    ),
    Mistake(
        name="nan-ends-training",
        part="report",
        title="A loss that is NaN ended training as if all were well",
        why="Raise ValueError: the trial has failed, and its earlier losses do not save it.",
        code={"ex-report": changed(REPORT, ('raise ValueError("the loss is NaN")', "break"))},
    ),
    Mistake(
        name="left-running",
        part="resume",
        title="The trials are still running",
        why="Tell the study that each of them has failed, as well as to run it again.",
        code={
            "ex-resume": changed(
                RESUME, ("        study.tell(trial.number, state=TrialState.FAIL)\n", "")
            )
        },
    ),
    Mistake(
        name="stale-is-pruned",
        part="resume",
        title="The trials were told to be pruned",
        why="A pruned trial counts in the budget, and the sampler learns that it was bad.",
        code={
            "ex-resume": changed(
                RESUME,
                ("TrialState.FAIL", "TrialState.PRUNED"),
            )
        },
    ),
    Mistake(
        name="counted",
        part="resume",
        title="The number of failed trials was returned",
        why="Return the list of their numbers.",
        code={"ex-resume": changed(RESUME, ("return failed", "return len(failed)"))},
    ),
    Mistake(
        name="the-living-too",
        part="resume",
        title="Trials of living processes were failed",
        why="Ask is_alive(trial) first: another worker may be in the middle of this trial.",
        code={"ex-resume": changed(RESUME, (" and not is_alive(trial)", ""))},
    ),
    Mistake(
        name="only-the-living",
        part="resume",
        title="Trials of living processes were failed, and those of dead ones were left",
        why="A trial is stale when is_alive(trial) is false.",
        code={"ex-resume": changed(RESUME, ("not is_alive", "is_alive"))},
    ),
    Mistake(
        name="not-queued",
        part="resume",
        title="The parameters were not queued again",
        why="Fail the trial, then queue its parameters with _run_again. With skip_if_exists none "
        "is queued: the failed trial has them already.",
        code={"ex-resume": changed(RESUME, ("if trial.params and", "if False and"))},
    ),
    Mistake(
        name="every-failed-trial",
        part="resume",
        title="Trials that had failed before were queued as well",
        why="Queue those that you fail now. The others were queued when they failed, or raised.",
        code={
            "ex-resume": """
failed = []
for trial in study.get_trials(deepcopy=False):
    if trial.state == TrialState.RUNNING and not is_alive(trial):
        study.tell(trial.number, state=TrialState.FAIL)
        failed.append(trial.number)
for trial in study.get_trials(deepcopy=False):
    if trial.state == TrialState.FAIL and trial.params:
        if trial.user_attrs.get("retries", 0) < max_retries:
            _run_again(study, trial)
return failed
"""
        },
    ),
    Mistake(
        name="empty-trial-queued",
        part="resume",
        title="A trial without parameters was queued",
        why="There is nothing to repeat: the sampler draws the next trial anyway.",
        code={"ex-resume": changed(RESUME, ("trial.params and ", ""))},
    ),
    Mistake(
        name="queued-for-ever",
        part="resume",
        title="Parameters were queued without a count",
        why="Keep the count as the user attribute retries of the new trial, as _run_again does.",
        code={"ex-resume": changed(RESUME, (', user_attrs={"retries": retries + 1}', ""))},
    ),
    Mistake(
        name="no-limit",
        part="resume",
        title="Parameters were queued again whatever max_retries says",
        why="Compare the trial's user attribute retries with max_retries.",
        code={"ex-resume": changed(RESUME, (" and retries < max_retries", ""))},
    ),
    Mistake(
        name="one-retry-too-many",
        part="resume",
        title="Parameters were queued once more than max_retries says",
        why="With max_retries of 2, those that were queued twice are given up: <, not <=.",
        code={"ex-resume": changed(RESUME, ("retries < max_retries", "retries <= max_retries"))},
    ),
    Mistake(
        name="equal-trials",
        part="cost",
        title="The budget was taken for a number of trials",
        why="Trials differ in cost. Add up the costs, and see which sums the budget covers.",
        code={
            "ex-cost": """
best = np.append(np.nan, sign * np.fmin.accumulate(sign * value))
return best[np.clip(budget, 0, len(value)).astype(int)]
"""
        },
    ),
    Mistake(
        name="just-spent-excluded",
        part="cost",
        title="A trial whose cost is just spent was left out",
        why="Its model is there. Mind the side of searchsorted, or compare with <=.",
        code={"ex-cost": changed(COST, (', side="right"', ""))},
    ),
    Mistake(
        name="counted-when-it-starts",
        part="cost",
        title="A trial counted as soon as it had begun",
        why="Its value is known when all of its cost is spent, not before.",
        code={
            "ex-cost": changed(COST, ("np.cumsum(cost)", "np.cumsum(cost) - cost")),
        },
    ),
    Mistake(
        name="each-cost-by-itself",
        part="cost",
        title="Each trial was compared with the budget by itself",
        why="The search pays for all trials before it as well: add up the costs.",
        code={
            "ex-cost": """
best = np.full(len(budget), np.nan)
for i, limit in enumerate(budget):
    found = value[(cost <= limit) & ~np.isnan(value)]
    if len(found):
        best[i] = sign * (sign * found).min()
return best
"""
        },
    ),
    Mistake(
        name="inf-before-the-first",
        part="cost",
        title="Infinity was given where no trial is complete",
        why="Say that nothing is known: NaN. Infinity would enter means and figures.",
        code={"ex-cost": changed(COST, ("np.append(np.nan", "np.append(sign * np.inf"))},
    ),
    Mistake(
        name="first-value-for-nothing",
        part="cost",
        title="The first value was given before it was paid for",
        why="Below the cost of the first trial nothing is known: NaN.",
        code={
            "ex-cost": """
if not len(value):
    return np.full(len(budget), np.nan)
best = sign * np.fmin.accumulate(sign * value)
return best[np.maximum(np.searchsorted(np.cumsum(cost), budget, side="right") - 1, 0)]
"""
        },
    ),
    Mistake(
        name="last-value",
        part="cost",
        title="The value of the last trial was given",
        why="A search keeps its best trial: take the least value so far, or the greatest.",
        code={
            "ex-cost": """
known = np.append(np.nan, value)
for i in range(1, len(known)):
    known[i] = known[i - 1] if np.isnan(known[i]) else known[i]
return known[np.searchsorted(np.cumsum(cost), budget, side="right")]
"""
        },
    ),
    Mistake(
        name="always-the-least",
        part="cost",
        title="The least value was taken for the best one of a search that maximizes",
        why="Multiply by sign before you take the least, and once more after.",
        code={"ex-cost": changed(COST, ("sign * ", ""))},
    ),
    Mistake(
        name="pruned-for-free",
        part="cost",
        title="Pruned trials were left out together with their cost",
        why="Their rounds were trained and paid for: keep their cost in the sum.",
        code={"ex-cost": "cost, value = cost[~np.isnan(value)], value[~np.isnan(value)]" + COST},
    ),
    Mistake(
        name="nan-for-good",
        part="cost",
        title="After a pruned trial nothing is known any more",
        why="The minimum of a number and NaN is NaN, and stays it. np.fmin ignores NaN.",
        code={
            "ex-cost": """
first = np.argmin(np.isnan(value)) if len(value) else 0
best = np.append(np.nan, value)
best[first + 1 :] = sign * np.minimum.accumulate(sign * value[first:])
return best[np.searchsorted(np.cumsum(cost), budget, side="right")]
"""
        },
    ),
    Mistake(
        name="own-score-reported",
        part="honest",
        title="The score of the search was reported as the honest one",
        why="It is the best of many, so it flatters. Call score(winner).",
        code={
            "ex-honest": """
winner = study.best_trial
own = honest = study.best_value
optimism = 0.0
"""
        },
    ),
    Mistake(
        name="chosen-on-test",
        part="honest",
        title="The winner was chosen on the test rows",
        why="Then its score there flatters in its turn. Choose by the own scores, judge one trial.",
        code={
            "ex-honest": """
is_loss = study.direction == StudyDirection.MINIMIZE
honest, winner = (min if is_loss else max)(
    ((score(t), t) for t in study.trials if t.state == TrialState.COMPLETE), key=lambda p: p[0]
)
own = winner.value
optimism = honest - own if is_loss else own - honest
"""
        },
    ),
    Mistake(
        name="all-judged",
        part="honest",
        title="Trials that have not won were judged too",
        why="Whoever sees their scores on the test rows will choose by them. Judge one trial.",
        code={
            "ex-honest": """
judged = {t.number: score(t) for t in study.trials if t.state == TrialState.COMPLETE}
winner, own = study.best_trial, study.best_value
honest = judged[winner.number]
optimism = honest - own if study.direction == StudyDirection.MINIMIZE else own - honest
"""
        },
    ),
    Mistake(
        name="direction-forgotten",
        part="honest",
        title="Optimism has the wrong sign where the study maximizes",
        why="A score flatters when it is greater than the honest one, a loss when it is smaller.",
        code={
            "ex-honest": """
winner, own = study.best_trial, study.best_value
honest = score(winner)
optimism = honest - own
"""
        },
    ),
    Mistake(
        name="distance",
        part="honest",
        title="Optimism is a distance",
        why="A winner may be better than its own score: then optimism is negative.",
        code={
            "ex-honest": """
winner, own = study.best_trial, study.best_value
honest = score(winner)
optimism = abs(honest - own)
"""
        },
    ),
    Mistake(
        name="own-minus-honest",
        part="honest",
        title="Optimism has the wrong sign where the study minimizes",
        why="A loss flatters when it is smaller than the honest one: honest minus own.",
        code={
            "ex-honest": """
winner, own = study.best_trial, study.best_value
honest = score(winner)
optimism = own - honest
"""
        },
    ),
    Mistake(
        name="pruned-trial-wins",
        part="honest",
        title="A pruned trial has won",
        why="Its value is the last one that it reported. Take study.best_trial.",
        code={
            "ex-honest": """
is_loss = study.direction == StudyDirection.MINIMIZE
winner = (min if is_loss else max)(study.trials, key=lambda t: t.value)
own, honest = winner.value, score(winner)
optimism = honest - own if is_loss else own - honest
"""
        },
    ),
    Mistake(
        name="searched-on-all-rows",
        part="honest",
        title="The search has seen the test rows",
        why="Give search the training rows only; it splits them again to validate.",
        code={"ex-nested": changed(NESTED, ("search(train)", "search(np.append(train, test))"))},
    ),
    Mistake(
        name="one-search-for-all",
        part="honest",
        title="The winner of the first fold was judged in all of them",
        why="Its training rows are test rows of other folds: search anew in each fold.",
        code={
            "ex-nested": changed(NESTED, ("search(train)", "study if scores else search(train)"))
        },
    ),
    Mistake(
        name="judged-on-training-rows",
        part="honest",
        title="The winner was judged on the training rows",
        why="The search has seen them. score takes the rows to train on, then those to judge on.",
        code={"ex-nested": changed(NESTED, ("score(train, test,", "score(train, train,"))},
    ),
    Mistake(
        name="rows-exchanged",
        part="honest",
        title="Training and test rows were exchanged",
        why="score takes the rows to train on first.",
        code={"ex-nested": changed(NESTED, ("score(train, test,", "score(test, train,"))},
    ),
)

ALTERNATIVES = (
    Alternative(
        name="the parts in one loop each",
        code={
            "ex-report": REPORT,
            "ex-resume": RESUME,
            "ex-cost": COST,
            "ex-honest": HONEST,
            "ex-nested": NESTED,
        },
    ),
    Alternative(
        name="lists of what was seen, and one budget at a time",
        code={
            "ex-report": """
best_step, seen = None, {}
for step, loss in iter(losses):
    if loss != loss:
        raise ValueError(f"NaN at {step}")
    trial.report(float(loss), step)
    if trial.should_prune():
        raise TrialPruned
    seen[step] = loss
    best_step = (min if sign == 1 else max)(seen, key=seen.get)
    if patience and step - best_step >= patience:
        break
best = sign * seen[best_step] if seen else math.inf
""",
            "ex-resume": """
stale = []
for trial in study.trials:
    if trial.state != TrialState.RUNNING or is_alive(trial):
        continue
    stale.append(trial)
for trial in reversed(stale):
    study.tell(trial.number, state=TrialState.FAIL)
for trial in stale:
    if len(trial.params) > 0 and max_retries - trial.user_attrs.get("retries", 0) > 0:
        _run_again(study, trial)
return sorted((trial.number for trial in stale), reverse=True)
""",
            "ex-cost": """
found = []
for limit in budget:
    known = value[np.cumsum(cost) <= limit]
    known = known[~np.isnan(known)]
    found.append((max(known) if sign < 0 else min(known)) if len(known) else math.nan)
return np.array(found)
""",
            "ex-honest": """
complete = [t for t in study.get_trials() if t.state == TrialState.COMPLETE]
sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
winner = min(complete, key=lambda t: sign * t.value)
own = winner.value
honest = score(winner)
optimism = sign * (honest - own)
""",
            "ex-nested": """
def on_test(winner):
    return score(train, test, winner)

scores += [honest_score(search(train), on_test)]
""",
        },
    ),
)
