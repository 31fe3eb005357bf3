# %% [markdown]
"""# One case, many patterns: flights, from raw rows to a service that is watched.

**Question.** Will a flight from New York arrive more than 15 minutes late? An hour before it
leaves, its plan and the weather at its airport are known, and nothing else.

**What you see.** Five patterns meet, each by its public names. One set of rows goes through all of
them. At the end, a client of the service makes a mistake that is planted here. The schema accepts
it, the mean loss hides it, and a comparison of two clients finds it.

`patterns tour` runs this file; it is also a notebook.
"""

# %%
import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import optuna
import pandas as pd
import uvicorn
import xgboost as xgb
from sklearn.base import clone
from sklearn.metrics import log_loss

from datasets import load_nyc_flights, load_nyc_weather, split_by_key
from patterns._kit.figures import BASELINE, PATTERN, write
from patterns.batch_serving import score
from patterns.explainable_predictions import attribution_drift, explain, explainer
from patterns.hyperparameter_tuning import (
    honest_score,
    report_and_prune,
    suggest_xgboost,
    tune,
    xgboost_losses,
)
from patterns.stateless_serving import Snapshot, create_app
from patterns.transform import Feature, Input, ServingArtifact, Transform, compare, describe

plt.style.use("patterns._kit.figures")
optuna.logging.set_verbosity(optuna.logging.WARNING)

out = Path(globals().get("RUNS", "runs")) / "tour"  # `patterns tour --out` sets RUNS
out.mkdir(parents=True, exist_ok=True)
work = tempfile.TemporaryDirectory()
folder, began = Path(work.name), time.monotonic()
told: dict[str, list[str]] = {}  # the lines of each station
broken: list[str] = []


def say(station: str, line: str) -> None:
    """Print and keep a line of a station."""
    print(f"{station if station not in told else '':<11}{line}", flush=True)
    told.setdefault(station, []).append(line)


def claim(station: str, sentence: str, holds: bool) -> None:
    """Say whether a claim holds; the tour goes on, and fails at its end."""
    say(station, f"{'Holds' if holds else 'FAILS'}: {sentence}")
    broken.extend([sentence] * (not holds))


# %% [markdown]
# ## 1. Rows
# The weather of an hour is observed during that hour, so a flight gets that of two hours before.
# The model learns from flights before October. It serves those of seven weeks since 7 October.

# %%
# --8<-- [start:rows]
ZONE = "America/New_York"
plan = ["origin", "dest", "carrier", "distance"]
weather = ["temp", "wind_speed", "precip", "visib", "pressure"]
columns = ["time_hour", "minute", "flight", *plan, "arr_delay"]
flights = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"])
observed = load_nyc_weather(["origin", "time_hour", *weather]).frame
observed["time_hour"] += pd.Timedelta(hours=2)
flights = flights.merge(observed, how="left", on=["origin", "time_hour"])
at = flights["time_hour"] + pd.to_timedelta(flights["minute"], unit="min")
flights["departure"] = at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")  # what a serving system has
flights["key"] = flights["departure"] + " " + flights["carrier"] + flights["flight"].astype(str)
flights["late"] = (flights["arr_delay"] > 15).astype(float)
day = flights["day"] = at.dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()
served = flights[(day >= "2013-10-07") & (day < "2013-11-25")].sort_values("key")
served = served.assign(week=served["day"].dt.to_period("W-SUN").dt.start_time)


def drawn(which: pd.Series, n: int) -> pd.DataFrame:
    """Some of the flights, drawn at random."""
    return flights[which].sample(n, random_state=0)


# --8<-- [end:rows]
train = drawn(day < "2013-10-01", 60_000)
say("rows", f"{len(flights):,} flights of 2013 arrived, {flights['late'].mean():.1%} of them late.")
say("rows", f"{len(train):,} of those before October are learned from; {len(served):,} are served.")

# %% [markdown]
# ## 2. Transform
# One definition makes features from raw inputs: for trials, training, batch and requests.

# %%
# --8<-- [start:transform]
inputs = [
    Input("departure", "time"),
    *(Input(name, "category") for name in ("origin", "dest", "carrier")),
    Input("distance", "number", minimum=0),
    Input("temp", "number", nullable=True, minimum=-30, maximum=120),  # degrees Fahrenheit
    *(Input(name, "number", nullable=True) for name in weather[1:]),
]
features = [
    Feature("hour", "hour", "departure", zone=ZONE),
    Feature("weekday", "weekday", "departure", zone=ZONE),
    *(Feature(name, "code", min_count=50) for name in ("origin", "dest", "carrier")),
    *(Feature(name, "number") for name in ("distance", *weather)),
]
transform, names = Transform(inputs, features), [spec.name for spec in inputs]
# --8<-- [end:transform]
say("transform", f"{len(inputs)} raw inputs become {len(features)} features, by one definition.")

