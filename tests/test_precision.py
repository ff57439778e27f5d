"""The reference against exact values: training at 60 digits, complex steps and central differences.

All of it is written from the formulas in `tasks.spec`, in mpmath and in complex NumPy; no gradient is
derived by hand.
"""

from itertools import chain, islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import exp, fdot, log, mp, mpf, sqrt, tanh
from strategies import arbitrary_tasks

import backends.numpy as reference
from backends.base import Placement, pick
from harness.trace import record
from tasks import draw
from tasks.spec import (
    Adam,
    Batches,
    Dataset,
    GradientDescent,
    Momentum,
    Network,
    Perceptron,
    Quadratic,
    RMSprop,
    Stopping,
    Task,
)

mp.dps = 60
EPS = float(np.finfo(float).eps)

# ε and the powers of β are large enough that a mistake in their place shows in the first digits.
RULES = {
    "gd": GradientDescent(0.3),
    "momentum": Momentum(0.2, 0.7),
    "rmsprop": RMSprop(0.05, 0.8, epsilon=0.01),
    "rmsprop-inside": RMSprop(0.05, 0.8, epsilon=0.01, epsilon_inside_root=True),
    "adam": Adam(0.05, 0.8, 0.95, epsilon=0.01),
    "adam-hat": Adam(0.05, 0.8, 0.95, epsilon=0.01, epsilon_hat=True),
}


def build(task):
    return getattr(reference, type(task.model).__name__)(task, Placement())


# --------------------------------------------------------------------------------- at 60 digits


def network(hidden, activation, rule):
    """Five rows in batches of three and two, for three epochs."""
    rng = np.random.default_rng(5)
    model = Network(hidden, activation, l2=0.3)
    return Task(
        name="small",
        shows="",
        model=model,
        data=Dataset(rng.normal(size=(5, 2)), np.array([0, 1, 1, 0, 1])),
        start={name: rng.normal(size=shape) for name, shape in model.shapes(2).items()},
        optimizer=rule,
        batches=Batches(3, draw.Shuffled(5)),
        stopping=Stopping(3),
    )


def quadratic(rule):
    """Three coordinates, whose axes are not the hessian's."""
    hessian = np.array([[3.0, 1.0, 0.1], [1.0, 2.0, -0.7], [0.1, -0.7, 0.9]])
    return Task(
        name="small",
        shows="",
        model=Quadratic(hessian, minimum=np.array([0.1, -1.3, 0.7])),
        start={"w": np.array([-1.1, 2.3, 0.3])},
        optimizer=rule,
        stopping=Stopping(8),
    )


ACTIVATIONS = {"relu": lambda z: max(z, mpf(0)), "tanh": tanh, "logistic": lambda z: 1 / (1 + exp(-z))}


def exact_layers(task, w):
    """The flat list of parameters as kernels (in, out) and biases (out,)."""
    numbers = iter(w)
    return [
        ([list(islice(numbers, units)) for _ in range(inputs)], list(islice(numbers, units)))
        for inputs, units in pairwise((task.data.features, *task.model.hidden, 1))
    ]


def exact_probability(task, layers, x):
    """Of class 1, for one row."""
    activate = ACTIVATIONS[task.model.activation]
    h = [mpf(value) for value in x]
    for kernel, bias in layers:
        z = [fdot(h, column) + b for column, b in zip(zip(*kernel, strict=True), bias, strict=True)]
        h = [activate(value) for value in z]
    return 1 / (1 + exp(-z[0]))


def exact_loss(task, w, rows):
    """Mean binary cross-entropy and ½·l2·Σ‖kernel‖²/N, or f(w)."""
    if isinstance(task.model, Quadratic):
        distance = [a - mpf(m) for a, m in zip(w, task.model.minimum, strict=True)]
        return fdot(distance, [fdot(map(mpf, row), distance) for row in task.model.hessian]) / 2
    layers = exact_layers(task, w)
    squares = [a * a for kernel, _ in layers for row in kernel for a in row]
    loss = mpf(task.model.l2) / 2 * sum(squares)
    for x, y in zip(task.data.x_train[rows], task.data.y_train[rows], strict=True):
        p = exact_probability(task, layers, x)
        loss -= log(p) if y else log(1 - p)
    return loss / len(rows)


def exact_gradient(task, w, rows):
    """Central differences: with a step of 1e-20 they err by 1e-40, by their formula and by rounding."""
    step = mpf("1e-20")

    def slope(i):
        up, down = ([*w[:i], w[i] + sign * step, *w[i + 1 :]] for sign in (1, -1))
        return (exact_loss(task, up, rows) - exact_loss(task, down, rows)) / (2 * step)

    return [slope(i) for i in range(len(w))]


