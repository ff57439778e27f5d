"""What every column must do, whatever its framework."""

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest

import backends.numpy as reference
from backends import COLUMNS, Column, Limit, base
from backends.base import Arrays, NotObserved, Placement, Program, Unsupported
from harness.faults import FAULTS
from tasks import TASKS, draw, spec, sweep
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
    Function,
    GradientDescent,
    Hinge,
    Huber,
    LogCosh,
    Momentum,
    Nadam,
    Network,
    Optimizer,
    Order,
    Perceptron,
    Plateau,
    Quadratic,
    RMSprop,
    Rosenbrock,
    Schedule,
    SquaredError,
    StepDecay,
    Stopping,
    Task,
    WarmUp,
)

# ------------------------------------------------------------------------------------ tasks

RNG = np.random.default_rng(3)
MOONS = draw.split(*draw.moons(40, noise=0.2, seed=3), test=0.25, seed=3)  # 30 rows for training
THREE_CLASSES = Dataset(MOONS.x_train, RNG.integers(0, 3, MOONS.rows))
NUMBERS = Dataset(MOONS.x_train, RNG.normal(scale=2.0, size=MOONS.rows))
ADAM = Adam(0.02, epsilon=1e-6)


def weighted(data: Dataset) -> Dataset:
    return replace(data, weights=RNG.uniform(0.5, 2.0, data.rows))


def network(
    rule: Optimizer,
    activation: str = "relu",
    hidden: tuple[int, ...] = (5, 3),
    data: Dataset = MOONS,
    schedule: Schedule = Constant(),  # noqa: B008  frozen
    order: Order = draw.Shuffled(seed=3),  # noqa: B008  frozen
    **parts: object,
) -> Task:
    """A network with a penalty, two hidden layers and a short last batch."""
    model = Network(hidden, activation, **({"l2": 0.3} | parts))
    return Task(
        name="network",
        shows="",
        model=model,
        data=data,
        start=draw.glorot((2, *hidden, model.loss.outputs), seed=3),
        optimizer=rule,
        schedule=schedule,
        batches=Batches(8, order),
        stopping=Stopping(max_epochs=5),
    )


def function(model: Function, rule: Optimizer, schedule: Schedule = Constant()) -> Task:  # noqa: B008
    return Task(
        name="function",
        shows="",
        model=model,
        start={"w": np.array([-1.0, 2.0])},
        optimizer=rule,
        schedule=schedule,
        stopping=Stopping(max_epochs=20),
    )


def perceptron(variant: str, *classes: int) -> Task:
    """Rows that lie on the boundary, of both classes."""
    return replace(TASKS["perceptron-and"], model=Perceptron(variant), data=draw.logic(*classes))


# The axes of this one are not the coordinates'.
TILTED = Quadratic(hessian=np.array([[3.0, 1.0], [1.0, 2.0]]), minimum=np.array([0.5, -0.25]))

