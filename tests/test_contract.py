"""What every column must do, whatever its framework."""

import ast
from itertools import chain, islice
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import backends.numpy as reference
from backends import COLUMNS
from backends.base import Arrays, NotObserved, Placement, Program, Unsupported
from harness.faults import FAULTS
from tasks import TASKS, draw
from tasks.spec import (
    Adam,
    Batches,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    Quadratic,
    RMSprop,
    Stopping,
    Task,
)

RULES: dict[str, Optimizer] = {
    "gd": GradientDescent(0.1),
    "momentum": Momentum(0.05, 0.8),
    "rmsprop": RMSprop(0.01, epsilon=1e-30),
    "adam": Adam(0.02, epsilon=1e-6),
    "adam-hat": Adam(0.02, epsilon=1e-6, epsilon_hat=True),
}


def network(rule: Optimizer, activation: str = "relu") -> Task:
    """A network with a penalty, two hidden layers and a short last batch."""
    return Task(
        name="network",
        shows="",
        model=Network((5, 3), activation, l2=0.3),
        data=draw.split(*draw.moons(40, noise=0.2, seed=3), test=0.25, seed=3),
        start=draw.glorot((2, 5, 3, 1), seed=3),
        optimizer=rule,
        batches=Batches(8, draw.Shuffled(seed=3)),
        stopping=Stopping(max_epochs=5),
    )


def quadratic(rule: Optimizer) -> Task:
    """A quadratic whose axes are not the coordinates'."""
    return Task(
        name="quadratic",
        shows="",
        model=Quadratic(hessian=np.array([[3.0, 1.0], [1.0, 2.0]]), minimum=np.array([0.5, -0.25])),
        start={"w": np.array([-1.0, 2.0])},
        optimizer=rule,
        stopping=Stopping(max_epochs=20),
    )


CASES = {
    **{f"network-{name}": network(rule) for name, rule in RULES.items()},
    **{f"network-{activation}": network(RULES["adam"], activation) for activation in ("tanh", "logistic")},
    **{f"quadratic-{name}": quadratic(rule) for name, rule in RULES.items()},
    "perceptron": TASKS["perceptron-and"],
}


@pytest.fixture(scope="module", params=list(CASES))
def task(request: pytest.FixtureRequest) -> Task:
    return CASES[request.param]


def build(column: ModuleType, task: Task) -> Program:
    return getattr(column, type(task.model).__name__)(task, Placement())


@pytest.fixture(scope="module")
def built(column: ModuleType, task: Task) -> tuple[Program, Arrays]:
    """The task in motion and its start, or a stop where the column declares that it cannot express it."""
    declared = COLUMNS[column.__name__.split(".")[1]].limit(task)
    if declared and declared.status == "unsupported":
        with pytest.raises(Unsupported) as raised:
            build(column, task)
        assert str(raised.value) == declared.reason
        pytest.skip(f"unsupported, as declared: {declared.reason}")
    program = build(column, task)
    return program, program.observe()


@pytest.fixture
def program(built: tuple[Program, Arrays]) -> Program:
    """The task in motion, put back to its start, for to build and compile it anew takes long."""
    program, start = built
    program.restore(start)
    return program


def batches(task: Task, count: int) -> list[np.ndarray]:
    return list(islice(chain.from_iterable(task.epochs()), count))


def same(actual: dict, desired: dict, rtol: float = 0.0) -> None:
    assert list(actual) == list(desired)
    for name, array in desired.items():
        scale = np.max(np.abs(array), initial=0.0)
        np.testing.assert_allclose(actual[name], array, rtol=0, atol=rtol * scale, err_msg=name)


# ----------------------------------------------------------------------------------- structure


def outline(path: Path) -> list[str]:
    """Public functions, classes and methods with their signatures' parameter names, in order."""
    found = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found.append(signature(node))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found.append(f"class {node.name}({', '.join(map(ast.unparse, node.bases))})")
            methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
            public = [m for m in methods if not m.name.startswith("_") or m.name == "__init__"]
            found += [f"    {signature(method)}" for method in public]
    return found


def signature(node: ast.FunctionDef) -> str:
    return f"{node.name}({', '.join(argument.arg for argument in node.args.args)})"


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "numpy"])
def test_columns_have_the_same_classes_and_methods_in_the_same_order(name: str) -> None:
    assert outline(COLUMNS[name].file) == outline(COLUMNS["numpy"].file)


@pytest.mark.parametrize("name", COLUMNS)
def test_classes_are_final(name: str) -> None:
    classes = [
        node for node in ast.parse(COLUMNS[name].file.read_text()).body if isinstance(node, ast.ClassDef)
    ]
    public = [node for node in classes if not node.name.startswith("_")]
    assert public
    assert all("final" in map(ast.unparse, node.decorator_list) for node in public)


def test_outline_notices_a_renamed_argument(tmp_path: Path) -> None:
    changed = tmp_path / "column.py"
    changed.write_text(
        COLUMNS["torch"].file.read_text().replace("def predict(self, x:", "def predict(self, points:")
    )
    assert outline(changed) != outline(COLUMNS["torch"].file)


