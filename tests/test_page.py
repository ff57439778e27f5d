"""The page, written from real traces of the reference and from spoiled copies of them."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path
from typing import Any

import altair as alt
import msgspec
import numpy as np
import pytest
import vl_convert

from backends import COLUMNS, numpy
from backends.base import Arrays, Placement, Program
from harness import parity as comparison
from harness import spread, trace
from harness.metrics import metrics
from harness.report import captions, charts, figures, listing, page, pictures, regions, steps
from harness.result import (
    SCHEMA,
    Cause,
    Cell,
    Concept,
    Difference,
    Divergence,
    Environment,
    Lane,
    Metrics,
    Parity,
    Result,
    Status,
    Timing,
)
from tasks import TASKS
from tasks.spec import (
    Array,
    CategoricalCrossEntropy,
    Function,
    Network,
    Quadratic,
    Rosenbrock,
    SquaredError,
    Task,
)

PERCEPTRON, SQUARE, VALLEY, MOONS = (
    "perceptron-and",
    "quadratic-gd",
    "quadratic-ill-conditioned-gd",
    "moons-mini-batch",
)
CLAIM, MEASURED = "It is <said> & done.", "It was measured: 0.25 → 0.125."
CONCEPTS = [
    Concept("one", "First & foremost", CLAIM, MEASURED, [SQUARE, VALLEY], ["left-out"]),
    Concept("two", "Second", "Said.", "Measured.", [VALLEY]),
]
NAMES = (PERCEPTRON, SQUARE, VALLEY, MOONS)
HOSTILE = "</script></pre><script>alert('gone')</script><img src=https://evil.example/x> & \"quoted\""
ENVIRONMENT = Environment(
    python="3.11.7",
    platform="Linux",
    processor="A <fast> & cheap one",
    cores=2,
    memory_gb=8.0,
    threads=1,
    device="cpu",
    versions={"numpy": "2.4.6"},
    workers={"numpy": {"numpy": "2.4.6"}},
)


class Page(HTMLParser):
    """What the tests look at: every element with its attributes, and all text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.specs: dict[str, dict[str, Any]] = {}
        self.library = ""
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
            content = json.loads(gzip.decompress(base64.b64decode(data)))
            self.specs, self.library = content["charts"], content["library"]

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(attribute)) is not None]


def record(name: str) -> Arrays:
    task = TASKS[name]

    def build(task: Task) -> Program:
        program: Program = getattr(numpy, task.model.program)(task, Placement())
        return program

    with np.errstate(all="ignore"):  # some diverge
        found, _ = trace.record(build(task), task)
        return found | spread.spread(build, task, found, "float64")


def cell(task: str, backend: str, status: Status, **fields: Any) -> Cell:
    usual: dict[str, Any] = {"dtype": "float64", "device": "cpu", "threads": 1, "identity": "0"}
    return Cell(task=task, backend=backend, status=status, **(usual | fields))


def timing(low: float, middle: float, high: float) -> Timing:
    lane = Lane(
        steps_per_block=1000,
        blocks_s=[0.02, 0.03, 0.04],
        blocks_again_s=[],
        cpu_s=[0.02, 0.03, 0.04],
        disturbed=[False, True, False],
        steady=False,
        ratio_to_reference=[low, middle, high],
        verdict="slower",
        agrees_to=1e-16,
    )
    return Timing(
        start_s=0.2,
        import_s=3.0,
        build_s=0.1,
        first_step_s=0.5,
        second_step_s=0.25,
        load=0.5,
        lanes={"run": lane, "step": lane},
        no_lane={"fit": "no trainer"},
        import_rss_mb=100.0,
        built_rss_mb=150.0,
        peak_rss_mb=200.0,
    )


def parity(worst: float | None, **changes: Any) -> Parity:
    difference = Difference(
        max_abs=worst,
        max_rel=worst,
        max_ulp=worst,
        tolerance=1e-12,
        headroom=0.0 if worst is None else 1e-12 / worst if worst else None,
        quantity="loss",
        step=4,
        nature="fault" if worst is None else "rounding",
    )
    found = Parity(
        reference="numpy",
        quantities={"loss": difference, "predict": difference},
        single_steps={"loss": difference},
        not_observed=[],
        first_divergence=None,
        first_undecided=None,
        steps_compared=10,
    )
    return msgspec.structs.replace(found, **changes)


DIVERGENCE = Divergence(
    step=7,
    quantity="param/w1",
    single_step=False,
    element=[0, 3],
    actual=None,
    desired=0.25,
    max_rel=None,
    tolerance=1e-12,
    what="is not finite",
)