def exact_update(rule, t, w, g, slots):
    """One coordinate: its new value and state in step t = 1, 2, …."""
    rate = mpf(rule.learning_rate)
    match rule:
        case GradientDescent():
            return w - rate * g, []
        case Momentum():
            v = mpf(rule.momentum) * slots[0] - rate * g
            return w + v, [v]
        case RMSprop():
            rho, epsilon = mpf(rule.rho), mpf(rule.epsilon)
            s = rho * slots[0] + (1 - rho) * g**2
            root = sqrt(s + epsilon) if rule.epsilon_inside_root else sqrt(s) + epsilon
            return w - rate * g / root, [s]
        case Adam():
            beta_1, beta_2, epsilon = mpf(rule.beta_1), mpf(rule.beta_2), mpf(rule.epsilon)
            m = beta_1 * slots[0] + (1 - beta_1) * g
            v = beta_2 * slots[1] + (1 - beta_2) * g**2
            if rule.epsilon_hat:
                step = rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)
            else:
                step = rate * (m / (1 - beta_1**t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)
            return w - step, [m, v]


def exact_trace(task):
    """What `record` gives, each quantity as a list of rows; arrays of all parameters are flat here."""
    everything = np.arange(task.rows)
    w = [mpf(value) for array in task.start.values() for value in array.flat]
    slots = [[mpf(0)] * len(task.optimizer.slots) for _ in w]
    trace = {"loss": [], "param": [], "grad": [], "grad_loss": []}
    trace |= {f"state/{slot}": [] for slot in task.optimizer.slots}

    def observe():
        trace["param"].append(w)
        trace["grad"].append(exact_gradient(task, w, everything))
        trace["grad_loss"].append([exact_loss(task, w, everything)])
        for i, slot in enumerate(task.optimizer.slots):
            trace[f"state/{slot}"].append([values[i] for values in slots])

    observe()
    epochs = islice(task.epochs(), task.stopping.max_epochs)
    for t, rows in enumerate(chain.from_iterable(epochs), 1):
        trace["loss"].append([exact_loss(task, w, rows)])
        g = exact_gradient(task, w, rows)
        updated = [exact_update(task.optimizer, t, *each) for each in zip(w, g, slots, strict=True)]
        w, slots = [value for value, _ in updated], [state for _, state in updated]
        observe()
    if task.data is not None:
        layers = exact_layers(task, w)
        trace["predict_train"] = [[exact_probability(task, layers, x)] for x in task.data.x_train]
    return trace


def flat(task, trace, name):
    """A quantity of a recorded trace as rows: parameters side by side, in the order of the task."""
    if name in trace:
        return trace[name].reshape(len(trace[name]), 1)
    return np.hstack([trace[f"{name}/{key}"].reshape(len(trace["observed_steps"]), -1) for key in task.start])


def error(actual, desired):
    """The largest difference, in eps of the largest value."""
    differences = [abs(mpf(a) - d) for a, d in zip(actual.flat, chain(*desired), strict=True)]
    return float(max(differences) / max(map(abs, chain(*desired)))) / EPS


CASES = {
    **{f"quadratic-{name}": quadratic(rule) for name, rule in RULES.items()},
    **{
        f"{activation}-{'-'.join(map(str, (2, *hidden, 1)))}-{name}": network(hidden, activation, rule)
        for activation in Network.ACTIVATIONS
        for hidden in ((3,), (2, 2))
        for name, rule in RULES.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_reference_follows_the_exact_run(case):
    """Sums of at most five terms round by a few eps, and so few steps do not amplify that; measured: 3."""
    task = CASES[case]
    trace, _ = record(build(task), task)
    for name, desired in exact_trace(task).items():
        assert error(flat(task, trace, name), desired) < 16, name


# ------------------------------------------------------------------- complex and central differences

COMPLEX = {
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
}


def complex_loss(task, w, rows):
    """The loss as a formula that continues into the complex plane."""
    if isinstance(task.model, Quadratic):
        distance = w["w"] - task.model.minimum  # (D,)
        return distance @ task.model.hessian @ distance / 2
    h, squares = task.data.x_train[rows], 0
    for i in range(1, len(task.model.hidden) + 2):
        z = h @ w[f"w{i}"] + w[f"b{i}"]  # (N, out)
        h = COMPLEX[task.model.activation](z)
        squares += np.sum(w[f"w{i}"] ** 2)
    margins = np.where(task.data.y_train[rows] == 1, z[:, 0], -z[:, 0])  # (N,) large where p is right
    return np.mean(np.log1p(np.exp(-margins))) + task.model.l2 / 2 * squares / len(rows)


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

    Errors p - y and distances from a minimum are near 1, even where the gradient made of them is
    small: what they round by is a few eps of 1; measured: 4.
    """
    program, rows = after_an_epoch(task)
    loss, gradients = program.gradient(rows)
    w = pick("param", program.observe())
    assert loss == pytest.approx(complex_loss(task, w, rows), rel=0, abs=16 * EPS * max(1, loss))
    elements = [(name, element) for name, array in w.items() for element in np.ndindex(array.shape)]
    atol = 16 * EPS * max(1, *(np.abs(g).max() for g in gradients.values()))
    for k in np.random.default_rng(seed).permutation(len(elements))[:20]:
        name, element = elements[k]
        moved = w[name].astype(complex)
        moved[element] += 1e-200j
        desired = complex_loss(task, w | {name: moved}, rows).imag / 1e-200
        assert gradients[name][element] == pytest.approx(desired, rel=0, abs=atol), (name, element)


def is_smooth(task):
    """A relu that changes side within the step makes a difference quotient meaningless."""
    return isinstance(task.model, Quadratic) or task.model.activation != "relu"


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