# %% [markdown]
# ## 3. Tune
# Trials learn from flights before August. Odd days of August and September choose. Even days judge
# the winner and a good default, once each, and the better one is taken. What October says is known
# only later.

# %%
# --8<-- [start:tune]
recent, odd = (day >= "2013-08-01") & (day < "2013-10-01"), day.dt.day % 2 == 1
learned = drawn(day < "2013-08-01", 20_000)
fitted = clone(transform).fit(learned[names])


def matrix(rows: pd.DataFrame) -> xgb.DMatrix:
    """Features and target of raw rows."""
    return xgb.DMatrix(fitted.transform(rows[names]), rows["late"], nthread=1)


known, validation = matrix(learned), matrix(drawn(recent & odd, 2000))
judges = matrix(drawn(recent & ~odd, 10_000)), matrix(served[served["day"] < "2013-11-01"])
fixed = {"objective": "binary:logistic", "nthread": 1, "seed": 0}


def objective(trial: optuna.Trial, params: dict[str, Any] | None = None) -> float:
    """Log loss of the rows that choose."""
    chosen = fixed | (params or suggest_xgboost(trial))
    losses = xgboost_losses(chosen, known, validation, log_loss, n_rounds=100)
    return report_and_prune(trial, losses, patience=20)


def loss(winner: optuna.trial.FrozenTrial, judge: xgb.DMatrix) -> float:
    """Log loss of one judge's rows."""
    params = winner.params or {"learning_rate": 0.1}
    booster = xgb.train(fixed | params, known, winner.user_attrs["best_step"])
    return float(log_loss(judge.get_label(), booster.predict(judge)))


sampler = optuna.samplers.RandomSampler(seed=0)
default = tune(lambda trial: objective(trial, {"learning_rate": 0.1}), n_trials=1)
study = tune(objective, n_trials=12, storage=folder / "journal", sampler=sampler)
study = tune(objective, n_trials=12, storage=folder / "journal")  # it has them: nothing to do
by_default, by_search = (honest_score(s, lambda t: loss(t, judges[0])) for s in (default, study))
best = min((by_default, by_search), key=lambda found: found.honest).winner
# --8<-- [end:tune]
later = [loss(found.winner, judges[1]) for found in (by_default, by_search)]
say("tune", f"{len(study.trials)} trials, in a journal; asked again, the search adds none.")
honest = [by_default.honest, by_search.honest]
for when, (old, tuned) in [("on even days", honest), ("later, in October", later)]:
    gain = f"{tuned / old - 1:+.1%}"
    say("tune", f"Log loss {when}: {old:.4f} by default, {tuned:.4f} tuned ({gain}).")

# %% [markdown]
# ## 4. Train
# The final fit takes all months before October. Transform, trees, schema and the statistics of the
# training rows go into one file. Whatever serves loads that file.

# %%
# --8<-- [start:train]
params = fixed | (best.params or {"learning_rate": 0.1})
n_trees = best.user_attrs["best_step"]
made = ServingArtifact.fit(transform, train[names], train["late"], params, n_trees, describe)
made.save(out / "flights.zip")
artifact = ServingArtifact.load(out / "flights.zip")
# --8<-- [end:train]
say("train", f"{n_trees} trees, in one file with all that serving needs.")

# %% [markdown]
# ## 5. Explain
# Each prediction is split among the features, exactly. A reader who knows airports looks at the
# top: is each of these known an hour before, and does it act in a direction that makes sense?


# %%
# --8<-- [start:explain]
def attributed(rows: pd.DataFrame) -> Any:
    """What the predictions of raw rows rest on, in log-odds."""
    columns = [feature.name for feature in features]
    frame = pd.DataFrame(artifact.transform.transform(rows[names]), columns=columns)
    return explain(artifact.booster, frame, baseline="tree_paths")


found = attributed(drawn(recent, 1000))
top = found.importance().head(4)
# --8<-- [end:explain]
hour = found.data["hour"]
evening = found.values[hour >= 17, 0].mean() - found.values[hour < 9, 0].mean()
listed = ", ".join(f"{name} {value:.2f}" for name, value in top.items())
say("explain", f"Mean size of a share, in log-odds: {listed}.")
say("explain", f"The hour of evening flights adds {evening:.2f} more than that of early ones.")