def cells(folder: Path, task: str) -> Iterator[Cell]:
    """An identical, a broken, a noisy, a doubtful, a crashed and a missing backend beside the reference."""
    right = record(task)
    metrics = (
        Metrics(0.5, 2.0, train_accuracy=0.75, test_accuracy=0.5, confusion_test=[[3, 1], [2, 4]])
        if task == MOONS
        else Metrics(0.5, 2.0)
    )
    noisy = {name: array * (1 + 1e-15) if array.dtype.kind == "f" else array for name, array in right.items()}
    broken = {name: array.copy() for name, array in right.items()}
    broken["epoch_loss"][7:] = np.nan
    broken["loss"][7:] = np.inf
    for name, array in broken.items():
        if name.startswith(("param/", "predict_", "local/param/")):
            array[7:] = np.nan
    traced = {"numpy": right, "sklearn": right, "keras": broken, "torch": noisy, "doubtful": noisy}
    for backend, arrays in traced.items():
        trace.save(folder / f"{task}.{backend}.npz", arrays)
    shown: dict[str, Any] = {"steps": 20, "epochs": 10, "metrics": metrics}
    hidden = parity(0.0, not_observed=["grad: it keeps its gradients to itself"])
    diverged = parity(None, first_divergence=DIVERGENCE)
    traces = {backend: f"{task}.{backend}.npz" for backend in traced}
    reference = {"parity": parity(0.0), "timing": timing(0.98, 1.0, 1.01), "trace": traces["numpy"]}
    yield cell(task, "numpy", "agreed", **reference, **shown)
    yield cell(task, "sklearn", "agreed", parity=hidden, trace=traces["sklearn"], **shown)
    why = {"reason": f"gone at {task}", "causes": [Cause("no-bias", "the bias is missing", 2e-16)]}
    yield cell(task, "keras", "diverged", parity=diverged, trace=traces["keras"], **why, **shown)
    yield cell(
        task, "torch", "agreed", parity=parity(1e-15), timing=timing(2, 3, 4), trace=traces["torch"], **shown
    )
    doubt = parity(0.5, first_undecided=23)
    yield cell(
        task, "doubtful", "inconclusive", reason="who knows", parity=doubt, trace=traces["doubtful"], **shown
    )
    yield cell(task, "tensorflow", "crashed", reason=HOSTILE, details=f"log of {task}: {HOSTILE}")
    yield cell(task, "jax", "missing", reason="jax is not installed: pip install jax")


