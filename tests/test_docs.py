"""The site: it builds without a warning, its links lead somewhere, it asks no other host."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Browser, browser
from harness import ROOT, command

from patterns._kit.story import Story
from patterns import Card, catalogue
from patterns._kit import docs
from patterns._kit.listings import listings, listings_of

ONLY_WRONG = {"resultTypes": ["violations"], "preload": False}  # what is right is not listed

pytestmark = pytest.mark.xdist_group("site")  # which one process builds for all


def pages_of_the_site() -> list[str]:
    """Each page that is written by hand, as built."""
    sources = (ROOT / "docs").rglob("*.md")
    return sorted(str(p.relative_to(ROOT / "docs").with_suffix(".html")) for p in sources)


class _Page(HTMLParser):
    """The anchors, links and sources of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        if tag == "a" and (href := given.get("href")):
            self.links.append(href)
        if tag == "img":
            self.images.append(given)
        if tag in {"img", "script", "iframe"} and (source := given.get("src")):
            self.loaded.append(source)
        relation = given.get("rel") or ""
        if tag == "link" and relation not in {"canonical", "next", "prev"}:
            self.loaded.append(str(given.get("href")))


@pytest.fixture(scope="session")
def site() -> Path:
    """The site, built anew."""
    done = command("docs", "build")
    assert done.returncode == 0, done.stderr
    assert "WARNING -" not in done.stderr
    return ROOT / "site"


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


def test_every_link_image_and_anchor_leads_somewhere(pages: dict[Path, _Page], site: Path) -> None:
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # is served for any address, so its links are absolute
            continue
        for target in page.links + page.loaded:
            parts = urlsplit(target)
            if parts.scheme in {"http", "https", "mailto", "data"}:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            if not there.exists():
                broken.append((path.relative_to(site), target))
            known = pages[there].anchors | {"__search"} if there in pages else set()
            if there in pages and parts.fragment and unquote(parts.fragment) not in known:
                broken.append((path.relative_to(site), target))
    assert not broken
    assert len(pages) >= 5


def test_every_image_says_what_it_shows(pages: dict[Path, _Page]) -> None:
    silent = [image for page in pages.values() for image in page.images if not image.get("alt")]
    assert not silent


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, _Page], site: Path) -> None:
    for page in pages.values():
        assert not [source for source in page.loaded if urlsplit(source).netloc]
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text("utf-8"))


def test_no_snippet_is_left_unfilled(pages: dict[Path, _Page]) -> None:
    marker = re.compile(r"--8(<|&lt;)--(?! \[start:ex-PART\])")  # which Contributing explains
    assert not [path for path in pages if marker.search(path.read_text("utf-8"))]


