"""Random but valid tasks, to compare columns where nobody has looked yet.

Their numbers have few digits: so a task written to a file can be read, and is the same on every
machine, though the last bit of a logarithm or of a matrix product is not.
"""

import math
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from tasks import draw
from tasks.spec import (
    AbsoluteError,
    Adagrad,
    Adam,
    Array,
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
    Loss,
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
    Shapes,
    SquaredError,
    StepDecay,
    Stopping,
    Task,
    WarmUp,
)

STEPS = 40  # of a whole run, at most
DECIMALS = 6  # of every array
TEST_ROWS = VALIDATION_ROWS = 5

Option = TypeVar("Option")


class Chooser(Protocol):
    """Where the choices come from: a seed, or a test's engine that looks for the smallest failing task."""

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        ...

    def number(self, low: float, high: float) -> float:
        """A number between two positive ones, of any magnitude in between."""
        ...

    def one_of(self, options: Sequence[Option]) -> Option:
        """One of them; the first is the simplest."""
        ...


def random(seed: int) -> Task:
    """The task `random-<seed>`."""
    return arbitrary(f"random-{seed}", _Seeded(seed))


def arbitrary(name: str, choose: Chooser) -> Task:
    """A small task of at most `STEPS` steps: mostly a network, sometimes a quadratic, rarely another."""
    kind = choose.one_of([_quadratic] * 4 + [_network] * 14 + [_rosenbrock, _perceptron])
    return kind(name, choose)


