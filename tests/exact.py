"""The formulas of `tasks.spec` once more, for numbers of any kind: complex ones, or 60 digits of mpmath.

Written from the formulas and from nothing else; no gradient is derived by hand.  Arrays are NumPy's, and hold
complex numbers or mpmath's; `m` is `COMPLEX` or `DIGITS`, where arrays and functions of that kind come from.
"""

from itertools import islice
from types import SimpleNamespace

import numpy as np
from mpmath import mp, mpf
from scipy import special

from tasks.spec import (
    LEAKY_SLOPE,
    AbsoluteError,
    Adagrad,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Constant,
    CosineDecay,
    ExponentialDecay,
    GradientDescent,
    Hinge,
    Huber,
    LogCosh,
    Momentum,
    Nadam,
    Network,
    Plateau,
    Quadratic,
    RMSprop,
    Rosenbrock,
    SquaredError,
    StepDecay,
    WarmUp,
)

mp.dps = 60

COMPLEX = SimpleNamespace(
    array=lambda a: np.asarray(a, dtype=complex), exp=np.exp, log=np.log, tanh=np.tanh, erf=special.erf
)
DIGITS = SimpleNamespace(
    array=lambda a: np.array([mpf(float(x)) for x in np.ravel(a)], dtype=object).reshape(np.shape(a)),
    **{name: np.frompyfunc(getattr(mp, name), 1, 1) for name in ("exp", "log", "tanh", "erf", "sqrt")},
)

# ---------------------------------------------------------------------------------------- the loss


def loss(task, w, rows, m):
    """Of parameters by name: on these rows, penalties included, or f(w)."""
    match task.model:
        case Quadratic(hessian, minimum):
            distance = w["w"] - m.array(minimum)  # (D,)
            return distance @ m.array(hessian) @ distance / 2
        case Rosenbrock(steepness):
            first, second = w["w"]
            return (1 - first) ** 2 + steepness * (second - first**2) ** 2
    y = m.array(task.data.y_train[rows])
    losses = row_losses(task.model.loss, logits(task, w, task.data.x_train[rows], m, rows), y, m)
    v = m.array(np.ones(task.rows) if task.data.weights is None else task.data.weights)[rows]  # (N,)
    kernels = [array for name, array in w.items() if name.startswith("w")]
    squares, sizes = (sum(np.sum(power(a)) for a in kernels) for power in (np.square, size))
    return v @ losses / np.sum(v) + (task.model.l2 * squares / 2 + task.model.l1 * sizes) / len(rows)


def logits(task, w, x, m, rows=None):
    """z (N, C) of rows x (N, D); where they are training rows, some of their units are dropped."""
    h, kept = m.array(x), task.data.kept if rows is not None else None
    ends = np.cumsum((0, *task.model.hidden))
    last = len(ends)
    for i in range(1, last):
        h = ACTIVATIONS[task.model.activation](h @ w[f"w{i}"] + w[f"b{i}"], m)  # (N, H)
        if kept is not None:
            h = h * m.array(kept[rows, ends[i - 1] : ends[i]]) / (1 - m.array(task.model.dropout))
    return h @ w[f"w{last}"] + w[f"b{last}"]


def size(a):
    """|a| by its real part, which continues into the complex plane where 0 is not near."""
    return np.where(np.real(a) > 0, a, -a)


ACTIVATIONS = {
    "relu": lambda z, _: np.where(np.real(z) > 0, z, 0),
    "tanh": lambda z, m: m.tanh(z),
    "logistic": lambda z, m: 1 / (1 + m.exp(-z)),
    "leaky_relu": lambda z, _: np.where(np.real(z) > 0, z, LEAKY_SLOPE * z),
    "elu": lambda z, m: np.where(np.real(z) > 0, z, m.exp(z) - 1),
    "gelu": lambda z, m: z * (1 + m.erf(z * m.array(2) ** (m.array(-1) / 2))) / 2,
    "step": lambda z, m: m.array(np.where(np.real(z) >= 0, 1, 0)),
}


