"""Measure a pattern: each experiment with each seed, in processes side by side."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from filelock import FileLock, Timeout

from patterns._kit.cards import ROOT, Card
from patterns._kit.evidence import (
    Drawing,
    Evidence,
    Experiment,
    Findings,
    MetricsOfSeeds,
    Settings,
    Verdict,
    Words,
)
from patterns._kit.figures import save
from patterns._kit.workers import cores, each

DOCUMENTED_SEEDS = tuple(range(5))


@dataclass(frozen=True)
class Job:
    """What to measure: experiments of a pattern with a configuration, over seeds."""

    card: Card
    config: Any  # of the pattern's type Config; its `seed` is replaced by each of the seeds
    seeds: tuple[int, ...]
    out: Path
    settings: Settings = "custom"  # a fast run is not judged
    only: tuple[str, ...] = ()  # experiments; none means all
    jobs: int = 0  # processes at a time; 0 takes as many as there are cores

    @property
    def fingerprint(self) -> str:
        """Of all that an outcome depends on, packages included."""
        digest = hashlib.sha256(repr(replace(self.config, seed=0)).encode())
        digest.update(repr(_versions(self.card)).encode())
        for folder in (
            self.card.folder,
            self.card.folder / "evidence",
            ROOT / "datasets",
        ):
            for source in sorted(folder.glob("*.py")):
                if source.name != "example.py":  # the story is told apart
                    digest.update(source.read_bytes())
        return digest.hexdigest()


def load_evidence(slug: str) -> ModuleType:
    """Import ``patterns.<slug>.evidence``: settings, glossary, the names of the experiments."""
    return importlib.import_module(f"patterns.{slug}.evidence")


def load_experiment(slug: str, name: str) -> Experiment:
    """Import one experiment: this is where heavy packages come in."""
    module = importlib.import_module(f"patterns.{slug}.evidence.{name}")
    experiment: Experiment = module.EXPERIMENT
    return experiment


def measure(job: Job, progress: Callable[[int, int], None] = lambda done, of: None) -> Evidence:
    """Measure, judge the claims, and write ``results.json`` and the figures to ``job.out``.

    An outcome is kept until all are there, so an interrupted run takes up where it stopped,
    provided that neither code nor configuration has changed since. A fast run is not judged: the
    bounds of the claims are those of the documented settings.

    Parameters
    ----------
    progress : function of the number of outcomes that are there and of all outcomes

    Raises
    ------
    Exception
        Whatever an experiment raises, from the first one that fails.
    BlockingIOError
        When another run is writing into the same folder.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(job.out / ".lock", timeout=0):  # it ends with the process that holds it
            return _measure(job, progress)
    except Timeout:
        raise BlockingIOError(
            f"another run is writing into {job.out}; wait for it, or give another --out"
        ) from None


def _measure(job: Job, progress: Callable[[int, int], None]) -> Evidence:
    package, slug = load_evidence(job.card.slug), job.card.slug
    names = [name for name in package.EXPERIMENTS if not job.only or name in job.only]
    started = time.perf_counter()
    fingerprint = job.fingerprint
    kept = {
        (name, seed): job.out / f"{name}-seed-{seed}.json" for seed in job.seeds for name in names
    }
    drawn = {key: key[1] == job.seeds[0] for key in kept}
    done = {key for key, path in kept.items() if _read(path, fingerprint, drawn[key]) is not None}
    progress(len(done), len(kept))
    todo = [
        (slug, name, replace(job.config, seed=seed), drawn[name, seed], path, fingerprint)
        for (name, seed), path in kept.items()
        if (name, seed) not in done
    ]
    for i, _ in enumerate(each(_measure_one, todo, job.jobs or cores()), start=1):
        progress(len(done) + i, len(kept))

    outcomes = {key: _read(path, fingerprint, drawn[key]) or {} for key, path in kept.items()}
    experiments = {
        name: _findings(load_experiment(slug, name), [outcomes[name, s] for s in job.seeds], job)
        for name in names
    }
    used = {metric.split(".")[2] for found in experiments.values() for metric in found.metrics}
    evidence = Evidence(
        pattern=slug,
        settings=job.settings,
        config={k: v for k, v in asdict(job.config).items() if k != "seed"},
        seeds=job.seeds,
        seconds=round(time.perf_counter() - started, 1),
        versions=_versions(job.card),
        measures={name: m for name, m in package.GLOSSARY.items() if name in used},
        experiments=experiments,
    )
    (job.out / "results.json").write_text(evidence.to_json(), "utf-8")
    for path in kept.values():
        path.unlink()
    return evidence


