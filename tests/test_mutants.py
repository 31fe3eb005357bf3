"""The author gate: checks and explorations refuse nearly every small change of the reference.

A mutant that no question refuses is either equivalent, and listed with the reason in the exercise's
``mutants.toml``, or a question is missing. ``pytest -n 0 -s`` prints the survivors.
"""

from __future__ import annotations

import tomllib

import pytest
from mutants import is_caught, mutants

from patterns._kit.cards import PATTERNS
from patterns._kit.exercise import Exercise
from patterns._kit.learn import available

LEAST = 0.95  # of the mutants that are not equivalent


@pytest.mark.parametrize("slug", available())
@pytest.mark.timeout(1200)
def test_nearly_every_mutant_is_refused(slug: str, request: pytest.FixtureRequest) -> None:
    exercise = Exercise.load(slug)
    known = tomllib.loads((PATTERNS / slug / "exercise" / "mutants.toml").read_text("utf-8"))
    equivalent = {(m["region"], m["before"], m["after"]) for m in known["equivalent"]}
    assert all(len(m["reason"]) > 10 for m in known["equivalent"])
    every = list(mutants(exercise))
    assert equivalent <= {(m.region, m.before, m.after) for m in every}, "no such mutant any more"

    judged = [m for m in every if (m.region, m.before, m.after) not in equivalent]
    assert known["mutants"] == len(judged), "record the new score"
    assert known["refused"] >= LEAST * len(judged)
    one_in = request.config.getoption("--one-mutant-in")
    tried = judged[::one_in]
    survivors = [m for m in tried if not is_caught(exercise, m)]
    for m in survivors:
        print(f"\n{m.region}:\n- {m.before}\n+ {m.after}")
    print(f"\n{slug}: {len(tried) - len(survivors)} of {len(tried)} mutants are refused")
    # A search ends by processor time, so on another machine it may miss one or find one more.
    play, n_known = 1 + len(tried) // 100, len(judged) - known["refused"]
    assert len(survivors) <= n_known + play
    assert one_in > 1 or len(survivors) >= n_known - play, "record the new score"