WRITTEN = sorted(path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_every_line_that_was_written_is_on_the_page(site: Path, page: Path) -> None:
    """The snippet extension takes a line for itself that looks like a marker, and says nothing."""
    source = (ROOT / "docs" / page).read_text("utf-8").replace(";--8<--", "--8<--")
    source = re.sub(r"^( *)```.*?^\1```$", "", source, flags=re.DOTALL | re.MULTILINE)
    words: list[str] = re.findall(r"`([^`]+)`", source)
    prose = re.sub(
        r"`[^`]*`|!\[[^]]*|<[^>]*>|\]\([^)]*\)|^ *--8<--.*$", "\n", source, flags=re.MULTILINE
    )
    words += re.findall(r"[a-zA-Z][a-zA-Z ]{20,}[a-zA-Z]", prose)
    html = (site / page.with_suffix(".html")).read_text("utf-8")
    shown = " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
    assert not [word for word in words if " ".join(word.replace("\\|", "|").split()) not in shown]


@pytest.mark.parametrize("card", catalogue(), ids=lambda card: card.slug)
def test_the_glossary_has_the_measures_of_each_pattern(card: Card, site: Path) -> None:
    measures = json.loads(card.results.read_text("utf-8"))["measures"]
    _, _, block = (site / "glossary.html").read_text("utf-8").partition(f"<summary>{card.title}<")
    block = block.partition("</details>")[0]
    assert all(f"<strong>{name.replace('_', ' ')}</strong>" in block for name in measures)


def test_the_readme_and_the_first_figure_show_the_recorded_stories() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    stories = {card: Story.from_json(card.story.read_text("utf-8")) for card in catalogue()}
    rows = "".join(docs.readme_row(card, story) for card, story in stories.items())
    assert f"|---|---|---|\n{rows}\n" in readme
    assert len(readme.splitlines()) < 120
    shown = docs.overview_text({card.title: story for card, story in stories.items()})
    assert shown in docs.OVERVIEW.read_text("utf-8")  # `patterns run --all --record` draws it


SOURCE = """
class Model:
    @property
    def fit(
        self, y: int
    ) -> int:
        \"\"\"Learn.

        At length.
        \"\"\"
        y = y + 1
        if y > 1:
            # --8<-- [start:ex-double]
            y = 2 * y
            # --8<-- [end:ex-double]
        return y
"""

LISTING = """
class Model:
    @property
    def fit(
        self, y: int
    ) -> int:
        \"\"\"Learn.\"\"\"
        # …
        if y > 1:
            y = 2 * y
        # …
"""


def test_a_listing_shows_what_its_lines_stand_in() -> None:
    assert dict(listings_of(SOURCE)) == {"double": LISTING.strip("\n")}


@pytest.mark.parametrize("card", catalogue(), ids=lambda card: card.slug)
def test_every_listing_is_python_that_begins_with_a_head(card: Card) -> None:
    for text in listings(card).values():
        head, *code, _, _ = text.split("\n")
        assert re.fullmatch(r'```python title="patterns/\w+/\w+\.py"', head)
        (node,) = ast.parse("\n".join(code)).body
        assert isinstance(node, ast.ClassDef | ast.FunctionDef)


@pytest.mark.parametrize("card", catalogue(), ids=lambda card: card.slug)
def test_a_page_quotes_no_code_without_its_head(card: Card) -> None:
    page = (ROOT / "docs" / "patterns" / f"{card.slug}.md").read_text("utf-8")
    assert not re.findall(r"--8<-- .*\.py:", page)


@pytest.fixture(scope="module")
def seen() -> Iterator[Browser]:
    with browser() as found:
        yield found


def test_the_site_is_searched_without_a_server(site: Path, seen: Browser) -> None:
    seen.open(f"{(site / 'index.html').as_uri()}?q=disagree")
    found = "Array.from(document.querySelectorAll('mark')).some(m => m.textContent == 'disagree')"
    seen.wait(found)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("page", pages_of_the_site())
def test_everyone_can_read_the_page(
    site: Path, seen: Browser, page: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    seen.requests.clear()
    seen.errors.clear()
    seen.look(width, 900, scheme)
    seen.open((site / page).as_uri())
    seen.wait("document.querySelector('.md-search').ariaLabel")  # the page's own script has run
    assert seen.errors == []
    assert {urlsplit(asked).scheme for asked in seen.requests} <= {"file", "data", "blob"}
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(seen.page, options=ONLY_WRONG).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in serious] == []


def test_a_page_that_is_hard_to_read_is_noticed(seen: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<!doctype html><html lang="en"><title>A</title><img src="http://host.invalid/image.png">'
        '<p style="color: #ccc; width: 2000px">pale and wide</p><script>throw 1</script>',
        "utf-8",
    )
    seen.look(390, 900)
    seen.open(page.as_uri())
    assert "http://host.invalid/image.png" in seen.requests
    assert seen.errors
    assert not seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    violations = {v["id"]: v["impact"] for v in Axe().run(seen.page).response["violations"]}
    assert violations["color-contrast"] == "serious"
