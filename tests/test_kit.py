"""The kit: evidence, stories, reports and the command line."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from filelock import FileLock
from harness import ROOT, command

from patterns._kit.story import Row, Story
from patterns import catalogue
from patterns._kit import cli, notebooks, runner
from patterns._kit import story as stories
from patterns._kit.cards import find
from patterns._kit.evidence import Claim, Drawing, Evidence, Experiment, Measure, Result
from patterns._kit.report import metric_tables, write_index, write_report
from patterns._kit.tables import Table, table_text, three_digits

T = TypeVar("T")


@dataclass(frozen=True)
class Config:
    """Settings of the stand-in."""

    size: int = 3  # how many
    fail_on: int = -1  # the seed that fails
    rates: tuple[float, ...] = (0.1, 0.2)  # of learning
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")


def small(value: str = "task.method.error", at_most: float = 1.0) -> Claim:
    return Claim("small", "mechanism", "At most {at_most}.", lambda m: m[value], None, at_most)


def a_figure() -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(1, 1))


class StandIn:
    """Two experiments that take no time, in place of those of a pattern."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.package = SimpleNamespace(
            EXPERIMENTS=("first", "second"),
            Config=Config,
            FAST=Config(size=1),
            GLOSSARY={"error": Measure("how far off", "lower")},
        )
        self.experiments = {
            "first": Experiment("Is it small?", "synthetic", self.first, {}, [small()]),
            "second": Experiment(
                question="Is it real?",
                data="real",
                measure=self.second,
                roles={"method": "pattern", "plain": "baseline"},
                claims=[],
                figures=lambda metrics: {"summary": Drawing(a_figure, "All.", "Nothing.")},
            ),
        }

    def first(self, config: Config) -> Result:
        self.seen.append(("first", config.seed))
        if config.seed == config.fail_on:
            raise RuntimeError("the machine went away")
        figures = {"one": Drawing(a_figure, "One.", "Nothing.")}
        return Result({"task.method.error": 0.1 * (config.seed + 1)}, figures)

    def second(self, config: Config) -> Result:
        self.seen.append(("second", config.seed))
        return Result({"other.plain.error": 1.0, "other.method.error": float(config.seed)})


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Two experiments, run in this process."""
    stand_in = StandIn()
    monkeypatch.setattr(runner, "load_evidence", lambda slug: stand_in.package)
    monkeypatch.setattr(runner, "load_experiment", lambda slug, name: stand_in.experiments[name])
    monkeypatch.setattr(runner, "cores", lambda: 1)
    return stand_in


def job(out: Path, **settings: Any) -> runner.Job:
    return runner.Job(find("reframing"), Config(**settings), (0, 1, 2), out)


class TestClaims:
    def test_a_claim_holds_when_it_holds_on_every_seed(self) -> None:
        claim = small("t.m.e", at_most=0.5)
        assert claim.judge([{"t.m.e": 0.4}, {"t.m.e": 0.5}]).holds
        verdict = claim.judge([{"t.m.e": 0.1}, {"t.m.e": 0.6}])
        assert not verdict.holds
        assert verdict.tightest == 1
        assert verdict.margins[1] == pytest.approx(-0.1)

    def test_a_claim_with_two_bounds_needs_both(self) -> None:
        claim = Claim("c", "parity", "{at_least} to {at_most}", lambda m: m["t.m.e"], 0.9, 1.1)
        assert [claim.judge([{"t.m.e": v}]).holds for v in (0.8, 1.0, 1.2)] == [False, True, False]

    def test_not_a_number_does_not_hold(self) -> None:
        claim = Claim("c", "limit", "≤ {at_most}", lambda m: math.nan, at_most=0.5)
        assert not claim.judge([{}]).holds

    @pytest.mark.parametrize("sentence", ["no bound stated", "{at_least} and {at_most}"])
    def test_sentence_and_bounds_must_agree(self, sentence: str) -> None:
        with pytest.raises(ValueError, match="must have a bound and state it"):
            Claim("c", "limit", sentence, lambda m: 0.0, at_most=0.5)

    @pytest.mark.parametrize(("kind", "baseline"), [("benefit", None), ("limit", "t.m.e")])
    def test_a_benefit_names_its_baseline_and_no_other_kind_does(
        self, kind: Any, baseline: str | None
    ) -> None:
        with pytest.raises(ValueError, match="each benefit names its strongest baseline"):
            Claim("c", kind, "≤ {at_most}", lambda m: 0.0, at_most=0.5, baseline=baseline)

    @pytest.mark.parametrize("name", ["error", "task.error", "a.b.c.d", "a..c"])
    def test_metrics_are_named_task_method_metric(self, name: str) -> None:
        with pytest.raises(ValueError, match=r"task\.method\.metric"):
            Result({name: 1.0})

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_metrics_are_finite(self, value: float) -> None:
        with pytest.raises(ValueError, match="must measure what it reports"):
            Result({"a.b.c": value})


class TestMeasuring:
    def test_evidence_survives_the_way_through_json(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        evidence = runner.measure(job(tmp_path))
        read = Evidence.from_json((tmp_path / "results.json").read_text("utf-8"))
        assert read == replace(evidence, config=read.config)
        first = read.experiments["first"]
        assert first.metrics == {"task.method.error": (0.1, 0.2, 0.3 + 4e-17)}
        assert first.mean("task.method.error") == pytest.approx(0.2)
        assert first.std("task.method.error") == pytest.approx(0.1)
        assert [verdict.name for verdict in read.verdicts] == ["small"]

    def test_captions_say_which_seeds_a_figure_shows(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        found = runner.measure(job(tmp_path)).experiments
        assert found["first"].figures["one"].caption == "One. (Seed 0.)"
        assert found["second"].figures["summary"].caption == "All. (3 seeds.)"
        assert {path.name for path in tmp_path.glob("*.svg")} == {"one.svg", "summary.svg"}

    def test_an_interrupted_run_takes_up_where_it_stopped(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        with pytest.raises(RuntimeError, match="went away"):
            runner.measure(job(tmp_path, fail_on=1))
        assert stand_in.seen == [("first", 0), ("second", 0), ("first", 1)]
        stand_in.experiments["first"] = replace(stand_in.experiments["first"], measure=self.works)
        runner.measure(job(tmp_path, fail_on=1))
        assert stand_in.seen[3:] == [("second", 1), ("second", 2)]
        assert not list(tmp_path.glob("*-seed-*"))

    def works(self, config: Config) -> Result:
        return Result({"task.method.error": 0.5}, {"one": Drawing(a_figure, "One.", "Nothing.")})

    def test_what_was_kept_under_other_settings_is_not_used(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        with pytest.raises(RuntimeError, match="went away"):
            runner.measure(job(tmp_path, fail_on=1))
        runner.measure(job(tmp_path))
        assert len(stand_in.seen) == 3 + 6

    @pytest.mark.parametrize(
        "change", ["not JSON", "no metrics", "no figures", "a missing figure", "text for a number"]
    )
    def test_a_damaged_outcome_is_measured_again(
        self, stand_in: StandIn, tmp_path: Path, change: str
    ) -> None:
        with pytest.raises(RuntimeError, match="went away"):
            runner.measure(job(tmp_path, fail_on=2))
        (kept,) = tmp_path.glob("first-seed-0.json")
        content = json.loads(kept.read_text("utf-8"))
        if change == "no metrics":
            del content["metrics"]
        if change == "no figures":
            content["figures"] = None
        if change == "text for a number":
            content["metrics"]["task.method.error"] = "small"
        kept.write_text("{" if change == "not JSON" else json.dumps(content), "utf-8")
        if change == "a missing figure":
            (tmp_path / "one.svg").unlink()
        stand_in.seen.clear()
        with pytest.raises(RuntimeError, match="went away"):
            runner.measure(job(tmp_path, fail_on=2))
        assert ("first", 0) in stand_in.seen
        assert ("first", 1) not in stand_in.seen

    def test_a_run_that_begins_at_a_kept_seed_draws_its_figures(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        with pytest.raises(RuntimeError, match="went away"):
            runner.measure(job(tmp_path, fail_on=2))
        later = replace(job(tmp_path, fail_on=2), seeds=(1,))
        assert "one" in runner.measure(later).experiments["first"].figures

    def test_only_some_experiments(self, stand_in: StandIn, tmp_path: Path) -> None:
        evidence = runner.measure(replace(job(tmp_path), only=("second",)))
        assert list(evidence.experiments) == ["second"]
        assert {name for name, _ in stand_in.seen} == {"second"}

    def test_a_fast_run_is_not_judged(self, stand_in: StandIn, tmp_path: Path) -> None:
        evidence = runner.measure(replace(job(tmp_path), settings="fast"))
        assert evidence.verdicts == ()

    def test_a_build_without_gpu_code_counts_as_the_package(self) -> None:
        import xgboost

        assert runner._version("xgboost") == xgboost.__version__


class TestReports:
    def test_the_report_is_one_file(self, stand_in: StandIn, tmp_path: Path) -> None:
        evidence = runner.measure(job(tmp_path))
        text = write_report(evidence, find("reframing"), tmp_path).read_text("utf-8")
        assert "src=" not in text.replace('src="data:', "")
        assert "http" not in text
        for said in ("At most 1.", "1 of 1 claims hold", "Is it small?", "One. (Seed 0.)"):
            assert said in text
        for setting in ("<dt>size</dt><dd>3</dd>", "<dt>seeds</dt><dd>0, 1, 2</dd>"):
            assert setting in text

    def test_the_report_shows_the_figures_of_its_own_run_only(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        (tmp_path / "old.svg").write_text("<svg>", "utf-8")
        text = write_report(runner.measure(job(tmp_path)), find("reframing"), tmp_path).read_text()
        assert text.count("<figure>") == 2

    def test_tables_keep_the_order_of_the_metrics_and_say_which_way_is_better(
        self, stand_in: StandIn, tmp_path: Path
    ) -> None:
        evidence = runner.measure(job(tmp_path))
        metrics = {"t.b.x": (1.0,) * 3, "t.a.y": (0.0123,) * 3, "t.a.x": (20.0,) * 3}
        found = replace(evidence.experiments["first"], metrics=metrics, roles={"a": "pattern"})
        measures = {"x": Measure("an x", "higher"), "y": Measure("a y")}
        table = metric_tables(found, replace(evidence, measures=measures))[0]
        assert table.header == ("", "", "x ↑", "y")
        assert table.rows == (
            ("", "b", "1.00 ± 0.00", ""),
            ("pattern", "a", "20.00 ± 0.00", "0.0123 ± 0.0000"),
        )

    @pytest.mark.parametrize(
        ("value", "text"),
        [(1.0, "1.00"), (0.9996, "1.00"), (0.01234, "0.0123"), (-2.5, "-2.50"), (123.4, "123")],
    )
    def test_claims_show_three_digits(self, value: float, text: str) -> None:
        assert three_digits(value) == text

    @pytest.mark.parametrize("width", [60, 80, 100, 200])
    def test_names_are_whole_and_lines_fit_at_every_width(self, width: int) -> None:
        columns = [f"metric {i} ↓" for i in range(9)]
        rows = [("baseline", "quantile_forest", *["0.223 ± 0.004"] * 9)] * 2
        text = table_text(Table("", ("", "", *columns), tuple(rows)), width)
        assert max(map(len, text.splitlines())) <= width
        assert text.count("0.223 ± 0.004") == 18
        blocks = text.split("\n\n")
        assert all(block.count("baseline  quantile_forest") == 2 for block in blocks)
        assert (len(blocks) == 1) == (width == 200)


TOLD = {
    "pattern": "reframing",
    "question": "How much?",
    "scores": {"CRPS": "lower"},
    "rows": (
        Row("baseline", "a forest", (0.4,)),
        Row("pattern", "bins", (0.3,)),
        Row("best possible", "truth", (0.2,)),
    ),
    "caption": "A figure.",
    "at_most": 0.8,
}


class TestStories:
    def test_a_story_survives_the_way_through_json(self) -> None:
        story = Story(**TOLD)
        assert Story.from_json(story.to_json()) == story

    def test_the_table_names_the_roles_the_direction_and_the_ratio(self) -> None:
        table = Story(**TOLD).table
        assert table.header == ("", "", "CRPS ↓", "to baseline")
        assert table.rows[1] == ("pattern", "bins", "0.300", "0.75")

    def test_the_bound_decides(self) -> None:
        assert Story(**TOLD).holds
        assert not Story(**{**TOLD, "at_most": 0.7}).holds
        assert Story(**{**TOLD, "at_most": None, "at_least": 0.7}).holds
        assert "at most 0.8 of the baseline's" in Story(**TOLD).claim

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"rows": TOLD["rows"][:1]}, "one baseline and one pattern"),
            ({"rows": (*TOLD["rows"], Row("rival", "x", (1.0,)))}, "each role must be one of"),
            ({"scores": {"a": "lower", "b": "lower"}}, "one value for each"),
            ({"at_most": None}, "one bound"),
            ({"at_least": 0.1}, "one bound"),
        ],
    )
    def test_a_story_that_does_not_fit_together_is_refused(
        self, changes: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            Story(**{**TOLD, **changes})

    @pytest.mark.parametrize("width", [60, 80, 100, 200])
    def test_it_fits_every_terminal(self, width: int) -> None:
        text = Story(**TOLD).text(Path("runs/reframing"), width)
        assert max(map(len, text.splitlines())) <= width

    def test_telling_prints_keeps_and_refuses_a_broken_claim(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        rows = [("baseline", "a", 1.0), ("pattern", "b", 0.9)]
        about = {"question": "Q?", "scores": {"cost": "lower"}, "caption": "c", "rows": rows}
        stories.tell("reframing", figure=a_figure(), **about, at_most=0.95)
        assert "Holds: The pattern's cost is at most 0.95" in capsys.readouterr().out
        kept = Story.from_json(Path("runs/reframing/story.json").read_text("utf-8"))
        assert kept.measured == pytest.approx(0.9)
        assert Path("runs/reframing/story.png").stat().st_size > 0
        with pytest.raises(stories.ClaimError, match=r"Measured: 0\.900"):
            stories.tell("reframing", figure=a_figure(), **about, at_most=0.8)
        assert "FAILS" in capsys.readouterr().out

    def test_the_index_holds_all_stories_and_links_to_reports(self, tmp_path: Path) -> None:
        folder = tmp_path / "reframing"
        (folder / "documented").mkdir(parents=True)
        (folder / "documented" / "report.html").touch()
        (folder / "story.svg").write_text("<svg></svg>", "utf-8")
        text = write_index([(find("reframing"), Story(**TOLD))], tmp_path).read_text("utf-8")
        assert 'href="reframing/documented/report.html"' in text
        assert "How much?" in text
        assert "http" not in text


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Stories that take no time: they tell of whatever pattern is asked for."""
    ran: list[str] = []

    def run_path(path: str, run_name: str) -> None:
        slug = Path(path).parent.name
        ran.append(slug)
        rows = [("baseline", "a", 1.0), ("pattern", "b", 0.9 if slug != "neutral_class" else 1.1)]
        stories.tell(slug, "Q?", {"cost": "lower"}, rows, a_figure(), "c", at_most=0.95)

    monkeypatch.setattr(stories.runpy, "run_path", run_path)
    monkeypatch.setattr(stories, "cores", lambda: 1)
    return ran


