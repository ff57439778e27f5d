"""Faults in the task as a column sees it: a hyper-parameter, the data, the initial parameters."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from backends.base import Arrays, Program
from harness.faults.base import (
    Fault,
    Make,
    has_data,
    has_dropout,
    is_network,
    is_quadratic,
    uses_adam,
)
from harness.faults.by_hand import ByHand
from harness.faults.update import Here, sum_of_squares
from tasks.spec import (
    Adagrad,
    Adam,
    Array,
    Dataset,
    Nadam,
    Network,
    Quadratic,
    RMSprop,
    Task,
)


def hyper_parameters(task: Task) -> dict[str, float]:
    """The numbers that decide a run, by name: of the optimizer, the schedule, the model and its loss."""
    owners: list[Any] = [task.optimizer, task.schedule, task.model]
    if isinstance(task.model, Network):
        owners.append(task.model.loss)
    found = {name: value for owner in owners for name, value in _numbers(owner).items()}
    if not has_dropout(task):
        found.pop("dropout", None)  # there is no mask to drop by
    return found


def _numbers(owner: Any) -> dict[str, float]:
    """The fields of a part of a task that hold a number."""
    values = {f.name: getattr(owner, f.name) for f in fields(owner) if f.type in (float, float | None)}
    return {name: value for name, value in values.items() if value is not None}


def with_value(task: Task, name: str, value: float) -> Task:
    """The task with one hyper-parameter changed.  Raises `TaskError` where the value is impossible."""
    if name == "dropout" and value == 0:
        return _without_dropout(task)
    for owner in ("optimizer", "schedule", "model"):
        part: Any = getattr(task, owner)
        if name in _numbers(part):
            return replace(task, **{owner: replace(part, **{name: value})})
    model: Any = task.model
    return replace(task, model=replace(model, loss=replace(model.loss, **{name: value})))


def _without_dropout(task: Task) -> Task:
    model: Any = task.model
    return replace(task, model=replace(model, dropout=0.0), data=replace(_of(task), kept=None))


def _of(task: Task) -> Dataset:
    """The task's data."""
    assert task.data is not None
    return task.data


def _fault(
    id_: str, words: str, change: Callable[[Task], Task], shows: tuple[str, ...], **more: Any
) -> Fault:
    """A right program of a wrong task."""
    return Fault(id_, words, lambda make, task: make(change(task)), shows, of_task=change, **more)


def _value(
    name: str,
    id_: str,
    words: str,
    shows: tuple[str, ...],
    change: Callable[[float], float],
    applies: Callable[[Task], bool] | None = None,
) -> Fault:
    """A hyper-parameter that has another value."""
    return _fault(
        id_,
        words,
        lambda task: with_value(task, name, change(hyper_parameters(task)[name])),
        shows,
        applies=applies or (lambda task: bool(hyper_parameters(task).get(name))),
        field=name,
        stateful=name in ("beta_1", "beta_2", "rho", "momentum"),
        onset=lambda _task, _desired: (
            1 if name == "momentum" else 0
        ),  # in the first step there is no velocity yet
        equivalent=_epsilon_is_lost if name == "epsilon" else _is_exact(name, change),
    )


def changed(name: str, by: float) -> Fault:
    """A hyper-parameter that is off by a relative change."""
    return _value(name, f"changed:{name}:{by:g}", f"{name} is off by {by:g}", ("",), lambda v: v * (1 + by))


def _is_exact(name: str, change: Callable[[float], float]) -> Callable[[Task, Arrays], str | None]:
    def proof(task: Task, _desired: Arrays) -> str | None:
        value = hyper_parameters(task)[name]
        return f"{value!r} is unchanged" if change(value) == value else None

    return proof


def _smallest_root(desired: Arrays, slot: str) -> float:
    """The smallest √v that an update has divided by; 0 counts as no update, since g is 0 too."""
    arrays = [array for name, array in desired.items() if name.startswith(f"local/state/{slot}/")]
    values = np.concatenate([array.ravel() for array in arrays])
    return float(np.sqrt(values[values > 0].min(initial=np.inf)))


def _epsilon_is_lost(task: Task, desired: Arrays) -> str | None:
    """Bound what ε can do to any update: its share of the smallest root."""
    rule: Any = task.optimizer
    slots = {RMSprop: "mean_square", Adagrad: "sum_of_squares"}
    root = _smallest_root(desired, slots.get(type(rule), "second_moment"))
    share = 100 * max(rule.epsilon / root, rule.epsilon / root**2)  # ε may be 100 times as large, or inside
    if share > np.finfo(np.float64).eps / 2:
        return None
    return f"ε changes no divisor by more than {share:.0e} of itself, less than half an ulp"


def _single(value: float) -> float:
    return float(np.float32(value))


