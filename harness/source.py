"""Read definitions out of source files without importing them."""

import ast
from pathlib import Path


def definition(path: Path, name: str) -> tuple[str, int]:
    """Source of a file's top-level class or function, decorators included, and its first line's number.

    Raises `LookupError` when the file does not define it, `OSError` when there is no such file.
    """
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno]), first
    raise LookupError(f"{path} defines no {name}")
