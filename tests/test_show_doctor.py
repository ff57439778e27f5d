"""What `show` and `doctor` print, and the environment that workers are given."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import backends
from harness import doctor, environment, formulas, result, show, source
from tasks import TASKS, draw
from tasks.spec import (
    AbsoluteError,
    Adagrad,
    Adam,
    Batches,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Constant,
    CosineDecay,
    Dataset,
    ExponentialDecay,
    GradientDescent,
    Hinge,
    Huber,
    LogCosh,
    Momentum,
    Nadam,
    Network,
    Perceptron,
    Plateau,
    Quadratic,
    RMSprop,
    Rosenbrock,
    SquaredError,
    StepDecay,
    Stopping,
    Task,
    WarmUp,
)

ROOT = Path(environment.__file__).parents[1]
FRAMEWORKS = ("sklearn", "tensorflow", "keras", "torch")


def printed(show_it: Callable[[Console], object]) -> str:
    """What a function prints on a console of 80 columns that is no terminal."""
    shown = io.StringIO()
    show_it(Console(file=shown, width=80))
    return shown.getvalue()


def imported_by(code: str) -> set[str]:
    """The frameworks that a fresh process has imported after running the code."""
    report = f"import sys, json; json.dump([m for m in {FRAMEWORKS!r} if m in sys.modules], sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr))


# -------------------------------------------------------------------------------------- source

LISTING = '''\
raise RuntimeError("reading is not running")


@first
@second(
    "argument",
)
class Wanted:
    """An ü in the text."""

    def method(self):
        class Hidden: ...


def function():
    return 1
'''


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "listing.py"
    path.write_text(LISTING, encoding="utf-8")
    return path


def test_a_definition_comes_with_its_decorators_and_line(listing):
    text, file, line = source.definition([listing], "Wanted")
    assert (file, line) == (listing, 4)
    assert text.splitlines() == LISTING.splitlines()[3:12]


def test_a_function_is_a_definition_too(listing):
    empty = listing.with_name("empty.py")
    empty.touch()
    found = source.definition([empty, listing], "function")
    assert found == ("def function():\n    return 1", listing, 15)


@pytest.mark.parametrize("name", ["Absent", "Hidden", "method"])
def test_what_is_not_defined_at_top_level_is_named(listing, name):
    with pytest.raises(LookupError, match=f"listing.py defines no {name}"):
        source.definition([listing], name)


# ---------------------------------------------------------------------------------------- show


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_part_of_every_task_is_described(task):
    parts = formulas.describe(task)
    assert list(parts) == ["model", "loss", "optimizer", "rate", "data", "batches", "stopping", "start"]
    assert all(line.strip() for lines in parts.values() for line in lines)
    assert all(lines for lines in parts.values())


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_number_of_the_rules_is_filled_in(task):
    parts = formulas.describe(task)
    text = " ".join(line for part in ("optimizer", "rate", "stopping") for line in parts[part])
    specs = [task.optimizer, task.schedule] + ([task.stopping] if task.stopping.tolerance else [])
    for spec in specs:
        for field in fields(spec):
            value = getattr(spec, field.name)
            assert isinstance(value, bool) or value == 0 or f"{value:g}" in text, f"{field.name}: {text}"


def described(optimizer=GradientDescent(0.5), schedule=Constant()) -> dict[str, list[str]]:  # noqa: B008
    """A valley that is descended so."""
    task = Task(
        name="made",
        shows="Made for a test.",
        model=Rosenbrock(50.0),
        start={"w": np.zeros(2)},
        optimizer=optimizer,
        schedule=schedule,
        stopping=Stopping(max_epochs=5),
    )
    return formulas.describe(task)


X, Y = np.arange(8.0).reshape(4, 2), np.array([0.0, 1.0, 1.0, 2.0])


def trained(
    model,
    stopping=Stopping(max_epochs=5),  # noqa: B008
    schedule=Constant(),  # noqa: B008
    **data,
) -> dict[str, list[str]]:
    """A network on four rows, described."""
    labels = Y if model.loss.classes != 2 else Y > 0
    rows = Dataset(X, labels, **data)
    task = Task(
        name="made",
        shows="Made for a test.",
        model=model,
        data=rows,
        start={name: np.zeros(shape) for name, shape in model.shapes(2).items()},
        optimizer=GradientDescent(0.5),
        schedule=schedule,
        batches=Batches(4, draw.InOrder()),
        stopping=stopping,
    )
    return formulas.describe(task)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (GradientDescent(0.5), ["w ← w − 0.5·g"]),
        (Momentum(0.5, 0.8), ["v ← 0.8·v − 0.5·g", "w ← w + v"]),
        (RMSprop(0.5, 0.75, 1e-6), ["s ← 0.75·s + 0.25·g²", "w ← w − 0.5·g/(√s + 1e-06)"]),
        (
            RMSprop(0.5, 0.75, 1e-6, epsilon_inside_root=True),
            ["s ← 0.75·s + 0.25·g²", "w ← w − 0.5·g/√(s + 1e-06)"],
        ),
        (
            Adam(0.5, 0.75, 0.875, 1e-6),
            [
                "m ← 0.75·m + 0.25·g",
                "v ← 0.875·v + 0.125·g²",
                "m̂ = m/(1 − 0.75ᵗ), v̂ = v/(1 − 0.875ᵗ)",
                "w ← w − 0.5·m̂/(√v̂ + 1e-06)",
                "in step t = 1, 2, …",
            ],
        ),
        (
            Adam(0.5, 0.75, 0.875, 1e-6, epsilon_hat=True),
            [
                "m ← 0.75·m + 0.25·g",
                "v ← 0.875·v + 0.125·g²",
                "w ← w − 0.5·√(1 − 0.875ᵗ)/(1 − 0.75ᵗ)·m/(√v + 1e-06)",
                "in step t = 1, 2, …",
            ],
        ),
        (Momentum(0.5, 0.8, nesterov=True), ["v ← 0.8·v − 0.5·g", "w ← w + 0.8·v − 0.5·g"]),
        (Adagrad(0.5, 1e-6), ["s ← s + g²", "w ← w − 0.5·g/(√s + 1e-06)"]),
        (
            Adam(0.5, 0.75, 0.875, 1e-6, weight_decay=0.01, amsgrad=True),
            [
                "m ← 0.75·m + 0.25·g",
                "v ← 0.875·v + 0.125·g²",
                "u ← max(u, v)",
                "w ← w − 0.5·0.01·w",
                "m̂ = m/(1 − 0.75ᵗ), v̂ = u/(1 − 0.875ᵗ)",
                "w ← w − 0.5·m̂/(√v̂ + 1e-06)",
                "in step t = 1, 2, …",
            ],
        ),
        (
            Nadam(0.5, 0.75, 0.875, 1e-6),
            [
                "m ← 0.75·m + 0.25·g",
                "v ← 0.875·v + 0.125·g²",
                "μₜ = 0.75·(1 − ½·0.96ᵗ)",
                "ĝ = (1 − μₜ)/(1 − μ₁…μₜ)·g + μₜ₊₁/(1 − μ₁…μₜ₊₁)·m",
                "w ← w − 0.5·ĝ/(√(v/(1 − 0.875ᵗ)) + 1e-06)",
                "in step t = 1, 2, …",
            ],
        ),
    ],
    ids=lambda value: repr(value) if not isinstance(value, list) else "",
)
def test_optimizers_as_formulas(optimizer, expected):
    assert described(optimizer)["optimizer"] == expected


T = "where t updates have been made before"


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(), ["rate = 0.5, constant"]),
        (StepDecay(20, 0.1), ["rate = 0.5·0.1^⌊t/20⌋", T]),
        (ExponentialDecay(0.9), ["rate = 0.5·0.9ᵗ", T]),
        (CosineDecay(20, 0.1), ["rate = 0.5·(0.1 + (1 − 0.1)·½·(1 + cos(π·min(t, 20)/20)))", T]),
        (WarmUp(20), ["rate = 0.5·min(1, (t + 1)/20)", T]),
    ],
    ids=lambda value: repr(value) if not isinstance(value, list) else "",
)
def test_schedules_as_formulas(schedule, expected):
    assert described(schedule=schedule)["rate"] == expected


def test_where_the_rate_changes_the_optimizer_has_no_number_for_it():
    assert described(schedule=WarmUp(20))["optimizer"] == ["w ← w − rate·g"]
    assert described(Momentum(0.5), WarmUp(20))["optimizer"] == ["v ← 0.9·v − rate·g", "w ← w + v"]


def test_a_plateau_in_words():
    first, then = trained(Network((2,)), schedule=Plateau(0.2, patience=3))["rate"]
    assert first == "rate = 0.5 at first"
    assert then.startswith("rate ← 0.2·rate after more than 3 epochs in a row whose loss is not below")


@pytest.mark.parametrize(
    ("loss", "row", "output"),
    [
        (
            BinaryCrossEntropy(),
            ["−y·log p − (1 − y)·log(1 − p)"],
            "p = 1/(1 + e⁻ᶻ), the probability of class 1",
        ),
        (
            BinaryCrossEntropy(0.1),
            ["−y·log p − (1 − y)·log(1 − p)", "y is smoothed to (1 − 0.1)·y + 0.1/2"],
            "p = 1/(1 + e⁻ᶻ), the probability of class 1",
        ),
        (
            CategoricalCrossEntropy(3, 0.1),
            ["−Σ y·log p, with y one-hot", "y is smoothed to (1 − 0.1)·y + 0.1/3"],
            "p = softmax(z) = eᶻ/Σ eᶻ, the probabilities of the 3 classes",
        ),
        (
            Hinge(),
            [
                "max(0, 1 − y·z), with y = −1 for class 0 and +1 for class 1",
                "its derivative at the kink is 0",
            ],
            "class 1 where z > 0, else class 0",
        ),
        (SquaredError(), ["½·(z − y)²"], "z is the value that is predicted"),
        (AbsoluteError(), ["|z − y|", "its derivative at 0 is 0"], "z is the value that is predicted"),
        (
            Huber(2.0),
            ["½·e² where |e| ≤ 2, else 2·(|e| − ½·2), with e = z − y"],
            "z is the value that is predicted",
        ),
        (LogCosh(), ["log cosh(z − y)"], "z is the value that is predicted"),
    ],
    ids=lambda value: repr(value) if hasattr(value, "words") else "",
)
def test_losses_as_formulas(loss, row, output):
    parts = trained(Network((2,), loss=loss))
    assert parts["loss"] == [f"mean over the batch of {row[0]}", *row[1:]]
    assert parts["model"][-1] == output


@pytest.mark.parametrize("activation", Network.ACTIVATIONS)
def test_every_activation_has_a_formula(activation):
    (formula,) = (line for line in trained(Network((2,), activation))["model"] if "(z) = " in line)
    assert formula.startswith(f"{activation}(z) = ")


def test_penalties_weights_dropout_and_constraint_as_formulas():
    kept = np.array([[1, 0], [1, 1], [1, 1], [1, 1]])
    parts = trained(
        Network((2,), l2=0.5, l1=0.25, max_norm=3.0, dropout=0.2), weights=[1, 2, 3, 4], kept=kept
    )
    assert parts["loss"] == [
        "mean over the batch, by the rows' weights v: Σ v·loss/Σ v, of −y·log p − (1 − y)·log(1 − p)",
        "+ ½·0.5·Σ‖wᵢ‖²/N + 0.25·Σ|wᵢ|/N, with the N rows of the batch; biases are not penalised",
    ]
    dropped = "a hidden unit is 0 in the rows that do not keep it, and divided by 1 − 0.2 in the others"
    assert f"in training, {dropped}" in parts["model"]
    assert parts["optimizer"][-1] == "then, of a unit whose incoming weights have ‖w‖ > 3: w ← 3·w/‖w‖"
    assert parts["data"] == [
        "training rows: 4, test rows: 0, features: 2",
        "training rows of class 0: 1, 1: 3",
        "weights of the training rows: 1 to 4",
        "hidden units that a row keeps: 87.5% on average",
    ]


def test_validation_in_words():
    rule = Stopping(50, tolerance=0.0, patience=3, on_validation=True)
    parts = trained(Network((2,), loss=SquaredError()), rule, x_validation=X[:3], y_validation=Y[:3])
    assert parts["data"][1:] == ["targets: 0 to 2", "validation rows: 3"]
    assert parts["stopping"] == [
        "after 50 epochs, or when more than 3 in a row do not reach the best loss",
        "that loss is the validation rows', after the epoch",
        "training ends with the parameters of the epoch in which it was lowest",
    ]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            Perceptron("averaged"),
            "predicts with the mean of w and b over all steps, each taken after its update",
        ),
        (
            Perceptron("pocket"),
            "predicts with the w and b that made the fewest mistakes on all training rows",
        ),
        (Rosenbrock(50.0), "f(w) = (1 − w₁)² + 50·(w₂ − w₁²)²"),
        (Quadratic(np.diag([1.0, 3.0]), np.zeros(2)), "H = [1, 0; 0, 3]"),
    ],
    ids=["averaged", "pocket", "rosenbrock", "quadratic"],
)
def test_models_as_formulas(model, expected):
    assert expected in formulas._model(model)


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        ("quadratic-ill-conditioned-gd", "model", "H = [1, 0; 0, 100]"),
        ("quadratic-ill-conditioned-gd", "model", "m = [1, -1]"),
        ("quadratic-gd", "data", "none"),
        ("quadratic-gd", "stopping", "after 20 epochs"),
        ("perceptron-and", "model", "ŷ = 1 where x·w + b ≥ 0, else 0"),
        ("moons-overfit", "model", "h₂ = relu(h₁·w₂ + b₂)"),
        ("moons-overfit", "model", "z = h₂·w₃ + b₃"),
        (
            "moons-overfit",
            "loss",
            "+ ½·0.0001·Σ‖wᵢ‖²/N, with the N rows of the batch; biases are not penalised",
        ),
        ("moons-overfit", "start", "numbers in all: 10501"),
        (
            "moons-overfit",
            "stopping",
            "after 2000 epochs, or when more than 10 in a row do not lower the best loss by 0.0001",
        ),
        ("moons-mini-batch", "data", "training rows: 140, test rows: 60, features: 2"),
        ("moons-mini-batch", "batches", "rows per step: 32, steps per epoch: 5, rows in the last: 12"),
        ("moons-mini-batch", "batches", "Shuffled(seed=1): A fresh permutation of the rows for every epoch."),
        ("moons-mini-batch", "start", "w1 (2, 10), b1 (10,), w2 (10, 1), b2 (1,)"),
        ("moons-full-batch", "batches", "rows per step: 140, steps per epoch: 1"),
    ],
)
def test_parts_in_words(name, part, expected):
    assert expected in formulas.describe(TASKS[name])[part]


def test_no_penalty_is_not_mentioned():
    assert len(formulas.describe(TASKS["moons-mini-batch"])["loss"]) == 1


def test_a_network_without_hidden_layers_has_only_its_output():
    task = TASKS["moons-mini-batch"]
    start = {"w1": np.zeros((2, 1)), "b1": np.zeros(1)}
    plain = Task(
        name="plain",
        shows="Logistic regression.",
        model=Network(()),
        data=task.data,
        start=start,
        optimizer=task.optimizer,
        batches=task.batches,
        stopping=task.stopping,
    )
    assert formulas.describe(plain)["model"][0] == "z = x·w₁ + b₁"


@pytest.mark.parametrize("column", backends.COLUMNS.values(), ids=backends.COLUMNS)
@pytest.mark.parametrize("name", ["perceptron-and", "quadratic-gd", "moons-overfit"])
def test_show_prints_the_code_of_a_column_whole(column, name):
    task = TASKS[name]
    text = printed(lambda console: show.print_task(task, [column.name], console))
    assert task.shows in " ".join(text.split())
    for kind in ("Optimizer", task.model.program):
        code, file, line = source.definition(column.files, kind)
        assert f"{file.relative_to(ROOT)}:{line}\n{code}\n" in text
    has_losses = name == "moons-overfit"
    assert (f"backends/{column.name}/loss.py: losses and activations" in text) == has_losses


def test_show_tells_what_a_column_declares():
    task = TASKS["quadratic-rmsprop"]
    text = printed(lambda console: show.print_task(task, ["keras"], console))
    limit = backends.COLUMNS["keras"].limit(task)
    assert limit
    assert f"{limit.status}: {limit.reason}" in " ".join(text.split())


def test_show_prints_the_schedule_where_the_rate_changes():
    text = {}
    for schedule in (Constant(), WarmUp(20)):
        task = replace(TASKS["quadratic-gd"], schedule=schedule)
        text[schedule] = printed(lambda console, task=task: show.print_task(task, ["numpy"], console))
    assert "class Schedule" in text[WarmUp(20)]
    assert "class Schedule" not in text[Constant()]


def test_show_names_the_columns_there_are():
    with pytest.raises(LookupError, match="numpy"):
        show.print_task(TASKS["xor"], ["nonsense"], Console())


# -------------------------------------------------------------------------------------- doctor


def diagnosis() -> str:
    return " ".join(printed(doctor.print_doctor).split())


def test_doctor_only_informs():
    assert doctor.print_doctor(Console(file=io.StringIO())) == 0


def test_doctor_lists_machine_and_columns(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    text = diagnosis()
    for fact in ("Python", "processor", "cores", "GB", "OMP_NUM_THREADS=3", "CUDA", *backends.COLUMNS):
        assert fact in text


def test_doctor_names_versions_and_that_all_is_well(monkeypatch):
    monkeypatch.setattr(environment, "versions", lambda modules: dict.fromkeys(modules, "9.8.7"))
    text = diagnosis()
    assert "torch 9.8.7" in text
    assert text.endswith("All is well: every column's packages are installed.")


def test_doctor_says_how_to_install_what_is_missing(monkeypatch):
    present = {
        "numpy": "2.4.6",
        "scipy": "1.17.1",
        "tensorflow": "2.21.0",
        "keras": "3.15.1",
        "sklearn": "1.9.1",
    }
    monkeypatch.setattr(environment, "versions", lambda _: present)
    text = diagnosis()
    assert "torch missing: pip install torch" in text
    assert text.endswith("Not all is well: pip install torch")


QUIET = {
    "doctor": "from harness.doctor import print_doctor; print_doctor(Console())",
    "show": "from harness.show import print_task; print_task(TASKS['xor'], ['keras', 'torch'], Console())",
    "reports": "from harness.report import junit, markdown, progress, terminal, timings",
}


@pytest.mark.parametrize("code", QUIET.values(), ids=QUIET)
def test_no_framework_is_imported(code):
    assert imported_by(f"from rich.console import Console; from tasks import TASKS; {code}") == set()


# --------------------------------------------------------------------------------- environment


def test_the_machine_is_described():
    found = environment.describe(2, "cpu", {"numpy": "2.4.6"}, {"numpy": {"openblas": "1 thread(s)"}})
    assert found.python == sys.version.split()[0]
    assert found.cores >= 1
    assert 0.1 < found.memory_gb < 100_000
    assert (found.threads, found.device) == (2, "cpu")
    assert result.encode(found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("processor : 0\nmodel name\t: Fast 9: Pro\nmodel name\t: Other\n", "Fast 9: Pro"),
        ("", "fallback"),
        (None, "fallback"),
    ],
    ids=["first of several", "no name", "no such file"],
)
def test_the_processor_has_a_name(content, expected, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(environment, "CPU_INFO", path)
    monkeypatch.setattr(environment.platform, "processor", lambda: "")
    monkeypatch.setattr(environment.platform, "machine", lambda: "fallback")
    assert environment.processor() == expected


def test_versions_of_what_is_installed(tmp_path, monkeypatch):
    (tmp_path / "homemade_module.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    found = environment.versions(["numpy", "homemade_module", "surely_not_installed"])
    assert found == {"numpy": np.__version__, "homemade_module": "version unknown"}


@pytest.fixture
def no_device(tmp_path, monkeypatch) -> Path:
    """A machine without NVIDIA devices; the folder stands for /dev."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(environment, "DEVICE_FILES", tmp_path)
    monkeypatch.setattr(environment, "DRIVER_GPUS", tmp_path / "gpus")
    return tmp_path