def _other_form(task: Task) -> Task | None:
    """With RMSprop's other form; Adagrad has none."""
    rule = task.optimizer
    if not isinstance(rule, RMSprop):
        return None
    return replace(task, optimizer=replace(rule, epsilon_inside_root=not rule.epsilon_inside_root))


def _epsilon_elsewhere(make: Make, task: Task) -> Program:
    wrong = _other_form(task)
    return make(wrong) if wrong else ByHand(make, task, _adagrad_inside)


def _adagrad_inside(here: Here) -> Array:
    assert isinstance(here.rule, Adagrad)
    return -here.rate * here.g / np.sqrt(sum_of_squares(here) + here.rule.epsilon)


def _epsilon_hat(task: Task) -> Task:
    rule = task.optimizer
    assert isinstance(rule, Adam)
    return replace(task, optimizer=replace(rule, epsilon_hat=not rule.epsilon_hat))


def _betas_swapped(task: Task) -> Task:
    rule = task.optimizer
    assert isinstance(rule, Adam | Nadam)
    return replace(task, optimizer=replace(rule, beta_1=rule.beta_2, beta_2=rule.beta_1))


def _other_activation(name: str) -> Fault:
    def change(task: Task) -> Task:
        assert isinstance(task.model, Network)
        return replace(task, model=replace(task.model, activation=name))

    return _fault(
        f"activation-{name}",
        f"the hidden units are {name}",
        change,
        ("loss", "grad"),
        applies=lambda task: isinstance(task.model, Network) and task.model.activation != name,
    )


def _smoothed_over_others(task: Task) -> Task:
    """1-s for the right class and s/(C-1) for each other one, as if s were s·C/(C-1)."""
    assert isinstance(task.model, Network)
    classes = task.model.loss.classes
    assert classes is not None
    return with_value(task, "smoothing", hyper_parameters(task)["smoothing"] * classes / (classes - 1))


def _not_scaled(task: Task) -> Task:
    return with_value(task, "dropout", 1e-300)  # 1 - p is 1


# ----------------------------------------------------------------------------------------- data


def _data(change: Callable[[Dataset], dict[str, Any]]) -> Callable[[Task], Task]:
    def changed(task: Task) -> Task:
        assert task.data is not None
        return replace(task, data=replace(task.data, **change(task.data)))

    return changed


def _of_all(change: Callable[[Array], Array], axis: str) -> Callable[[Dataset], dict[str, Any]]:
    """The same change of the rows for training, test and validation."""

    def changes(data: Dataset) -> dict[str, Any]:
        names = (f"{axis}_train", f"{axis}_test", f"{axis}_validation")
        return {name: None if (a := getattr(data, name)) is None else change(a) for name in names}

    return changes


def _has_classes(task: Task) -> bool:
    return has_data(task) and not _is_regression(task)


def _is_regression(task: Task) -> bool:
    return isinstance(task.model, Network) and task.model.loss.classes is None


def _is_weighted(task: Task) -> bool:
    return task.data is not None and task.data.weights is not None


def _several_features(task: Task) -> bool:
    return task.data is not None and task.data.features > 1


def _standardised(data: Dataset) -> dict[str, Any]:
    mean, deviation = data.x_train.mean(axis=0), data.x_train.std(axis=0)
    return _of_all(lambda x: (x - mean) / deviation, "x")(data)


def _is_rounded(task: Task, _desired: Arrays) -> str | None:
    assert task.data is not None
    x = task.data.x_train
    return "every number of the data is one in float32 too" if np.all(np.float32(x) == x) else None


# ----------------------------------------------------------------------------- initial parameters


def _start(change: Callable[[str, Array], Array]) -> Callable[[Task], Task]:
    return lambda task: replace(task, start={name: change(name, a) for name, a in task.start.items()})


def _is_kernel(name: str) -> bool:
    return name.startswith("w")


def _other_seed(name: str, array: Array) -> Array:
    """Numbers of the same size from another stream."""
    seed = sum(map(ord, name))
    return np.random.default_rng(seed).uniform(-0.5, 0.5, array.shape) if _is_kernel(name) else array


def _square_transposed(_name: str, array: Array) -> Array:
    return array.T if array.ndim == 2 and len(array) == len(array.T) else array


def _reshaped(_name: str, array: Array) -> Array:
    return array.T.reshape(array.shape)


def _filled_by_column(_name: str, array: Array) -> Array:
    return array.ravel().reshape(array.shape, order="F")


def _has_square_kernel(task: Task) -> bool:
    return any(a.ndim == 2 and len(a) == len(a.T) and np.any(a != a.T) for a in task.start.values())


def _has_kernel_to_reshape(task: Task) -> bool:
    return any(np.any(_filled_by_column(name, a) != a) for name, a in task.start.items())


def _changes_start(change: Callable[[str, Array], Array]) -> Callable[[Task], bool]:
    return lambda task: any(np.any(change(name, a) != a) for name, a in task.start.items())


