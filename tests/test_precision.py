"""The reference against exact values: training at 60 digits, complex steps and central differences."""

from dataclasses import replace

import exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from strategies import arbitrary_tasks

import backends.numpy as reference
from backends.base import Placement, pick
from harness.trace import record
from tasks import draw
from tasks.spec import (
    AbsoluteError,
    Adagrad,
    Adam,
    Batches,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
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

EPS = float(np.finfo(float).eps)

# ε and the powers of β are large enough that a mistake in their place shows in the first digits.
RULES = {
    "gd": GradientDescent(0.3),
    "momentum": Momentum(0.2, 0.7),
    "nesterov": Momentum(0.2, 0.7, nesterov=True),
    "rmsprop": RMSprop(0.05, 0.8, epsilon=0.01),
    "rmsprop-inside": RMSprop(0.05, 0.8, epsilon=0.01, epsilon_inside_root=True),
    "adagrad": Adagrad(0.1, epsilon=0.01),
    "adam": Adam(0.05, 0.8, 0.95, epsilon=0.01),
    "adam-hat": Adam(0.05, 0.8, 0.95, epsilon=0.01, epsilon_hat=True),
    "adamw": Adam(0.05, 0.8, 0.95, epsilon=0.01, weight_decay=0.5),
    "amsgrad": Adam(0.2, 0.8, 0.3, epsilon=0.01, amsgrad=True),
    "nadam": Nadam(0.05, 0.8, 0.95, epsilon=0.01),
}
LOSSES = {
    "smoothed": BinaryCrossEntropy(smoothing=0.2),
    "classes": CategoricalCrossEntropy(3),
    "classes-smoothed": CategoricalCrossEntropy(3, smoothing=0.2),
    "hinge": Hinge(),
    "squared": SquaredError(),
    "absolute": AbsoluteError(),
    "huber": Huber(0.6),
    "log-cosh": LogCosh(),
}
SCHEDULES = {
    "step": StepDecay(every=3, by=0.3),
    "exponential": ExponentialDecay(by=0.7),
    "cosine": CosineDecay(steps=5, floor=0.1),
    "warm-up": WarmUp(steps=4),
}


def build(task):
    return getattr(reference, task.model.program)(task, Placement())


# --------------------------------------------------------------------------------- at 60 digits


def network(activation="tanh", rule=RULES["gd"], hidden=(2,), weights=None, kept=None, **parts):
    """Five rows in batches of three and two, for three epochs."""
    rng = np.random.default_rng(5)
    model = Network(hidden, activation, **({"l2": 0.3} | parts))
    y = {2: [0, 1, 1, 0, 1], 3: [0, 1, 2, 0, 2]}.get(model.loss.classes, [0.3, -1.1, 2.5, 0.1, 0.9])
    return Task(
        name="small",
        shows="",
        model=model,
        data=Dataset(rng.normal(size=(5, 2)), np.array(y), weights=weights, kept=kept),
        start={name: rng.normal(size=shape) for name, shape in model.shapes(2).items()},
        optimizer=rule,
        batches=Batches(3, draw.Shuffled(5)),
        stopping=Stopping(3),
    )


def function(model, rule, start):
    return Task(
        name="small",
        shows="",
        model=model,
        start={"w": np.array(start)},
        optimizer=rule,
        stopping=Stopping(8),
    )


def quadratic(rule):
    """Three coordinates, whose axes are not the hessian's."""
    hessian = np.array([[3.0, 1.0, 0.1], [1.0, 2.0, -0.7], [0.1, -0.7, 0.9]])
    return function(Quadratic(hessian, minimum=np.array([0.1, -1.3, 0.7])), rule, [-1.1, 2.3, 0.3])


def rosenbrock(rule):
    """So flat a valley that no rule leaves it."""
    return function(Rosenbrock(0.5), rule, [-0.6, 1.1])


CASES = {
    **{f"quadratic-{name}": quadratic(rule) for name, rule in RULES.items()},
    **{f"rosenbrock-{name}": rosenbrock(rule) for name, rule in RULES.items()},
    **{
        f"quadratic-{name}": replace(quadratic(RULES["nesterov"]), schedule=s)
        for name, s in SCHEDULES.items()
    },
    **{f"network-{name}": network(rule=rule) for name, rule in RULES.items()},
    **{f"network-{name}": network(name, hidden=(2, 2)) for name in Network.ACTIVATIONS},
    **{f"network-{name}": network(loss=loss) for name, loss in LOSSES.items()},
    "network-linear": network(hidden=()),
    "network-l1": network(l1=0.4),
    "network-max-norm": network(max_norm=0.8),
    "network-weights": network(weights=np.array([0.5, 2.0, 0.1, 1.3, 0.7])),
    "network-dropout": network(
        hidden=(3, 2), dropout=0.4, kept=np.random.default_rng(5).random((5, 5)) < 0.6
    ),
    "network-plateau": replace(network(rule=GradientDescent(4.0)), schedule=Plateau(by=0.3, patience=0)),
}


def error(actual, desired):
    """The largest difference, in eps of the largest value; what is 0 must be 0."""
    largest = max(map(abs, desired.flat)) or EPS
    return (
        float(max(abs(mpf(float(a)) - d) for a, d in zip(actual.flat, desired.flat, strict=True)) / largest)
        / EPS
    )


@pytest.mark.parametrize("case", CASES)
def test_reference_follows_the_exact_run(case):
    """Sums of at most five terms round by a few eps, and so few steps do not amplify that; measured: 7."""
    task = CASES[case]
    actual, _ = record(build(task), task)
    errors = {name: error(actual[name], desired) for name, desired in exact.trace(task).items()}
    assert max(errors.values()) < 16, errors


# ------------------------------------------------------------------- complex and central differences


def after_an_epoch(task):
    """The reference, trained, and the last batch, which may be a short one."""
    program = build(task)
    batches = next(task.epochs())
    program.run(batches)
    return program, batches[-1]


DIFFERENTIABLE = arbitrary_tasks().filter(lambda task: not isinstance(task.model, Perceptron))


@settings(max_examples=100, deadline=None)
@given(task=DIFFERENTIABLE, seed=st.integers(0, 999))
def test_gradient_is_the_complex_step(task, seed):
    """∂L/∂w = Im L(w + ih)/h, without any cancellation, so h may be 1e-200: up to 20 elements.

    Errors p - y, derivatives 1 - h² and distances from a minimum are near 1 or made of what is, even
    where the gradient made of them is small: they round by a few eps of 1, times the features that the
    gradient multiplies them with; measured: 4.
    """
    program, rows = after_an_epoch(task)
    loss, gradients = program.gradient(rows)
    w = pick("param", program.observe())
    assert loss == pytest.approx(exact.loss(task, w, rows, exact.COMPLEX), rel=0, abs=16 * EPS * max(1, loss))
    elements = [(name, element) for name, array in w.items() for element in np.ndindex(array.shape)]
    features = [] if task.data is None else [task.data.x_train[rows]]
    atol = 16 * EPS * max(1, *(np.abs(array).max() for array in (*gradients.values(), *features)))
    for k in np.random.default_rng(seed).permutation(len(elements))[:20]:
        name, element = elements[k]
        moved = w[name].astype(complex)
        moved[element] += 1e-200j
        desired = exact.loss(task, w | {name: moved}, rows, exact.COMPLEX).imag / 1e-200
        assert gradients[name][element] == pytest.approx(desired, rel=0, abs=atol), (name, element)


def is_smooth(task):
    """A part with a kink, within the step, makes a difference quotient meaningless."""
    kinks = ("relu", "leaky_relu", "elu", "step", Hinge, AbsoluteError, Huber)
    return not isinstance(task.model, Network) or not (
        task.model.l1 or task.model.activation in kinks or type(task.model.loss) in kinks
    )


@settings(max_examples=50, deadline=None)
@given(task=DIFFERENTIABLE.filter(is_smooth), seed=st.integers(0, 999))
def test_gradient_is_the_central_difference(task, seed):
    """Of the reference's own loss, in a direction of length 1 in which every parameter moves.

    Rounding leaves eps/h of a loss near 1, the formula h² of a third derivative near 1: both are
    eps^(2/3) at h = eps^(1/3); measured: 4.
    """
    program, rows = after_an_epoch(task)
    loss, gradients = program.gradient(rows)
    state = program.observe()
    rng = np.random.default_rng(seed)
    direction = {name: rng.normal(size=g.shape) for name, g in gradients.items()}
    length = np.sqrt(sum(np.vdot(d, d) for d in direction.values()))
    step = EPS ** (1 / 3)

    def loss_at(distance):
        moved = {
            f"param/{name}": state[f"param/{name}"] + distance / length * d for name, d in direction.items()
        }
        program.restore(state | moved)
        return program.gradient(rows)[0]

    slope = sum(np.vdot(g, direction[name]) for name, g in gradients.items()) / length
    quotient = (loss_at(step) - loss_at(-step)) / (2 * step)
    assert quotient == pytest.approx(slope, rel=0, abs=16 * EPS ** (2 / 3) * max(1, loss))