class _Seeded:
    """A `Chooser` that follows from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def number(self, low: float, high: float) -> float:
        exact = math.exp(self.rng.uniform(math.log(low), math.log(high)))
        return min(max(low, float(f"{exact:.3g}")), high)

    def one_of(self, options: Sequence[Option]) -> Option:
        return options[self.whole(0, len(options) - 1)]


def _quadratic(name: str, choose: Chooser) -> Task:
    size, highest, condition = choose.whole(1, 6), choose.number(1.0, 10.0), choose.number(1.0, 1000.0)
    curvatures = highest * condition ** -np.linspace(
        0, 1, size
    )  # (size,) from highest to highest / condition
    rng = _rng(choose)
    model = Quadratic(_hessian(rng, curvatures), minimum=_normal(rng, size))
    listed = ", ".join(f"{curvature:.2g}" for curvature in curvatures)
    return Task(
        name=name,
        shows=f"Drawn at random: a quadratic with curvatures of {listed} along its axes.",
        model=model,
        start=_start(rng, model.shapes(size)),
        optimizer=_optimizer(choose, limit=2 / highest),
        schedule=_schedule(choose),
        stopping=Stopping(choose.whole(1, STEPS)),
        tags=("random",),
    )


def _rosenbrock(name: str, choose: Chooser) -> Task:
    model = Rosenbrock(choose.number(1.0, 100.0))
    return Task(
        name=name,
        shows=f"Drawn at random: Rosenbrock's valley with a steepness of {model.steepness:g}.",
        model=model,
        start=_start(_rng(choose), model.shapes(2)),
        optimizer=_optimizer(choose, limit=0.02 / model.steepness),
        schedule=_schedule(choose),
        stopping=Stopping(choose.whole(1, STEPS)),
        tags=("random",),
    )


def _network(name: str, choose: Chooser) -> Task:
    features, rows = choose.whole(1, 6), choose.whole(2, 60)
    hidden = tuple(choose.whole(1, 64) for _ in range(choose.whole(1, 3)))
    model = _model(choose, hidden)
    size = choose.one_of((rows, choose.whole(math.ceil(rows / STEPS), rows)))
    steps = math.ceil(rows / size)  # of an epoch
    rng = _rng(choose)
    units = "-".join(map(str, (features, *hidden, model.loss.outputs)))
    return Task(
        name=name,
        shows=f"Drawn at random: a {units} network of {model.activation} units, trained on "
        f"{model.loss_words}, {rows} rows in batches of {size}.",
        model=model,
        data=_data_of(choose, rng, model, rows, features),
        start=_start(rng, model.shapes(features)),
        optimizer=_optimizer(choose, limit=0.2),  # of steep ones among these networks
        schedule=_schedule(choose, Plateau),
        batches=Batches(size, _order(choose)),
        stopping=_stopping(choose, STEPS // steps),
        tags=("random",),
    )


def _model(choose: Chooser, hidden: tuple[int, ...]) -> Network:
    activation = choose.one_of(Network.ACTIVATIONS)
    l2 = choose.one_of((0.0, choose.number(1e-5, 1.0)))
    return Network(
        hidden,
        activation,
        l2=l2,
        l1=choose.one_of((0.0, 0.0, 0.0, choose.number(1e-5, 0.1))),
        max_norm=choose.one_of((None, None, None, choose.number(0.3, 3.0))),
        dropout=choose.one_of((0.0, 0.0, 0.0, choose.number(0.05, 0.8))),
        loss=_loss(choose),
    )


def _loss(choose: Chooser) -> Loss:
    kinds = (SquaredError, AbsoluteError, Huber, LogCosh, Hinge, CategoricalCrossEntropy)
    kind = choose.one_of((BinaryCrossEntropy,) * len(kinds) + kinds)
    smoothing = choose.one_of((0.0, 0.0, choose.number(0.01, 0.5)))
    if kind is BinaryCrossEntropy:
        return BinaryCrossEntropy(smoothing)
    if kind is CategoricalCrossEntropy:
        return CategoricalCrossEntropy(choose.whole(3, 6), smoothing)
    if kind is Huber:
        return Huber(choose.number(0.1, 2.0))
    return kind()


def _schedule(choose: Chooser, *more: type) -> Schedule:
    """Half of them constant."""
    kinds = (StepDecay, ExponentialDecay, CosineDecay, WarmUp, *more)
    kind = choose.one_of((Constant,) * len(kinds) + kinds)
    by, steps = choose.number(0.3, 0.99), choose.whole(2, STEPS)
    if kind is StepDecay:
        return StepDecay(steps, by)
    if kind is ExponentialDecay:
        return ExponentialDecay(by)
    if kind is CosineDecay:
        return CosineDecay(steps, floor=1 - by)
    if kind is Plateau:
        return Plateau(by, patience=choose.whole(0, 3))
    return Constant() if kind is Constant else WarmUp(steps)


def _stopping(choose: Chooser, longest: int) -> Stopping:
    """Sometimes earlier than after the last epoch, on the loss of the training or of the validation rows."""
    tolerance = choose.one_of((None, None, None, choose.number(1e-6, 0.1)))
    return Stopping(
        choose.whole(1, longest),
        tolerance=tolerance,
        patience=choose.whole(0, 10),
        on_validation=tolerance is not None and choose.one_of((False, True)),
    )


def _perceptron(name: str, choose: Chooser) -> Task:
    """Data and a start of many digits: no row lies on the boundary, where rounding decides its class."""
    features, rows = choose.whole(1, 6), choose.whole(2, STEPS)
    model = Perceptron(choose.one_of(Perceptron.VARIANTS))
    rng = _rng(choose)
    return Task(
        name=name,
        shows=f"Drawn at random: a perceptron, {model.variant}, on {rows} rows of {features} features.",
        model=model,
        data=_data(rng, rows, features),
        start=_start(rng, model.shapes(features)),
        optimizer=GradientDescent(choose.number(0.01, 1.0)),
        batches=Batches(1, _order(choose)),
        stopping=Stopping(choose.whole(1, STEPS // rows)),
        tags=("random",),
    )


def _order(choose: Chooser) -> Order:
    return draw.Shuffled(choose.whole(0, 999)) if choose.one_of((False, True)) else draw.InOrder()


def _optimizer(choose: Chooser, limit: float) -> Optimizer:
    """Any of them; `limit` is the rate at which gradient descent becomes unstable."""
    stable, adaptive = (limit / 1000, 0.9 * limit), (1e-4, 0.02)
    kind = choose.one_of((GradientDescent, Momentum, RMSprop, Adam, Adagrad, Nadam))
    flag = choose.one_of((False, True))  # whether in its other form
    if kind is GradientDescent:
        return GradientDescent(choose.number(*stable))
    if kind is Momentum:
        return Momentum(choose.number(*stable), choose.number(0.1, 0.95), nesterov=flag)
    rate, epsilon = choose.number(*adaptive), choose.number(1e-10, 1e-2)
    if kind is RMSprop:
        return RMSprop(rate, choose.number(0.8, 0.99), epsilon, epsilon_inside_root=flag)
    if kind is Adagrad:
        return Adagrad(10 * rate, epsilon)
    betas = choose.number(0.5, 0.95), choose.number(0.9, 0.9999)
    if kind is Nadam:
        return Nadam(rate, *betas, epsilon)
    return Adam(
        rate,
        *betas,
        epsilon,
        epsilon_hat=flag,
        weight_decay=choose.one_of((0.0, 0.0, 0.0, choose.number(1e-3, 1.0))),
        amsgrad=choose.one_of((False, False, False, True)),
    )


def _rng(choose: Chooser) -> np.random.Generator:
    """What draws the arrays: an engine that shrinks a task sees one number in place of hundreds."""
    return np.random.default_rng(choose.whole(0, 2**32 - 1))


def _normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Array:
    return rng.normal(scale=scale, size=shape).round(DECIMALS)


def _start(rng: np.random.Generator, shapes: Shapes) -> dict[str, Array]:
    """Biases too are not zero, and sums over a layer's inputs stay near 1."""
    return {name: _normal(rng, *shape, scale=1 / math.sqrt(shape[0])) for name, shape in shapes.items()}