class TestCommandLine:
    def test_list_names_every_pattern(self) -> None:
        done = command("list")
        assert done.returncode == 0
        text = " ".join(done.stdout.split())
        for card in catalogue():
            assert f"{card.slug} {card.intent}" in text

    def test_list_imports_nothing_heavy(self) -> None:
        code = (
            "import sys; from patterns._kit.cli import main; main(['list']);"
            "print(sorted({'numpy', 'pandas', 'sklearn', 'rich', 'tensorflow', 'matplotlib'}"
            " & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == "[]"

    def test_list_takes_a_tenth_of_a_second_more_than_nothing(self) -> None:
        def seconds(*arguments: str) -> float:
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
            return time.perf_counter() - started

        # The least of several, in turn: a machine that is busy now and then slows down both.
        listing, nothing = (
            min(times)
            for times in zip(
                *((seconds("-m", "patterns", "list"), seconds("-c", "pass")) for _ in range(15)),
                strict=True,
            )
        )
        assert listing - nothing < 0.1

    def test_an_unknown_name_suggests_the_nearest(self) -> None:
        for verb in ("run", "measure"):
            done = command(verb, "refraiming")
            assert done.returncode == 2
            assert (
                done.stderr
                == "patterns: no pattern is called 'refraiming'; did you mean 'reframing'?\n"
            )

    @pytest.mark.parametrize(
        "arguments",
        [
            ("run",),
            ("run", "reframing", "--all"),
            ("run", "reframing", "--seeds", "3"),
            ("measure",),
            ("measure", "--all", "--size", "3"),
        ],
    )
    def test_wrong_usage_is_explained(self, arguments: tuple[str, ...]) -> None:
        done = command(*arguments)
        assert done.returncode == 2
        assert "usage: patterns" in done.stderr

    def test_a_story_prints_alone_and_exits_by_its_claim(
        self, told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["run", "reframing", "--out", str(tmp_path)]) == 0
        printed = capsys.readouterr().out
        assert printed.count("Q?") == 1
        assert str(tmp_path / "reframing" / "story.png") in printed
        assert cli.main(["run", "neutral_class", "--out", str(tmp_path)]) == 1

    def test_all_stories_end_in_a_summary_of_one_line_per_pattern(
        self, told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["run", "--all", "--out", str(tmp_path)]) == 1
        assert told == [card.slug for card in catalogue()]
        summary = capsys.readouterr().out.split("\n\n\n")[-1]
        for card in catalogue():
            (line,) = (line for line in summary.splitlines() if card.slug in line)
            assert line.split()[0] == ("FAILS" if card.slug == "neutral_class" else "holds")
        assert (tmp_path / "index.html").exists()

    def test_a_failing_claim_exits_with_1(
        self, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["measure", "reframing", "--out", str(tmp_path), "--jobs", "1"]
        assert cli.main([*arguments, "--seeds", "3"]) == 0
        assert cli.main([*arguments, "--seeds", "12"]) == 1
        assert "FAILS" in capsys.readouterr().out

    def test_the_verdict_comes_first_and_tables_when_asked(
        self, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["measure", "reframing", "--out", str(tmp_path), "--jobs", "1"]
        cli.main(arguments)
        printed = capsys.readouterr().out
        assert printed.split("\n\n")[1].startswith("1 of 1 claims hold on each of 5 seeds.")
        assert "\x1b" not in printed
        assert str(tmp_path / "reframing" / "documented") in printed
        assert "how far off" not in printed
        cli.main([*arguments, "--tables"])
        assert "how far off" in capsys.readouterr().out

    def test_runs_of_other_settings_do_not_replace_each_other(
        self, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["measure", "reframing", "--out", str(tmp_path), "--jobs", "1"]
        for words in ([], ["--fast"], ["--only", "second"], ["--seed", "7"]):
            cli.main([*arguments, *words])
        written = {path.parent.name for path in tmp_path.rglob("results.json")}
        assert written == {"documented", "fast", "custom"}
        assert (
            "A fast run on 1 seed: claims are judged on the documented" in capsys.readouterr().out
        )

    def test_json_goes_to_standard_output_alone(
        self, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cli.main(["measure", "reframing", "--out", str(tmp_path), "--jobs", "1", "--json"])
        assert json.loads(capsys.readouterr().out)["seeds"] == [0, 1, 2, 3, 4]

    def test_fields_of_the_configuration_are_flags_before_or_after_the_name(
        self, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        flags = ["--size", "7", "--rates", "0.5", "0.25", "--seed", "4", "--seeds", "2"]
        out = ["--out", str(tmp_path), "--jobs", "1", "--json"]
        for arguments in (["reframing", *flags, *out], [*flags, *out, "reframing"]):
            cli.main(["measure", *arguments])
            written = json.loads(capsys.readouterr().out)
            assert written["config"] == {"size": 7, "fail_on": -1, "rates": [0.5, 0.25]}
            assert written["seeds"] == [4, 5]
            assert written["settings"] == "custom"

    def test_help_shows_the_comment_of_each_setting(
        self, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            cli.main(["measure", "reframing", "--help"])
        assert "how many (default 3)" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--only", "third"], "reframing has no experiment 'third'; it has first, second"),
            (["--size", "0"], "size must be at least 1, got 0"),
            (["--fast", "--record"], "--record takes the documented settings"),
            (["--seed", "-1"], "must lie in 0 to"),
            (["--seed", str(2**40)], "must lie in 0 to"),
            (["--seeds", "0"], "must be 1 or more"),
        ],
    )
    def test_what_cannot_be_measured_is_refused_before_the_run(
        self,
        stand_in: StandIn,
        words: list[str],
        message: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        before = find("reframing").results.read_bytes()
        with pytest.raises(SystemExit) as refused:
            cli.main(["measure", "reframing", "--out", str(tmp_path), *words])
        assert refused.value.code == 2
        assert message in capsys.readouterr().err
        assert stand_in.seen == []
        assert find("reframing").results.read_bytes() == before


class TestTheSystem:
    """What a user's system may do to a run."""

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
    @pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
    def test_workers_end_with_their_parent(self, how: signal.Signals, tmp_path: Path) -> None:
        words = ["measure", "reframing", "--only", "rain", "--seeds", "2", "--jobs", "2"]
        with subprocess.Popen(
            [sys.executable, "-m", "patterns", *words, "--out", str(tmp_path)],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        ) as parent:
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
            workers = eventually(lambda: is_three(children.read_text().split()))
            parent.send_signal(how)
        eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))

    def test_two_runs_do_not_share_a_folder(
        self, stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "reframing" / "documented"
        out.mkdir(parents=True)
        arguments = ["measure", "reframing", "--out", str(tmp_path), "--jobs", "1"]
        with FileLock(out / ".lock"):
            assert cli.main(arguments) == 3
        assert f"another run is writing into {out}" in capsys.readouterr().err
        assert stand_in.seen == []
        assert cli.main(arguments) == 0

    @pytest.mark.parametrize(
        ("problem", "said"),
        [
            (MemoryError("8 TiB"), "not enough memory: 8 TiB"),
            (OSError(28, "No space left on device"), "No space left on device"),
            (BrokenExecutor(), "a worker process ended suddenly"),
        ],
    )
    def test_what_the_system_refuses_is_a_sentence_and_exit_code_3(
        self,
        stand_in: StandIn,
        problem: Exception,
        said: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def fail(*_: object) -> None:
            raise problem

        monkeypatch.setattr(runner, "_measure", fail)
        assert cli.main(["measure", "reframing", "--out", str(tmp_path)]) == 3
        assert said in capsys.readouterr().err

    def test_a_file_in_the_place_of_the_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "runs").touch()
        done = command("measure", "reframing", "--fast", "--out", str(tmp_path / "runs"))
        assert done.returncode == 3
        assert done.stderr.startswith("patterns: ")
        assert str(tmp_path / "runs") in done.stderr

    @pytest.mark.parametrize(
        "program",
        [
            ["-c", "from patterns._kit.cli import main; exit(main())", "run", "reframing"],
            [str(ROOT / "patterns" / "reframing" / "example.py")],
            ["-c", "exec(open('cell.py').read())"],
            ["-m", "pytest", "-n", "0", str(ROOT / "tests" / "test_splits.py")],
        ],
        ids=["command", "script", "notebook", "tests"],
    )
    def test_another_package_called_datasets_is_named(
        self, program: list[str], tmp_path: Path
    ) -> None:
        other = tmp_path / "datasets"
        other.mkdir()
        (other / "__init__.py").touch()
        cells = json.loads(notebooks.story("reframing"))["cells"]
        code = next(cell for cell in cells if cell["cell_type"] == "code")
        (tmp_path / "cell.py").write_text("".join(code["source"]), "utf-8")
        done = subprocess.run(
            [sys.executable, *program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        said = f"`import datasets` finds {other}, and not the folder of this repository; leave"
        assert said in done.stdout + done.stderr

    def test_a_port_that_is_taken_is_named(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = command("docs", "serve", "--port", str(port))
        assert done.returncode == 3
        assert f"127.0.0.1:{port} cannot be used; give another --port" in done.stderr

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
    def test_any_encoding_of_the_output_will_do(self, encoding: str, tmp_path: Path) -> None:
        story = Story(**TOLD)
        code = (
            "from patterns._kit.tables import print_what_the_terminal_can_show as adapt\n"
            f"adapt()\nprint({story.text(tmp_path, 80)!r})\nprint('0.97 ≤ 1 ± 0, ☃')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        printed = done.stdout.decode(encoding)
        assert done.returncode == 0
        assert "CRPS (low)" in printed
        assert "0.97 <= 1" in printed
        assert printed.rstrip().endswith("?")

    def test_an_installed_copy_overwrites_no_other_package_and_says_what_it_lacks(
        self, tmp_path: Path
    ) -> None:
        build = ["uv", "build", "--wheel", "--out-dir", str(tmp_path), str(ROOT)]
        subprocess.run(build, capture_output=True, check=True)
        (wheel,) = tmp_path.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            tops = {name.split("/")[0] for name in archive.namelist()}
            archive.extractall(tmp_path / "site")
        assert {top for top in tops if not top.endswith(".dist-info")} == {"patterns"}
        page = tmp_path / "site" / "patterns" / "stateless_serving" / "page"
        assert {"index.html", "page.css", "page.js"} <= {path.name for path in page.iterdir()}
        for words, code, said in (
            (["list"], 0, "reframing"),
            (["run", "reframing"], 2, "clone the repository"),
            (["docs", "build"], 2, "clone the repository"),
        ):
            done = command(*words, cwd=tmp_path / "site")
            assert (done.returncode, said in done.stdout + done.stderr) == (code, True)
        assert not (tmp_path / "site" / "build").exists()


def is_three(children: list[str]) -> list[str]:
    """Two workers, and the process that keeps track of their resources."""
    return children if len(children) == 3 else []


def eventually(found: Callable[[], T]) -> T:
    """Wait for a condition, half a minute at most."""
    until = time.monotonic() + 30
    while not (answer := found()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return answer


def test_the_readme_begins_with_the_two_commands_and_ci_runs_the_tests_with_the_second() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    block = readme.split("```bash\n")[1].split("```")[0]
    assert block.splitlines() == [
        "pip install uv && uv run patterns run --all",
        "pip install uv && uv run pytest",
    ]
    assert "pip install uv && uv run pytest" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.xdist_group("together")
def test_tests_of_a_group_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """Else evidence is measured in each process, and two of them build one site."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("all tests run in one process")
    assert request.node.nodeid.endswith("@together")
