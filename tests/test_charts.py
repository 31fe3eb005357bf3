"""The charts with a slider: recorded values only, drawn offline, moved with the keyboard."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from browser import Browser, browser, contrast
from harness import CARDS, ROOT, recorded

from patterns import Card, catalogue
from patterns._kit import charts
from patterns._kit.figures import BASELINE, BEST, PATTERN

pytestmark = pytest.mark.xdist_group("charts")  # which one browser shows

DOCS = ROOT / "docs"
SLIDER = "document.querySelector('.chart-slider input')"
SAID = "document.querySelector('.chart-says').textContent"
DRAWN = """[...document.querySelectorAll(".chart-view .role-mark :is(path, line, text)")]
  .map((mark) => mark.outerHTML).sort().join()"""


def spec_of(card: Card) -> dict[str, Any]:
    return json.loads((charts.CHARTS / f"{card.slug}.json").read_text("utf-8"))


# --- the specifications --------------------------------------------------------------------------
@CARDS
def test_the_page_has_a_chart(card: Card) -> None:
    page = (DOCS / "patterns" / f"{card.slug}.md").read_text("utf-8")
    assert page.count(f'--8<-- "build/snippets/{card.slug}/chart.md"') == 1
    assert charts.chart_snippets(card.slug, recorded(card))


@CARDS
def test_the_chart_holds_what_was_recorded_and_nothing_else(card: Card) -> None:
    evidence = recorded(card)
    html = charts.chart_snippets(card.slug, evidence)["chart"]
    found = re.search(r'<script type="application/json">(.*)</script>', html)
    assert found
    values = json.loads(found[1])["data"]["values"]
    assert values
    kept = {
        (name, seed): (value, findings.roles.get(name.split(".")[1], "variant"))
        for findings in evidence.experiments.values()
        for name, per_seed in findings.metrics.items()
        for seed, value in zip(evidence.seeds, per_seed, strict=True)
    }
    for row in values:
        name = f"{row['task']}.{row['method']}.{row['metric']}"
        assert kept[name, row["seed"]] == (row["value"], row["role"])


@CARDS
def test_the_words_of_a_chart_say_what_to_do_and_type_no_measured_number(card: Card) -> None:
    spec = spec_of(card)
    caption = spec["usermeta"]["caption"]
    assert "Move the slider" in caption
    assert spec["title"].endswith("?")
    assert not re.findall(r"\d+\.\d+|\d+ ?%", f"{spec['title']} {spec['description']} {caption}")
    assert max(len(sentence.split()) for sentence in re.split(r"[.:;?] ", caption)) <= 25


def test_a_name_that_was_not_recorded_is_an_error() -> None:
    evidence = recorded(catalogue()[0])
    with pytest.raises(ValueError, match=r"no recorded metric of .* matches 'no_such\.\*'"):
        charts.rows(evidence, "no_such.*")


def test_no_text_of_a_specification_ends_the_script_in_the_page(tmp_path: Path) -> None:
    card = catalogue()[0]
    spec = spec_of(card)
    spec["usermeta"]["note"] = "</script>"
    (tmp_path / "chart.json").write_text(json.dumps(spec), "utf-8")
    html = charts.chart_html(tmp_path / "chart.json", recorded(card))
    assert html.count("</script>") == 1


def test_what_others_made_is_what_its_note_says() -> None:
    note = (DOCS / "vendor" / "README.txt").read_text("utf-8")
    sums = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", note, flags=re.MULTILINE))
    files = [path for path in (DOCS / "vendor").iterdir() if path.name != "README.txt"]
    assert {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in files} == sums


def test_roles_have_the_colors_of_the_figures() -> None:
    style = (DOCS / "style.css").read_text("utf-8")
    for role, color in {"pattern": PATTERN, "baseline": BASELINE, "best": BEST}.items():
        assert f"--chart-{role}: {color.lower()};" in style


@pytest.mark.parametrize(
    ("scheme", "background"), [("default", "#ffffff"), ("slate", "#1e2129")], ids=["light", "dark"]
)
def test_every_color_can_be_told_from_the_background(scheme: str, background: str) -> None:
    style = (DOCS / "style.css").read_text("utf-8")
    of_scheme = re.findall(rf'\[data-md-color-scheme="{scheme}"\] {{(.*?)}}', style, re.DOTALL)
    colors = re.findall(r"--chart-\w+: (#\w{6});", "".join(of_scheme))
    assert len(colors) == 4
    for color in colors:
        assert contrast(color, background) >= 3, color  # of WCAG, for graphics


# --- in a browser --------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(card: Card, tmp_path: Path, window: Browser) -> Iterator[Browser]:
    """A page with the chart alone, in a folder, with the files that the site has."""
    (tmp_path / "vendor").mkdir()
    for name in ("chart.js", "style.css", "vendor/vega.min.js", "vendor/vega-lite.min.js"):
        shutil.copy(DOCS / name, tmp_path / name)
    chart = charts.chart_snippets(card.slug, recorded(card))["chart"]
    body = f'<body class="md-typeset" data-md-color-scheme="default">{chart}'
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A chart</title>'
    style = '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="style'
    (tmp_path / "page.html").write_text(
        f'{head}{style}.css">{body}<script src="chart.js"></script>', "utf-8"
    )
    window.requests.clear()
    window.errors.clear()
    window.look(390, 844)
    window.open((tmp_path / "page.html").as_uri())
    window.wait(f"{SLIDER}?.getAttribute('aria-valuetext')")
    yield window
    assert not window.errors
    assert not [url for url in window.requests if not url.startswith(("file:", "data:"))]


def press(page: Browser, key: str) -> str:
    """Press a key on the slider; what the chart says then."""
    before = page.evaluate(SAID)
    page.evaluate(f"{SLIDER}.focus()")
    page.press(key)
    page.wait(f"{SAID} !== {json.dumps(before)}")
    return str(page.evaluate(SAID))


def move(page: Browser, position: int) -> str:
    """Move the slider; what the chart says then."""
    before = page.evaluate(SAID)
    if position != page.evaluate(f"Number({SLIDER}.value)"):
        page.evaluate(f"{SLIDER}.value = {position}")
        page.evaluate(f"{SLIDER}.dispatchEvent(new Event('input')) && undefined")
        page.wait(f"{SAID} !== {json.dumps(before)}")
    return str(page.evaluate(SAID))


@CARDS
def test_arrow_keys_change_the_marks_and_the_text_and_change_them_back(
    card: Card, page: Browser
) -> None:
    first, forth, back = page.evaluate(SAID), "ArrowRight", "ArrowLeft"
    drawn = page.evaluate(DRAWN)
    assert press(page, forth) != first
    assert page.evaluate(DRAWN) != drawn
    assert press(page, back) == first
    assert page.evaluate(DRAWN) == drawn
    assert "undefined" not in first + drawn
    assert "NaN" not in first + drawn


@CARDS
def test_the_slider_has_a_label_and_says_where_it_stands(card: Card, page: Browser) -> None:
    label = page.evaluate(f"{SLIDER}.labels[0].innerText").strip()
    assert label == next(p["bind"]["name"] for p in spec_of(card)["params"] if "bind" in p)
    assert page.evaluate(SAID).startswith(page.evaluate(f"{SLIDER}.getAttribute('aria-valuetext')"))


OUTSIDE = """(() => {
  const box = document.querySelector(".chart-view").getBoundingClientRect()
  return [...document.querySelectorAll(".chart-view .role-mark :is(path, line, text)")]
    .map((mark) => mark.getBoundingClientRect())
    .filter((mark) => mark.left < box.left - 1 || mark.right > box.right + 1).length
})()"""


@CARDS
def test_no_mark_leaves_the_chart_at_any_position(card: Card, page: Browser) -> None:
    low, high = page.evaluate(f"[{SLIDER}.min, {SLIDER}.max].map(Number)")
    # Where there are many positions, each mixes what is shown at the two ends.
    for position in range(low, high + 1) if high < 10 else (low, high):
        move(page, position)
        assert page.evaluate(OUTSIDE) == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def only(slug: str) -> pytest.MarkDecorator:
    cards = [card for card in catalogue() if card.slug == slug]
    return pytest.mark.parametrize("card", cards, ids=lambda card: card.slug)


LEADS = {  # who is ahead, by the position of the slider: what the captions say
    "feature_crossing": {0: "baseline", 1: "pattern", 2: "pattern", 3: "baseline"},
    "hyperparameter_tuning": {0: "baseline", 1: "pattern", 4: "pattern"},
    "multimodal_input": {0: "baseline", 80: "pattern", 100: "baseline"},
    "neutral_class": {0: "pattern", 4: "baseline"},
    "reframing": {2: "pattern", 4: "baseline"},
    "stateless_serving": {0: "baseline", 100: "pattern"},
}


@pytest.mark.parametrize(
    "card", [card for card in catalogue() if card.slug in LEADS], ids=lambda card: card.slug
)
def test_who_is_ahead_changes_as_the_caption_says(card: Card, page: Browser) -> None:
    found = {}
    for position in LEADS[card.slug]:
        first = re.search("pattern|baseline", move(page, position))
        found[position] = first and first[0]
    assert found == LEADS[card.slug]


@only("batch_serving")
def test_a_job_costs_more_than_a_request_for_one_row_and_less_for_many(
    card: Card, page: Browser
) -> None:
    heights = """Object.fromEntries([...document.querySelectorAll(".chart-view text")]
      .map((text) => [text.textContent, text.getBoundingClientRect().top]))"""
    move(page, 0)
    few = page.evaluate(heights)
    assert few["one by one (baseline)"] < few["streamed (pattern)"]
    move(page, 3)
    many = page.evaluate(heights)
    assert many["streamed (pattern)"] < many["streamed, in a new process"]
    assert many["streamed, in a new process"] < many["one by one (baseline)"]


@only("explainable_predictions")
def test_the_test_score_rises_with_the_mark_and_the_next_hospital_pays(
    card: Card, page: Browser
) -> None:
    at = [[float(n) for n in re.findall(r"\d\.\d\d", move(page, step))] for step in range(5)]
    test, following, without, share = zip(*at, strict=True)
    assert list(test) == sorted(test)
    assert list(share) == sorted(share)
    assert list(following) == sorted(following, reverse=True)
    assert all(score < other for score, other in zip(following[1:], without[1:], strict=True))


@only("hyperparameter_tuning")
def test_a_chart_shows_the_recorded_means(card: Card, page: Browser) -> None:
    found = recorded(card).experiments["known_optimum"]
    assert f"TPE, {found.mean('hartmann6.tpe.regret_10'):.2f}." in page.evaluate(SAID)
    said = press(page, "ArrowRight")
    assert f"TPE (pattern), {found.mean('hartmann6.tpe.regret_25'):.2f}." in said


@only("multimodal_input")
def test_a_mixture_is_that_of_the_recorded_losses(card: Card, page: Browser) -> None:
    found = recorded(card).experiments["missing_image"].metrics
    there, missing = (
        fmean(found[f"image_{state}.modality_dropout.log_loss"]) for state in ("there", "missing")
    )
    said = press(page, "ArrowRight")
    assert said.startswith("6 % of the rows have no image.")
    assert f"modality dropout, {0.94 * there + 0.06 * missing:.3f}." in said


@only("reframing")
def test_vega_is_loaded_when_the_chart_comes_near_the_view(card: Card, page: Browser) -> None:
    address = page.evaluate("location.href")
    folder = Path(address.removeprefix("file://")).parent
    text = (folder / "page.html").read_text("utf-8")
    far = text.replace("<figure", '<div style="height: 9000px"></div><figure')
    (folder / "far.html").write_text(far, "utf-8")
    page.requests.clear()
    page.open((folder / "far.html").as_uri())
    page.wait("document.querySelector('figure.chart')")
    assert page.evaluate(SAID).endswith("The tables under Evidence have its numbers.")
    page.wait("performance.now() > 300")  # by then, those in view are drawn
    assert not [url for url in page.requests if "/vendor/" in url]
    page.evaluate("document.querySelector('figure.chart').scrollIntoView()")
    page.wait(f"{SLIDER}?.getAttribute('aria-valuetext')")
    assert [url.rpartition("/")[2] for url in page.requests if "/vendor/" in url] == [
        "vega.min.js",
        "vega-lite.min.js",
    ]
