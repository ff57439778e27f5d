"""The columns' source side by side: read as text, never imported."""

import ast
import re
import textwrap
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Number, String, _TokenType

from backends import COLUMNS
from harness import source

RECIPE = re.compile(r"Recipe \(([a-z0-9-]+)\)")  # a line that makes a native part agree, and its card
CLASSES = {Keyword: "keyword", Comment: "comment", String: "string", Number: "number"}


def side_by_side(name: str, columns: Sequence[str]) -> dict[str, dict[str, Markup]]:
    """The class `name` in each column that has it: {member: {column: highlighted source}}.

    The first member, "class", is all that stands before the first method.
    """
    members: dict[str, dict[str, Markup]] = {}
    for column in columns:
        for member, code in _members(name, column).items():
            members.setdefault(member, {})[column] = _linked(highlighted(code))
    return members


def files(name: str, columns: Sequence[str]) -> dict[str, dict[str, Markup]]:
    """The file of this name of each column that has one, as its only member."""
    found = {
        column: _linked(highlighted(file.read_text(encoding="utf-8")))
        for column in columns
        if column in COLUMNS
        for file in COLUMNS[column].files
        if file.name == name
    }
    return {name: found}


def cards(columns: Sequence[str]) -> list[str]:
    """The cards of the guide that recipes in these columns name."""
    files = (file for column in columns if column in COLUMNS for file in COLUMNS[column].files)
    return list(dict.fromkeys(name for file in files for name in RECIPE.findall(file.read_text("utf-8"))))


def _linked(code: Markup) -> Markup:
    """With each recipe leading to its card, whose page lies in the folder beside the report."""
    link = r'<a href="guide/\1.html">Recipe (\1)</a>'
    return Markup(RECIPE.sub(link, code))  # noqa: S704  ids have letters and hyphens only


def _members(name: str, column: str) -> dict[str, str]:
    """The class cut before each method; nothing where there is no such file or class."""
    if column not in COLUMNS:  # a user's own, whose file the result does not name
        return {}
    try:
        code, file, _ = source.definition(COLUMNS[column].files, name)
        rest = source.beside(file, name)
    except (LookupError, OSError):
        return {}
    node = ast.parse(code).body[0]
    assert isinstance(node, ast.ClassDef)
    methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
    starts = [min([m.lineno, *(decorator.lineno for decorator in m.decorator_list)]) - 1 for m in methods]
    lines = code.splitlines()
    parts = ["\n".join(lines[start:end]) for start, end in pairwise([0, *starts, len(lines)])]
    names = ["class", *(method.name for method in methods)]
    members = {member: textwrap.dedent(part).rstrip() for member, part in zip(names, parts, strict=True)}
    return members | ({"beside the class": rest} if rest else {})


def highlighted(code: str) -> Markup:
    """Spans for a few kinds of token only, which keeps the page small."""
    parts = []
    for token, text in PythonLexer().get_tokens(code):
        kind, safe = _kind(token), escape(text)
        parts.append(f'<span class="{kind}">{safe}</span>' if kind else safe)
    return Markup("".join(parts))  # noqa: S704  every part is escaped


@cache
def _kind(token: _TokenType) -> str | None:
    """The class of such a token, if it has one."""
    return next((css for group, css in CLASSES.items() if token in group), None)
