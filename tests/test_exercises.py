"""The author gate: what every exercise must be before a learner meets it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import EXERCISES
from hypothesis import strategies as st

from patterns._kit.cards import find
from patterns._kit.docs import mistakes_markdown
from patterns._kit.exercise import (
    N_HINTS,
    Alternative,
    Case,
    Check,
    Exercise,
    ExerciseError,
    Mistake,
    Part,
    build_module,
    check,
    explore,
    replace_regions,
)
from patterns._kit.grade import grade

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")  # may differ by rounding between machines
GRADING_SECONDS = 15  # about half of it the import of TensorFlow, where a pattern needs it


def faults(exercise: Exercise) -> list[str]:
    """What is wrong with an exercise; nothing, when it is fit for learners."""
    try:
        stub = build_module(exercise.stub, "<stub>")
    except ExerciseError as error:
        return [str(error)]
    found = []
    if not 2 <= len(exercise.parts) <= 4:
        found.append(f"has {len(exercise.parts)} parts, not 2 to 4")
    found += [f"{p.name}: not {N_HINTS} hints" for p in exercise.parts if len(p.hints) != N_HINTS]
    explored = {exploration.part for exploration in exercise.explorations}
    found += [f"{p.name}: no exploration" for p in exercise.parts if p.name not in explored]
    if len(exercise.mistakes) < 4 or len(exercise.alternatives) < 2:
        found.append("has fewer than 4 mistakes or fewer than 2 alternatives")

    for verdict in exercise.judge(build_module(exercise.source, "<reference>")):
        if verdict.status != "passed":
            found.append(f"the reference fails {verdict.check}")
    for verdict in exercise.judge(stub):
        if verdict.status != "unwritten":
            found.append(f"the stub does not end in NotImplementedError in {verdict.check}")
    first_to_catch = set()
    for mistake, module in exercise.suspects.items():
        asked = islice(exercise.judge(module), len(exercise.checks))  # no exploration
        wrong = [v for v in asked if v.status == "failed"]
        if not wrong:
            found.append(f"no check fails {mistake.name}")
            continue
        first_to_catch.add(wrong[0].check)
        if wrong[0].mistake != mistake.name:
            found.append(f"{wrong[0].check} takes {mistake.name} for {wrong[0].mistake}")
        if sum(verdict.n_failed for verdict in wrong) < 2:
            found.append(f"one input alone exposes {mistake.name}")
    for question in exercise.checks:
        if question.name not in first_to_catch:
            found.append(f"{question.name} is the first to catch no mistake")
    for alternative in exercise.alternatives:
        module = build_module(replace_regions(exercise.source, alternative.code), "<alternative>")
        written = [p.name for p in exercise.parts if set(p.holes) & set(alternative.code)]
        for verdict in exercise.judge(module, written):
            if verdict.status != "passed":
                found.append(f"{verdict.check} fails the alternative {alternative.name!r}")
    return found


@EXERCISES
class TestEveryExercise:
    def test_it_is_fit_for_learners(self, slug: str) -> None:
        assert faults(Exercise.load(slug)) == []

    def test_each_variant_changes_what_it_says(self, slug: str) -> None:
        exercise = Exercise.load(slug)
        holes = {part.name: set(part.holes) for part in exercise.parts}
        for mistake in exercise.mistakes:
            assert set(mistake.code) <= holes[mistake.part]
        for alternative in exercise.alternatives:
            assert set(alternative.code) <= set().union(*holes.values())

    def test_names_are_unique(self, slug: str) -> None:
        exercise = Exercise.load(slug)
        for things in (exercise.checks, exercise.mistakes, exercise.alternatives, exercise.parts):
            names = [thing.name for thing in things]
            assert len(names) == len(set(names))

    def test_each_part_has_two_right_alternatives_in_all(self, slug: str) -> None:
        exercise = Exercise.load(slug)
        for part in exercise.parts:
            written = [a for a in exercise.alternatives if set(a.code) & set(part.holes)]
            assert len(written) >= 2

    def test_grading_takes_little_work(self, slug: str, tmp_path: Path) -> None:
        exercise = Exercise.load(slug)
        path = tmp_path / "pattern.py"
        path.write_text(exercise.source, "utf-8")
        before = os.times()
        verdicts = grade(exercise, path)
        after = os.times()
        assert {verdict.status for verdict in verdicts} == {"passed"}
        # Processor time, which other work on the machine does not lengthen much.
        worked = after.children_user + after.children_system
        assert worked - before.children_user - before.children_system < GRADING_SECONDS

    def test_the_docs_show_each_mistake_with_what_its_check_prints(self, slug: str) -> None:
        text = find(slug).mistakes.read_text("utf-8")
        for mistake in Exercise.load(slug).mistakes:
            title = mistake.title.replace('"', "'")
            assert f'??? bug "{title}"\n\n    {mistake.why}\n\n    ```python\n' in text
        assert text.count("looks like") >= len(Exercise.load(slug).mistakes)

    @pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Python's messages differ")
    def test_the_checks_still_print_what_is_recorded(self, slug: str) -> None:
        recorded, printed = find(slug).mistakes.read_text("utf-8"), mistakes_markdown(slug)
        assert NUMBER.split(printed) == NUMBER.split(recorded), "record: patterns docs grade"
        numbers = (np.array(NUMBER.findall(text), float) for text in (printed, recorded))
        np.testing.assert_allclose(*numbers, rtol=0.01, atol=1e-6)


# A small exercise to break: of two numbers, the mean and the distance.

SOURCE = """
def mean(a, b):
    # --8<-- [start:ex-mean]
    return (a + b) / 2
    # --8<-- [end:ex-mean]