# %% [markdown]
# ## 6. Batch
# The warehouse exports the flights of each week. The job is interrupted on the way. The same call
# again goes on where it stopped.

# %%
# --8<-- [start:batch]
(folder / "export").mkdir()
for week, rows in served.groupby("week"):
    rows[["key", *names]].to_parquet(folder / "export" / f"{week:%m-%d}.parquet", index=False)


def interrupt(done: int, of: int | None) -> None:
    """End the job after two files."""
    if done > 12_000:
        raise InterruptedError


job = partial(score, artifact, folder / "export", folder / "scores", key="key", n_workers=1)
with suppress(InterruptedError):
    job(progress=interrupt)
report = job()
batch = pd.read_parquet(folder / "scores").set_index("key")["prediction"]
# --8<-- [end:batch]
say("batch", f"{report.rows:,} flights in {report.partitions} files, each answer with its key.")
going_on = 2 <= report.kept < report.partitions and set(batch.index) == set(served["key"])
claim("batch", "what was finished is kept, and no flight is missing.", going_on)

# %% [markdown]
# ## 7. Online
# A server on this machine answers requests from the same file. Two clients send flights: an old
# one, and a new one that gets a fifth of them, chosen by key. Each request holds the flights of one
# day. Since 4 November, a mistake is planted in the new client: it sends degrees Celsius.


# %%
# --8<-- [start:server]
@contextmanager
def serving(app: Any) -> Iterator[http.client.HTTPConnection]:
    """A server in a thread of its own and a connection to it; it ends with the block."""
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5)
    listening, server = config.bind_socket(), uvicorn.Server(config)
    listening.listen()  # so that a client that is early waits
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    port = listening.getsockname()[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
        server.should_exit = True
        thread.join(10)
        listening.close()


def ask(connection: http.client.HTTPConnection, route: str, rows: pd.DataFrame) -> dict[str, Any]:
    """Send rows, and return the answer."""
    sent = rows[names].astype(object).where(rows[names].notna(), None).to_dict("records")
    headers = {"content-type": "application/json"}
    connection.request("POST", f"/v1/{route}", json.dumps({"rows": sent}), headers)
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"the service answers {response.status}: {response.read()!r:.300}")
    return dict(json.loads(response.read()))


# --8<-- [end:server]
# --8<-- [start:online]
_, new = split_by_key(served["key"], test_size=0.2, salt="new client")
log = served.assign(is_new=False, by_batch=batch.loc[served["key"]].to_numpy())
log.iloc[new, log.columns.get_loc("is_new")] = True
wrong = log["is_new"] & (log["day"] >= "2013-11-04")
log["temp"] = log["temp"].mask(wrong, (log["temp"] - 32) * 5 / 9)  # the mistake
app = create_app(Snapshot.of(artifact), explain=explainer(attributed))
with serving(app) as connection:
    for _, rows in log.groupby(["day", "is_new"]):
        log.loc[rows.index, "online"] = ask(connection, "predict", rows)["predictions"]
    changed = (log["online"] - log["by_batch"]).abs()
    one = [changed.idxmax()]  # as it is, and as it was sent
    why = [ask(connection, "explain", rows.loc[one]) for rows in (served, log)]
# --8<-- [end:online]
say("online", f"{len(log):,} flights, by {log.groupby(['day', 'is_new']).ngroups} requests.")
same = "each answer to a correct row equals that of the batch to the last bit."
claim("online", same, not changed[~wrong].any())

# %% [markdown]
# ## 8. Watch
# The service keeps nothing of its requests, so the log of requests is what is watched. There are
# two references. Weather is never that of the training rows, so against these the alarm rings each
# week. The rows of the other client in the same week have the same weather: what differs there is
# the client.


# %%
# --8<-- [start:watch]
def seen(rows: pd.DataFrame) -> dict[str, Any]:
    """What the model sees of raw rows."""
    return {"features": artifact.transform.columns(rows[names])["features"]}


