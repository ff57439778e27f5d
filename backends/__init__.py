"""The columns of the table, in report order, loaded lazily: nothing here imports a framework.

What a framework cannot express, or does differently on purpose, is declared with its reason
in `backends.limits`, so that `list` can tell without starting anything.
"""

import ast
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from backends.limits import LIMITS, Limit
from tasks.spec import Task

REFERENCE = "numpy"


@dataclass(frozen=True)
class Column:
    """One framework's implementation of every task: a package, or a user's file, and what to install."""

    name: str
    path: Path
    packages: tuple[str, ...] = ()  # distributions, as pip knows them
    limits: tuple[Limit, ...] = ()

    @property
    def spelling(self) -> str:
        """What `-b` takes to find it: its name, or the path of a user's file."""
        return self.name if self.path.parent == HERE else str(self.path)

    @property
    def files(self) -> list[Path]:
        """Its source."""
        return sorted(self.path.glob("*.py")) if self.path.is_dir() else [self.path]

    def limit(self, task: Task, dtype: str = "float64") -> Limit | None:
        """The declaration that applies to this task in this dtype, if there is one."""
        return next((limit for limit in self._declared() if limit.applies(task, dtype)), None)

    def _declared(self) -> tuple[Limit, ...]:
        """Its own; of a user's column the known differences of the built-in one with the same frameworks.

        They are proved by replay whenever they are met, so that one that does not hold excuses nothing.
        """
        if self.name in COLUMNS:
            return self.limits
        alike = (column for column in COLUMNS.values() if column.frameworks() == self.frameworks())
        return tuple(limit for column in alike for limit in column.limits if limit.cause)

    @cache  # noqa: B019  columns live as long as the process
    def frameworks(self) -> frozenset[str]:
        """The modules that its source imports, other than Python's own and ours: "torch"."""
        body = [node for file in self.files for node in ast.parse(file.read_text(), str(file)).body]
        imports = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
        others = [node for node in body if isinstance(node, ast.ImportFrom) and not node.level]
        imports |= {node.module for node in others if node.module}
        names = {name.split(".")[0] for name in imports}
        return frozenset(names - sys.stdlib_module_names - {"backends", "tasks"})

    def load(self) -> ModuleType:
        """Import the column and, with it, its framework.  Raises whatever its source raises."""
        if self.path.parent == HERE:
            return importlib.import_module(f"backends.{self.name}")
        name = f"samestep_column_{self.name}"
        file = self.path / "__init__.py" if self.path.is_dir() else self.path
        inside = [str(self.path)] if self.path.is_dir() else None
        spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module


HERE = Path(__file__).parent
COLUMNS: dict[str, Column] = {
    name: Column(name, HERE / name, packages, LIMITS[name])
    for name, packages in {
        "numpy": ("numpy", "scipy"),
        "sklearn": ("scikit-learn",),
        "tensorflow": ("tensorflow",),
        "keras": ("keras", "tensorflow"),
        "torch": ("torch",),
    }.items()
}


def find(name: str) -> Column:
    """The column of this name, or of a user's own file or package, given by its path.

    Raises `LookupError` with the names that there are.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    path = Path(name)
    if (path.suffix == ".py" and path.is_file()) or (path / "__init__.py").is_file():
        if path.stem in COLUMNS:
            raise LookupError(f"{name!r} has the name of a built-in backend: rename it")
        return Column(path.stem.replace(".", "-"), path.resolve())
    raise LookupError(
        f"{name!r} is neither a backend ({', '.join(COLUMNS)}) nor a .py file or a package with one"
    )