def distance(a, b):
    # --8<-- [start:ex-distance]
    return abs(a - b)
    # --8<-- [end:ex-distance]
"""


def case(function: str, a: float, b: float, expected: float) -> Case:
    return Case(
        call=f"{function}({a}, {b})",
        answer=lambda module: getattr(module, function)(a, b),
        expected=expected,
    )


@check("mean", why="It does.")
def mean_of_equals() -> Iterator[Case]:
    """The mean of equal numbers is that number."""
    yield case("mean", 1, 1, 1)
    yield case("mean", 3, 3, 3)


@check("mean", why="It does.")
def mean_of_others() -> Iterator[Case]:
    """The mean lies in the middle."""
    yield case("mean", 1, 3, 2)
    yield case("mean", 9, 1, 5)


@check("distance", why="It does.")
def distance_upward() -> Iterator[Case]:
    """The distance to a greater number."""
    yield case("distance", 1, 3, 2)
    yield case("distance", 1, 9, 8)


@check("distance", why="It does.")
def distance_downward() -> Iterator[Case]:
    """The distance to a smaller number."""
    yield case("distance", 3, 1, 2)
    yield case("distance", 9, 1, 8)


def any_numbers(function: str, draw: Any) -> Case:
    a, b = draw(st.integers(-9, 9)), draw(st.integers(-9, 9))
    return Case(f"{function}({a}, {b})", lambda module: getattr(module, function)(a, b))


@explore("mean", why="It does.")
def mean_of_any(draw: Any) -> Case:
    """The mean of any two numbers."""
    return any_numbers("mean", draw)


@explore("distance", why="It does.")
def distance_of_any(draw: Any) -> Case:
    """The distance of any two numbers."""
    return any_numbers("distance", draw)


def part(name: str) -> Part:
    return Part(name, name, "", "", ("one?", "two", "three"), {f"ex-{name}": "Write it."})


MISTAKES = (
    Mistake("sum", "mean", "The sum", "Halve it.", {"ex-mean": "return a + b"}),
    Mistake("greater", "mean", "The greater", "Add.", {"ex-mean": "return max(a, b)"}),
    Mistake("backward", "distance", "Backward", "No.", {"ex-distance": "return a - b"}),
    Mistake("signed", "distance", "Signed", "No.", {"ex-distance": "return b - a"}),
)
ALTERNATIVES = (
    Alternative("half of each", {"ex-mean": "return a / 2 + b / 2"}),
    Alternative("larger minus smaller", {"ex-distance": "return max(a, b) - min(a, b)"}),
)
EXPLORATIONS = (mean_of_any, distance_of_any)
CHECKS = (mean_of_equals, mean_of_others, distance_upward, distance_downward)


def toy(checks: Sequence[Check] = CHECKS, **fields: Any) -> Exercise:
    """The small exercise, with some of it replaced."""
    exercise = replace(Exercise("toy", SOURCE, (part("mean"), part("distance"))), **fields)
    contents = {"checks": checks, "mistakes": MISTAKES, "alternatives": ALTERNATIVES}
    contents |= {"explorations": EXPLORATIONS, "reference": build_module(SOURCE, "<reference>")}
    vars(exercise).update(contents)
    return exercise


class TestTheGateItself:
    def test_a_sound_exercise_has_no_faults(self) -> None:
        assert faults(toy()) == []

    def test_an_idle_check_is_reported(self) -> None:
        idle = replace(distance_downward, name="idle")
        assert faults(toy([*CHECKS, idle])) == ["idle is the first to catch no mistake"]

    def test_an_over_specified_check_is_reported(self) -> None:
        def by_calls() -> Iterator[Case]:
            yield Case(
                call="distance.__code__.co_names",
                answer=lambda module: (
                    module.distance(1, 2) and len(module.distance.__code__.co_names)
                ),
                expected=1,
            )

        too_much = Check("too_much", "distance", "Only abs is called", "", by_calls)
        assert "too_much fails the alternative 'larger minus smaller'" in faults(
            toy([*CHECKS, too_much])
        )

    def test_checks_in_another_order_are_reported(self) -> None:
        assert "mean_of_equals is the first to catch no mistake" in faults(
            toy([mean_of_others, mean_of_equals, *CHECKS[2:]])
        )

    @pytest.mark.parametrize("name", ["ex-mean", "ex-distance"])
    def test_a_lost_end_marker_is_reported(self, name: str) -> None:
        lost = SOURCE.replace(f"    # --8<-- [end:{name}]\n", "")
        [fault] = faults(toy(source=lost))
        assert f"region {name} has no end marker" in fault

    def test_a_lost_start_marker_is_reported(self) -> None:
        lost = SOURCE.replace("    # --8<-- [start:ex-mean]\n", "")
        assert faults(toy(source=lost)) == ["line 4 ends region ex-mean, which is not open"]

    def test_a_wrong_reference_is_reported(self) -> None:
        wrong = SOURCE.replace("/ 2", "/ 3")
        assert "the reference fails mean_of_equals" in faults(toy(source=wrong))

    def test_a_check_that_needs_no_answer_is_reported(self) -> None:
        def constant() -> Iterator[Case]:
            yield Case(call="1", answer=lambda module: 1, expected=1)

        found = faults(toy([*CHECKS, Check("constant", "mean", "One is one", "", constant)]))
        assert "the stub does not end in NotImplementedError in constant" in found

    def test_a_mistake_that_one_input_exposes_is_reported(self) -> None:
        once = replace(distance_upward, cases=lambda: [case("distance", 1, 3, 2)])
        found = faults(toy([*CHECKS[:2], once, distance_downward]))
        assert found == ["one input alone exposes backward"]

    def test_too_few_hints_are_reported(self) -> None:
        parts = (part("mean"), replace(part("distance"), hints=("only one",)))
        assert faults(toy(parts=parts)) == ["distance: not 3 hints"]

    def test_mistakes_that_no_check_tells_apart_are_reported(self) -> None:
        exercise = toy()
        twin = Mistake("twin", "mean", "The sum again", "", {"ex-mean": "return b + a"})
        vars(exercise)["mistakes"] = (*MISTAKES, twin)
        assert faults(exercise) == ["mean_of_equals takes twin for sum"]


def answer(**bodies: str) -> Any:
    """The small exercise, answered."""
    code = {f"ex-{name}": body for name, body in bodies.items()}
    return build_module(replace_regions(SOURCE, code), "<answer>")


def test_a_module_may_define_dataclasses() -> None:
    source = "from __future__ import annotations\n"
    source += "from dataclasses import dataclass\n@dataclass\nclass Pair:\n    a: int\n"
    assert build_module(source, "<answer>").Pair(1).a == 1
    assert "pattern" not in sys.modules


class TestExplorations:
    def test_they_find_what_no_check_asks_and_show_the_simplest(self) -> None:
        odd = "return (a + b) / 2 if a > -2 else a"
        (verdict,) = (v for v in toy().judge(answer(mean=odd)) if v.status == "failed")
        assert verdict.check == "mean_of_any"
        assert "called       mean(-2, 0)\n" in verdict.text
        assert "should give  -1\n  gave         -2\n" in verdict.text
        assert "found by comparing with the reference" in verdict.text

    def test_they_wait_until_the_checks_of_their_part_pass(self) -> None:
        asked = [v.check for v in toy().judge(answer(mean="return a + b"))]
        assert "mean_of_any" not in asked
        assert "distance_of_any" in asked

    def test_an_answer_that_is_not_the_same_twice_is_refused(self) -> None:
        code = "import random\nreturn (a + b) / 2 + (random.random() if a < 0 else 0)"
        (verdict,) = (v for v in toy().judge(answer(mean=code)) if v.status == "failed")
        assert verdict.check == "mean_of_any"

    def test_an_error_where_the_reference_answers_is_a_difference(self) -> None:
        code = "return (a + b) / (2 if a >= 0 else 0)"
        (verdict,) = (v for v in toy().judge(answer(mean=code)) if v.status == "failed")
        assert "gave         ZeroDivisionError" in verdict.text

    def test_several_right_answers_are_right(self) -> None:
        question = replace(
            distance_of_any,
            draw=lambda draw: replace(
                any_numbers("distance", draw), same=lambda got, wanted: abs(got) == abs(wanted)
            ),
        )
        assert question(answer(distance="return a - b"), answer()).status == "passed"

    def test_a_changed_argument_is_told(self) -> None:
        def draw(draw: Any) -> Case:
            row = draw(st.lists(st.integers(0, 9), min_size=2, max_size=4))
            return Case(f"mean({row}, 0)", lambda m: m.mean(row, 0), arguments={"row": row})

        question = replace(mean_of_any, draw=draw)
        code = {"mean": "a.sort()\nreturn sum(a)"}
        right = {"mean": "return sum(a)"}
        verdict = question(answer(**code), answer(**right))
        assert verdict.status == "failed"
        assert "the argument row comes back changed, from [1, 0] to [0, 1]" in verdict.text

    def test_no_time_means_no_questions(self) -> None:
        asked: list[str] = []
        question = mean_of_any
        assert question(answer(mean="return 0"), answer(), asked.append, 0).status == "passed"
        assert asked == []


class TestMessages:
    def test_a_mistake_is_named_only_when_it_gives_all_answers(self) -> None:
        once = "return a + b if a == 1 else (a + b) / 2"
        (verdict,) = (v for v in toy().judge(answer(mean=once)) if v.check == "mean_of_equals")
        assert (verdict.status, verdict.mistake) == ("failed", None)
        always = toy().judge(answer(mean="return b + a"))
        assert next(always).mistake == "sum"

    def test_kinds_of_inputs_that_are_right_and_wrong_are_told(self) -> None:
        def cases() -> Iterator[Case]:
            yield replace(case("mean", 1, 1, 1), kind="equal numbers")
            yield replace(case("mean", 1, 3, 2), kind="others")

        verdict = replace(mean_of_equals, cases=cases)(answer(mean="return a"))
        assert "1 of 2 give another answer" in verdict.text
        assert "wrong: others; right: equal numbers" in " ".join(verdict.text.split())

    def test_a_title_that_asks_keeps_its_question_mark(self) -> None:
        verdict = replace(mean_of_equals, title="What is the mean?")(answer(mean="return 0"))
        assert verdict.text.startswith("What is the mean?\n")
