"""Pages as tests look at them: parsed, and opened in a real browser."""

import base64
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DRAW = """async () => {
    for (const chart of document.querySelectorAll(".chart")) {
        chart.scrollIntoView();
        await new Promise(requestAnimationFrame);
    }
}"""
ALL_DRAWN = "[...document.querySelectorAll('.chart')].every(chart => chart.querySelector('svg.marks'))"


class Parsed(HTMLParser):
    """All text outside scripts and styles, every element with its attributes, and the packed charts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.packed = ""
        self.silent: str | None = None
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.silent = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.silent = None

    def handle_data(self, data: str) -> None:
        if self.silent is None:
            self.words.append(data)
        elif self.silent == "packed":
            self.packed += data

    @property
    def charts(self) -> dict[str, dict[str, Any]]:
        """The Vega-Lite specs by their names."""
        found = json.loads(gzip.decompress(base64.b64decode(self.packed)))
        return found["charts"]

    @property
    def links(self) -> list[str]:
        """Where links lead outside of the page."""
        found = (attributes.get("href") for tag, attributes in self.elements if tag == "a")
        return [link for link in found if link and not link.startswith("#")]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@contextmanager
def opened(file: Path) -> Iterator[Page]:
    """The page with all charts drawn, in Chromium, which must neither complain nor ask for anything else."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        assert not os.environ.get("CI"), "CI must have a browser"
        pytest.skip("no Chromium here to open the page with: apt-get install chromium")
    complaints: list[str] = []
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        page.evaluate(DRAW)
        page.wait_for_function(ALL_DRAWN)
        yield page
        browser.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