def record(job: Job, evidence: Evidence) -> Path:
    """Keep the outcome of the documented settings as that of the repository; return its folder."""
    results = job.card.folder / "results"
    results.mkdir(exist_ok=True)
    for old in results.iterdir():
        if old.stem != "story":
            old.unlink()
    figures = (name for found in evidence.experiments.values() for name in found.figures)
    for name in ("results.json", *(f"{figure}.svg" for figure in figures)):
        shutil.copy(job.out / name, results)
    return results


def judge(experiment: Experiment, metrics: MetricsOfSeeds) -> tuple[Verdict, ...]:
    """The verdicts of an experiment's claims on its metrics, one value of each per seed."""
    n_seeds = len(next(iter(metrics.values())))
    runs = [{name: values[i] for name, values in metrics.items()} for i in range(n_seeds)]
    return tuple(claim.judge(runs) for claim in experiment.claims)


def _findings(experiment: Experiment, outcomes: list[dict[str, Any]], job: Job) -> Findings:
    first = outcomes[0]["metrics"]
    metrics = {name: tuple(seed["metrics"][name] for seed in outcomes) for name in first}
    over_seeds = experiment.figures(metrics)
    save(over_seeds, job.out)
    of_first = {k: Words(**words) for k, words in outcomes[0]["figures"].items()}
    return Findings(
        question=experiment.question,
        data=experiment.data,
        roles=dict(experiment.roles),
        figures={**of_first, **_words(over_seeds, _name_seeds(job.seeds))},
        metrics=metrics,
        verdicts=() if job.settings == "fast" else judge(experiment, metrics),
    )


def _words(drawings: Mapping[str, Drawing], origin: str) -> dict[str, Words]:
    """The words of each figure; its caption says which seeds it shows."""
    return {
        name: Words(f"{drawing.caption} ({origin}.)", drawing.alt)
        for name, drawing in drawings.items()
    }


def _name_seeds(seeds: Sequence[int]) -> str:
    return f"Seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"


def _measure_one(
    slug: str, name: str, config: Any, draw: bool, path: Path, fingerprint: str
) -> None:
    """Measure one experiment with one seed, draw its figures if asked, and keep the outcome."""
    result = load_experiment(slug, name).measure(config)
    figures = None
    if draw:
        save(result.figures, path.parent)
        words = _words(result.figures, f"Seed {config.seed}")
        figures = {name: asdict(of_figure) for name, of_figure in words.items()}
    content = {"fingerprint": fingerprint, "metrics": dict(result.metrics), "figures": figures}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content), "utf-8")
    os.replace(partial, path)  # so that a file under its final name is a whole one


def _read(path: Path, fingerprint: str, with_figures: bool) -> dict[str, Any] | None:
    """A kept outcome; None where it is missing, damaged, of other code or lacks its figures."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        metrics, figures = kept["metrics"].values(), kept["figures"]
        whole = kept["fingerprint"] == fingerprint and all(isinstance(v, float) for v in metrics)
        drawn = figures is not None and all((path.parent / f"{f}.svg").exists() for f in figures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # it is measured again
    return kept if whole and (drawn or not with_figures) else None


def _versions(card: Card) -> dict[str, str]:
    return {name: _version(name) for name in card.packages}


def _version(package: str) -> str:
    """Of an installed package, or of its build without GPU code, where that is installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(f"{package}-cpu")