# Each part of the vocabulary once; parts that some column lacks do not stand beside parts that it has.
CASES = {
    "network-gd": network(GradientDescent(0.1), "logistic"),
    "network-momentum": network(Momentum(0.05, 0.8), "tanh"),
    "network-nesterov": network(Momentum(0.05, 0.8, nesterov=True)),
    "network-rmsprop": network(RMSprop(0.01, epsilon=1e-4)),
    "network-rmsprop-inside": network(RMSprop(0.01, epsilon=1e-4, epsilon_inside_root=True)),
    "network-adagrad": network(Adagrad(0.05, epsilon=1e-4)),
    "network-adam": network(ADAM),
    "network-adam-hat": network(Adam(0.02, epsilon=1e-6, epsilon_hat=True), "tanh"),
    "network-adamw": network(Adam(0.02, weight_decay=0.1)),
    "network-amsgrad": network(Adam(0.02, beta_2=0.9, amsgrad=True)),
    "network-nadam": network(Nadam(0.02)),
    "network-step-and-smoothed": network(ADAM, "step", loss=BinaryCrossEntropy(smoothing=0.1)),
    "network-classes-weighted": network(ADAM, data=weighted(THREE_CLASSES), loss=CategoricalCrossEntropy(3)),
    "network-classes-smoothed": network(
        ADAM, data=THREE_CLASSES, loss=CategoricalCrossEntropy(3, smoothing=0.1)
    ),
    "network-hinge": network(ADAM, "leaky_relu", loss=Hinge()),
    "network-squared": network(ADAM, data=NUMBERS, loss=SquaredError()),
    "network-absolute": network(ADAM, "elu", data=weighted(NUMBERS), loss=AbsoluteError()),
    "network-huber": network(ADAM, "gelu", data=NUMBERS, loss=Huber(0.7)),
    "network-log-cosh": network(ADAM, hidden=(), data=NUMBERS, loss=LogCosh()),
    "network-l1": network(ADAM, l1=0.2),
    "network-max-norm": network(Momentum(0.05, 0.8), max_norm=0.7),
    "network-dropout": network(
        ADAM, "tanh", data=replace(MOONS, kept=RNG.random((MOONS.rows, 8)) < 0.7), dropout=0.3
    ),
    "network-warm-up": network(Momentum(0.05, 0.8, nesterov=True), schedule=WarmUp(5)),
    "network-in-order": network(
        Adam(0.02, epsilon_hat=True),
        data=weighted(THREE_CLASSES),
        loss=CategoricalCrossEntropy(3),
        l2=0.0,
        order=draw.InOrder(),
    ),
    "network-plateau": network(Momentum(0.05, 0.8), schedule=Plateau(by=0.2, patience=1)),
    "quadratic-momentum": function(TILTED, Momentum(0.05, 0.8)),
    "quadratic-adam": function(TILTED, ADAM),
    "quadratic-step-decay": function(TILTED, Momentum(0.05, 0.8), StepDecay(every=3, by=0.5)),
    "rosenbrock-decay": function(Rosenbrock(10.0), GradientDescent(0.002), ExponentialDecay(by=0.9)),
    "rosenbrock-cosine": function(Rosenbrock(10.0), ADAM, CosineDecay(steps=10)),
    "perceptron": perceptron("plain", 0, 0, 0, 1),
    "perceptron-averaged": perceptron("averaged", 0, 1, 1, 0),
    "perceptron-pocket": perceptron("pocket", 0, 1, 1, 0),
}


def test_cases_have_every_part_of_the_vocabulary() -> None:
    tasks = CASES.values()
    networks = [task.model for task in tasks if isinstance(task.model, Network)]
    assert {type(task.optimizer) for task in tasks} == set(get_args(spec.Optimizer))
    assert {type(task.schedule) for task in tasks} == set(get_args(spec.Schedule))
    assert {type(task.model) for task in tasks} == {Network, Perceptron, *get_args(Function)}
    assert {type(model.loss) for model in networks} == set(get_args(spec.Loss))
    assert {model.activation for model in networks} == set(Network.ACTIVATIONS)
    variants = {task.model.variant for task in tasks if isinstance(task.model, Perceptron)}
    assert variants == set(Perceptron.VARIANTS)


# --------------------------------------------------------------------------------- programs


def declaring(holds: Callable[[Limit | None], bool]) -> pytest.MarkDecorator:
    """Of every column, the cases of which it declares such a thing."""
    pairs = [(name, case) for name in COLUMNS for case in CASES if holds(COLUMNS[name].limit(CASES[case]))]
    return pytest.mark.parametrize(("column", "task"), pairs, indirect=True)


unsupported = declaring(lambda limit: limit is not None and limit.status == "unsupported")
expressible = declaring(lambda limit: limit is None or limit.status != "unsupported")
different = declaring(lambda limit: limit is not None and limit.cause is not None and limit.everywhere)


@pytest.fixture(scope="module")
def task(request: pytest.FixtureRequest) -> Task:
    return CASES[request.param]


def build(column: ModuleType, task: Task) -> Program:
    return getattr(column, task.model.program)(task, Placement())


def declared(column: ModuleType, task: Task) -> Limit | None:
    return COLUMNS[column.__name__.split(".")[1]].limit(task)


@pytest.fixture(scope="module")
def built(column: ModuleType, task: Task) -> tuple[Program, Arrays]:
    """The task in motion, and its start."""
    program = build(column, task)
    return program, program.observe()


@pytest.fixture
def program(built: tuple[Program, Arrays]) -> Program:
    """The task in motion, put back to its start, for to build and compile it anew takes long."""
    program, start = built
    program.restore(start)
    return program


@pytest.fixture
def desired(column: ModuleType, task: Task) -> Program:
    """What the column must agree with: the reference, with the fault that the column declares everywhere."""
    limit, make = declared(column, task), partial(build, reference)
    if limit and limit.cause and limit.everywhere:
        return FAULTS[limit.cause].inject(make, task)
    return make(task)


def batches(task: Task, count: int) -> list[np.ndarray]:
    return list(islice(chain.from_iterable(task.epochs()), count))


def same(actual: Arrays, desired: Arrays, rtol: float = 0.0) -> None:
    assert list(actual) == list(desired)
    for name, array in desired.items():
        scale = np.max(np.abs(array), initial=0.0)
        np.testing.assert_allclose(actual[name], array, rtol=0, atol=rtol * scale, err_msg=name)


