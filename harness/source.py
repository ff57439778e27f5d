"""Read definitions out of source files without importing them."""

import ast
from collections.abc import Sequence
from pathlib import Path


def definition(files: Sequence[Path], name: str) -> tuple[str, Path, int]:
    """Source of a top-level class or function, decorators included, its file, and its first line's number.

    Raises `LookupError` when no file defines it, `OSError` when there is no such file.
    """
    for file in files:
        text = file.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                return "\n".join(text.splitlines()[first - 1 : node.end_lineno]), file, first
    raise LookupError(f"{files[0]} defines no {name}")


def beside(file: Path, name: str) -> str:
    """What else a file defines beside the class or function `name`, with the comments above it; no imports.

    Raises `OSError` when there is no such file.
    """
    text = file.read_text(encoding="utf-8")
    lines, found, end = text.splitlines(), [], 0
    for node in ast.parse(text).body:
        is_own = isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
        is_docstring = isinstance(node, ast.Expr)
        if not (is_own or is_docstring or isinstance(node, ast.Import | ast.ImportFrom)):
            found.append("\n".join(lines[end : node.end_lineno]).strip("\n"))
        end = node.end_lineno or end
    return "\n\n".join(found)
