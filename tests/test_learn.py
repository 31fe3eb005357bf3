from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from patterns._kit import cli, learn, notebooks
from patterns._kit.cards import PATTERNS
from patterns._kit.exercise import Exercise, build_module, region_bodies, replace_regions
from patterns._kit.grade import grade
from patterns._kit.learn import Workspace, check_here, outcomes

EXERCISE = Exercise.load("reframing")
SOLUTION = region_bodies(EXERCISE.source)
WRONG = {"ex-crps": "return np.abs(proba @ mean - y)"}

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "exercises"
    folder.mkdir()
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(PATTERNS.parent / "exercises" / name, folder)
    return Workspace(folder)


@pytest.fixture
def command(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command; its exit code, and what it printed."""
    monkeypatch.setattr(learn, "WORKSPACE", workspace.folder)
    monkeypatch.chdir(workspace.folder.parent)

    def run(*words: str) -> tuple[int, str]:
        code = cli.main(words)
        out, err = capsys.readouterr()
        return code, out + err

    return run


def write(workspace: Workspace, **bodies: str) -> Path:
    """The learner's file with these regions written, by their names without "ex-"."""
    path = workspace.cut(EXERCISE)
    regions = {f"ex-{name}": body for name, body in bodies.items()}
    path.write_text(replace_regions(path.read_text("utf-8"), regions), "utf-8")
    return path


def run_pytest(
    workspace: Workspace, target: str = "exercises/reframing"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", target],
        cwd=workspace.folder.parent,
        env={**os.environ, "PYTHONPATH": str(PATTERNS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


class TestPytest:
    def test_a_fresh_clone_prints_one_line_per_task(self, workspace: Workspace) -> None:
        before = os.times()
        answer = run_pytest(workspace, "exercises")
        after = os.times()
        assert after.children_user - before.children_user < 6  # nothing heavy is imported
        lines = [line for line in answer.stdout.splitlines() if "  not written yet  " in line]
        parts = [part.name for slug in learn.available() for part in Exercise.load(slug).parts]
        assert sorted(line.split()[1] for line in lines) == sorted(parts)
        assert "Traceback" not in answer.stdout + answer.stderr
        assert f"{len(parts)} not written yet in" in answer.stdout
        assert answer.returncode == 1

    def test_a_wrong_task_is_told_from_those_that_pass_and_those_not_written(
        self, workspace: Workspace
    ) -> None:
        write(workspace, residuals=SOLUTION["ex-residuals"], crps=WRONG["ex-crps"])
        answer = run_pytest(workspace)
        assert "1 failed, 1 passed, 2 not written yet" in answer.stdout
        for label in ("called", "should give", "gave", "why", "looks like"):
            assert f"\n  {label} " in answer.stdout
        assert "The score is the absolute error of the forecast's mean" in answer.stdout
        assert "Traceback" not in answer.stdout

    def test_a_finished_exercise_exits_0(self, workspace: Workspace) -> None:
        workspace.cut(EXERCISE).write_text(EXERCISE.source, "utf-8")
        answer = run_pytest(workspace)
        assert answer.returncode == 0
        assert "4 passed" in answer.stdout

    def test_a_file_that_cannot_be_read_is_a_verdict(self, workspace: Workspace) -> None:
        workspace.cut(EXERCISE).write_text("def f(:\n", "utf-8")
        answer = run_pytest(workspace)
        assert "SyntaxError: invalid syntax (pattern.py, line 1)" in answer.stdout
        assert "Traceback" not in answer.stdout
        assert "4 failed" in answer.stdout


class TestGrading:
    """Whatever the code does, there is a verdict in seconds, and the rest is graded too."""

    @pytest.mark.parametrize(
        ("code", "verdict"),
        [
            ("while True:\n    pass", "stopped in line 57: while True:"),
            ("return sum(range(10**12))", "no answer within 3 seconds"),
            ("while True:\n    print('flood' * 100)", "no answer within 3 seconds"),
            ("import os\nos._exit(0)", "the interpreter ended (exit code 0)"),
            ("import ctypes\nctypes.string_at(0)", "the interpreter ended"),
            ("import sys\nsys.exit(3)", "SystemExit: 3 (the code ended the program), in line 58"),
            ("return bin_lower_bounds(y, n_bins, strategy, atoms)", "RecursionError"),
            ("return input()", "EOFError"),
            ("pass", "None (is a return missing?)"),
            ("return 'no'", "gave 'no'"),
            ("y = missing", "NameError: name 'missing' is not defined, in line 57: y = missing"),
            pytest.param(
                "return [0] * 10**11",
                "MemoryError",
                marks=pytest.mark.skipif(
                    sys.platform != "linux", reason="the system limits no memory"
                ),
            ),
        ],
    )
    def test_code_that_goes_astray(self, workspace: Workspace, code: str, verdict: str) -> None:
        path = write(workspace, bounds=code, residuals=SOLUTION["ex-residuals"])
        verdicts = grade(EXERCISE, path)
        assert verdict in " ".join(learn.failures(verdicts, "bounds").split())
        found = outcomes(EXERCISE, verdicts)
        assert (found["bounds"], found["residuals"]) == ("failed", "passed")
        assert found["crps"] == "not written yet"

    def test_loops_everywhere_are_stopped_after_a_few_seconds_of_work(
        self, workspace: Workspace
    ) -> None:
        loop = "while True:\n    pass"
        path = write(workspace, bounds=loop, cdf=loop, quantile=loop, crps=loop, residuals=loop)
        before = os.times()
        verdicts = grade(EXERCISE, path)
        after = os.times()
        worked = after.children_user + after.children_system
        assert worked - before.children_user - before.children_system < 30
        assert set(outcomes(EXERCISE, verdicts).values()) == {"failed"}

    @pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
    @pytest.mark.parametrize(
        "code",
        [
            "import os, time\nif os.fork() == 0:\n    time.sleep(300)\nreturn y",
            "import os, time\nif os.fork() == 0:\n    time.sleep(300)\nos._exit(0)",
            "import subprocess\nsubprocess.Popen(['sleep', '300'])\nreturn y",
        ],
        ids=["fork", "fork and end", "another program"],
    )
    def test_what_the_code_starts_ends_with_it(self, workspace: Workspace, code: str) -> None:
        path = write(workspace, bounds=code, residuals=SOLUTION["ex-residuals"])
        started = time.monotonic()
        found = outcomes(EXERCISE, grade(EXERCISE, path))
        assert (found["bounds"], found["residuals"]) == ("failed", "passed")
        assert time.monotonic() - started < 120  # the child sleeps for 300

    def test_files_that_the_code_writes_go_to_a_folder_of_its_own(
        self, workspace: Workspace
    ) -> None:
        name = "written-by-a-learner.txt"
        path = write(workspace, bounds=f"open({name!r}, 'w').write('mine')\nreturn y")
        grade(EXERCISE, path)
        assert not [
            p for p in (Path(name), PATTERNS.parent / name, path.parent / name) if p.exists()
        ]

    def test_a_byte_order_mark_does_no_harm(self, workspace: Workspace) -> None:
        path = workspace.cut(EXERCISE)
        path.write_text(EXERCISE.source, "utf-8-sig")
        assert {verdict.status for verdict in grade(EXERCISE, path)} == {"passed"}

    def test_an_error_whose_message_fails_is_shown(self, workspace: Workspace) -> None:
        code = "class E(Exception):\n    def __str__(self):\n        raise E\nraise E"
        text = learn.failures(grade(EXERCISE, write(workspace, bounds=code)), "bounds")
        assert "E: its message cannot be shown" in text

    def test_checks_before_a_crash_count(self, workspace: Workspace) -> None:
        path = write(workspace, cdf=SOLUTION["ex-cdf"], quantile="import os\nos._exit(1)")
        of_cdf = [verdict.status for verdict in grade(EXERCISE, path) if verdict.part == "cdf"]
        assert of_cdf == ["passed", "passed", "failed"]

    def test_what_the_code_prints_is_shown(self, workspace: Workspace) -> None:
        path = write(workspace, bounds="print('y is', len(y))\nreturn y")
        assert "  printed\n    y is 8\n" in learn.failures(grade(EXERCISE, path), "bounds")

    def test_a_grader_that_cannot_start_is_no_verdict_on_the_code(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(workspace, crps=WRONG["ex-crps"])
        monkeypatch.setenv("PYTHONHOME", str(path))
        text = learn.failures(grade(EXERCISE, path), "crps")
        assert "the grader does not start; to see why: " in " ".join(text.split())


class TestUnseenAnswers:
    @pytest.mark.parametrize(
        ("region", "code", "mistake"),
        [
            ("ex-crps", "return abs((proba * mean).sum(axis=1) - y)", "error-of-the-mean"),
            (
                "ex-residuals",
                "m = clone(regressor)\nm.fit(X, y)\nreturn np.subtract(y, m.predict(X))",
                "in-sample",
            ),
            (
                "ex-cdf",
                "cdf = cumulative[[[0], [1]], [np.digitize(row, self.bin_lower_) for row in y]]",
                "whole-bin-at-its-lower-end",
            ),
        ],
    )
    def test_a_known_mistake_is_recognized_in_other_code(
        self, region: str, code: str, mistake: str
    ) -> None:
        module = build_module(replace_regions(EXERCISE.source, {region: code}), "<answer>")
        failed = [verdict for verdict in EXERCISE.judge(module) if verdict.status == "failed"]
        assert failed[0].mistake == mistake

    def test_a_constant_passes_for_nothing(self) -> None:
        code = {"ex-crps": "return np.full(len(y), 0.5)"}
        module = build_module(replace_regions(EXERCISE.source, code), "<answer>")
        failed = [verdict for verdict in EXERCISE.judge(module) if verdict.status == "failed"]
        assert {verdict.part for verdict in failed} == {"crps"}
        assert failed[0].mistake is None
        assert "looks like" not in failed[0].text


class TestCommands:
    def test_learn_shows_the_next_task(self, command: Command) -> None:
        code, text = command("learn")
        assert code == 0
        assert "Task " in text
        text = command("learn", "reframing")[1]
        assert "Task bounds: Bins, with one of its own for the zeros" in text
        assert str(Path("exercises/reframing/pattern.py:57")) in text

    def test_learn_shows_what_is_wrong(self, command: Command, workspace: Workspace) -> None:
        write(workspace, crps=WRONG["ex-crps"])
        code, text = command("learn", "reframing")
        assert code == 1
        assert "absolute error of the forecast's mean" in text

    def test_a_task_is_shown_with_the_function_that_it_is_in(self, command: Command) -> None:
        text = command("learn", "reframing", "crps")[1]
        assert "Task crps: Score the whole forecast" in text
        assert "    class BinnedDistributionRegressor(" in text
        assert "        def crps(self, X: Any, y: ArrayLike" in text
        assert "np.searchsorted" not in text

    def test_the_task_that_fails_stays_on_the_screen_and_gets_the_hint(
        self, command: Command, workspace: Workspace
    ) -> None:
        write(workspace, crps=WRONG["ex-crps"])
        text = command("learn", "reframing")[1]
        assert "Task crps: Score the whole forecast" in text
        assert "learn hint reframing crps" in text
        assert "crps: hint 1 of 3" in command("learn", "hint")[1]

    def test_without_a_name_it_stays_with_the_exercise_that_was_worked_on(
        self, command: Command, workspace: Workspace
    ) -> None:
        for slug in learn.available():
            workspace.cut(Exercise.load(slug))
        write(workspace, crps=WRONG["ex-crps"])
        assert command("learn")[1].startswith("Reframing: ")

    def test_an_import_of_the_finished_pattern_is_told(
        self, command: Command, workspace: Workspace
    ) -> None:
        path = write(workspace, residuals="from patterns.reframing import x\nreturn x")
        text = command("learn", "reframing")[1]
        line = path.read_text("utf-8").splitlines().index("    from patterns.reframing import x")
        assert f"Line {line + 1} of your file imports the finished pattern" in text

    def test_list_shows_what_has_passed(self, command: Command, workspace: Workspace) -> None:
        assert "0 of 4   bounds cdf crps residuals\n" in command("learn", "list")[1]
        write(workspace, residuals=SOLUTION["ex-residuals"])
        command("learn", "reframing")
        assert "1 of 4   bounds cdf crps residuals ✓" in command("learn", "list")[1]

    def test_hints_come_one_at_a_time(self, command: Command) -> None:
        numbers = [command("learn", "hint", "reframing")[1].split("\n")[0] for _ in range(4)]
        assert [line[-6:] for line in numbers] == ["1 of 3", "2 of 3", "3 of 3", "3 of 3"]
        assert "crps: hint 1 of 3" in command("learn", "hint", "reframing", "crps")[1]

    def test_diff_shows_the_reference_of_what_is_written_only(
        self, command: Command, workspace: Workspace
    ) -> None:
        write(workspace, residuals="return my_way()")
        _, text = command("learn", "diff", "reframing")
        assert "my_way" in text
        assert "cross_val_predict" in text
        assert "np.isin" not in text

    def test_reset_keeps_a_copy(self, command: Command, workspace: Workspace) -> None:
        path = write(workspace, residuals="return my_way()")
        for _ in range(2):  # twice within a second
            command("learn", "reset", "reframing")
        assert path.read_text("utf-8") == EXERCISE.stub
        copies = sorted(path.parent.glob("pattern.2*.py"))
        assert len(copies) == 2
        assert any("my_way" in copy.read_text("utf-8") for copy in copies)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["refraiming"], "did you mean 'reframing'?"),
            (["hint", "reframing", "crsp"], "no task 'crsp'"),
            (["reset"], "say which exercise"),
            (["list", "reframing"], "cannot make sense of 'list reframing'"),
        ],
    )
    def test_a_wrong_word_is_answered(
        self, command: Command, words: list[str], message: str
    ) -> None:
        code, text = command("learn", *words)
        assert code == 2
        assert message in text

    def test_watch_answers_a_save_within_2_seconds(self, workspace: Workspace) -> None:
        program = (
            "import sys; from pathlib import Path; from patterns._kit import learn;"
            "workspace = learn.Workspace(Path(sys.argv[1]));"
            "learn._watch(workspace, learn.Exercise.load('reframing'))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(workspace.folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PATTERNS.parent,
        ) as watch:
            assert watch.stdout
            try:
                while "waiting for a save" not in watch.stdout.readline():
                    pass
                time.sleep(4)  # while the learner thinks, the next grader gets ready
                started = time.perf_counter()
                workspace.file("reframing").write_text(EXERCISE.source, "utf-8")
                while "All tasks pass" not in watch.stdout.readline():
                    assert time.perf_counter() - started < 2
                assert watch.wait(timeout=5) == 0
            finally:
                watch.kill()


class TestUpdate:
    def changed(self, workspace: Workspace, old: str, new: str) -> None:
        """Make the learner's file one that was cut before a change from old to new."""
        path = workspace.file("reframing")
        text = path.read_text("utf-8")
        assert new in text
        path.write_text(text.replace(new, old), "utf-8")
        workspace._remember(EXERCISE, stub="of another version")

    def test_what_was_written_goes_into_the_new_stub(
        self, command: Command, workspace: Workspace
    ) -> None:
        path = write(workspace, residuals="return my_way()")
        self.changed(workspace, "class OldName(", "class BinnedDistributionRegressor(")
        assert (
            "has changed since your file was cut"
            in command("learn", "list")[1] + (command("learn", "reframing")[1])
        )
        text = command("learn", "update")[1]
        assert "carried over: ex-residuals" in text
        assert "class OldName(" in text
        assert path.read_text("utf-8") == replace_regions(
            EXERCISE.stub, {"ex-residuals": "return my_way()"}
        )
        [copy] = path.parent.glob("pattern.2*.py")
        assert "class OldName(" in copy.read_text("utf-8")
        assert "has not changed" in command("learn", "update")[1]

    def test_without_markers_the_file_is_kept_as_a_copy(
        self, command: Command, workspace: Workspace
    ) -> None:
        path = write(workspace, residuals="return my_way()")
        self.changed(workspace, "", "# --8<-- [end:ex-bounds]")
        text = command("learn", "update")[1]
        assert "could not be carried over: region ex-bounds has no end marker" in text
        [copy] = path.parent.glob("pattern.2*.py")
        assert "my_way" in copy.read_text("utf-8")

    def test_an_unchanged_exercise_leaves_the_file_alone(
        self, command: Command, workspace: Workspace
    ) -> None:
        path = workspace.cut(EXERCISE)
        path.write_text("# all mine\n", "utf-8")
        assert "has not changed" in command("learn", "update", "reframing")[1]
        assert path.read_text("utf-8") == "# all mine\n"


class TestState:
    @pytest.mark.parametrize(
        "content", [b"{not json", b"[1, 2]", b"\xff\xfe", b'{"reframing": {"hints": 3}}', b""]
    )
    def test_a_corrupted_file_is_set_aside(
        self, command: Command, workspace: Workspace, content: bytes
    ) -> None:
        path = workspace.folder / ".progress.json"
        path.write_bytes(content)
        code, text = command("learn", "reframing")
        assert code == 0
        assert "could not be read" in text
        assert path.with_name(".progress.json.broken").read_bytes() == content
        assert set(json.loads(path.read_text("utf-8"))) == {"reframing"}

    def test_importing_the_commands_imports_nothing_heavy(self) -> None:
        code = (
            "import sys, patterns._kit.learn;"
            "print({'numpy', 'sklearn', 'rich', 'nbformat', 'pytest'} & set(sys.modules))"
        )
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert answer.stdout.strip() == "set()"


class TestNotebook:
    @pytest.mark.parametrize("words", [["reframing"], ["reframing", "--exercise"]])
    def test_it_is_the_same_byte_for_byte(
        self, command: Command, tmp_path: Path, words: list[str]
    ) -> None:
        for name in ("a.ipynb", "b.ipynb"):
            assert command("notebook", *words, "--out", str(tmp_path / name))[0] == 0
        text = (tmp_path / "a.ipynb").read_bytes()
        assert text == (tmp_path / "b.ipynb").read_bytes()
        notebook = json.loads(text)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert all(
            compile("".join(cell["source"]), "cell", "exec")
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        )

    def test_a_notebook_with_work_in_it_is_not_overwritten(
        self, command: Command, tmp_path: Path
    ) -> None:
        out = tmp_path / "mine.ipynb"
        out.write_text("my work", "utf-8")
        assert command("notebook", "reframing", "--exercise", "--out", str(out))[0] == 2
        assert out.read_text("utf-8") == "my work"

    def test_the_exercise_notebook_grades_itself(self, capsys: pytest.CaptureFixture[str]) -> None:
        cells = json.loads(notebooks.exercise("reframing"))["cells"]
        names: dict[str, object] = {"__name__": "__main__"}
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        for source in code:
            exec(source, names)
        assert capsys.readouterr().out.count("not written yet") == 4
        exec(EXERCISE.source, names)
        check_here("reframing", names)
        assert capsys.readouterr().out.count("passed") == 4

    def test_a_cell_that_was_not_run_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        check_here("reframing", {})
        text = capsys.readouterr().out
        assert "NameError: bin_lower_bounds is not defined: run its cell first" in text
