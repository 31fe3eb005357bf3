"""The site: it builds without a warning, its links lead somewhere, it asks no other host."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from harness import ROOT, command

from patterns import Card, catalogue
from patterns._kit import docs
from patterns._kit.listings import listings, regions
from patterns._kit.story import Story

pytestmark = pytest.mark.xdist_group("site")  # which one process builds for all


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
    for path in pages:
        assert "--8&lt;--" not in path.read_text("utf-8")
        assert "--8<--" not in path.read_text("utf-8")


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
    assert dict(regions(SOURCE)) == {"double": LISTING.strip("\n")}


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


def test_the_site_is_searched_without_a_server(site: Path) -> None:
    page = f"{(site / 'index.html').as_uri()}?q=disagree"
    shown = chromium("--virtual-time-budget=10000", "--dump-dom", page).stdout
    assert re.search(r"<mark[^>]*>disagree</mark>", shown)


def test_what_was_graded_is_kept_until_a_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded: list[str] = []
    monkeypatch.setattr(docs, "GRADED", tmp_path)
    monkeypatch.setattr(docs, "mistakes_markdown", lambda slug: graded.append(slug) or f"# {slug}")
    assert docs.graded_mistakes("transform") == docs.graded_mistakes("transform") == "# transform"
    assert graded == ["transform"]
    (tmp_path / "transform.md").write_text("<!-- of other sources -->\nold", "utf-8")
    assert docs.graded_mistakes("transform") == "# transform"


def chromium(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a browser that shows no window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        assert not os.environ.get("CI"), "CI must have chromium"
        pytest.skip("chromium is not installed")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return subprocess.run(
        [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            *quiet,
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def asked_by_the_page(page: str, folder: Path, size: str) -> set[str]:
    """Show a page in a browser; the addresses that the page itself, not the browser, asked for."""
    log = folder / "net.json"
    chromium(
        *(f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"),
        *(f"--window-size={size}", f"--screenshot={folder / 'page.png'}"),
        *("--virtual-time-budget=5000", page),
    )
    events = [event.get("params", {}) for event in json.loads(log.read_text("utf-8"))["events"]]
    # Of the browser's own requests the log says that their initiator is not an origin.
    return {
        event["url"]
        for event in events
        if event.get("initiator", "not an origin") != "not an origin"
        and event.get("url", "").startswith("http")
    }


@pytest.mark.parametrize("size", ["1280,900", "390,844"], ids=["desktop", "phone"])
def test_a_browser_shows_the_page_and_the_page_asks_no_host(
    site: Path, tmp_path: Path, size: str
) -> None:
    page = (site / "patterns" / "reframing.html").as_uri()
    assert asked_by_the_page(page, tmp_path, size) == set()
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_a_page_that_asks_a_host_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://host.invalid/image.png">', "utf-8")
    asked = asked_by_the_page(page.as_uri(), tmp_path, "390,844")
    assert asked == {"http://host.invalid/image.png"}
