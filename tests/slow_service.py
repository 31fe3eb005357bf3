"""A service whose rows say how long they take: started by tests of processes, as a program.

Its argument is JSON: ``limits`` and settings of the ``server`` that differ from the usual ones.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import uvicorn

from patterns._kit.serving import SERVER
from patterns.stateless_serving import Snapshot, create_app
from patterns.stateless_serving.service import Limits

SCHEMA = {"milliseconds": {"type": "number", "minimum": 0, "maximum": 5000}}


class Slow:
    """Works for as long as the row says, and gives its number back."""

    def predict(self, X: Any) -> Any:
        return np.array([self.predict_one({"milliseconds": value}) for value in X["milliseconds"]])

    def predict_one(self, row: Any) -> float:
        time.sleep(row["milliseconds"] / 1000)
        return float(row["milliseconds"])


def main() -> None:
    given = json.loads(sys.argv[1])
    snapshot = Snapshot(Slow(), SCHEMA, "1", "s1", example={"milliseconds": 0.0})
    app = create_app(snapshot, limits=Limits(**given.get("limits", {})))
    config = uvicorn.Config(app, port=0, **{**SERVER, **given.get("server", {})})
    listening = config.bind_socket()
    print(f"at http://127.0.0.1:{listening.getsockname()[1]}", file=sys.stderr, flush=True)
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
