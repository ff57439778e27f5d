"""The page in a real browser: it shows what was found, complains of nothing and asks for nothing else."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from command import COLUMNS, ran_here
from conftest import RealRun
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from harness import trace
from harness.report import figures

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LARGEST = 3_000_000  # bytes of the default run's page
CRASHING, PATH, MOONS, PERCEPTRON, OWN = (
    "quadratic-momentum",
    "quadratic-ill-conditioned-gd",
    "moons-mini-batch",
    "perceptron-and",
    "of-a-user",
)
HOSTILE = "</pre></details><script>document.title = 'gone'</script><img src=x onerror=alert(1)>"

TASK_FILE = f"""
from dataclasses import replace
from tasks import TASKS
TASKS = [replace(TASKS["quadratic-gd"], name="{OWN}", shows="{HOSTILE}")]
"""
COLUMN = f"""
from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup

class Function(numpy.Function):
    def run(self, batches):
        raise ArithmeticError("{HOSTILE}")
"""

# Everything is opened, and every chart drawn as it comes into view; none is waited for without end.
SCROLL = """async () => {
    document.querySelectorAll("details").forEach(details => details.open = true);
    const charts = [...document.querySelectorAll(".chart")];
    for (const chart of charts) {
        chart.scrollIntoView();
        for (let waits = 0; !chart.querySelector("svg.marks"); waits++) {
            if (waits > 500) throw new Error(`${chart.dataset.chart} is not drawn`);
            await new Promise(later => setTimeout(later, 20));
        }
    }
    return charts.length;
}"""
OPEN = "part => { for (; part; part = part.parentElement) if (part.matches('details')) part.open = true; }"
DRAW = "() => document.querySelectorAll('.chart').forEach(draw)"
DRAWN = "[...document.querySelectorAll('.chart')].every(chart => chart.querySelector('svg.marks path'))"
LINES = "paths => paths.map(path => Number(path.getAttribute('opacity') ?? 1))"
WIDER = """charts => charts.filter(chart =>
    chart.querySelector("svg.marks").getBoundingClientRect().width > chart.clientWidth + 1
).map(chart => chart.id)"""
# The points that tell their numbers cannot be seen.
POINTS = ".mark-symbol path[opacity='0']"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        assert not os.environ.get("CI"), "CI must have a browser"
        pytest.skip("no Chromium here to open the page with: apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:  # noqa: ARG001  none, none
    """The folder of a run with cells that agree, diverge, crash, fail, are unsupported and are missing."""
    home = tmp_path_factory.mktemp("browser")
    (home / "tasks_of_a_user.py").write_text(TASK_FILE)
    (home / "hostile.py").write_text(COLUMN)
    named = [COLUMNS / f"{name}.py" for name in ("half_rate", "segfault", "unsupporting", "not_installed")]
    backends = (word for backend in ("numpy", *named, home / "hostile.py") for word in ("-b", backend))
    tasks = (word for name in (CRASHING, PATH, MOONS, PERCEPTRON, OWN) for word in ("-t", name))
    chosen = ["--quick", "--tasks-from", home / "tasks_of_a_user.py", *tasks, *backends]
    return ran_here(home, {"mixed": chosen})["mixed"].folder


@pytest.fixture(scope="module")
def result(mixed: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((mixed / "run.json").read_text())
    assert {cell["status"] for cell in found["cells"]} >= {
        "agreed",
        "diverged",
        "unsupported",
        "missing",
        "crashed",
        "failed",
    }
    return found


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a run's page; whatever is done there, nothing is complained of, and nothing else asked for."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def opened(folder: Path, at: str = "", width: int = 1200, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((folder / "report.html").as_uri() + at)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.partition("#")[0].rpartition("/")[2] for url in requests if not url.startswith("data:")} == {
        "report.html"
    }
    assert not [url for url in requests if not url.startswith(("data:", "file:"))]


def chart(page: Page, name: str) -> Locator:
    """A chart, opened and drawn."""
    page.locator(f"#{name}").evaluate(OPEN)
    page.locator(f"#{name}").scroll_into_view_if_needed()
    drawn = page.locator(f"#{name} svg.marks")
    drawn.wait_for()
    return drawn


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def rows(page: Page) -> list[str]:
    """The tasks that the matrix shows, in their order."""
    shown = page.locator("#matrix tr[data-worst]:visible")
    return [task or "" for task in shown.evaluate_all("rows => rows.map(row => row.dataset.tasks)")]


def choose(page: Page, **chosen: str) -> None:
    if not page.locator("#filters").is_visible():
        page.click("#choices > summary")
    for name, value in chosen.items():
        page.select_option(f"#filters [name={name}]", value)


# ---------------------------------------------------------------------------------- whole run


def test_page_of_the_default_run_is_small(whole_run: RealRun) -> None:
    assert (whole_run.folder / "report.html").stat().st_size <= LARGEST


def test_every_chart_is_drawn(visit: Open, whole_run: RealRun) -> None:
    page = visit(whole_run.folder)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    page.evaluate(DRAW)
    page.wait_for_function(DRAWN, timeout=40_000)
    assert page.locator(".chart").count() > 60


def test_code_of_all_columns_stands_beside_each_other(visit: Open, whole_run: RealRun) -> None:
    page = visit(whole_run.folder, "#code-of-function", width=1800)
    heads = page.locator("#code-of-function thead th")
    assert heads.all_inner_texts() == ["NumPy", "scikit-learn", "TensorFlow", "Keras", "PyTorch"]
    members = page.locator("#code-of-function tbody tr:has(th)")
    codes = members.filter(has_text="__init__").locator("+ tr td")
    assert ["def __init__" in words for words in codes.all_inner_texts()] == [True] * 5
    tops = codes.locator("pre").evaluate_all("all => all.map(pre => pre.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    colour = "element => getComputedStyle(element).color"
    keyword, word = (codes.locator(of).first.evaluate(colour) for of in (".keyword", "pre"))
    assert keyword != word


# ------------------------------------------------------------------------------- what it shows


def test_matrix_shows_every_cell_with_its_status_and_difference(
    visit: Open, mixed: Path, result: dict[str, Any]
) -> None:
    page = visit(mixed)
    assert sorted(rows(page)) == sorted({cell["task"] for cell in result["cells"]})
    for cell in result["cells"]:
        place = page.locator(f"#matrix-{cell['task']} td[data-backend={cell['backend']}]")
        assert place.get_attribute("data-status") == cell["status"]
        found = cell["parity"] or {"quantities": {}, "single_steps": {}}
        sizes = [d["max_rel"] for part in ("quantities", "single_steps") for d in found[part].values()]
        if sizes and None not in sizes:
            assert place.locator("small").inner_text() == figures.number(max(sizes))


def test_a_permalink_leads_to_a_cell_with_all_that_is_known_of_it(
    visit: Open, mixed: Path, result: dict[str, Any]
) -> None:
    page = visit(mixed, f"#cell-{CRASHING}-segfault")
    cell = page.locator(f"#cell-{CRASHING}-segfault")
    (known,) = [c for c in result["cells"] if (c["task"], c["backend"]) == (CRASHING, "segfault")]
    assert cell.is_visible()
    box = cell.bounding_box()
    assert box is not None and 0 < box["y"] < 400  # below the bar
    assert known["reason"] in cell.inner_text()
    log = cell.locator("pre").inner_text()
    assert "Segmentation fault" in log or "segfault.py" in log
    asked = ["run", "-t", CRASHING, "-b", str(COLUMNS / "segfault.py"), "--tasks-from"]
    again = cell.locator("dt:has-text('run again') + dd").inner_text()
    assert again.startswith(" ".join(["python", "-m", "harness", *asked]))
    assert again.endswith("tasks_of_a_user.py")
    page.click(f"#matrix-{MOONS} td[data-backend=numpy] a")  # a link of the page opens another
    assert page.locator(f"#cell-{MOONS}-numpy").is_visible()


def test_raw_blocks_are_those_that_were_timed(visit: Open, mixed: Path, result: dict[str, Any]) -> None:
    page = visit(mixed, f"#cell-{PATH}-numpy")
    (known,) = [c for c in result["cells"] if (c["task"], c["backend"]) == (PATH, "numpy")]
    cell = page.locator(f"#cell-{PATH}-numpy")
    cell.locator("summary", has_text="Raw blocks").click()
    told = [words.split("\t") for words in cell.locator("tbody tr").all_inner_texts()]
    lanes = known["timing"]["lanes"]
    assert [(row[0], row[2]) for row in told] == [
        (f"{name} {number}", f"{wall:.6f}")
        for name, lane in lanes.items()
        for number, wall in enumerate(lane["blocks_s"], 1)
    ]
    assert len(told) > 5


def test_text_of_others_is_only_text(visit: Open, mixed: Path) -> None:
    page = visit(mixed, f"#cell-{OWN}-hostile")
    assert page.title().startswith("samestep: ")
    assert page.locator("img, main script").count() == 0
    assert HOSTILE in page.locator(f"#cell-{OWN}-hostile").inner_text()
    assert HOSTILE in page.locator(f"#cells-of-{OWN} > summary").inner_text()


def test_regions_of_all_backends_stand_beside_where_they_differ(visit: Open, mixed: Path) -> None:
    page = visit(mixed, f"#boundary-{MOONS}")
    panels = page.locator(f"#boundary-{MOONS} .panels figure")
    assert panels.count() == 6  # numpy, half_rate, segfault, unsupporting, hostile, and the difference
    assert "at most" in panels.last.inner_text()
    boxes = [panel.locator("svg").bounding_box() for panel in panels.all()]
    assert all(box and min(box["width"], box["height"]) > 150 for box in boxes)


def test_every_chart_has_a_caption_and_a_table(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    figures_drawn = page.locator("figure:has(.chart)")
    assert figures_drawn.count() == page.locator(".chart").count() > 15
    captions = figures_drawn.locator("figcaption small").all_text_contents()
    assert len(captions) == figures_drawn.count()
    assert all(re.fullmatch(r"\S.+\.", words) for words in captions)
    assert page.locator("figure:has(.chart) details.table tbody tr").count() > 3 * len(captions)


# ---------------------------------------------------------------------------- filters and order


def test_tasks_are_chosen_by_name_concept_and_status(
    visit: Open, mixed: Path, result: dict[str, Any]
) -> None:
    page = visit(mixed)
    every = rows(page)
    choose(page, task=MOONS)
    assert rows(page) == [MOONS]
    assert page.locator("#found").inner_text() == "1 task"
    assert page.locator(f"#loss-of-{MOONS}").get_attribute("open") is not None
    assert not page.locator(f"#loss-of-{PATH}").is_visible()
    assert not page.locator(f"#divergences tr[data-tasks={PATH}]").first.is_visible()
    concept = next(concept for concept in result["concepts"] if len(concept["tasks"]) == 1)
    choose(page, task=" ".join(concept["tasks"]))
    assert rows(page) == concept["tasks"]
    choose(page, task="", status="crashed")
    assert rows(page) == [CRASHING]
    choose(page, status="diverged")
    diverged = {cell["task"] for cell in result["cells"] if cell["status"] == "diverged"}
    assert set(rows(page)) == diverged
    page.uncheck("#filters [value=half_rate]")  # it is the one that diverged
    assert rows(page) == []
    assert page.locator("#found").inner_text() == "0 tasks"
    page.click("#filters [type=reset]")
    page.wait_for_function("document.getElementById('found').textContent === ''")
    assert rows(page) == every


def test_backends_are_chosen_in_tables_and_charts(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    choose(page)
    drawn = chart(page, f"loss-{PATH}")
    page.evaluate("scrollTo(0, 0)")
    for name in ("segfault", "unsupporting", "not_installed", "hostile"):
        page.uncheck(f"#filters [value={name}]")
    assert page.locator("#matrix thead th:visible").all_inner_texts() == ["task", "NumPy", "half_rate"]
    assert drawn.locator(".mark-line path").count() == 2
    assert page.locator(f"#loss-of-{PATH}").get_attribute("open") is not None  # and what was open stays so
    page.uncheck("#filters [value=numpy]")
    assert drawn.locator(".mark-line path").count() == 1


def test_matrix_is_put_in_order(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    as_run = rows(page)
    choose(page, order="name")
    assert rows(page) == sorted(as_run)
    of = "(rows, attribute) => rows.map(row => Number(row.dataset[attribute]))"
    for attribute in ("worst", "time"):
        choose(page, order=attribute)
        numbers = page.locator("#matrix tr[data-worst]").evaluate_all(of, attribute)
        assert numbers == sorted(numbers, reverse=True)
        assert numbers[0] > numbers[-1]
    choose(page, task=OWN)  # of whatever group, in whatever order
    assert rows(page) == [OWN]
    choose(page, task="", order="run")
    assert rows(page) == as_run


def test_a_link_to_what_is_filtered_out_shows_it(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    choose(page, task=MOONS)
    page.click(f"#gaps a[href='#cell-{CRASHING}-segfault']")
    page.locator(f"#cell-{CRASHING}-segfault").wait_for()
    assert len(rows(page)) == 5


# --------------------------------------------------------------------------------------- charts


def test_a_point_tells_its_numbers(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    drawn = chart(page, f"loss-{PATH}")
    points = drawn.locator(POINTS)
    loss = trace.load(mixed / f"traces/{PATH}.numpy.float64.npz")["epoch_loss"]
    page.mouse.move(*middle(points.nth(9)))
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    words = tooltip.inner_text().split()
    assert words[words.index("epoch") + 1] == "10"
    assert float(words[-1].replace("−", "-")) == pytest.approx(loss[9], rel=1e-4)


def test_a_click_on_a_legend_leaves_one_backend(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    drawn = chart(page, f"loss-{PATH}")
    lines = drawn.locator(".mark-line.role-mark path")
    names = drawn.locator(".role-legend-label text").all_text_contents()
    assert names == ["NumPy", "half_rate", "segfault", "unsupporting"]
    assert lines.evaluate_all(LINES) == [1] * len(names)
    drawn.locator(".role-legend-label text", has_text="half_rate").click()
    page.wait_for_timeout(200)
    assert sorted(lines.evaluate_all(LINES)) == pytest.approx([0.06] * (len(names) - 1) + [1])


def test_a_step_that_is_chosen_is_marked_in_the_other_charts(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    losses = [chart(page, f"{name}-{MOONS}") for name in ("loss", "steps")]
    drawn = chart(page, f"difference-{MOONS}")
    marked = [found.locator("text", has_text=re.compile(r"^step -?\d+$")) for found in [*losses, drawn]]
    assert [found.get_attribute("opacity") for found in marked] == ["0"] * 3
    steps = trace.load(mixed / f"traces/{MOONS}.half_rate.float64.npz")["observed_steps"]
    points = drawn.locator(POINTS)
    page.mouse.click(*middle(points.nth(7)))
    page.wait_for_timeout(200)
    assert {found.text_content() for found in marked} == {f"step {steps[7]}"}
    assert {found.get_attribute("opacity") for found in marked} <= {None, "1"}


def test_a_slider_moves_along_the_paths(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    drawn = chart(page, f"trajectory-{PATH}")
    slider = page.locator(f"#trajectory-{PATH} input[type=range]")
    play = page.locator(f"#trajectory-{PATH} button")
    dots = drawn.locator(".mark-symbol.role-mark path")
    whole, last = dots.count(), int(slider.get_attribute("max") or 0)
    assert last == 150
    assert slider.input_value() == str(last)
    slider.fill("2")
    page.wait_for_timeout(200)
    assert dots.count() == whole * 3 / (last + 1)
    slider.fill(str(last - 8))
    play.click()
    assert play.inner_text() == "Pause"
    page.wait_for_function(
        "([input, button]) => input.value === input.max && button.textContent === 'Play'",
        arg=[slider.element_handle(), play.element_handle()],
    )
    page.wait_for_timeout(200)
    assert dots.count() == whole


# ------------------------------------------------------------------------------ every screen


def test_without_scripts_there_are_pictures_and_tables(visit: Open, mixed: Path) -> None:
    page = visit(mixed, java_script_enabled=False)
    assert not page.locator("#filters").is_visible()
    assert page.locator("#matrix td[data-status]:visible").count() == 30
    page.click(f"#loss-of-{MOONS} > summary")
    picture = page.locator(f"#loss-{MOONS} svg.picture")
    box = picture.bounding_box()
    assert box is not None and box["width"] > 300 and box["height"] > 150
    assert picture.locator("path").count() > 2
    assert "half_rate" in page.locator(f"#loss-{MOONS} .key").inner_text()
    page.click(f"#loss-{MOONS} details.table > summary")
    assert page.locator(f"#loss-{MOONS} table").is_visible()
    page.click(f"#cells-of-{CRASHING} > summary")
    assert page.locator(f"#cell-{CRASHING}-segfault").is_visible()


def test_page_fits_the_screen_with_everything_open(visit: Open, mixed: Path) -> None:
    page = visit(mixed, width=360)
    assert page.evaluate(SCROLL) > 15
    bar = page.locator("nav").bounding_box()
    assert bar is not None and bar["y"] < 0  # a phone has no room for what stays
    for width in (360, 1000, 1800):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)  # the charts grow
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".chart").evaluate_all(WIDER) == []
        bar = page.locator("nav").bounding_box()
        assert bar is not None
        assert width == 360 or (bar["y"] == 0 and bar["height"] < 120)


def test_charts_follow_the_page_into_the_dark_and_onto_paper(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    label = chart(page, f"loss-{MOONS}").locator(".role-axis-label text").first
    fill = "element => getComputedStyle(element).fill"
    text = "getComputedStyle(document.body).color"
    found = []
    for media in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"media": "print"}):
        page.emulate_media(**media)
        found.append(label.evaluate(fill))
        assert found[-1] == page.evaluate(text)
    assert len(set(found)) == 3
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_axe_finds_nothing_serious(visit: Open, mixed: Path) -> None:
    """With a part of each kind open, and its charts drawn; colours in the dark too."""
    page = visit(mixed)
    page.locator(f"#loss-of-{MOONS}, #cells-of-{MOONS}, #choices, #cell-{MOONS}-numpy details").evaluate_all(
        "parts => parts.forEach(part => part.open = true)"
    )
    for kind in ("loss", "difference"):
        chart(page, f"{kind}-{MOONS}")
    colours = "color-contrast"  # takes most of the time, and is the same for every row
    parts = ["header", "nav", "#matrix", f"#loss-of-{MOONS}", f"#cell-{MOONS}-numpy"]
    every = Axe().run(page, options={"rules": {colours: {"enabled": False}}}).response["violations"]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        every += Axe().run(page, parts, {"runOnly": [colours]}).response["violations"]
    grave = [one for one in every if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in grave] == []


def test_keys_reach_everything_and_show_where_they_are(visit: Open, mixed: Path) -> None:
    page = visit(mixed)
    where = """() => {
        const { tagName, className, innerText, parentElement } = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        const { top, bottom } = document.activeElement.getBoundingClientRect();
        const isInSight = bottom > 0 && top < innerHeight;
        return [tagName, className || parentElement.id, innerText, outlineStyle + outlineWidth, isInSight];
    }"""
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(where))
    assert reached[0][:3] == ["A", "skip", "Skip to the results"]
    assert {tuple(found[3:]) for found in reached} == {("solid3px", True)}
    assert ["SUMMARY", "choices"] in [found[:2] for found in reached]
    assert any(found[1] == "scroll" for found in reached)  # a table that scrolls, scrolls by keys
    page.focus(f"#loss-of-{MOONS} > summary")
    page.keyboard.press("Enter")
    assert page.locator(f"#loss-{MOONS}").is_visible()