def _data(rng: np.random.Generator, rows: int, features: int) -> Dataset:
    """Rows without any order to learn, of two classes."""
    x, y = _normal(rng, rows + TEST_ROWS, features), rng.integers(0, 2, rows + TEST_ROWS)
    return Dataset(x_train=x[:rows], y_train=y[:rows], x_test=x[rows:], y_test=y[rows:])


def _data_of(choose: Chooser, rng: np.random.Generator, model: Network, rows: int, features: int) -> Dataset:
    """Rows without any order to learn, and whatever the model needs with them.

    Features of classes that are not scaled to about 1 saturate the units; in a regression they would
    only make the same errors larger.
    """
    classes = model.loss.classes
    scale = choose.one_of((1.0, 1.0, 10.0, 100.0)) if classes else 1.0
    is_weighted = choose.one_of((False, False, False, True))
    total = rows + TEST_ROWS + VALIDATION_ROWS
    x = scale * _normal(rng, total, features)
    y = rng.integers(0, classes, total) if classes else _normal(rng, total)
    (x, x_test, x_validation), (y, y_test, y_validation) = (
        np.split(array, [rows, rows + TEST_ROWS]) for array in (x, y)
    )
    weights = rng.uniform(0.1, 3.0, rows).round(DECIMALS) if is_weighted else None
    kept = rng.random((rows, sum(model.hidden))) >= model.dropout if model.dropout else None
    return Dataset(x, y, x_test, y_test, x_validation, y_validation, weights, kept)


def _hessian(rng: np.random.Generator, curvatures: Array) -> Array:
    """Symmetric (size, size), with these eigenvalues along random axes."""
    size = len(curvatures)
    axes = np.linalg.qr(rng.normal(size=(size, size))).Q  # (size, size)
    hessian = axes * curvatures @ axes.T
    return ((hessian + hessian.T) / 2).round(DECIMALS)