def row_losses(rule, z, y, m):
    """Of each row (N,), from z (N, C) and y (N,)."""
    e = z[:, 0] - y  # (N,) how far a regression is off
    match rule:
        case BinaryCrossEntropy(smoothing):
            target = (1 - m.array(smoothing)) * y + m.array(smoothing) / 2  # (N,)
            found = target * m.log(1 + m.exp(-z[:, 0])) + (1 - target) * m.log(1 + m.exp(z[:, 0]))
        case CategoricalCrossEntropy(classes, smoothing):
            one_hot = np.real(y)[:, None].astype(int) == np.arange(classes)  # (N, C)
            target = (1 - m.array(smoothing)) * one_hot + m.array(smoothing) / classes
            found = -np.sum(target * m.log(softmax(z, m)), axis=1)
        case Hinge():
            margin = 1 - (2 * y - 1) * z[:, 0]
            found = np.where(np.real(margin) > 0, margin, 0)
        case SquaredError():
            found = e**2 / 2
        case AbsoluteError():
            found = size(e)
        case Huber(delta):
            found = np.where(np.real(size(e)) <= delta, e**2 / 2, delta * (size(e) - m.array(delta) / 2))
        case LogCosh():
            found = size(e) + m.log((1 + m.exp(-2 * size(e))) / 2)  # log of (eᵉ + e⁻ᵉ)/2
    return found


def softmax(z, m):
    powers = m.exp(z)  # (N, C)
    return powers / np.sum(powers, axis=1, keepdims=True)


def predictions(task, w, x, m):
    """Scores (N,) or (N, C), as a backend's `predict` gives them."""
    z = logits(task, w, x, m)
    match task.model.loss:
        case BinaryCrossEntropy():
            return 1 / (1 + m.exp(-z[:, 0]))
        case CategoricalCrossEntropy():
            return softmax(z, m)
    return z[:, 0]


# -------------------------------------------------------------------------- training, at 60 digits


def gradient(task, w, rows):
    """Central differences: with a step of 1e-20 they err by 1e-40, by their formula and by rounding."""
    step = mpf("1e-20")

    def slope(name, element):
        values = []
        for sign in (1, -1):
            moved = w[name].copy()
            moved[element] += sign * step
            values.append(loss(task, w | {name: moved}, rows, DIGITS))
        return (values[0] - values[1]) / (2 * step)

    found = {name: np.empty_like(array) for name, array in w.items()}
    for name, array in w.items():
        for element in np.ndindex(array.shape):
            found[name][element] = slope(name, element)
    return found


def factor(schedule, t):
    """Of the learning rate, where t updates have been made before."""
    match schedule:
        case StepDecay(every, by):
            return mpf(by) ** (t // every)
        case ExponentialDecay(by):
            return mpf(by) ** t
        case CosineDecay(steps, floor):
            return floor + (1 - mpf(floor)) * (1 + mp.cos(mp.pi * min(t, steps) / steps)) / 2
        case WarmUp(steps):
            return min(mpf(1), mpf(t + 1) / steps)
        case Constant() | Plateau():
            return mpf(1)


def update(rule, rate, t, w, g, slots):
    """New values and state of an array in step t = 1, 2, …."""
    sqrt = DIGITS.sqrt
    match rule:
        case GradientDescent():
            return w - rate * g, []
        case Momentum(_, momentum, nesterov):
            v = momentum * slots[0] - rate * g
            return w + (momentum * v - rate * g if nesterov else v), [v]
        case RMSprop(_, rho, epsilon, inside):
            s = rho * slots[0] + (1 - mpf(rho)) * g**2
            return w - rate * g / (sqrt(s + epsilon) if inside else sqrt(s) + epsilon), [s]
        case Adagrad(_, epsilon):
            s = slots[0] + g**2
            return w - rate * g / (sqrt(s) + epsilon), [s]
    beta_1, beta_2 = mpf(rule.beta_1), mpf(rule.beta_2)
    m = beta_1 * slots[0] + (1 - beta_1) * g
    v = beta_2 * slots[1] + (1 - beta_2) * g**2
    if isinstance(rule, Nadam):
        mu = [beta_1 * (1 - mpf("0.96") ** i / 2) for i in range(t + 2)]  # μ₀, unused, to μₜ₊₁
        ahead = (1 - mu[t]) / (1 - mp.fprod(mu[1 : t + 1])) * g + mu[t + 1] / (1 - mp.fprod(mu[1:])) * m
        return w - rate * ahead / (sqrt(v / (1 - beta_2**t)) + rule.epsilon), [m, v]
    largest = np.maximum(slots[2], v) if rule.amsgrad else v
    w = w - rate * rule.weight_decay * w
    if rule.epsilon_hat:
        step = rate * mp.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(largest) + rule.epsilon)
    else:
        step = rate * (m / (1 - beta_1**t)) / (sqrt(largest / (1 - beta_2**t)) + rule.epsilon)
    return w - step, [m, v, largest][: len(rule.slots)]