def compare_steps(program: Program, desired: Program, chosen: list[np.ndarray]) -> None:
    np.testing.assert_allclose(program.run(chosen), desired.run(chosen), rtol=1e-12, atol=1e-14)
    same(program.observe(), desired.observe(), rtol=1e-12)


# ----------------------------------------------------------------------------------- structure

OTHERS = [name for name in COLUMNS if name != "numpy"]
ALIKE = (
    "__init__.py",
    "schedule.py",
    "optimizer.py",
    "perceptron.py",
    "function.py",
    "network.py",
    "chance.py",
)


def outline(path: Path) -> list[str]:
    """Public functions, classes and methods with their signatures' parameter names, in order.

    Without `fit`, which only a framework that has a trainer can have.
    """
    found = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found.append(signature(node))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found.append(f"class {node.name}({', '.join(map(ast.unparse, node.bases))})")
            methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
            public = [m for m in methods if m.name == "__init__" or not m.name.startswith(("_", "fit"))]
            found += [f"    {signature(method)}" for method in public]
    return found


def signature(node: ast.FunctionDef) -> str:
    return f"{node.name}({', '.join(argument.arg for argument in node.args.args)})"


@pytest.mark.parametrize("name", OTHERS)
def test_columns_have_the_same_files(name: str) -> None:
    assert [file.name for file in COLUMNS[name].files] == [file.name for file in COLUMNS["numpy"].files]


@pytest.mark.parametrize("file", ALIKE)
@pytest.mark.parametrize("name", OTHERS)
def test_columns_have_the_same_classes_and_methods_in_the_same_order(name: str, file: str) -> None:
    assert outline(COLUMNS[name].path / file) == outline(COLUMNS["numpy"].path / file)


def test_columns_hand_out_the_same_names(column: ModuleType) -> None:
    assert column.__all__ == reference.__all__


@pytest.mark.parametrize("name", COLUMNS)
def test_classes_are_final(name: str) -> None:
    nodes = chain.from_iterable(ast.parse(file.read_text()).body for file in COLUMNS[name].files)
    public = [node for node in nodes if isinstance(node, ast.ClassDef) and node.name in reference.__all__]
    assert {node.name for node in public} == set(reference.__all__) - {"setup"}
    assert all("final" in map(ast.unparse, node.decorator_list) for node in public)


def test_outline_notices_a_renamed_argument(tmp_path: Path) -> None:
    file = COLUMNS["numpy"].path / "network.py"
    changed = tmp_path / "network.py"
    changed.write_text(file.read_text().replace("def predict(self, x:", "def predict(self, points:"))
    assert outline(changed) != outline(file)


@pytest.mark.parametrize("name", COLUMNS)
def test_known_difference_declares_a_fault_that_its_tasks_can_have(name: str) -> None:
    for limit in COLUMNS[name].limits:
        assert (limit.cause in FAULTS) == (limit.status == "known difference")
        tasks = [
            task
            for task in (*TASKS.values(), *CASES.values())
            for dtype in ("float64", "float32")
            if COLUMNS[name].limit(task, dtype) is limit  # an earlier one may apply as well
        ]
        assert tasks
        assert all(limit.cause is None or FAULTS[limit.cause].applies(task) for task in tasks)


# ------------------------------------------------------------------------------------- behaviour


@unsupported
def test_raises_what_it_declares_that_it_cannot_express(column: ModuleType, task: Task) -> None:
    limit = declared(column, task)
    with pytest.raises(Unsupported) as raised:
        build(column, task)
    assert str(raised.value) == limit.reason


@unsupported
def test_would_not_agree_where_it_declares_that_it_cannot(
    column: ModuleType, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Column, "limit", lambda *_: None)  # as if nothing were declared
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever the framework trips over, or another result
        compare_steps(build(column, task), build(reference, task), batches(task, 12))


@expressible
def test_many_batches_in_one_run_are_as_many_runs_of_one(
    built: tuple[Program, Arrays], program: Program, task: Task
) -> None:
    chosen = batches(task, 11)
    together, end = program.run(chosen), program.observe()
    program.restore(built[1])
    apart = np.concatenate([program.run([rows]) for rows in chosen])
    np.testing.assert_array_equal(together, apart)
    same(end, program.observe())


