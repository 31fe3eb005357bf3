# %% [markdown]
"""# The same requests get the same answers from one worker and from two, if no worker remembers.

**Problem.** A model of bicycle rides uses how warm it has been. The service keeps the mean of the
last temperatures that it saw. Traffic grows, and a second worker is started. Each worker now sees
half of the requests, and the answers change.

**Idea.** Put all that an answer may depend on into a snapshot that never changes, and answer by a
function of snapshot and request. What was usual before is part of the request.

**When not to.** Where predictions can be computed in advance there is nothing to serve. Where one
program holds the model and asks it, a function call does it.
"""

# %%
from collections import deque
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from patterns._kit.story import tell
from datasets import make_bike_rentals
from patterns._kit.figures import BASELINE, PATTERN
from patterns.stateless_serving import Snapshot, predict
from patterns.transform import Feature, Input, ServingArtifact, Transform

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The data are rides on rented bicycles in London. They are synthetic, so the true mean of minutes
# is known. People ride longer when it is warmer than usual: than the mean of the last 50 rides.


# %%
def rides(n: int, year: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Rides of a year in the order of time, with what was usual before each; their true mean."""
    data = make_bike_rentals(
        n, since=f"{year}-01-01", until=f"{year + 1}-01-01", missing_rate=0.0, random_state=year
    )
    usual = data.X["temperature"].shift().rolling(50, min_periods=1).mean().fillna(11.0)
    return data.X.assign(usual=usual, minutes=data.y), data.oracle_mean(data.X)


history, _ = rides(20_000, 2015)
table, truth = rides(2000, 2016)
names = ["start", "station", "weather", "temperature", "usual"]
requests = table[names].to_dict("records")

# %% [markdown]
# The artifact of the transform pattern takes raw inputs. A snapshot holds it with its versions.

# %%
inputs = [Input("start", "time"), Input("station", "category"), Input("weather", "category")]
inputs += [Input("temperature", "number"), Input("usual", "number")]
zone, params = "Europe/London", {"max_depth": 4, "seed": 0}
features = [Feature(kind, kind, "start", zone=zone) for kind in ("hour", "weekday")]
features += [Feature("station", "code"), Feature("weather", "code")]
features += [Feature("temperature", "number"), Feature("usual", "number")]
snapshot, ignorant = (
    Snapshot.of(ServingArtifact.fit(transform, history[names[:n]], history["minutes"], params, 60))
    for n, transform in [(5, Transform(inputs, features)), (4, Transform(inputs[:4], features[:5]))]
)

# %% [markdown]
# **The baseline** keeps the last temperatures in the process. **The pattern** is a function of the
# snapshot and the request, which says what was usual. Whoever sends it has one store of what
# happened, and not one per worker.


# %%
Worker = Callable[[dict[str, Any]], float]


def remembering() -> Worker:
    """Start a worker that keeps the last 50 temperatures."""
    seen: deque[float] = deque([11.0], maxlen=50)

    def answer(request: dict[str, Any]) -> float:
        usual = sum(seen) / len(seen)
        seen.append(request["temperature"])
        return float(predict(snapshot, [{**request, "usual": usual}])[0])

    return answer


def stateless(snapshot: Snapshot) -> Worker:
    """Start a worker that keeps nothing."""
    return lambda request: float(predict(snapshot, [{n: request[n] for n in snapshot.schema}])[0])


# %% [markdown]
# The same sequence of requests goes to one worker, and then to two. A load balancer gives each
# request to either of them.

# %%
worker_of = np.random.default_rng(0).integers(0, 2, len(requests))


def answers(start: Callable[[], Worker], worker_of: np.ndarray) -> np.ndarray:
    """What fresh workers answer, each request given to one of them."""
    workers = [start() for _ in range(worker_of.max() + 1)]
    return np.array([workers[i](request) for i, request in zip(worker_of, requests, strict=True)])


one_worker = np.zeros(len(requests), dtype=int)
baseline, alternative, pattern = (
    {n: answers(start, of) for n, of in ((1, one_worker), (2, worker_of))}
    for start in (remembering, lambda: stateless(ignorant), lambda: stateless(snapshot))
)


def scores(found: dict[int, np.ndarray]) -> tuple[float, float]:
    """Share of answers that differ between one worker and two; distance to the true mean."""
    return np.mean(found[1] != found[2]), np.sqrt(np.mean((found[2] - truth) ** 2))


# %% [markdown]
# With a memory in each worker the forecast is nearly as good, so no watch on its quality finds it.
# To leave the context out is no way out: that costs quality.

# %%
apart = {
    "keeps the last 50 temperatures": (baseline, BASELINE),
    "is sent what is usual": (pattern, PATTERN),
}
figure, axis = plt.subplots(figsize=(6.5, 3.6))
for label, (found, color) in apart.items():
    axis.plot(np.abs(found[2] - found[1])[:300], color=color, label=label)
axis.set(xlabel="request", ylabel="difference of the answers (minutes)")
axis.legend()

tell(
    "stateless_serving",
    question="How many answers change when a second worker is started?",
    scores={"changed answers": "lower", "distance to the true mean": "lower"},
    rows=[
        ("baseline", "keeps the last 50 temperatures", *scores(baseline)),
        ("alternative", "does not know what is usual", *scores(alternative)),
        ("pattern", "is sent what is usual", *scores(pattern)),
    ],
    figure=figure,
    caption="The difference between the answers of one worker and of two, to the same requests. "
    "The function without state gives the same answer always.",
    at_most=0.01,
)
