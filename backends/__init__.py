"""The columns of the table, in report order, loaded lazily: nothing here imports a framework.

What a framework cannot express, or does differently on purpose, is declared here with its reason,
so that `list` can tell without starting anything.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Literal

from tasks.spec import Adam, Network, RMSprop, Task

REFERENCE = "numpy"


@dataclass(frozen=True)
class Limit:
    """A declared gap (`unsupported`) or disagreement (`known difference`) of a column."""

    status: Literal["unsupported", "known difference"]
    applies: Callable[[Task, str], bool]  # of a task and a dtype
    reason: str
    # Of a known difference: the fault of the catalogue that the framework has by the task's rules.  With
    # it, the reference must agree with the cell.
    cause: str | None = None
    everywhere: bool = True  # else it shows on some of these tasks only, as their numbers have it


@dataclass(frozen=True)
class Column:
    """One framework's implementation of every task: a file, and what to install for it."""

    name: str
    file: Path
    packages: tuple[str, ...] = ()  # distributions, as pip knows them
    limits: tuple[Limit, ...] = ()

    @property
    def spelling(self) -> str:
        """What `-b` takes to find it: its name, or the path of a user's file."""
        return self.name if self.file.parent == HERE else str(self.file)

    def limit(self, task: Task, dtype: str = "float64") -> Limit | None:
        """The declaration that applies to this task in this dtype, if there is one."""
        return next((limit for limit in self.limits if limit.applies(task, dtype)), None)

    @cache  # noqa: B019  columns live as long as the process
    def frameworks(self) -> frozenset[str]:
        """The modules that the file imports, other than Python's own and ours: "torch"."""
        tree = ast.parse(self.file.read_text())
        imports = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        imports |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module}
        names = {name.split(".")[0] for name in imports}
        return frozenset(names - sys.stdlib_module_names - {"backends", "tasks"})

    def load(self) -> ModuleType:
        """Import the column and, with it, its framework.  Raises whatever the file raises."""
        if self.file.parent == HERE:
            return importlib.import_module(f"backends.{self.name}")
        spec = importlib.util.spec_from_file_location(f"samestep_column_{self.name}", self.file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module


def _rmsprop(task: Task, _dtype: str) -> bool:
    return isinstance(task.optimizer, RMSprop)


def _rmsprop_outside(task: Task, _dtype: str) -> bool:
    """RMSprop with √s + ε; an ε below 1e-20 is lost in rounding wherever it stands."""
    rule = task.optimizer
    return isinstance(rule, RMSprop) and not rule.epsilon_inside_root and rule.epsilon > 1e-20


def _rmsprop_inside(task: Task, _dtype: str) -> bool:
    """RMSprop with √(s + ε)."""
    rule = task.optimizer
    return isinstance(rule, RMSprop) and rule.epsilon_inside_root and rule.epsilon > 1e-20


def _network(task: Task, _dtype: str) -> bool:
    return isinstance(task.model, Network)


def _adam_in_float32(task: Task, dtype: str) -> bool:
    return isinstance(task.optimizer, Adam) and dtype == "float32"


HERE = Path(__file__).parent
COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("numpy", HERE / "numpy.py", ("numpy",)),
        Column(
            "sklearn",
            HERE / "sklearn.py",
            ("scikit-learn",),
            (
                Limit(
                    "unsupported",
                    _rmsprop,
                    "scikit-learn's networks know sgd, adam and lbfgs, and no RMSprop",
                ),
                Limit(
                    "known difference",
                    _network,
                    "MLPClassifier computes the loss that it reports from probabilities, cut off at eps, the "
                    "task from logits: digits are lost where a row is fit very well or very badly",
                    cause="loss-from-probabilities",
                    everywhere=False,
                ),
            ),
        ),
        Column("tensorflow", HERE / "tensorflow.py", ("tensorflow",)),
        Column(
            "keras",
            HERE / "keras.py",
            ("keras", "tensorflow"),
            (
                Limit(
                    "known difference",
                    _rmsprop_outside,
                    "keras.optimizers.RMSprop divides by √(s + ε), the task by √s + ε; "
                    "Keras has no such form",
                    cause="epsilon-elsewhere",
                ),
                Limit(
                    "known difference",
                    _adam_in_float32,
                    "keras.optimizers.Adam computes 1 - β2ᵗ in float32, where only four of its digits "
                    "remain; the others compute it in float64",
                    cause="adam-float32-correction",
                ),
            ),
        ),
        Column(
            "torch",
            HERE / "torch.py",
            ("torch",),
            (
                Limit(
                    "known difference",
                    _rmsprop_inside,
                    "torch.optim.RMSprop divides by √s + ε, the task by √(s + ε); PyTorch has no such form",
                    cause="epsilon-elsewhere",
                ),
            ),
        ),
    )
}


def find(name: str) -> Column:
    """The column of this name, or of a user's own file, given by its path.

    Raises `LookupError` with the names that there are.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    path = Path(name)
    if path.suffix == ".py" and path.is_file():
        if path.stem in COLUMNS:
            raise LookupError(f"{name!r} has the name of a built-in backend: rename the file")
        return Column(path.stem.replace(".", "-"), path.resolve())
    raise LookupError(f"{name!r} is neither a backend ({', '.join(COLUMNS)}) nor a .py file with one")