@expressible
def test_batches_of_any_rows_in_one_run_are_as_many_runs_of_one(
    built: tuple[Program, Arrays], program: Program, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that repeat or run backwards, batches of any length; a column gathers three of them at once."""
    monkeypatch.setattr(base, "PIECE", 3 * task.rows * 2)
    last = task.rows - 1
    odd = [[last], [0], [0], [1]]
    if isinstance(task.model, Network):
        odd = [list(range(last, -1, -1)), [0, 0, 1], [last], [5, 3, 5, 3], [2, 1]]
    chosen = [np.array(rows) for rows in 2 * odd] if task.rows else batches(task, 7)
    together, end = program.run(chosen), program.observe()
    program.restore(built[1])
    apart = np.concatenate([program.run([rows]) for rows in chosen])
    np.testing.assert_array_equal(together, apart)
    same(end, program.observe())


@expressible
def test_fit_comes_to_what_run_comes_to(built: tuple[Program, Arrays], program: Program, task: Task) -> None:
    epochs = 3
    try:
        losses, fitted = program.fit(epochs), program.observe()
    except Unsupported as reason:
        pytest.skip(f"no trainer: {reason}")
    program.restore(built[1])
    np.testing.assert_array_equal(program.fit(epochs), losses)  # it begins anew with the task's first epoch
    same(program.observe(), fitted)
    program.restore(built[1])
    means = [
        np.average(program.run(chosen), weights=[len(rows) for rows in chosen])
        for chosen in islice(task.epochs(), epochs)
    ]
    np.testing.assert_allclose(losses, means, rtol=1e-12)
    same(fitted, program.observe(), rtol=1e-12)


WHOLE_BATCHES = {  # of which no trainer has a reason to refuse any
    "in-order": sweep.network((4, 3), batch=5, rows=20),
    "shuffled-and-penalised": TASKS["moons-noisy-well-fit"],
    "all-rows": TASKS["xor"],
}


@pytest.mark.parametrize("name", ["sklearn", "keras"])
@pytest.mark.parametrize("task", WHOLE_BATCHES.values(), ids=WHOLE_BATCHES)
def test_fit_comes_to_what_run_comes_to_on_whole_batches(name: str, task: Task) -> None:
    column = COLUMNS[name].load()
    column.setup(Placement())
    fitted, stepped = build(column, task), build(column, task)
    losses = fitted.fit(2)
    means = [stepped.run(batches).mean() for batches in islice(task.epochs(), 2)]
    np.testing.assert_allclose(losses, means, rtol=1e-12)
    same(fitted.observe(), stepped.observe(), rtol=1e-11)


def fits(name: str, task: Task) -> str:
    """What keeps a column's own trainer from the task; nothing where it trains it."""
    try:
        build(COLUMNS[name].load(), task).fit(1)
    except Unsupported as reason:
        return str(reason)
    return ""


def test_scikit_learn_s_trainer_takes_every_task_that_it_can_be_told() -> None:
    squared = replace(CASES["network-squared"], optimizer=Adam(0.02, epsilon_hat=True))
    names = ("network-gd", "network-momentum", "network-nesterov", "network-adam-hat", "network-in-order")
    assert [name for name in CASES if not fits("sklearn", CASES[name])] == list(names)
    assert not fits("sklearn", squared)


NEEDED = {
    "in its ε̂ form only": network(ADAM),
    "a tolerance of its own": CASES["network-plateau"],
    "by the sum of the weights": network(Momentum(0.05), data=weighted(MOONS)),
    "rows of every class": network(
        Momentum(0.05),
        data=replace(THREE_CLASSES, y_train=np.arange(30) % 2),
        loss=CategoricalCrossEntropy(3),
    ),
    "visits every row once": network(Momentum(0.05), order=draw.OneCopyAnEpoch(draw.InOrder(), copies=2)),
}


@pytest.mark.parametrize("reason", NEEDED)
def test_scikit_learn_s_trainer_says_what_it_cannot_be_told(reason: str) -> None:
    assert reason in fits("sklearn", NEEDED[reason])


@expressible
def test_run_returns_one_loss_per_step_before_its_update(program: Program, task: Task) -> None:
    first, second = batches(task, 2)
    try:
        before, _ = program.gradient(first)
    except NotObserved:
        before = 1.0  # the first row of a perceptron is a mistake
    losses = program.run([first, second])
    assert losses.shape == (2,)
    assert losses[0] == pytest.approx(before, rel=1e-14)


@expressible
def test_training_moves_every_parameter(program: Program, task: Task) -> None:
    """Other than the biases below units that are a step, which neither a gradient nor the penalty reaches."""
    before = program.observe()
    program.run(batches(task, 5))
    after = program.observe()
    is_step = isinstance(task.model, Network) and task.model.activation == "step"
    for name in task.shapes:
        moved = np.any(before[f"param/{name}"] != after[f"param/{name}"])
        assert moved == (not is_step or name not in {"b1", "b2"}), name


@expressible
def test_start_is_the_task_s(built: tuple[Program, Arrays], task: Task) -> None:
    _, observed = built
    for name, array in task.start.items():
        np.testing.assert_array_equal(observed[f"param/{name}"], array)
        assert observed[f"param/{name}"].dtype == np.float64
    slots = [name for name in observed if name.split("/")[1] in task.optimizer.slots]
    assert len(slots) == len(task.optimizer.slots) * len(task.shapes)
    assert all(np.all(observed[name] == 0) for name in slots)
    same(observed, build(reference, task).observe())


@expressible
def test_observations_are_copies(program: Program, task: Task) -> None:
    before = program.observe()
    kept = {name: array.copy() for name, array in before.items()}
    program.run(batches(task, 3))
    same(before, kept)


@expressible
def test_task_is_not_changed_by_training(program: Program, task: Task) -> None:
    start = {name: array.copy() for name, array in task.start.items()}
    program.run(batches(task, 5))
    same(dict(task.start), start)


@expressible
def test_restore_is_the_inverse_of_observe(
    built: tuple[Program, Arrays], program: Program, task: Task
) -> None:
    chosen = batches(task, 12)
    program.run(chosen[:6])
    middle = program.observe()
    program.run(chosen[6:])
    end = program.observe()
    program.restore(built[1])
    program.restore(middle)
    same(program.observe(), middle, rtol=4e-16)  # a velocity goes through PyTorch's unit and back
    program.run(chosen[6:])
    same(program.observe(), end, rtol=1e-14)


@expressible
def test_takes_the_reference_s_steps(program: Program, desired: Program, task: Task) -> None:
    compare_steps(program, desired, batches(task, 12))


@expressible
def test_goes_on_from_the_reference_s_state(program: Program, desired: Program, task: Task) -> None:
    chosen = batches(task, 12)
    desired.run(chosen[:6])
    program.restore(desired.observe())
    compare_steps(program, desired, chosen[6:])


@expressible
def test_gradient_is_the_reference_s_and_does_not_move(program: Program, task: Task) -> None:
    rows = np.arange(task.rows)[: max(1, task.rows // 2)]
    before = program.observe()
    try:
        loss, gradients = program.gradient(rows)
    except NotObserved as reason:
        pytest.skip(f"not observed: {reason}")
    desired_loss, desired = build(reference, task).gradient(rows)
    assert loss == pytest.approx(desired_loss, rel=1e-14)
    same(gradients, desired, rtol=1e-14)
    same(program.observe(), before)


@expressible
def test_predicts_what_the_reference_predicts(program: Program, desired: Program, task: Task) -> None:
    chosen = batches(task, 7)
    program.run(chosen)
    desired.run(chosen)
    x = np.random.default_rng(5).normal(size=(9, 2))
    x.flags.writeable = False
    try:
        actual = program.predict(x)
    except NotObserved as reason:
        pytest.skip(f"not observed: {reason}")
    expected = desired.predict(x)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


@expressible
def test_wait_returns(program: Program, task: Task) -> None:
    program.run(batches(task, 1))
    assert program.wait() is None


@different
def test_a_difference_that_is_declared_everywhere_is_one(program: Program, task: Task) -> None:
    textbook, chosen = build(reference, task), batches(task, 12)
    program.run(chosen)
    textbook.run(chosen)
    pairs = zip(program.observe().values(), textbook.observe().values(), strict=True)
    assert max(float(np.max(np.abs(a - b))) for a, b in pairs) > 1e-10


def test_plateau_lowers_the_rate_when_the_loss_ceases_to_fall(column: ModuleType) -> None:
    task = CASES["network-plateau"]
    program, desired = build(column, task), build(reference, task)
    factors = []
    for loss in (3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0, 1.0):  # the same again is no fall
        for one in (program, desired):
            one.run(batches(task, 4))
            one.end_epoch(loss)
        factors.append(program.observe()["state/learning_rate"] / task.optimizer.learning_rate)
    assert factors == pytest.approx([1, 1, 1, 0.2, 0.2, 0.2, 0.04, 0.04], rel=1e-14)
    same(program.observe(), desired.observe(), rtol=1e-12)
    for _ in range(20):  # far below the rates at which frameworks stop lowering them
        program.end_epoch(1.0)
        desired.end_epoch(1.0)
    same(program.observe(), desired.observe(), rtol=1e-12)
    assert program.observe()["state/learning_rate"] < 1e-8
