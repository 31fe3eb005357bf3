"""More requests than the service can answer: with a bound on those in flight, and without."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from patterns._kit.evidence import Claim, Drawing, Experiment, Result, metric, ratio
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.stateless_serving.evidence.server import client, running
from patterns.stateless_serving.pattern import Snapshot
from patterns.stateless_serving.service import Limits, create_app

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from patterns.stateless_serving.evidence import Config

WORK = 0.01  # seconds of each prediction
OVERLOAD = 1.7  # times what the service can answer
BOUND = 4  # requests in flight

# Sends on schedule, whatever becomes of the requests before: users do not wait for each other.
OPEN_LOOP = r"""
import asyncio, json, sys, time
given = json.load(sys.stdin)
async def ask(request, begin):
    await asyncio.sleep(max(0, begin - time.perf_counter()))
    started = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", given["port"])
        writer.write(request.encode())
        found = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        status, retry = int(found.split(b" ", 2)[1]), b"retry-after" in found.lower()
    except (OSError, asyncio.TimeoutError, IndexError):
        status, retry = 0, False
    return [status, time.perf_counter() - started, started, retry]
async def main():
    head = "POST /v1/predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    head += "content-type: application/json\r\n"
    work = f"{head}content-length: {len(given['body'])}\r\n\r\n{given['body']}"
    health = "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    begin = time.perf_counter() + 0.05
    asked = [ask(work, begin + i * given["gap"]) for i in range(given["n"])]
    checks = [ask(health, begin + i * given["gap"] * 5) for i in range(given["n"] // 5)]
    both = await asyncio.gather(asyncio.gather(*asked), asyncio.gather(*checks))
    print(json.dumps({"work": both[0], "health": both[1], "begin": begin}))
asyncio.run(main())
"""


class Sleeping:
    """A model that computes for a known time, without a processor."""

    def predict(self, X: Any) -> Any:
        """One number for each row."""
        time.sleep(WORK)
        return np.zeros(len(X["x"]))

    def predict_one(self, row: Any) -> float:
        """One number."""
        time.sleep(WORK)
        return 0.0


def measure(config: Config) -> Result:
    """Offer more than can be answered, on schedule, to three services."""
    schema = {"x": {"type": "number"}}
    snapshot = Snapshot(Sleeping(), schema, "1", "1")
    unbounded = Limits(inline_bytes=0, threads=1, max_in_flight=10**9)
    bounded = Limits(inline_bytes=0, threads=1, max_in_flight=BOUND)
    settings: dict[str, tuple[Limits, dict[str, Any]]] = {
        "unbounded": (unbounded, {}),
        "connections": (unbounded, {"limit_concurrency": BOUND + 1}),
        "bounded": (bounded, {}),
    }
    metrics: dict[str, float] = {}
    seen = {}
    for name, (limits, options) in settings.items():
        with running(create_app(snapshot, limits=limits), **options) as port:
            given = {
                "port": port,
                "gap": WORK / OVERLOAD,
                "n": config.n_offered,
                "body": '{"rows": [{"x": 0}]}',
            }
            found = client(OPEN_LOOP, given)
        status, seconds, started = np.array(found["work"])[:, :3].T
        taken, refused = seconds[status == 200], seconds[status == 503]
        health = np.array(found["health"])
        seen[name] = (started - found["begin"], seconds / WORK, status)
        metrics |= {
            f"overload.{name}.median": np.median(taken) / WORK,
            f"overload.{name}.tail": np.quantile(taken, 0.9) / WORK,
            f"overload.{name}.refused": np.mean(status == 503),
            f"overload.{name}.health": np.mean(health[:, 0] == 200),
        }
        if len(refused):
            says_when = [later for status, _, _, later in found["work"] if status == 503]
            metrics[f"overload.{name}.refusal"] = np.quantile(refused, 0.9) / WORK
            metrics[f"overload.{name}.retry_after"] = np.mean(says_when)
    return Result(metrics, {"overload": _drawing(seen)})


def _drawing(seen: dict[str, tuple[Any, Any, Any]]) -> Drawing:
    def draw() -> Figure:
        import matplotlib.pyplot as plt

        figure, axis = plt.subplots(figsize=(7, 3.6))
        for name, label, color, mark in [
            ("unbounded", "no bound", BASELINE, "o"),
            ("connections", "bound on connections", ALTERNATIVE, "s"),
            ("bounded", "bound on requests in flight", PATTERN, "^"),
        ]:
            begun, taken, status = seen[name]
            answered = status == 200
            axis.plot(begun[answered], taken[answered], mark, label=label, color=color, ms=4)
        axis.set_yscale("log")
        axis.set(xlabel="seconds since the overload began", ylabel="time of an answer (times work)")
        axis.legend()
        return figure

    return Drawing(
        draw,
        caption="Without a bound each request waits longer than the one before. With a bound the "
        "accepted ones stay fast; the others, which are not shown, are refused at once. The axis "
        "of the times is logarithmic.",
        alt="Points of the time of each answered request over time, for three services, on a "
        "logarithmic axis.",
    )


EXPERIMENT = Experiment(
    question="What happens when more is asked than can be answered?",
    data="synthetic",
    measure=measure,
    roles={"unbounded": "baseline", "connections": "baseline", "bounded": "pattern"},
    claims=[
        Claim(
            "a-bound-keeps-answers-fast",
            "mechanism",
            "With a bound on requests in flight, the median time of the accepted requests is at "
            "most {at_most} of the median without a bound.",
            ratio("overload.bounded.median", "overload.unbounded.median"),
            at_most=0.2,
        ),
        Claim(
            "health-stays-green",
            "mechanism",
            "Under overload at least {at_least:.0%} of the health checks succeed.",
            metric("overload.bounded.health"),
            at_least=0.99,
        ),
        Claim(
            "a-bound-on-connections-refuses-health-checks",
            "mechanism",
            "A bound on connections, an option of the server, refuses at least {at_least:.0%} of "
            "the health checks.",
            lambda m: 1 - m["overload.connections.health"],
            at_least=0.3,
        ),
        Claim(
            "a-bound-on-connections-is-as-fast",
            "limit",
            "A bound on connections keeps accepted requests as fast: their median is at most "
            "{at_most} of the median without a bound.",
            ratio("overload.connections.median", "overload.unbounded.median"),
            at_most=0.2,
        ),
        Claim(
            "a-bound-is-no-capacity",
            "limit",
            "A bound makes no capacity: at least {at_least:.0%} of the requests are refused.",
            metric("overload.bounded.refused"),
            at_least=0.25,
        ),
    ],
)