def _from_start(
    id_: str, words: str, change: Callable[[str, Array], Array], applies: Callable[[Task], bool] | None = None
) -> Fault:
    return _fault(
        id_, words, _start(change), ("param", "state/pocket"), applies=applies or _changes_start(change)
    )


# ------------------------------------------------------------------------------------- quadratic


def _quadratic(change: Callable[[Quadratic], dict[str, Array]]) -> Callable[[Task], Task]:
    def changed(task: Task) -> Task:
        assert isinstance(task.model, Quadratic)
        return replace(task, model=replace(task.model, **change(task.model)))

    return changed


def _minimum_is_elsewhere(task: Task) -> bool:
    return isinstance(task.model, Quadratic) and bool(np.any(task.model.minimum != 0))


def _axes_differ(task: Task) -> bool:
    model = task.model
    return isinstance(model, Quadratic) and bool(np.any(model.hessian != model.hessian[::-1, ::-1]))


_RATE = (  # where a wrong learning rate is seen first
    "param", "state/velocity", "state/learning_rate", "state/average", "state/pocket",
)  # fmt: skip

FAULTS = (
    # Hyper-parameters with a wrong value.
    _value("learning_rate", "learning-rate-doubled", "the learning rate is doubled", _RATE, lambda v: 2 * v),
    _value("learning_rate", "learning-rate-tenth", "the learning rate is a tenth", _RATE, lambda v: v / 10),
    _value(
        "learning_rate", "learning-rate-float32", "the learning rate is rounded to float32", _RATE, _single
    ),
    _value(
        "learning_rate",
        "learning-rate-off",
        "the learning rate is off by 1e-9",
        _RATE,
        lambda v: v * (1 + 1e-9),
    ),
    _value(
        "momentum", "momentum-other", "the momentum is another", ("state", "param"), lambda v: (1 + v) / 2
    ),
    _value("momentum", "momentum-float32", "the momentum is rounded to float32", ("state", "param"), _single),
    _value("rho", "rho-other", "RMSprop's rho is another", ("state",), lambda v: (1 + v) / 2),
    _value("rho", "rho-float32", "RMSprop's rho is rounded to float32", ("state",), _single),
    _value("beta_1", "beta-1-other", "Adam's β1 is another", ("state",), lambda v: (1 + v) / 2),
    _value("beta_1", "beta-1-float32", "Adam's β1 is rounded to float32", ("state",), _single),
    _value("beta_2", "beta-2-other", "Adam's β2 is another", ("state",), lambda v: v - 0.009),
    _value("beta_2", "beta-2-float32", "Adam's β2 is rounded to float32", ("state",), _single),
    _value("epsilon", "epsilon-other", "ε is another", ("param",), lambda v: 10 * v),
    _value("l2", "penalty-doubled", "the penalty is not halved", ("loss", "grad"), lambda v: 2 * v),
    _value("l2", "penalty-halved", "the penalty is halved twice", ("loss", "grad"), lambda v: v / 2),
    _value("l2", "penalty-missing", "the penalty is missing", ("loss", "grad"), lambda _v: 0.0),
    _value("l2", "penalty-float32", "the penalty's factor is rounded to float32", ("loss", "grad"), _single),
    _value("l1", "l1-halved", "the penalty L1 is halved, as L2 is", ("loss", "grad"), lambda v: v / 2),
    _value("l1", "l1-missing", "the penalty L1 is missing", ("loss", "grad"), lambda _v: 0.0),
    _value(
        "weight_decay",
        "decay-of-adamw",
        "all parameters decay by 0.01, decoupled: the default of PyTorch's AdamW",
        ("param",),
        lambda _v: 0.01,
        applies=lambda task: uses_adam(task) and hyper_parameters(task)["weight_decay"] != 0.01,
    ),
    _value("weight_decay", "weight-decay-missing", "AdamW does not decay", ("param",), lambda _v: 0.0),
    _value("max_norm", "max-norm-other", "the largest norm is another", ("param",), lambda v: 0.9 * v),
    _value(
        "smoothing", "smoothing-missing", "the classes are not smoothed", ("loss", "grad"), lambda _v: 0.0
    ),
    _fault(
        "smoothing-of-others",
        "a class gets 1-s, and only the others share s",
        _smoothed_over_others,
        ("loss", "grad"),
        applies=lambda task: bool(hyper_parameters(task).get("smoothing")),
        field="smoothing",
    ),
    _value("delta", "huber-delta", "Huber's delta is another", ("loss", "grad"), lambda v: v / 2),
    _value(
        "steepness",
        "rosenbrock-steepness",
        "the valley is ten times less steep",
        ("loss", "grad"),
        lambda v: v / 10,
    ),
    _value("dropout", "dropout-missing", "no unit is dropped", ("loss",), lambda _v: 0.0),
    _value(
        "dropout",
        "dropout-other-share",
        "what is kept is divided by the share dropped",
        ("loss",),
        lambda v: 1 - v,
    ),
    _fault(
        "dropout-not-scaled",
        "what dropout keeps is not scaled",
        _not_scaled,
        ("loss", "grad"),
        applies=has_dropout,
    ),
    Fault(
        "epsilon-elsewhere",
        "ε stands on the other side of the root",
        _epsilon_elsewhere,
        ("param",),
        applies=lambda task: isinstance(task.optimizer, RMSprop | Adagrad),
        equivalent=_epsilon_is_lost,
        of_task=_other_form,
    ),
    _fault(
        "epsilon-hat",
        "Adam's ε is added at the other place: before the bias correction or after it",
        _epsilon_hat,
        ("param",),
        applies=uses_adam,
        equivalent=_epsilon_is_lost,
    ),
    _fault(
        "betas-swapped",
        "Adam's β1 and β2 are swapped",
        _betas_swapped,
        ("state",),
        applies=lambda task: isinstance(task.optimizer, Adam | Nadam),
    ),
    _other_activation("relu"),
    _other_activation("tanh"),
    _other_activation("logistic"),
    # Data.
    _fault(
        "classes-swapped",
        "the classes 0 and 1 are swapped",
        _data(_of_all(lambda y: np.where(y < 2, 1 - y, y), "y")),
        ("loss", "grad", "param", "state/pocket"),
        applies=_has_classes,
    ),
    _fault(
        "features-swapped",
        "the features come in reverse order",
        _data(_of_all(lambda x: x[:, ::-1], "x")),
        ("loss", "grad"),
        applies=lambda task: _several_features(task) and is_network(task),
    ),
    _fault(
        "features-standardised",
        "the features are standardised",
        _data(_standardised),
        ("loss", "grad"),
        applies=is_network,
    ),
    _fault(
        "features-scaled",
        "the features are divided by 255",
        _data(_of_all(lambda x: x / 255, "x")),
        ("loss", "grad"),
        applies=is_network,
    ),
    _fault(
        "data-float32",
        "the data went through float32",
        _data(_of_all(lambda x: x.astype(np.float32), "x")),
        ("loss", "grad"),
        applies=is_network,
        equivalent=_is_rounded,
    ),
    _fault(
        "labels-shifted",
        "the labels stand one row too late",
        _data(lambda data: {"y_train": np.roll(data.y_train, 1)}),
        ("loss", "grad", "param", "state/pocket"),
        applies=has_data,
    ),
    _fault(
        "targets-float32",
        "the targets went through float32",
        _data(_of_all(lambda y: y.astype(np.float32), "y")),
        ("loss", "grad"),
        applies=_is_regression,
    ),
    _fault(
        "weights-ignored",
        "every row counts as much as any other",
        _data(lambda _data: {"weights": None}),
        ("loss", "grad"),
        applies=_is_weighted,
    ),
    # Initial parameters.
    _from_start("start-other-seed", "the kernels start from other random numbers", _other_seed, is_network),
    _from_start("start-zero", "all parameters start at zero", lambda _name, a: 0 * a),
    _from_start(
        "start-scaled",
        "the kernels start √2 times too large",
        lambda n, a: a * np.sqrt(2) if _is_kernel(n) else a,
    ),
    _from_start(
        "start-biases-one",
        "the biases start at one",
        lambda n, a: a if _is_kernel(n) else np.ones_like(a),
        is_network,
    ),
    _from_start(
        "start-transposed", "square kernels start transposed", _square_transposed, _has_square_kernel
    ),
    _from_start(
        "start-column-order", "kernels are filled column by column", _filled_by_column, _has_kernel_to_reshape
    ),
    _from_start(
        "start-reshaped",
        "kernels of the other layout are reshaped, not transposed",
        _reshaped,
    ),
    _from_start(
        "start-float32", "the initial parameters went through float32", lambda _name, a: a.astype(np.float32)
    ),
    # Quadratics.
    _fault(
        "quadratic-not-halved",
        "the quadratic lacks its factor ½",
        _quadratic(lambda model: {"hessian": 2 * model.hessian}),
        ("loss", "grad"),
        applies=is_quadratic,
    ),
    _fault(
        "quadratic-minimum",
        "the minimum has the opposite sign",
        _quadratic(lambda model: {"minimum": -model.minimum}),
        ("loss", "grad"),
        applies=_minimum_is_elsewhere,
    ),
    _fault(
        "quadratic-axes-swapped",
        "the curvatures belong to the other axes",
        _quadratic(lambda model: {"hessian": model.hessian[::-1, ::-1]}),
        ("loss", "grad"),
        applies=_axes_differ,
    ),
)
