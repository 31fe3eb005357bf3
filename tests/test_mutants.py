"""The author gate: checks and explorations refuse nearly every small change of the reference.

A mutant that no question refuses is either equivalent, and listed with the reason in the exercise's
``mutants.toml``, or a question is missing. ``pytest -n 0 -s`` prints the survivors.
"""

from __future__ import annotations

import tomllib

import pytest
from harness import EXERCISES
from mutants import is_caught, mutants

from patterns._kit.cards import PATTERNS
from patterns._kit.exercise import Exercise

LEAST = 0.95  # of the mutants that are not equivalent


@EXERCISES
@pytest.mark.timeout(1200)
def test_nearly_every_mutant_is_refused(slug: str) -> None:
    exercise = Exercise.load(slug)
    known = tomllib.loads((PATTERNS / slug / "exercise" / "mutants.toml").read_text("utf-8"))
    equivalent = {(m["region"], m["before"], m["after"]) for m in known["equivalent"]}
    assert all(len(m["reason"]) > 10 for m in known["equivalent"])
    every = list(mutants(exercise))
    assert equivalent <= {(m.region, m.before, m.after) for m in every}, "no such mutant any more"

    judged = [m for m in every if (m.region, m.before, m.after) not in equivalent]
    survivors = [m for m in judged if not is_caught(exercise, m)]
    for m in survivors:
        print(f"\n{m.region}:\n- {m.before}\n+ {m.after}")
    n_caught = len(judged) - len(survivors)
    print(f"\n{slug}: {n_caught} of {len(judged)} mutants are refused")
    assert n_caught >= LEAST * len(judged)
    assert (known["refused"], known["mutants"]) == (n_caught, len(judged)), "record the new score"