def test_no_device_is_a_problem(no_device):
    (no_device / "nvidiactl").touch()  # the driver's own file, without a device
    assert "no NVIDIA device" in str(environment.cuda_problem())


@pytest.mark.parametrize("path", ["nvidia3", "gpus/0000:01:00.0", "bin/nvidia-smi"])
def test_a_device_is_seen(no_device, path):
    file = no_device / path
    file.parent.mkdir(exist_ok=True)
    file.touch(mode=0o755)
    assert environment.cuda_problem() is None


@pytest.mark.parametrize("value", ["", "-1"], ids=["empty", "-1"])
def test_hidden_devices_are_a_problem(no_device, monkeypatch, value):
    (no_device / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert "CUDA_VISIBLE_DEVICES" in str(environment.cuda_problem())


def test_a_worker_gets_nothing_but_what_is_listed(monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_TOKEN", "secret")
    monkeypatch.setenv("PYTHONSTARTUP", "elsewhere.py")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    found = environment.worker_environment(2, tmp_path)
    assert "secret" not in found.values()
    assert not {"PYTHONSTARTUP", "LD_LIBRARY_PATH"} & set(found)
    assert found["LANG"] == "C.UTF-8"
    assert {found[name] for name in environment.THREAD_VARIABLES} == {"2"}
    assert found["KERAS_BACKEND"] == "tensorflow"
    assert found["TF_ENABLE_ONEDNN_OPTS"] == "0"


def test_a_workers_caches_are_its_own(tmp_path):
    found = environment.worker_environment(1, tmp_path)
    folders = [Path(found[name]) for name in environment.CACHE_VARIABLES]
    assert len(set(folders)) == len(folders)
    assert {folder.parent for folder in folders} == {tmp_path}


def test_a_worker_finds_the_harness_from_anywhere(tmp_path):
    code = "import harness.result; print(harness.result.SCHEMA)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment.worker_environment(1, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == result.SCHEMA
