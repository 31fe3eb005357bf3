"""The kit: evidence, the runner and the command line."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from harness import command

from patterns import catalogue
from patterns._kit import cli, runner
from patterns._kit.cards import find
from patterns._kit.evidence import Claim, Evidence, Result
from patterns._kit.report import metric_tables, three_digits, write_html


@dataclass(frozen=True)
class Config:
    """Settings of the stand-in for an example."""

    size: int = 3  # how many
    fail_on: int = -1  # the seed that fails
    rates: tuple[float, ...] = (0.1, 0.2)  # of learning
    seed: int = 0


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for an example, run in this process."""
    seen: list[int] = []

    def run(config: Config) -> Result:
        seen.append(config.seed)
        if config.seed == config.fail_on:
            raise RuntimeError("the machine went away")
        return Result({"task.method.error": 0.1 * (config.seed + 1)})

    claim = Claim(
        "small", "benefit", "At most {at_most}.", lambda m: m["task.method.error"], None, 1
    )
    module = SimpleNamespace(
        Config=Config, FAST=Config(size=1), CLAIMS=[claim], GLOSSARY={"error": "how far off"},
        run=run, seen=seen,
    )  # fmt: skip
    monkeypatch.setattr(runner, "load_example", lambda slug: module)
    return module


def job(out: Path, **settings: Any) -> runner.Run:
    return runner.Run(find("reframing"), Config(**settings), (0, 1, 2), out, jobs=1)


class TestEvidence:
    def test_a_claim_holds_when_it_holds_on_every_seed(self) -> None:
        claim = Claim("c", "benefit", "≤ {at_most}", lambda m: m["t.m.e"], at_most=0.5)
        assert claim.judge([{"t.m.e": 0.4}, {"t.m.e": 0.5}]).holds
        verdict = claim.judge([{"t.m.e": 0.1}, {"t.m.e": 0.6}])
        assert not verdict.holds
        assert verdict.tightest == 1
        assert verdict.margins[1] == pytest.approx(-0.1)

    def test_a_claim_with_two_bounds_needs_both(self) -> None:
        claim = Claim("c", "parity", "{at_least} to {at_most}", lambda m: m["t.m.e"], 0.9, 1.1)
        assert [claim.judge([{"t.m.e": v}]).holds for v in (0.8, 1.0, 1.2)] == [False, True, False]

    def test_not_a_number_does_not_hold(self) -> None:
        claim = Claim("c", "benefit", "≤ {at_most}", lambda m: math.nan, at_most=0.5)
        assert not claim.judge([{}]).holds

    @pytest.mark.parametrize("sentence", ["no bound stated", "{at_least} and {at_most}"])
    def test_sentence_and_bounds_must_agree(self, sentence: str) -> None:
        with pytest.raises(ValueError, match="must have a bound and state it"):
            Claim("c", "benefit", sentence, lambda m: 0.0, at_most=0.5)

    @pytest.mark.parametrize("name", ["error", "task.error", "a.b.c.d", "a..c"])
    def test_metrics_are_named_task_method_metric(self, name: str) -> None:
        with pytest.raises(ValueError, match=r"task\.method\.metric"):
            Result({name: 1.0})

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_metrics_are_finite(self, value: float) -> None:
        with pytest.raises(ValueError, match="must measure what it reports"):
            Result({"a.b.c": value})


