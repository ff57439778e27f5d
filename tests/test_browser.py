"""The page in a real browser: it draws its charts, complains of nothing and asks the network for nothing."""

import os
import shutil
from collections.abc import Iterator

import pytest
from conftest import RealRun
from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

SCROLL = """async () => {
    const charts = document.querySelectorAll(".chart");
    for (const chart of charts) {
        chart.scrollIntoView();
        await new Promise(requestAnimationFrame);
    }
    return charts.length;
}"""


@pytest.fixture(scope="module")
def page(whole_run: RealRun) -> Iterator[tuple[Page, list[str], list[str]]]:
    """The report of the whole run, with what the browser complained of and asked for."""
    browser_path = (
        shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    if browser_path is None:
        assert not os.environ.get("CI"), "CI must have a browser"
        pytest.skip("no Chromium here to open the page with: apt-get install chromium")
    complaints: list[str] = []
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        opened.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto((whole_run.folder / "report.html").as_uri())
        yield opened, complaints, requests
        browser.close()


def test_page_draws_every_chart_that_is_opened(page: tuple[Page, list[str], list[str]]) -> None:
    opened, complaints, _ = page
    opened.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    scrolled = opened.evaluate(SCROLL)  # each is drawn when it is first seen
    assert scrolled > 60
    opened.wait_for_function(
        "[...document.querySelectorAll('.chart')].every(chart => chart.querySelector('svg'))"
    )
    assert complaints == []


def test_page_loads_itself_and_nothing_else(page: tuple[Page, list[str], list[str]]) -> None:
    opened, _, requests = page
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [opened.url]


def test_page_shows_the_matrix_of_all_cells(
    page: tuple[Page, list[str], list[str]], whole_run: RealRun
) -> None:
    opened, _, _ = page
    rows = opened.locator("#matrix table").first.locator("tbody tr[id]")
    assert rows.count() == len({cell["task"] for cell in whole_run.result["cells"]})


def test_picker_shows_one_task_or_those_of_a_concept(
    page: tuple[Page, list[str], list[str]], whole_run: RealRun
) -> None:
    opened, _, _ = page
    concept = whole_run.result["concepts"][0]
    shown = opened.locator("#matrix tr[id]:visible")
    opened.select_option("#picker select", "xor")
    assert shown.count() == 1
    opened.select_option("#picker select", " ".join(concept["tasks"]))
    assert shown.count() == len(concept["tasks"])
    opened.select_option("#picker select", "")
    assert shown.count() == len({cell["task"] for cell in whole_run.result["cells"]})


def test_page_is_not_wider_than_a_phone(page: tuple[Page, list[str], list[str]]) -> None:
    opened, _, _ = page
    opened.set_viewport_size({"width": 420, "height": 900})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 420
