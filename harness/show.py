"""A task in words and formulas, and its code in every column."""

import inspect
from collections.abc import Sequence
from typing import assert_never

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

import backends
from harness import source
from tasks.spec import (
    Adam,
    Array,
    Constant,
    GradientDescent,
    Model,
    Momentum,
    Network,
    Optimizer,
    Perceptron,
    Quadratic,
    RMSprop,
    Task,
)

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def print_task(task: Task, columns: Sequence[str], console: Console) -> None:
    """Print the task, then its optimizer and model as each of the columns writes them.

    Raises `LookupError` when there is no such column, or it lacks the class.
    """
    console.print(Text(task.name, style="bold"))
    console.print(Text(task.shows))
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for part, lines in describe(task).items():
        table.add_row(Text(part), Text("\n".join(lines)))
    console.print(table)
    for name in columns:
        _print_column(backends.find(name), task, console)


def _print_column(column: backends.Column, task: Task, console: Console) -> None:
    console.print()
    console.print(Text(column.name, style="bold"))
    if limit := column.limit(task):
        sometimes = "" if limit.everywhere else " on some tasks"
        console.print(Text(f"{limit.status}{sometimes}: {limit.reason}"))
    changing = () if isinstance(task.schedule, Constant) else ("Schedule",)
    for name in (*changing, "Optimizer", task.model.program):
        code, file, line = source.definition(column.files, name)
        console.print()
        console.print(Text(f"{file.parent.name}/{file.name}:{line}", style="underline"))
        highlighted = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(code)
        console.print(highlighted, soft_wrap=True)  # long lines are neither cut nor padded


def describe(task: Task) -> dict[str, list[str]]:
    """The parts of a task as lines of plain text, numbers filled in."""
    return {
        "model": _model(task.model),
        "loss": _loss(task.model),
        "optimizer": _optimizer(task.optimizer),
        "data": _data(task),
        "batches": _batches(task),
        "stopping": _stopping(task),
        "start": _start(task),
    }


def _model(model: Model) -> list[str]:
    match model:
        case Perceptron():
            return ["ŷ = 1 where x·w + b ≥ 0, else 0"]
        case Quadratic(hessian, minimum):
            matrix = "[" + "; ".join(map(_numbers, hessian)) + "]"
            return ["f(w) = ½·(w − m)ᵀ H (w − m)", f"H = {matrix}", f"m = [{_numbers(minimum)}]"]
        case Network(hidden, activation):
            inputs = ["x", *(_indexed("h", i) for i in range(1, len(hidden) + 1))]
            logits = [f"{h}·{_indexed('w', i)} + {_indexed('b', i)}" for i, h in enumerate(inputs, 1)]
            layers = [f"{h} = {activation}({z})" for h, z in zip(inputs[1:], logits[:-1], strict=True)]
            return [*layers, f"z = {logits[-1]}", "p = 1/(1 + e⁻ᶻ), the probability of class 1"]
        case _:
            assert_never(model)


def _loss(model: Model) -> list[str]:
    match model:
        case Perceptron():
            return [
                "|ŷ − y|: 1 for a mistake, else 0",
                "in place of a gradient, g = (ŷ − y)·x for w and ŷ − y for b",
            ]
        case Quadratic():
            return ["f(w)"]
        case Network(l2=l2):
            mean = "mean over the batch of −y·log p − (1 − y)·log(1 − p)"
            penalty = f"+ ½·{l2:g}·Σ‖wᵢ‖²/N, with the N rows of the batch; biases are not penalised"
            return [mean, penalty] if l2 else [mean]
        case _:
            assert_never(model)


def _optimizer(rule: Optimizer) -> list[str]:
    """One step from the gradient g, for every parameter, here called w."""
    match rule:
        case GradientDescent(rate):
            return [f"w ← w − {rate:g}·g"]
        case Momentum(rate, momentum):
            return [f"v ← {momentum:g}·v − {rate:g}·g", "w ← w + v"]
        case RMSprop(rate, rho, epsilon, inside):
            root = f"√(s + {epsilon:g})" if inside else f"(√s + {epsilon:g})"
            return [f"s ← {rho:g}·s + {1 - rho:g}·g²", f"w ← w − {rate:g}·g/{root}"]
        case Adam(rate, beta_1, beta_2, epsilon, hat):
            moments = [f"m ← {beta_1:g}·m + {1 - beta_1:g}·g", f"v ← {beta_2:g}·v + {1 - beta_2:g}·g²"]
            bias_1, bias_2 = f"(1 − {beta_1:g}ᵗ)", f"(1 − {beta_2:g}ᵗ)"
            corrected = f"m̂ = m/{bias_1}, v̂ = v/{bias_2}"
            update = f"w ← w − {rate:g}·m̂/(√v̂ + {epsilon:g})"
            hat_update = f"w ← w − {rate:g}·√{bias_2}/{bias_1}·m/(√v + {epsilon:g})"
            return [*moments, *([hat_update] if hat else [corrected, update]), "in step t = 1, 2, …"]
        case _:
            assert_never(rule)


def _data(task: Task) -> list[str]:
    if task.data is None:
        return ["none"]
    tests = 0 if task.data.x_test is None else len(task.data.x_test)
    return [f"training rows: {task.data.rows}, test rows: {tests}, features: {task.data.features}"]


def _batches(task: Task) -> list[str]:
    if task.batches is None:
        return ["none: an epoch is one step"]
    size, order = task.batches.size, task.batches.order
    full, rest = divmod(task.rows, size)
    sizes = f"rows per step: {size}, steps per epoch: {full + bool(rest)}"
    meaning = (inspect.getdoc(type(order)) or "").partition("\n")[0]
    return [f"{sizes}, rows in the last: {rest}" if rest else sizes, f"{order}: {meaning}"]


def _stopping(task: Task) -> list[str]:
    rule = task.stopping
    if rule.tolerance is None:
        return [f"after {rule.max_epochs} epochs"]
    earlier = f"when more than {rule.patience} in a row do not lower the best loss by {rule.tolerance:g}"
    return [f"after {rule.max_epochs} epochs, or {earlier}"]


def _start(task: Task) -> list[str]:
    shapes = ", ".join(f"{name} {shape}" for name, shape in task.shapes.items())
    return [shapes, f"numbers in all: {sum(array.size for array in task.start.values())}"]


def _numbers(values: Array) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _indexed(letter: str, index: int) -> str:
    return letter + str(index).translate(SUBSCRIPTS)
