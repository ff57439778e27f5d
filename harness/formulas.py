"""A task in words and formulas, its numbers filled in: those of the docstrings in tasks.spec."""

import inspect
from typing import assert_never

import numpy as np

from tasks.spec import (
    LEAKY_SLOPE,
    AbsoluteError,
    Adagrad,
    Adam,
    Array,
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
    Model,
    Momentum,
    Nadam,
    Network,
    Optimizer,
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

ACTIVATIONS = {
    "relu": "max(0, z)",
    "tanh": "(eᶻ − e⁻ᶻ)/(eᶻ + e⁻ᶻ)",
    "logistic": "1/(1 + e⁻ᶻ)",
    "leaky_relu": f"z where z > 0, else {LEAKY_SLOPE:g}·z",
    "elu": "z where z > 0, else eᶻ − 1",
    "gelu": "z·Φ(z), with the normal distribution Φ",
    "step": "1 where z ≥ 0, else 0; its derivative is taken as 0",
}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def describe(task: Task) -> dict[str, list[str]]:
    """The parts of a task as lines of plain text, numbers filled in."""
    return {
        "model": _model(task.model),
        "loss": _loss(task),
        "optimizer": _optimizer(task),
        "rate": _rate(task),
        "data": _data(task),
        "batches": _batches(task),
        "stopping": _stopping(task.stopping),
        "start": _start(task),
    }


def _model(model: Model) -> list[str]:
    match model:
        case Perceptron(variant):
            return ["ŷ = 1 where x·w + b ≥ 0, else 0", _VARIANTS[variant]]
        case Quadratic(hessian, minimum):
            matrix = "[" + "; ".join(map(_numbers, hessian)) + "]"
            return ["f(w) = ½·(w − m)ᵀ H (w − m)", f"H = {matrix}", f"m = [{_numbers(minimum)}]"]
        case Rosenbrock(steepness):
            return [f"f(w) = (1 − w₁)² + {steepness:g}·(w₂ − w₁²)²", "its minimum, 0, is at (1, 1)"]
        case Network():
            return _network(model)
        case _:
            assert_never(model)


_VARIANTS = {
    "plain": "predicts with the last w and b",
    "averaged": "predicts with the mean of w and b over all steps, each taken after its update",
    "pocket": "predicts with the w and b that made the fewest mistakes on all training rows",
}


def _network(model: Network) -> list[str]:
    """Layer by layer, then what its output means."""
    inputs = ["x", *(_indexed("h", i) for i in range(1, len(model.hidden) + 1))]
    logits = [f"{h}·{_indexed('w', i)} + {_indexed('b', i)}" for i, h in enumerate(inputs, 1)]
    layers = [f"{h} = {model.activation}({z})" for h, z in zip(inputs[1:], logits[:-1], strict=True)]
    meaning = [f"{model.activation}(z) = {ACTIVATIONS[model.activation]}"] if model.hidden else []
    return [*layers, *meaning, *_dropout(model.dropout), f"z = {logits[-1]}", _output(model.loss)]


def _dropout(rate: float) -> list[str]:
    words = "in training, a hidden unit is 0 in the rows that do not keep it, and divided by"
    return [f"{words} 1 − {rate:g} in the others"] if rate else []


def _output(loss: Loss) -> str:
    match loss:
        case BinaryCrossEntropy():
            return "p = 1/(1 + e⁻ᶻ), the probability of class 1"
        case CategoricalCrossEntropy(classes):
            return f"p = softmax(z) = eᶻ/Σ eᶻ, the probabilities of the {classes} classes"
        case Hinge():
            return "class 1 where z > 0, else class 0"
        case _:
            return "z is the value that is predicted"


def _loss(task: Task) -> list[str]:
    match task.model:
        case Perceptron():
            return [
                "|ŷ − y|: 1 for a mistake, else 0",
                "in place of a gradient, g = (ŷ − y)·x for w and ŷ − y for b",
            ]
        case Network(l2=l2, l1=l1, loss=loss):
            is_weighted = task.data is not None and task.data.weights is not None
            mean = "mean over the batch" + (", by the rows' weights v: Σ v·loss/Σ v," if is_weighted else "")
            penalties = [*([f"½·{l2:g}·Σ‖wᵢ‖²/N"] if l2 else []), *([f"{l1:g}·Σ|wᵢ|/N"] if l1 else [])]
            of = "with the N rows of the batch; biases are not penalised"
            first, *rest = _of_row(loss)
            return [f"{mean} of {first}", *rest, *([f"+ {' + '.join(penalties)}, {of}"] if penalties else [])]
        case _:
            return ["f(w)"]


def _of_row(loss: Loss) -> list[str]:
    """The loss of one row; then what must be said of it."""
    match loss:
        case BinaryCrossEntropy(smoothing):
            lines = ["−y·log p − (1 − y)·log(1 − p)", *_smoothed(smoothing, 2)]
        case CategoricalCrossEntropy(classes, smoothing):
            lines = ["−Σ y·log p, with y one-hot", *_smoothed(smoothing, classes)]
        case Hinge():
            kink = "its derivative at the kink is 0"
            lines = ["max(0, 1 − y·z), with y = −1 for class 0 and +1 for class 1", kink]
        case SquaredError():
            lines = ["½·(z − y)²"]
        case AbsoluteError():
            lines = ["|z − y|", "its derivative at 0 is 0"]
        case Huber(delta):
            lines = [f"½·e² where |e| ≤ {delta:g}, else {delta:g}·(|e| − ½·{delta:g}), with e = z − y"]
        case LogCosh():
            lines = ["log cosh(z − y)"]
        case _:
            assert_never(loss)
    return lines


def _smoothed(smoothing: float, classes: int) -> list[str]:
    return [f"y is smoothed to (1 − {smoothing:g})·y + {smoothing:g}/{classes}"] if smoothing else []


def _optimizer(task: Task) -> list[str]:
    """One step from the gradient g, for every parameter, here called w."""
    rule = task.optimizer
    rate = f"{rule.learning_rate:g}" if isinstance(task.schedule, Constant) else "rate"
    lines = _update(rule, rate)
    if isinstance(task.model, Network) and (c := task.model.max_norm):
        lines.append(f"then, of a unit whose incoming weights have ‖w‖ > {c:g}: w ← {c:g}·w/‖w‖")
    return lines


def _update(rule: Optimizer, rate: str) -> list[str]:
    match rule:
        case GradientDescent():
            return [f"w ← w − {rate}·g"]
        case Momentum(_, momentum, nesterov):
            step = f"w ← w + {momentum:g}·v − {rate}·g" if nesterov else "w ← w + v"
            return [f"v ← {momentum:g}·v − {rate}·g", step]
        case RMSprop(_, rho, epsilon, inside):
            root = f"√(s + {epsilon:g})" if inside else f"(√s + {epsilon:g})"
            return [f"s ← {rho:g}·s + {1 - rho:g}·g²", f"w ← w − {rate}·g/{root}"]
        case Adagrad(_, epsilon):
            return ["s ← s + g²", f"w ← w − {rate}·g/(√s + {epsilon:g})"]
        case Adam():
            return _adam(rule, rate)
        case Nadam(_, beta_1, beta_2, epsilon):
            return [
                *_moments(beta_1, beta_2),
                f"μₜ = {beta_1:g}·(1 − ½·0.96ᵗ)",
                "ĝ = (1 − μₜ)/(1 − μ₁…μₜ)·g + μₜ₊₁/(1 − μ₁…μₜ₊₁)·m",
                f"w ← w − {rate}·ĝ/(√(v/(1 − {beta_2:g}ᵗ)) + {epsilon:g})",
                COUNTED,
            ]
        case _:
            assert_never(rule)


COUNTED = "in step t = 1, 2, …"


def _adam(rule: Adam, rate: str) -> list[str]:
    decay = [f"w ← w − {rate}·{rule.weight_decay:g}·w"] if rule.weight_decay else []
    largest = ["u ← max(u, v)"] if rule.amsgrad else []
    v = "u" if rule.amsgrad else "v"
    bias_1, bias_2 = f"(1 − {rule.beta_1:g}ᵗ)", f"(1 − {rule.beta_2:g}ᵗ)"
    corrected = f"m̂ = m/{bias_1}, v̂ = {v}/{bias_2}"
    update = f"w ← w − {rate}·m̂/(√v̂ + {rule.epsilon:g})"
    hat_update = f"w ← w − {rate}·√{bias_2}/{bias_1}·m/(√{v} + {rule.epsilon:g})"
    last = [hat_update] if rule.epsilon_hat else [corrected, update]
    return [*_moments(rule.beta_1, rule.beta_2), *largest, *decay, *last, COUNTED]


def _moments(beta_1: float, beta_2: float) -> list[str]:
    return [f"m ← {beta_1:g}·m + {1 - beta_1:g}·g", f"v ← {beta_2:g}·v + {1 - beta_2:g}·g²"]


def _rate(task: Task) -> list[str]:
    """The learning rate by its schedule."""
    rate = f"rate = {task.optimizer.learning_rate:g}"
    where = "where t updates have been made before"
    match task.schedule:
        case Constant():
            return [f"{rate}, constant"]
        case StepDecay(every, by):
            return [f"{rate}·{by:g}^⌊t/{every}⌋", where]
        case ExponentialDecay(by):
            return [f"{rate}·{by:g}ᵗ", where]
        case CosineDecay(steps, floor):
            falling = f"½·(1 + cos(π·min(t, {steps})/{steps}))"
            return [f"{rate}·({floor:g} + (1 − {floor:g})·{falling})", where]
        case WarmUp(steps):
            return [f"{rate}·min(1, (t + 1)/{steps})", where]
        case Plateau(by, patience):
            since = f"after more than {patience} epochs in a row whose loss is not below the lowest so far"
            return [f"{rate} at first", f"rate ← {by:g}·rate {since}; then that count starts again"]
        case _:
            assert_never(task.schedule)


def _data(task: Task) -> list[str]:
    data = task.data
    if data is None:
        return ["none"]
    tests = 0 if data.x_test is None else len(data.x_test)
    lines = [
        f"training rows: {data.rows}, test rows: {tests}, features: {data.features}",
        _targets(task, data),
    ]
    if data.x_validation is not None:
        lines.append(f"validation rows: {len(data.x_validation)}")
    if data.weights is not None:
        lines.append(f"weights of the training rows: {data.weights.min():g} to {data.weights.max():g}")
    if data.kept is not None:
        lines.append(f"hidden units that a row keeps: {data.kept.mean():.1%} on average")
    return lines


def _targets(task: Task, data: Dataset) -> str:
    if isinstance(task.model, Network) and task.model.loss.classes is None:
        return f"targets: {data.y_train.min():g} to {data.y_train.max():g}"
    classes, counts = np.unique(data.y_train, return_counts=True)
    found = ", ".join(f"{label:g}: {count}" for label, count in zip(classes, counts, strict=True))
    return f"training rows of class {found}"


def _batches(task: Task) -> list[str]:
    if task.batches is None:
        return ["none: an epoch is one step"]
    size, order = task.batches.size, task.batches.order
    full, rest = divmod(task.rows, size)
    sizes = f"rows per step: {size}, steps per epoch: {full + bool(rest)}"
    meaning = (inspect.getdoc(type(order)) or "").partition("\n")[0]
    return [f"{sizes}, rows in the last: {rest}" if rest else sizes, f"{order}: {meaning}"]


def _stopping(rule: Stopping) -> list[str]:
    if rule.tolerance is None:
        return [f"after {rule.max_epochs} epochs"]
    goal = f"lower the best loss by {rule.tolerance:g}" if rule.tolerance else "reach the best loss"
    earlier = f"when more than {rule.patience} in a row do not {goal}"
    lines = [f"after {rule.max_epochs} epochs, or {earlier}"]
    if rule.on_validation:
        lines.append("that loss is the validation rows', after the epoch")
        lines.append("training ends with the parameters of the epoch in which it was lowest")
    return lines


def _start(task: Task) -> list[str]:
    shapes = ", ".join(f"{name} {shape}" for name, shape in task.shapes.items())
    return [shapes, f"numbers in all: {sum(array.size for array in task.start.values())}"]


def _numbers(values: Array) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _indexed(letter: str, index: int) -> str:
    return letter + str(index).translate(SUBSCRIPTS)
