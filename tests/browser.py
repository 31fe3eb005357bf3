"""A browser without a window: keys are pressed, pictures taken, and what goes wrong is noted."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, sync_playwright

SECONDS = 30.0  # for a condition


class Browser:
    """One page. ``requests`` has every address that was asked for, ``errors`` what went wrong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._note(said.type, said.text))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def look(self, width: int, height: int, scheme: Literal["light", "dark"] = "light") -> None:
        """Take a size of the window and a color scheme."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme)

    def open(self, address: str) -> None:
        """Go to an address."""
        self.page.goto(address)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.page.evaluate(script)

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + SECONDS
        while not self.evaluate(script):
            assert time.monotonic() < until, f"never true: {script}"
            self.page.wait_for_timeout(20)

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type text where the focus is, in place of what is there."""
        self.evaluate("document.activeElement.select?.()")
        self.page.keyboard.insert_text(text)

    def picture(self, path: Path) -> None:
        """Keep the whole page as an image."""
        self.page.screenshot(path=path, full_page=True)


def contrast(one: str, other: str) -> float:
    """The contrast of two colors, each as ``#rrggbb``, as WCAG 2 defines it."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that ends with the block."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        assert not os.environ.get("CI"), "CI must have chromium"
        pytest.skip("chromium is not installed")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=quiet)
        try:
            yield Browser(running.new_page())
        finally:
            running.close()
