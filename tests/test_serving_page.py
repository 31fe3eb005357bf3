"""The page for people, used as people use it: with the keyboard, in a browser."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import uvicorn
from browser import Browser, browser, contrast

from patterns._kit.serving import drift
from patterns.stateless_serving import Snapshot, create_app, predict
from patterns.transform import Feature, Input, ServingArtifact, Transform, describe

pytestmark = pytest.mark.xdist_group("serving-page")  # one browser

READY = "!document.getElementById('submit').disabled"
ANSWERED = "document.getElementById('exact-value')"


def text(name: str) -> str:
    return f"document.getElementById('{name}').textContent"


@pytest.fixture(scope="module")
def artifact() -> ServingArtifact:
    inputs = [
        Input("when", "time"),
        Input("size_of_it", "number", minimum=0, maximum=100),
        Input("depth", "number", nullable=True),
        Input("color", "category", categories=["red", 'it\'s "blue"', "<b>green</b>"]),
        Input("place", "category", nullable=True),
    ]
    features = [
        Feature("hour", "hour", "when", zone="UTC"),
        Feature("size_of_it", "standardized"),
        Feature("depth", "standardized", missing="mean"),
        *(Feature(name, "code") for name in ("color", "place")),
    ]
    rng = np.random.default_rng(0)
    n = 300
    columns: dict[str, Any] = {
        "when": [f"2024-05-01T{i % 24:02d}:30:00Z" for i in range(n)],
        "size_of_it": rng.uniform(0, 100, n).tolist(),
        "depth": rng.normal(size=n).tolist(),
        "color": [inputs[3].categories[i % 3] for i in range(n)],  # type: ignore[index]
        "place": rng.choice(["Rome", "Kyiv", "Lima"], n, p=[0.6, 0.3, 0.1]).tolist(),
    }
    target = (np.array(columns["size_of_it"]) > 50).astype(float)
    fitted = ServingArtifact.fit(
        Transform(inputs, features),
        columns,
        target,
        {"objective": "binary:logistic", "max_depth": 2},
        5,
        describe=describe,
    )
    return fitted.with_provenance(target="is <i>large</i>", data="made up")


EXAMPLE = {
    "when": "2024-05-01T07:30:00Z",
    "size_of_it": 61.25,
    "depth": -0.5,
    "color": "red",
    "place": "Rome",
}


def explain(rows: list[Any]) -> list[Any]:
    top = [{"feature": "size_of_it", "value": 61.25, "attribution": 0.75}]
    top.append({"feature": "depth", "value": None, "attribution": -0.25})
    told = {"base_value": -0.1, "top": top, "others": 0.0}
    changes = {"size_of_it": {"from": 61.25, "to": 49.0}}
    other = {"decision": "small", "changes": changes}
    found = {"link": "logit", "baseline": "all rows", "outputs": {"is_large": told}}
    return [{**found, "counterfactual": other} for _ in rows]


@pytest.fixture(scope="module")
def snapshot(artifact: ServingArtifact) -> Snapshot:
    known = {"size_of_it": {"minimum": 0.2, "maximum": 99.5}, "place": {"values": ["Rome"]}}
    shown = artifact.with_provenance(trained_on=known)
    return Snapshot.of(
        shown, example=EXAMPLE, explain=explain, drift=lambda columns: drift(artifact, columns)
    )


@pytest.fixture(scope="module")
def address(snapshot: Snapshot) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(create_app(snapshot), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def one_browser() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(one_browser: Browser, address: str) -> Iterator[Browser]:
    one_browser.look(1280, 900)
    one_browser.open(address)
    one_browser.wait(f"location.href === '{address}' && {READY}")
    one_browser.requests.clear()
    one_browser.errors.clear()
    yield one_browser
    one_browser.open("about:blank")
    one_browser.wait("location.href === 'about:blank'")


def to_field(page: Browser, name: str) -> None:
    """Press Tab until a field has the focus."""
    for _ in range(40):
        page.press("Tab")
        if page.evaluate("document.activeElement.id") == f"field-{name}":
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_the_form_gives_the_number_of_the_api_by_the_keyboard_alone(
    page: Browser, snapshot: Snapshot
) -> None:
    to_field(page, "size_of_it")
    page.type("12.5")
    to_field(page, "depth")
    page.type("")
    to_field(page, "place")
    page.type("Kyiv")
    page.press("Enter")
    page.wait(ANSWERED)
    row = {**EXAMPLE, "size_of_it": 12.5, "depth": None, "place": "Kyiv"}
    expected = float(predict(snapshot, [row])[0])
    assert float(page.evaluate(text("exact-value"))) == expected
    assert f"{100 * expected:.1f} %" in page.evaluate(text("answer"))
    assert snapshot.version.startswith(page.evaluate(text("exact-model")))
    assert page.evaluate("document.activeElement.id") == "field-place"  # the focus stays
    assert not page.errors


def test_the_typical_row_is_there_and_comes_back(page: Browser, snapshot: Snapshot) -> None:
    page.evaluate("document.getElementById('field-size_of_it').value = 'nonsense'")
    page.evaluate("document.getElementById('reset').click()")
    page.evaluate("document.getElementById('submit').click()")
    page.wait(ANSWERED)
    expected = float(predict(snapshot, [EXAMPLE])[0])
    assert float(page.evaluate(text("exact-value"))) == expected


def test_each_error_stands_beside_its_field_and_the_first_gets_the_focus(page: Browser) -> None:
    to_field(page, "size_of_it")
    page.type("101")
    to_field(page, "depth")
    page.type("deep")
    page.press("Enter")
    page.wait("document.querySelectorAll('[aria-invalid]').length")
    assert page.evaluate(text("error-size_of_it")) == "size of it must be at most 100, got 101"
    assert page.evaluate(text("error-depth")) == "depth must be a number, got 'deep'"
    assert page.evaluate("document.getElementById('error-place').hidden")
    assert page.evaluate("document.activeElement.id") == "field-size_of_it"
    described = "document.activeElement.getAttribute('aria-describedby').split(' ')"
    assert page.evaluate(f"{described}.includes('error-size_of_it')")
    assert not page.evaluate("Boolean(document.getElementById('exact-value'))")
    page.type("100")
    to_field(page, "depth")
    page.type("+.5")
    page.press("Enter")
    page.wait(ANSWERED)
    assert not page.evaluate("document.querySelectorAll('[aria-invalid]').length")
    # The browser tells of the answer 422 itself; nothing else went wrong.
    assert [error for error in page.errors if "422" not in error] == []


def test_a_number_that_json_has_not_is_the_services_to_refuse(page: Browser) -> None:
    for typed, said in [("1e999", "finite"), ("NaN", "a number"), ("", "missing")]:
        page.evaluate("document.getElementById('field-size_of_it').focus()")
        page.type(typed or "x")
        if not typed:
            page.evaluate("document.getElementById('field-size_of_it').value = ''")
        page.press("Enter")
        page.wait(f"{text('error-size_of_it')}.includes({json.dumps(said)})")


def test_fields_have_the_types_bounds_and_choices_of_the_schema(page: Browser) -> None:
    fields = page.evaluate(
        "Array.from(document.querySelectorAll('#fields .field')).map(f => "
        "[f.querySelector('label').textContent, f.querySelector('.hint').textContent])"
    )
    assert fields == [
        ["whentime, UTC", ""],
        ["size of itnumber", "0 to 100; trained on 0.2 to 99.5"],
        ["depthnumber, optional", ""],
        ["colorcategory", ""],
        ["placecategory, optional", "such as Rome"],
    ]
    options = "Array.from(document.querySelectorAll('#field-color option')).map(o => o.value)"
    assert page.evaluate(options) == ["red", 'it\'s "blue"', "<b>green</b>"]
    labels = "Array.from(document.querySelectorAll('label')).every(l => l.control)"
    assert page.evaluate(labels)


def test_what_is_copied_gives_the_same_answer(page: Browser, snapshot: Snapshot) -> None:
    page.evaluate("document.getElementById('field-color').selectedIndex = 1")  # both quotes
    to_field(page, "depth")
    page.type("")
    page.press("Enter")
    page.wait(ANSWERED)
    expected = float(page.evaluate(text("exact-value")))
    row = {**EXAMPLE, "color": 'it\'s "blue"', "depth": None}
    assert expected == predict(snapshot, [row])[0]
    curl = page.evaluate(text("code"))
    done = subprocess.run(
        ["bash", "-c", f"{curl} --silent --max-time 10"], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["predictions"] == [expected]
    page.evaluate("document.getElementById('tab-curl').focus()")
    page.press("ArrowRight")
    python = page.evaluate(text("code"))
    done = subprocess.run(
        [sys.executable, "-c", python], capture_output=True, check=True, timeout=30
    )
    assert f"'predictions': [{expected!r}]" in done.stdout.decode()


def test_drift_has_a_chart_with_shares_for_each_input(page: Browser, address: str) -> None:
    page.press("Tab")
    page.evaluate("document.getElementById('submit').click()")
    page.wait(f"{ANSWERED} && document.querySelectorAll('#drift svg').length === 4")
    shown = page.evaluate(
        "Array.from(document.querySelectorAll('#drift svg')).map(s => s.getAttribute('aria-label'))"
    )
    assert any(label.startswith("place. The largest difference: ") for label in shown)
    bars = "document.querySelectorAll('#drift rect.serving').length"
    assert page.evaluate(bars) == page.evaluate(bars.replace("serving", "training")) > 8
    assert "that this process served" in page.evaluate(text("drift-about"))
    assert page.evaluate("document.querySelectorAll('#features svg').length") == 5
    assert not page.errors


def test_explanations_are_shown_where_the_service_has_them(page: Browser) -> None:
    page.evaluate("document.getElementById('submit').click()")
    page.wait("document.querySelectorAll('.reasons tr').length === 3")
    shown = page.evaluate(text("explanation"))
    for said in ("size of it = 61.25", "+0.750", "depth = missing", "\u22120.250", "all others"):
        assert said in shown
    assert "base value -0.100, on the scale of the logit, against all rows" in shown
    assert "Another decision, small, with: size of it 61.25 → 49" in shown


def test_text_of_the_model_is_text_and_not_markup(page: Browser) -> None:
    assert "It predicts: is <i>large</i>." in page.evaluate(text("about"))
    assert page.evaluate("document.querySelectorAll('i:not(.key), #fields b').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_the_window_and_asks_no_other_host(
    one_browser: Browser, address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    page = one_browser
    page.look(width, 900, scheme)
    page.requests.clear()
    page.errors.clear()
    page.open(address)
    page.wait(f"location.href === '{address}' && {READY}")
    page.evaluate("document.getElementById('submit').click()")
    page.wait(ANSWERED)
    hosts = {urlsplit(asked).netloc for asked in page.requests if not asked.startswith("data:")}
    assert hosts == {urlsplit(address).netloc}
    assert not page.errors
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000
    page.open("about:blank")


def test_colors_have_enough_contrast_in_both_schemes(page: Browser) -> None:
    pairs = [("ink", "card"), ("soft", "card"), ("soft", "ground"), ("wrong", "wrong-ground")]
    pairs += [("on-accent", "accent"), ("accent", "ground"), ("wrong", "card")]
    for scheme in ("light", "dark"):
        page.look(1280, 900, scheme)
        for front, back in pairs:
            assert contrast(color(page, front), color(page, back)) >= 4.5, (scheme, front, back)


def color(page: Browser, name: str) -> str:
    style = "getComputedStyle(document.documentElement)"
    return str(page.evaluate(f"{style}.getPropertyValue('--{name}').trim()"))


def test_without_drift_and_explanations_the_page_says_so(
    one_browser: Browser, snapshot: Snapshot
) -> None:
    bare = replace(snapshot, drift=None, explain=None, provenance={}, example={})
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(create_app(bare), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        one_browser.errors.clear()
        one_browser.open(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        one_browser.wait(f"location.host && {READY}")
        one_browser.evaluate("document.getElementById('submit').click()")
        one_browser.wait(ANSWERED)
        assert "no statistics" in one_browser.evaluate(text("drift-about"))
        assert one_browser.evaluate("document.getElementById('explanation').hidden")
        assert not one_browser.errors
        one_browser.open("about:blank")
        server.should_exit = True
        thread.join(10)


def test_the_policy_forbids_other_hosts(address: str) -> None:
    from httpx2 import get

    found = get(address)
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