@pytest.mark.parametrize("name", COLUMNS)
def test_known_difference_declares_a_fault_that_its_tasks_can_have(name: str) -> None:
    for limit in COLUMNS[name].limits:
        assert (limit.cause in FAULTS) == (limit.status == "known difference")
        tasks = [
            task for task in TASKS.values() for dtype in ("float64", "float32") if limit.applies(task, dtype)
        ]
        assert tasks
        assert all(limit.cause is None or FAULTS[limit.cause].applies(task) for task in tasks)


# ------------------------------------------------------------------------------------- behaviour


def test_many_batches_in_one_run_are_as_many_runs_of_one(
    built: tuple[Program, Arrays], program: Program, task: Task
) -> None:
    chosen = batches(task, 11)
    together, end = program.run(chosen), program.observe()
    program.restore(built[1])
    apart = np.concatenate([program.run([rows]) for rows in chosen])
    np.testing.assert_array_equal(together, apart)
    same(end, program.observe())


def test_run_returns_one_loss_per_step_before_its_update(program: Program, task: Task) -> None:
    first, second = batches(task, 2)
    try:
        before, _ = program.gradient(first)
    except NotObserved:
        before = 1.0  # the perceptron's first row of AND is a mistake
    losses = program.run([first, second])
    assert losses.shape == (2,)
    assert losses[0] == pytest.approx(before, rel=1e-14)


def test_training_moves_every_parameter(program: Program, task: Task) -> None:
    before = program.observe()
    program.run(batches(task, 5))
    after = program.observe()
    for name in task.shapes:
        assert np.any(before[f"param/{name}"] != after[f"param/{name}"]), name


def test_start_is_the_task_s(built: tuple[Program, Arrays], task: Task) -> None:
    _, observed = built
    for name, array in task.start.items():
        np.testing.assert_array_equal(observed[f"param/{name}"], array)
        assert observed[f"param/{name}"].dtype == np.float64
    assert all(np.all(array == 0) for name, array in observed.items() if name.startswith("state/"))


def test_observations_are_copies(program: Program, task: Task) -> None:
    before = program.observe()
    kept = {name: array.copy() for name, array in before.items()}
    program.run(batches(task, 3))
    same(before, kept)


def test_task_is_not_changed_by_training(program: Program, task: Task) -> None:
    start = {name: array.copy() for name, array in task.start.items()}
    program.run(batches(task, 5))
    same(dict(task.start), start)


def test_restore_is_the_inverse_of_observe(column: ModuleType, program: Program, task: Task) -> None:
    chosen = batches(task, 12)
    program.run(chosen[:6])
    middle = program.observe()
    program.run(chosen[6:])
    other = build(column, task)
    other.restore(middle)
    same(other.observe(), middle, rtol=4e-16)  # a velocity goes through PyTorch's unit and back
    other.run(chosen[6:])
    same(other.observe(), program.observe(), rtol=1e-14)


def test_goes_on_from_the_reference_s_state(program: Program, task: Task) -> None:
    chosen = batches(task, 12)
    desired = build(reference, task)
    desired.run(chosen[:6])
    program.restore(desired.observe())
    np.testing.assert_allclose(program.run(chosen[6:]), desired.run(chosen[6:]), rtol=1e-12, atol=1e-14)
    same(program.observe(), desired.observe(), rtol=1e-12)


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


def test_predicts_what_the_reference_predicts(program: Program, task: Task) -> None:
    desired = build(reference, task)
    chosen = batches(task, 7)
    program.run(chosen)
    desired.run(chosen)
    x = np.random.default_rng(5).normal(size=(9, 2))
    x.flags.writeable = False
    try:
        actual = program.predict(x)
    except NotObserved as reason:
        pytest.skip(f"not observed: {reason}")
    assert actual.shape == (9,)
    np.testing.assert_allclose(actual, desired.predict(x), rtol=1e-12)


def test_wait_returns(program: Program, task: Task) -> None:
    program.run(batches(task, 1))
    assert program.wait() is None


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
def test_rmsprop_that_a_column_lacks_is_what_it_declares(column: ModuleType, inside: bool) -> None:
    """On a network too: the column computes exactly the task with ε on the other side of the root."""
    task = network(RMSprop(0.01, epsilon=1e-4, epsilon_inside_root=inside))
    declared = COLUMNS[column.__name__.split(".")[1]].limit(task)
    if declared and declared.status == "unsupported":
        pytest.skip(f"unsupported, as declared: {declared.reason}")
    chosen = batches(task, 12)
    actual, desired, textbook = build(column, task), build(reference, task), build(reference, task)
    if declared:
        desired = FAULTS[declared.cause].inject(lambda task: build(reference, task), task)
    for program in (actual, desired, textbook):
        program.run(chosen)
    same(actual.observe(), desired.observe(), rtol=1e-13)
    differs = np.max(np.abs(actual.observe()["param/w1"] - textbook.observe()["param/w1"]))
    assert (differs > 1e-4) == (declared is not None)