def result(found: list[Cell]) -> Result:
    return Result(
        schema=SCHEMA,
        started="2026-01-01T00:00:00+00:00",
        seconds=12.0,
        complete=True,
        command=["python", "-m", "harness", "run", "-t", "<all>"],
        reference="numpy",
        environment=ENVIRONMENT,
        phases_s={"parity": 3.0},
        cells=found,
        groups={found[0].task: [["sklearn", "torch"], ["numpy"]]},
        concepts=CONCEPTS,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("run")
    return result([cell for name in NAMES for cell in cells(folder, name)]), folder


@pytest.fixture(scope="module")
def html(run: tuple[Result, Path]) -> str:
    return page.write(*run, TASKS).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shown(html: str) -> Page:
    return Page(html)


def data(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a chart and of all its layers."""
    own = spec["data"]["values"] if "data" in spec else []
    return [*own, *(row for layer in spec.get("layer", ()) for row in data(layer))]


def line(spec: dict[str, Any]) -> dict[str, Any]:
    """What a chart's curves are drawn of: the layer whose points have labels."""
    (found,) = [layer for layer in spec["layer"] if any("label" in row for row in data(layer))]
    assert found["layer"][0]["mark"]["type"] == "line"
    return found["layer"][0]


def rewritten(run: tuple[Result, Path], folder: Path, **options: Any) -> Page:
    """The page of a result, written beside the traces of the run."""
    return Page(page.write(run[0], folder, options.get("tasks", TASKS)).read_text(encoding="utf-8"))


def test_asks_the_network_for_nothing(shown: Page, html: str) -> None:
    assert not [tag for tag, _ in shown.elements if tag in ("link", "iframe", "object", "embed", "base")]
    assert not [value for value in shown.values("src") if not value.startswith("data:")]
    assert not [
        value for value in shown.values("href") if not value.startswith(("#", "data:image/png;base64,"))
    ]
    assert not re.search(r"@import|url\(", (Path(page.__file__).parent / "page.css").read_text())
    assert "default-src 'none'" in html  # and a browser is told to refuse whatever was overlooked


def test_shows_every_task_backend_and_reason(shown: Page, run: tuple[Result, Path]) -> None:
    for found in run[0].cells:
        for words in filter(None, (found.task, found.backend, found.reason, found.details, found.trace)):
            assert " ".join(words.split()) in shown.text
        again = f"python -m harness run -t {found.task} -b {found.backend}"
        assert again in shown.text
    assert "grad: it keeps its gradients to itself" in shown.text
    assert "is not finite" in shown.text
    assert {"agreed", "diverged", "inconclusive", "crashed", "missing"} <= set(shown.text.split())


def test_says_who_is_the_odd_one_out_and_why(shown: Page) -> None:
    assert (
        f"{NAMES[0]} sklearn and torch agree with each other; the odd one out is numpy, the reference "
        "✗ diverged on Keras; cause: the bias is missing" in shown.text
    )
    assert "cause the bias is missing: computed so, the reference agrees to 2e-16" in shown.text


def test_says_from_which_step_it_cannot_be_told(shown: Page) -> None:
    assert f"{figures.DOUBT} {NAMES[0]} doubtful from step 23 {NAMES[1]} doubtful from step 23" in shown.text


def test_says_which_cell_has_the_least_headroom(shown: Page) -> None:
    assert f"Least headroom 1000: {NAMES[0]} × torch, loss at step 4." in shown.text


def test_shows_training_and_single_steps_side_by_side(shown: Page) -> None:
    """Of each, worst difference, tolerance, headroom and nature; nothing of the reference itself."""
    half = "1e-15 1e-15 ulp 1e-12 step 4 1000 rounding"
    rows = f"PyTorch loss {half} {half} predict {half} not compared doubtful loss"
    assert shown.text.count(rows) == len(NAMES)
    half = "not comparable 1e-12 step 4 0.00 fault"
    assert shown.text.count(f"Keras loss {half} {half} predict {half} not compared") == len(NAMES)
    half = "0 1e-12 step 4 identical"
    assert shown.text.count(f"nature scikit-learn loss {half} {half} predict") == len(NAMES)


def test_every_status_has_a_sign_of_its_own() -> None:
    assert set(page.ICONS) == set(figures.STATUSES)
    assert len(set(page.ICONS.values())) == len(page.ICONS)


def test_the_differences_drawn_are_those_that_were_compared() -> None:
    """By step they come to the worst of the parameters that the comparison names, and to its tolerance."""
    right = record(MOONS)
    rng = np.random.default_rng(0)
    wrong = {
        name: array * (1 + 1e-9 * rng.random(array.shape)) if "param/" in name else array
        for name, array in right.items()
        if not name.startswith("spread/")
    }
    found = comparison.compare(wrong, right, "float64")
    for prefix, compared in (("", found.quantities), ("local/", found.single_steps)):
        at, worst = steps.difference(wrong, right, prefix)
        there, low, high = steps.tolerances(right, "float64", prefix)
        assert worst.max() == compared["param"].max_rel
        assert (at == there).all()
        tightest = np.flatnonzero(at == compared["param"].step)[0]
        assert low[tightest] <= compared["param"].tolerance <= high[tightest]
        assert 0 < low.min() < high.max() < 1e-12


def test_a_run_that_stops_early_is_drawn_as_far_as_it_goes() -> None:
    right = record(MOONS)
    short = {name: array if name.startswith("local/") else array[:5] for name, array in right.items()}
    assert len(steps.difference(short, right, "")[0]) == 5
    at, worst = steps.difference(short, right, "local/")
    assert (at == right["observed_steps"] + 1).all()
    assert not worst.any()


def test_shows_hostile_text_as_text(shown: Page, html: str) -> None:
    assert HOSTILE.partition("<img")[0] in shown.text
    assert "alert('gone')</script>" not in html
    assert "img" not in {tag for tag, _ in shown.elements}
    assert sum(tag == "script" for tag, _ in shown.elements) == 2  # what is packed, and the page's own


def test_links_lead_somewhere(shown: Page) -> None:
    ids = shown.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in shown.values("href") if value.startswith("#")} <= set(ids)
    assert sorted(shown.values("data-chart")) == sorted(shown.specs)
    assert shown.library == page.vega()


def test_the_scripts_are_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = iter(["vegaEmbed('ü')", "another"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(page, "_bundle", lambda: next(scripts))
    assert [page.vega() for _ in range(3)] == ["vegaEmbed('ü')"] * 3
    monkeypatch.setattr(metadata, "version", lambda _: "another version")
    assert page.vega() == "another"


def test_where_the_scripts_cannot_be_kept_they_are_made_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(page, "_bundle", lambda: "vegaEmbed()")
    assert page.vega() == page.vega() == "vegaEmbed()"


def test_every_chart_renders(shown: Page) -> None:
    assert len(shown.specs) >= 4 * 3 + 5
    for name, spec in shown.specs.items():
        alt.Chart.from_dict(spec, validate=True)
        assert "<svg" in vl_convert.vegalite_to_svg(spec), name


def test_single_steps_have_a_chart_of_their_own(shown: Page) -> None:
    """Its steps lead one further, and broken parameters break it later by as much."""
    for name, first, broken in (("difference", 0, 7), ("single", 1, 8)):
        spec = shown.specs[f"{name}-{VALLEY}"]
        (found,) = [series for series in data(spec) if series.get("label") == ["keras"]]
        assert found["x"][0] == first
        assert found["x"][found["y"].index(None)] == broken


def test_every_chart_has_a_table(shown: Page) -> None:
    charts_shown = sum(attributes.get("class") == "chart" for _, attributes in shown.elements)
    tables = sum(attributes.get("class") == "table" for _, attributes in shown.elements)
    assert charts_shown == tables == len(shown.specs)


def test_says_what_is_not_finite_and_what_is_identical(shown: Page) -> None:
    epochs = TASKS[MOONS].stopping.max_epochs
    assert f"Keras: {epochs - 7} of {epochs} values are not finite, the first at 8." in shown.text
    observed = len(record(MOONS)["observed_steps"])
    assert f"Keras: {observed - 7} of {observed} values are not finite, the first at 7." in shown.text
    last = record(MOONS)["observed_steps"][-1]
    assert f"; scikit-learn is NumPy to the last bit for all {last} steps; Keras leaves the" in shown.text
    assert "PyTorch is NumPy to the last bit" not in shown.text
    assert f"PyTorch and doubtful stay within 6 ulp of NumPy for all {last} steps; scikit" in shown.text


def test_works_without_the_tasks(run: tuple[Result, Path]) -> None:
    shown = rewritten(run, run[1], tasks={})
    assert f"loss-{MOONS}" in shown.specs
    assert f"trajectory-{VALLEY}" not in shown.specs
    assert MOONS in shown.text


def test_works_without_any_trace_or_time(tmp_path: Path) -> None:
    only = result([cell(MOONS, "numpy", "failed", reason="no luck")])
    shown = rewritten((only, tmp_path), tmp_path)
    assert not shown.specs
    assert "Nothing was timed" in shown.text


def test_finds_the_reference_in_the_row_of_its_own_dtype(run: tuple[Result, Path]) -> None:
    mixed = [
        found if found.backend == "numpy" else msgspec.structs.replace(found, dtype="float32")
        for found in run[0].cells
    ]
    shown = rewritten((result(mixed), run[1]), run[1])
    assert f"difference-{VALLEY}-dtype-float32" in shown.specs
    assert f"python -m harness run -t {VALLEY} -b torch --dtype float32" in shown.text
    assert f"single-{VALLEY}-dtype-float32" in shown.specs


@pytest.mark.parametrize("name", ["param/w", "predict_grid"])
def test_leaves_out_what_has_the_wrong_shape(name: str, tmp_path: Path) -> None:
    task = VALLEY if name == "param/w" else MOONS
    wrong = list(cells(tmp_path, task))
    arrays = trace.load(tmp_path / f"{task}.torch.npz")
    trace.save(tmp_path / f"{task}.torch.npz", arrays | {name: arrays[name][..., None]})
    shown = rewritten((result(wrong), tmp_path), tmp_path)
    count = len(arrays["observed_steps"])
    is_told = f"PyTorch: {count} of {count} values are not finite, the first at 0." in shown.text
    assert is_told == (name == "param/w")


def test_thinning_keeps_ends_extremes_and_the_first_break() -> None:
    y = np.random.default_rng(0).normal(size=10_000)
    y[[1234, 5678]] = 100, -100
    y[[4000, 9000]] = np.nan
    kept = charts.thin(y)
    assert len(kept) <= charts.POINTS <= 500
    assert {0, 1234, 4000, 5678, 9999} <= set(kept)
    assert (np.diff(kept) > 0).all()


def test_curves_are_thinned(shown: Page) -> None:
    for spec in shown.specs.values():
        for series in data(spec):
            assert len(series.get("x", ())) <= 500


@pytest.mark.parametrize(("values", "kind"), [([1.0, 20.0], "log"), ([1.0, 2.0], None), ([0.0, 20.0], None)])
def test_only_positive_curves_that_span_decades_are_logarithmic(
    values: list[float], kind: str | None
) -> None:
    series = {"numpy": (np.arange(2), np.array(values))}
    chart = charts.curves("c", "C", series, charts.Palette(["numpy"]), x_title="x", y_title="y")
    assert line(chart.spec)["encoding"]["y"]["scale"].get("type") == kind


def test_no_difference_has_a_place_on_the_logarithmic_axis() -> None:
    series = {"torch": (np.arange(3), np.array([0.0, 1e-30, 1e-3]))}
    band = (np.arange(3), np.full(3, 1e-14), np.array([1e-13, 1e-12, np.inf]))
    chart = charts.differences("c", "C", series, charts.Palette(["torch"]), tolerances=band, eps=2**-52)
    low, high = chart.spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    shown = next(series["y"] for series in data(chart.spec) if "label" in series)
    assert low < min(shown) < 2**-52 < max(shown) < high
    bounds = next(series for series in data(chart.spec) if "low" in series)
    assert bounds["y"] == [1e-13, 1e-12, high]  # where anything agrees, the band goes up to the edge
    assert chart.rows[0] == ["0", "0", "1e-14", "1e-13"]  # the table has the numbers themselves


def test_series_that_look_the_same_are_stored_once_and_drawn_in_order() -> None:
    same, other = (np.arange(2), np.array([1.0, 2.0])), (np.arange(2), np.array([1.0, 3.0]))
    series = {"a": same, "b": same, "c": other, "d": same}
    chart = charts.curves("c", "C", series, charts.Palette(list(series)), x_title="x", y_title="y")
    assert [found["label"] for found in data(chart.spec)] == [["a", "b"], ["c"], ["d"]]
    assert chart.head == ["x", "a", "b", "c", "d"]


def test_a_label_looks_the_same_in_every_chart() -> None:
    palette = charts.Palette(["numpy", "sklearn", "torch"])
    alone, together = (palette.marks(labels)["color"] for labels in (["torch"], palette.labels))
    assert alone["scale"]["range"] == together["scale"]["range"][2:]


def test_regions_show_classes_and_differences() -> None:
    task = TASKS[MOONS]
    assert task.data is not None
    left = (trace.grid(task)[:, 0] < 0).astype(float)
    same = regions.regions({"numpy": left, "torch": left}, task)
    other = regions.regions({"numpy": left, "torch": left + 1e-9}, task)
    broken = regions.regions({"numpy": left, "torch": np.full_like(left, np.nan)}, task)
    assert [panel.title for panel in same.panels[:2]] == ["numpy", "torch"]
    assert same.panels[0].image == same.panels[1].image
    assert "identical" in same.panels[2].note
    assert "at most 1.0e-09" in other.panels[2].note
    assert "not finite" in broken.panels[1].note
    assert "not finite" in broken.panels[2].note
    assert sum(path.count("M") for path in same.classes) == task.data.rows


@pytest.mark.parametrize("name", ["Optimizer", "Perceptron", "Function", "Network", "Schedule"])
def test_lists_each_class_of_every_column_whole(name: str) -> None:
    members = listing.side_by_side(name, list(COLUMNS))
    assert list(members)[:2] == ["class", "__init__"]
    for column in COLUMNS:
        assert f"class {name}" in members["class"][column].striptags()
        assert "def __init__" in members["__init__"][column].striptags()


def test_lists_nothing_of_an_unknown_column() -> None:
    assert listing.side_by_side("Network", ["nowhere"]) == {}
    assert listing.files("loss.py", ["nowhere"]) == {"loss.py": {}}


def test_lists_the_losses_of_every_column() -> None:
    found = listing.files("loss.py", list(COLUMNS))["loss.py"]
    assert list(found) == list(COLUMNS)
    assert "def losses" in found["numpy"].striptags()


# ------------------------------------------------------------------------------------- concepts


def test_shows_what_is_said_beside_what_was_measured(shown: Page) -> None:
    assert (
        f"First & foremost said {CLAIM} measured {MEASURED} on {SQUARE} , {VALLEY} without left-out, "
        "so that this may say less; samestep run -t tag:one runs all of them" in shown.text
    )
    assert f"Second said Said. measured Measured. on {VALLEY} Every task" in shown.text


def test_counts_the_cells_of_each_concept_what_is_worst_first(shown: Page) -> None:
    head = "concept NumPy scikit-learn Keras PyTorch doubtful TensorFlow jax"
    alike = "{0} agreed 0 {0} diverged not comparable {0} agreed 1e-15 {0} inconclusive 0.5"
    assert (
        f"{head} First & foremost reference {alike.format(2)} 2 not explained 2 crashed 2 missing "
        f"Second reference {alike.format(1)} 1 not explained 1 crashed 1 missing "
        "other tasks reference " in shown.text
    )


def test_what_is_not_explained_comes_first(shown: Page, run: tuple[Result, Path]) -> None:
    told = [f"{task} × tensorflow: crashed" for task in NAMES]
    assert f"✗ 4 of {len(run[0].cells)} cells are not explained {' '.join(told)}" in shown.text
    assert shown.text.index("not explained") < shown.text.index("What is said")
    assert "Nothing is left unexplained" not in shown.text


def test_says_that_nothing_is_left_unexplained(tmp_path: Path) -> None:
    known = cell(MOONS, "keras", "known difference", reason="declared", parity=parity(1e-9))
    shown = rewritten((result([cell(MOONS, "numpy", "agreed"), known]), tmp_path), tmp_path)
    assert "Nothing is left unexplained" in shown.text


def test_groups_the_matrix_by_concept(shown: Page) -> None:
    groups = [
        attributes["data-tasks"]
        for tag, attributes in shown.elements
        if tag == "tr" and attributes.get("class") == "group"
    ]
    assert groups == [f"{PERCEPTRON} {MOONS}", f"{SQUARE} {VALLEY}"]


def test_without_concepts_there_is_nothing_of_them(run: tuple[Result, Path]) -> None:
    shown = rewritten((msgspec.structs.replace(run[0], concepts=[]), run[1]), run[1])
    assert "What is said" not in shown.text
    assert "other tasks" not in shown.text


# ------------------------------------------------------------------------ captions and pictures

EPS = 2.0**-52
STEPS = np.arange(4)


def flat(value: float) -> tuple[Array, Array]:
    return STEPS, np.full(4, value)


def told(series: dict[str, tuple[Array, Array]], tolerance: float = 1e-12) -> str:
    return captions.differences(series, flat(tolerance), EPS, "NumPy")


def test_caption_of_differences_groups_backends_by_how_near_they_stay() -> None:
    near = {"keras": flat(2.5 * EPS), "torch": flat(3 * EPS)}
    assert told(near) == "Keras and PyTorch stay within 3 ulp of NumPy for all 3 steps."
    far = {"keras": flat(2 * EPS), "torch": flat(3 * EPS), "mine": flat(0.0)}
    assert told(far) == (
        "Keras and PyTorch stay within 3 ulp of NumPy for all 3 steps (Keras 2, PyTorch 3); "
        "mine is NumPy to the last bit for all 3 steps."
    )
    assert told({"torch": flat(1e-9)}, 1.0) == "PyTorch stays within 1.0e-09 of NumPy for all 3 steps."
    one = (np.array([1]), np.zeros(1))
    assert told({"sklearn": one}) == "scikit-learn is NumPy to the last bit in the one step."


def test_caption_of_differences_says_where_a_backend_leaves_the_tolerance() -> None:
    off = (STEPS, np.array([0.0, 0.0, 0.25, np.nan]))
    assert told({"torch": off}) == "PyTorch leaves the tolerance at step 2, by 2.5e-01 of the largest value."
    broken = (STEPS, np.array([0.0, np.nan, 0.25, np.nan]))
    assert told({"torch": broken}) == "PyTorch leaves the tolerance at step 1, by more than can be told."
    assert told({"torch": (STEPS[:0], np.zeros(0))}) == "No step can be compared."


def test_caption_of_curves_says_from_where_to_where_they_go() -> None:
    down, up = (STEPS + 1, np.linspace(2, 0.5, 4)), (STEPS + 1, np.array([1.0, 2.0, np.nan, 5.0]))
    never = (STEPS + 1, np.full(4, np.inf))
    same = captions.curves({"numpy": down, "torch": down}, "epoch", "loss")
    assert same == "On every backend the loss goes from 2 to 0.5 in 4 epochs; the curves coincide."
    other = captions.curves({"numpy": down, "torch": never, "keras": down}, "step", "w")
    first, second = "On NumPy and Keras w goes from 2 to 0.5 in 4 steps", "w is not finite from the start"
    assert other == f"{first}; on PyTorch {second}."
    assert (
        captions.curves({"numpy": up}, "epoch", "loss") == "On NumPy the loss goes from 1 to 5 in 4 epochs."
    )
    short = {"numpy": (STEPS[:2] + 1, np.array([9.0, np.nan]))}
    words = "On NumPy mistakes go from 9 to 9 in 1 epoch, and are not finite then."
    assert captions.curves(short, "epoch", "mistakes") == words


def test_captions_of_paths_fits_ratios_bars_and_growth() -> None:
    path = np.linspace([3.0, 4.0], [0.0, 0.0], 6)
    same = captions.paths({"numpy": path, "torch": path.copy()}, np.zeros(2))
    assert same == "NumPy and PyTorch take the same path in 5 steps from 5 away from the minimum to 0."
    other = captions.paths({"numpy": path, "torch": path + 1, "mine": path}, np.zeros(2))
    assert other.endswith("; PyTorch elsewhere.") and other.startswith("NumPy and mine take")
    assert captions.fit({"numpy": flat(1.0), "torch": flat(1.0)}) == "NumPy and PyTorch predict the same."
    assert captions.fit({"numpy": flat(1.0), "torch": flat(2.0)}) == "Different predictions: NumPy; PyTorch."
    ratios = captions.ratios([("torch", 28.0), ("keras", 0.5), ("torch", 1003.0)])
    assert ratios == "Times the reference's: Keras 0.5 ×, PyTorch 28–1,000 ×."
    assert captions.ratios([]) == "Only the reference was timed."
    parts = {"torch": {"start": 1.0, "import": 3.0}, "numpy": {"start": 0.5, "import": 0.25}}
    most = "PyTorch has the most, 4 seconds, 3 of it import; NumPy the least, 0.75."
    assert captions.bars(parts, "seconds") == most
    times = {"numpy": (np.array([10, 100]), np.array([1.0, 30.0])), "torch": (np.array([10]), np.ones(1))}
    assert captions.growth(times, "units") == "From 10 to 100 units: NumPy 30 ×."
    assert captions.growth({"torch": times["torch"]}, "units") == "Too few points to tell how it grows."


def numbers(picture: str) -> list[list[float]]:
    """Of each path with a colour, the places that it goes through."""
    paths = re.findall(r'd="(M[^"]+)" stroke=', picture)
    return [[float(number) for number in re.findall(r"-?[\d.]+", path)] for path in paths]


def test_every_chart_has_a_picture_that_can_be_read_without_scripts(html: str, shown: Page) -> None:
    found = re.findall(r'<svg class="picture".*?</svg>', html, re.DOTALL)
    assert len(found) == len(shown.specs)
    for picture in found:
        ((width, height),) = re.findall(r'viewBox="0 0 (\d+) (\d+)" role="img" aria-label="[^"]+', picture)
        for path in numbers(picture):
            assert all(-12 <= number <= float(width) + 12 for number in path[::2])
        texts = re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="(\w+)">([^<]*)<', picture)
        assert len(texts) >= 4
        for x, y, anchor, words in texts:
            reach = 7 * len(words) / (2 if anchor == "middle" else 1)  # in a wide font
            assert anchor == "start" or int(x) >= reach, words
            assert anchor == "end" or int(x) + reach <= float(width), words
            assert 0 < int(y) <= float(height)


def test_pictures_draw_the_numbers_and_name_their_colours() -> None:
    broken = (STEPS, np.array([0.0, np.nan, 2.0, 4.0]))
    series = {"numpy": flat(1.0), "torch": flat(1.0), "keras": broken}
    x, y = pictures.Axis("a", 0.0, 3.0), pictures.Axis("<b>", 0.0, 4.0)
    looks = {"numpy": ("#111111", 6.0), "torch": ("#222222", 3.0), "keras": ("#333333", 2.0)}
    picture = pictures.lines("T & U", series, x, y, looks)
    same, gap = numbers(picture)  # what coincides is drawn once
    across = [round(pictures.LEFT + i * (pictures.RIGHT - pictures.LEFT) / 3) for i in range(4)]
    quarter = (pictures.BOTTOM - pictures.TOP) / 4
    assert same == [place for right in across for place in (right, pictures.BOTTOM - quarter)]
    assert gap == [
        across[0],
        pictures.BOTTOM,
        across[2],
        pictures.BOTTOM - 2 * quarter,
        across[3],
        pictures.TOP,
    ]
    assert re.findall(r'#(\d+)"></i>([^<]*)', picture) == [("111111", "NumPy, PyTorch"), ("333333", "Keras")]
    assert 'aria-label="T &amp; U"' in picture
    assert "&lt;b&gt;" in picture and "<b>" not in picture


def test_pictures_of_rows_have_bars_and_intervals() -> None:
    bar = [(0.0, np.nan, 1.0, "#111111"), (1.0, np.nan, 4.0, "#222222")]
    intervals = [(0.0, 2.0, 4.0, "#333333"), (1.0, 1.0, 1.0, "#444444")]
    axis, key = pictures.Axis("s", 0.0, 4.0), [("first", "#111111")]
    picture = pictures.rows("T", ["one", "two"], [bar, intervals], axis, key)
    lines = re.findall(r'd="M(\d+) (\d+)H(\d+)" stroke="#(\d)', picture)
    assert lines[:2] == [("0", "20", "93", "1"), ("93", "20", "372", "2")]  # beside each other
    assert lines[2:] == [("0", "44", "372", "3"), ("93", "52", "93", "4")]  # below each other
    assert re.findall(r'circle cx="(\d+)" cy="(\d+)"', picture) == [("186", "44"), ("93", "52")]
    assert 'background:#111111"></i>first' in picture


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (0.19312, "0.193"), (1585.6, "1,586"), (1.39e-17, "1.4e-17"), (-5.43e304, "-5.4e+304")],
)
def test_numbers_beside_a_picture_are_short(value: float, words: str) -> None:
    assert pictures._short(value) == words


@pytest.mark.parametrize(
    ("low", "high", "middle", "kind"),
    [
        (1.0, 100.0, 10.0, "log"),
        (0.0, 4.0, 1.0, "sqrt"),
        (-9.0, 9.0, 0.0, "symlog"),
        (2.0, 4.0, 3.0, "linear"),
    ],
)
def test_axes_of_pictures_are_scaled_as_those_of_charts(
    low: float, high: float, middle: float, kind: str
) -> None:
    assert pictures.Axis("", low, high, kind).places(np.array(middle)) == pytest.approx(0.5)


def test_labels_of_an_axis_are_few_powers_of_ten() -> None:
    assert charts._powers(1.4e-17, 2e-12) == [1e-16, 1e-15, 1e-14, 1e-13, 1e-12]
    many = charts._powers(1e-17, 1e3)
    assert 3 < len(many) <= charts.LABELS
    assert np.ptp(np.diff(np.log10(many))) < 1e-9


@pytest.mark.parametrize(
    ("value", "other", "words"),
    [
        (4.683772234141, 4.683772234983, "4.68377223414"),
        (0.25, 0.25, "0.25"),
        (0.1, 0.5, "0.1"),
        (None, 0.25, "not finite"),
        (1 + 2**-52, 1.0, "1.0000000000000002"),
    ],
)
def test_numbers_that_differ_have_the_digits_that_tell_them_apart(
    value: float | None, other: float | None, words: str
) -> None:
    assert page._apart(value, other) == words


# --------------------------------------------------------------------------- every kind of task

KINDS = {
    "diverges at a curve": "rate-diverges",
    "diverges in a network": "rate-moons-diverges",
    "valley": "rosenbrock-adam",
    "three classes, four features": "iris",
    "hinge": "loss-hinge",
    "regression of one feature": "outliers-huber",
    "early stopping": "overfit-early-stopping",
    "plateau": "schedule-plateau",
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A page of the reference beside itself, with tasks of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    found = []
    for name in KINDS.values():
        arrays = record(name)
        trace.save(folder / f"{name}.npz", arrays)
        results = metrics(TASKS[name], arrays)
        steps = {"steps": len(arrays["loss"]), "epochs": len(arrays["epoch_loss"])}
        shown = {"parity": parity(0.0), "trace": f"{name}.npz", "metrics": results, **steps}
        found += [cell(name, backend, "agreed", **shown) for backend in ("numpy", "torch")]
    return rewritten((result(found), folder), folder)


def test_charts_of_every_kind_of_task_render(kinds: Page) -> None:
    for name, spec in kinds.specs.items():
        alt.Chart.from_dict(spec, validate=True)
        drawing = vl_convert.vegalite_to_svg(spec)
        assert "NaN" not in drawing and "Infinity" not in drawing, name
    ids = set(kinds.values("id"))
    assert {f"loss-of-{name}" for name in KINDS.values()} <= ids
    assert {f"boundary-{name}" for name in KINDS.values()} & ids == {
        f"boundary-{KINDS[kind]}" for kind in ("hinge", "early stopping", "plateau")
    }
    for name in ("validation-overfit-early-stopping", "fit-outliers-huber", "trajectory-rosenbrock-adam"):
        assert name in kinds.specs


def test_tells_what_every_kind_of_training_came_to(kinds: Page) -> None:
    """A task, its epochs and steps, its losses, its accuracies or R², and how it ended."""
    assert "rate-diverges 77 77 25 → " in kinds.text
    assert "loss no longer finite after 77 steps" in kinds.text
    best = int(record(KINDS["early stopping"])["best_epoch"][0])
    assert f"best epoch {best}" in kinds.text
    assert f"best epoch {best}, whose parameters the training ends with" in kinds.text
    assert re.search(r"R² 0\.\d+ on the training rows, 0\.\d+ on the test rows", kinds.text)
    assert re.search(r"NumPy said 0 1 2 is 0 13 0 0 is 1 \d+ \d+ \d+ is 2 \d+ \d+ \d+ PyTorch", kinds.text)


def test_of_many_tasks_only_the_default_and_own_ones_are_drawn() -> None:
    few = [cell(name, "numpy", "agreed") for name in list(TASKS)[: page.DRAWN]]
    assert page._drawn(result(few)) == set(list(TASKS)[: page.DRAWN])
    every = [cell(name, "numpy", "agreed") for name in [*TASKS, "my-own"]]
    default = {name for name, task in TASKS.items() if "default" in task.tags}
    assert page._drawn(result(every)) == default | {"my-own"}
    assert 0 < len(default) < len(TASKS) / 2


def test_a_task_that_is_not_drawn_is_told_all_the_same(
    run: tuple[Result, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_drawn", lambda _: {MOONS})
    shown = rewritten(run, run[1])
    assert f"difference-{MOONS}" in shown.specs
    assert not [name for name in shown.specs if VALLEY in name]
    assert f"this one is by samestep run -t {VALLEY} ." in shown.text
    assert f"this one is by samestep run -t {MOONS} ." not in shown.text
    assert f"parity-{VALLEY}" in shown.values("id")


def test_regions_of_several_classes_have_a_colour_each() -> None:
    task = TASKS[MOONS]
    model = Network((2,), loss=CategoricalCrossEntropy(3))
    assert task.data is not None
    start = {name: np.zeros(shape) for name, shape in model.shapes(2).items()}
    three = replace(task, model=model, start=start, data=replace(task.data, y_train=np.arange(140) % 3))
    scores = np.eye(3)[np.arange(trace.GRID**2) % 3]  # (P, 3)
    found = regions.regions({"numpy": scores, "torch": np.roll(scores, 1, axis=1)}, three)
    assert found.panels[0].note == "of the plane, class 0: 33.3%, class 1: 33.3%, class 2: 33.3%"
    assert found.panels[0].image != found.panels[1].image
    assert "at most 1.0e+00" in found.panels[2].note
    assert [path.count("M") for path in found.classes] == [47, 47, 46]
    broken = regions.regions({"numpy": np.where(scores == 0, np.nan, scores)}, three)
    assert "3600 of 3600 scores are not finite" in broken.panels[0].note


def test_regions_of_margins_and_of_values() -> None:
    task = TASKS["loss-hinge"]
    margins = np.where(trace.grid(task)[:, 0] < 0, -5.0, 0.5)
    (margin,) = regions.regions({"numpy": margins}, task).panels
    assert margin.note == f"class 1 on {np.mean(margins > 0):.1%} of the plane"
    assert isinstance(task.model, Network)
    values = replace(task, model=replace(task.model, loss=SquaredError()))
    found = regions.regions({"numpy": margins}, values)
    assert found.panels[0].note == "from -5 to 0.5"
    assert len(found.classes) == 1


def test_level_lines_are_lines_on_which_the_function_is_constant() -> None:
    angle = np.linspace(0, 6, 50)
    circle = 3.0 * np.column_stack([np.cos(angle), np.sin(angle)])
    for name in ("rosenbrock-adam", VALLEY):
        model = TASKS[name].model
        assert isinstance(model, Function)
        np.testing.assert_allclose(model.values(charts._from_circle(model, circle)), 9.0, rtol=1e-12)


def test_a_valley_that_is_not_steep_has_no_level_lines() -> None:
    for line in charts._level_lines(Rosenbrock(0.0), 1.0):
        assert sum(y is not None for y in line["y"]) <= 1


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.0, -99.0, 9801.0, -1e152, 1e154], "symlog"),
        ([1e-5, 1.0, 1.7e308], "log"),
        ([0.0, 0.0, 0.5, 1e305], "symlog"),
        ([-1.0, 2.0], None),
    ],
)
def test_huge_numbers_have_a_scale_on_which_they_and_others_can_be_seen(
    values: list[float], kind: str | None
) -> None:
    series = {"numpy": (np.arange(len(values)), np.array(values))}
    chart = charts.curves("c", "C", series, charts.Palette(["numpy"]), x_title="x", y_title="y")
    assert line(chart.spec)["encoding"]["y"]["scale"].get("type") == kind
    drawing = vl_convert.vegalite_to_svg(chart.spec)
    assert "NaN" not in drawing and "Infinity" not in drawing


def test_the_window_of_a_path_that_leads_far_away_is_where_it_began() -> None:
    path = 3.0 * (-2.0) ** np.arange(20)[:, None] * np.ones((1, 2))  # (20, 2)
    model = TASKS[VALLEY].model
    assert isinstance(model, Quadratic)
    chart = charts.trajectories("c", "C", {"numpy": path}, charts.Palette(["numpy"]), model)
    low, high = chart.spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert -20 < low < high < 20
    assert chart.notes == ["NumPy: part of the path is outside the picture or not finite."]