def constrained(kernel, largest):
    """The incoming weights (in,) of each unit, scaled back to a norm of at most `largest`."""
    norms = DIGITS.sqrt(np.sum(kernel**2, axis=0))  # (out,)
    return np.where(norms > largest, kernel * largest / norms, kernel)


class Plateaus:
    """How often the loss of an epoch has ceased to fall."""

    def __init__(self, rule):
        self.rule, self.best, self.without, self.factor = rule, mp.inf, 0, mpf(1)

    def end_epoch(self, batches, losses):
        """The loss of an epoch is the mean over its rows."""
        sizes = [len(rows) for rows in batches]
        epoch_loss = mp.fdot(sizes, losses[-len(batches) :]) / sum(sizes)
        self.without = 0 if epoch_loss < self.best else self.without + 1
        self.best = min(self.best, epoch_loss)
        if self.without > self.rule.patience:
            self.without, self.factor = 0, self.factor * self.rule.by


class Training:
    """A task in motion."""

    def __init__(self, task):
        self.task, self.t, self.plateaus = task, 0, Plateaus(task.schedule)
        self.w = {name: DIGITS.array(array) for name, array in task.start.items()}
        self.slots = {name: [0 * array] * len(task.optimizer.slots) for name, array in self.w.items()}

    def step(self, rows):
        """One update; the loss before it."""
        before = loss(self.task, self.w, rows, DIGITS)
        gradients = gradient(self.task, self.w, rows)
        rule, model = self.task.optimizer, self.task.model
        rate = rule.learning_rate * factor(self.task.schedule, self.t) * self.plateaus.factor
        self.t += 1
        for name, g in gradients.items():
            w, self.slots[name] = update(rule, rate, self.t, self.w[name], g, self.slots[name])
            is_bounded = isinstance(model, Network) and model.max_norm and name.startswith("w")
            self.w[name] = constrained(w, model.max_norm) if is_bounded else w
        return before

    def observe(self):
        """What a trace has of this moment."""
        everything = np.arange(self.task.rows)
        found = {"grad_loss": loss(self.task, self.w, everything, DIGITS)}
        for name, g in gradient(self.task, self.w, everything).items():
            found |= {f"param/{name}": self.w[name], f"grad/{name}": g}
            for slot, array in zip(self.task.optimizer.slots, self.slots[name], strict=True):
                found[f"state/{slot}/{name}"] = array
        if isinstance(self.task.schedule, Plateau):
            found["state/learning_rate"] = self.task.optimizer.learning_rate * self.plateaus.factor
        return found


def trace(task):
    """What `harness.trace.record` gives of a whole run that is observed at every step."""
    training, losses = Training(task), []
    observed = [training.observe()]
    for batches in islice(task.epochs(), task.stopping.max_epochs):
        for rows in batches:
            losses.append(training.step(rows))
            observed.append(training.observe())
        if isinstance(task.schedule, Plateau):
            training.plateaus.end_epoch(batches, losses)
    found = {name: np.stack([row[name] for row in observed]) for name in observed[0]}
    if task.data is not None:
        found["predict_train"] = predictions(task, training.w, task.data.x_train, DIGITS)
    return found | {"loss": np.array(losses)}