def watch(before: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Distances of all features to those of a reference, each with what chance allows."""
    return compare(before, describe(seen(rows), before), rate=0.01)


weeks = [rows for _, rows in log.groupby("week")]
trained_on = {"features": artifact.statistics["features"]}
to_training = [watch(trained_on, rows) for rows in weeks]
to_old = [watch(describe(seen(r[~r["is_new"]])), r[r["is_new"]]) for r in weeks]
alarms = [sorted(set(table.loc[table["alarm"], "name"])) for table in to_old]
# --8<-- [end:watch]
n_loud = [table.loc[table["alarm"], "name"].nunique() for table in to_training[:4]]
loud = f"{min(n_loud)} to {max(n_loud)} of {len(features)}"
say("watch", f"{loud} features differ from the training rows in each correct week.")
said = ", ".join(" and ".join(names_of) or "none" for names_of in alarms)
say("watch", f"From the other client, by week: {said}.")
claim("watch", "none differs from the other client in a correct week.", alarms[:4] == [[]] * 4)
claim("watch", "since 4 November, temp differs and nothing else.", alarms[4:] == [["temp"]] * 3)

# %% [markdown]
# ## 9. What else saw it
# The schema does not: what is cold in Fahrenheit is a valid number too. The loss needs labels.


# %%
# --8<-- [start:damage]
def losses(rows: pd.DataFrame, answers: str = "online") -> float:
    """Log loss of what was answered, or of what the batch says."""
    return float(log_loss(rows["late"], rows[answers]))


def moved(rows: pd.DataFrame) -> pd.DataFrame:
    """Attributions of a thousand rows of each client, compared."""
    old, new = (attributed(r.sample(1000, random_state=0)) for _, r in rows.groupby("is_new"))
    return attribution_drift(old, new)


all_rows = [losses(rows) for rows in weeks]
apart = [losses(r[r["is_new"]]) - losses(r[~r["is_new"]]) for r in weeks]
before, after = moved(weeks[3]), moved(weeks[4])
# --8<-- [end:damage]
say("damage", f"{wrong.sum():,} wrong rows were sent, and the schema refused none.")
sent, right = losses(log[wrong]), losses(log[wrong], "by_batch")
say("damage", f"Their log loss is {sent:.3f}; sent correctly, it would be {right:.3f}.")
for label, values in [("of all rows", all_rows), ("of the new client minus the old", apart)]:
    then, since = (f"{min(v):.3f} to {max(v):.3f}" for v in (values[:4], values[4:]))
    say("damage", f"Log loss {label}: {then} in correct weeks, {since} since.")
names_found = ", ".join(f"{name} {d:.2f}" for name, d in after["distance"].head(3).items())
usual = before["distance"].max()
say("damage", f"Distances of attributions: at most {usual:.2f} before; then {names_found}.")
say("damage", f"{(changed[wrong] > 0).mean():.1%} of the answers differ from those of the batch.")
for answer, text in zip(why, ("as it is", "as it was sent"), strict=True):
    (output,) = answer["explanations"][0]["outputs"].values()
    shares = ", ".join(f"{t['feature']} {t['attribution']:+.2f}" for t in output["top"])
    say("damage", f"One flight {text}: {answer['predictions'][0]:.2f}; log-odds: {shares}.")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
starts = [f"{rows['week'].iloc[0]:%d %b}".lstrip("0") for rows in weeks]
for axis, tables, title in [
    (axes[0], to_training, "from the training rows"),
    (axes[1], to_old, "from the other client, same week"),
]:
    numbers = [t[t["distance"] == "jensen_shannon"].set_index("name") for t in tables]
    excess = pd.DataFrame([t["value"] / t["threshold"] for t in numbers], index=starts)
    axis.plot(excess.drop(columns="temp"), color="0.7", lw=1)
    axis.plot(excess["temp"], color=PATTERN, lw=2, marker="o", label="temp")
    axis.plot([], [], color="0.7", label="other features")
    axis.axhline(1, color=BASELINE, ls="--", lw=1, label="largest that chance allows")
    axis.axvspan(3.5, 6.5, color="0.93", zorder=0)
    axis.set(title=title, yscale="log", xlim=(-0.3, 6.5), xlabel="week from (2013)")
    axis.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    axis.tick_params(axis="x", labelsize=8)
    far = ", ".join(f"{d:.1f}" for d in excess["temp"])
    say("figure", f"Distance of temp {title}, relative to chance: {far}.")
axes[0].set_ylabel("distance, relative to chance")
axes[1].legend(loc="upper left")
write(figure, out / "tour")
marked = (  # a page quotes the lines of one station
    f"# --8<-- [start:{station}]\n" + "\n".join(lines) + f"\n# --8<-- [end:{station}]\n"
    for station, lines in told.items()
)
(out / "tour.txt").write_text("".join(marked), "utf-8")
work.cleanup()
print(f"\n{time.monotonic() - began:.0f} seconds. The figure is {out / 'tour.png'}.")
if broken:
    raise SystemExit(f"The tour fails: {broken[0]}")