class TestRunner:
    def test_evidence_survives_the_way_through_json(
        self, example: SimpleNamespace, tmp_path: Path
    ) -> None:
        evidence = runner.run(job(tmp_path))
        read = Evidence.from_json((tmp_path / "results.json").read_text("utf-8"))
        assert read.verdicts == evidence.verdicts
        assert read.metrics == evidence.metrics == {"task.method.error": (0.1, 0.2, 0.3 + 4e-17)}
        assert read.mean("task.method.error") == pytest.approx(0.2)
        assert read.std("task.method.error") == pytest.approx(0.1)

    def test_an_interrupted_run_takes_up_where_it_stopped(
        self, example: SimpleNamespace, tmp_path: Path
    ) -> None:
        example.run_before = example.run

        def broken(config: Config) -> Result:
            if config.seed == 1:
                raise KeyboardInterrupt
            return example.run_before(config)

        example.run = broken
        with pytest.raises(KeyboardInterrupt):
            runner.run(job(tmp_path))
        example.run = example.run_before
        runner.run(job(tmp_path))
        assert example.seen == [0, 1, 2]
        assert not list(tmp_path.glob("seed-*"))

    def test_what_was_kept_under_other_settings_is_not_used(
        self, example: SimpleNamespace, tmp_path: Path
    ) -> None:
        with pytest.raises(RuntimeError, match="went away"):
            runner.run(job(tmp_path, fail_on=1))
        runner.run(job(tmp_path))
        assert example.seen == [0, 1, 0, 1, 2]

    def test_a_damaged_keepsake_is_measured_again(
        self, example: SimpleNamespace, tmp_path: Path
    ) -> None:
        (tmp_path / "seed-0.json").write_text('{"fingerp', "utf-8")
        runner.run(job(tmp_path))
        assert example.seen == [0, 1, 2]

    def test_the_report_is_one_file(self, example: SimpleNamespace, tmp_path: Path) -> None:
        page = write_html(runner.run(job(tmp_path)), find("reframing"), tmp_path)
        text = page.read_text("utf-8")
        assert "At most 1." in text
        assert "src=" not in text.replace('src="data:', "")
        assert "http" not in text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(1.0, "1.00"), (0.9996, "1.00"), (0.01234, "0.0123"), (-2.5, "-2.50"), (123.4, "123")],
    )
    def test_claims_show_three_digits(self, value: float, text: str) -> None:
        assert three_digits(value) == text

    def test_a_build_without_gpu_code_counts_as_the_package(self) -> None:
        import xgboost

        assert runner._version("xgboost") == xgboost.__version__

    def test_tables_keep_the_order_of_the_metrics(
        self, example: SimpleNamespace, tmp_path: Path
    ) -> None:
        evidence = runner.run(job(tmp_path))
        metrics = {"t.b.x": (1.0,) * 3, "t.a.y": (0.0123,) * 3, "t.a.x": (20.0,) * 3}
        table = metric_tables(replace(evidence, metrics=metrics))[0]
        assert table.header == ("", "x", "y")
        assert table.rows == (
            ("b", "1.00 ± 0.00", ""),
            ("a", "20.00 ± 0.00", "0.0123 ± 0.0000"),
        )


class TestCommandLine:
    def test_list_names_every_pattern(self) -> None:
        done = command("list")
        assert done.returncode == 0
        for card in catalogue():
            assert f"{card.number}  {card.slug}" in done.stdout
            assert card.intent in done.stdout

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
        done = command("run", "refraiming")
        assert done.returncode == 2
        assert (
            done.stderr
            == "patterns: no pattern is called 'refraiming'; did you mean 'reframing'?\n"
        )

    @pytest.mark.parametrize(
        "arguments", [("run",), ("run", "reframing", "--all"), ("run", "--all", "--size", "3")]
    )
    def test_wrong_usage_is_explained(self, arguments: tuple[str, ...]) -> None:
        done = command(*arguments)
        assert done.returncode == 2
        assert "usage: patterns run" in done.stderr

    def test_a_failing_claim_exits_with_1(
        self, example: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["run", "reframing", "--out", str(tmp_path), "--jobs", "1"]
        assert cli.main([*arguments, "--seeds", "3"]) == 0
        assert cli.main([*arguments, "--seeds", "12"]) == 1
        assert "FAILS" in capsys.readouterr().out

    def test_piped_output_has_no_escape_codes_and_says_where_files_went(
        self, example: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cli.main(["run", "reframing", "--out", str(tmp_path), "--jobs", "1"])
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert str(tmp_path / "reframing") in out
        assert "1 of 1 claims hold" in out

    def test_json_goes_to_standard_output_alone(
        self, example: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cli.main(["run", "reframing", "--out", str(tmp_path), "--jobs", "1", "--json"])
        assert json.loads(capsys.readouterr().out)["seeds"] == [0, 1, 2, 3, 4]

    def test_fields_of_the_configuration_are_flags(
        self, example: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        flags = ["--size", "7", "--rates", "0.5", "0.25", "--seed", "4", "--seeds", "2"]
        cli.main(["run", "reframing", "--out", str(tmp_path), "--jobs", "1", "--json", *flags])
        written = json.loads(capsys.readouterr().out)
        assert written["config"] == {"size": 7, "fail_on": -1, "rates": [0.5, 0.25]}
        assert written["seeds"] == [4, 5]

    def test_help_shows_the_comment_of_each_setting(
        self, example: SimpleNamespace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            cli.main(["run", "reframing", "--help"])
        assert "how many (default 3)" in capsys.readouterr().out

    def test_only_the_documented_run_is_recorded(
        self, example: SimpleNamespace, tmp_path: Path
    ) -> None:
        before = find("reframing").results.read_bytes()
        with pytest.raises(SystemExit, match="only the run without"):
            cli.main(["run", "reframing", "--out", str(tmp_path), "--fast", "--record"])
        assert find("reframing").results.read_bytes() == before


def test_the_readme_begins_with_the_two_commands_and_ci_runs_the_tests_with_the_second() -> None:
    root = Path(__file__).parents[1]
    readme = (root / "README.md").read_text("utf-8")
    block = readme.split("```bash\n")[1].split("```")[0]
    assert block.splitlines() == [
        "pip install uv && uv run patterns run --all",
        "pip install uv && uv run pytest",
    ]
    assert "pip install uv && uv run pytest" in (root / ".ci" / "run").read_text("utf-8")
