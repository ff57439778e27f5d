"""The README's examples, run as they stand."""

import re
from pathlib import Path

import pytest
from command import here
from conftest import ROOT

from harness import folder
from harness.__main__ import main
from harness.result import Result

README = (ROOT / "README.md").read_text()


def example(name: str) -> str:
    """The fenced Python block whose first line names the file."""
    (found,) = re.findall(rf"```python\n(# {re.escape(name)}\n.*?)```", README, re.DOTALL)
    return found


def run(tmp_path: Path, *arguments: object) -> Result:
    done = here("run", "--no-timing", "--out", tmp_path / "run", *arguments)
    assert done.returncode == 0, done
    return folder.load(tmp_path / "run")


def test_example_of_a_task_agrees_on_numpy_sklearn_and_torch(tmp_path: Path) -> None:
    file = tmp_path / "my_tasks.py"
    file.write_text(example("my_tasks.py"))
    found = run(tmp_path, "--tasks-from", file, "-t", "my-moons", "-b", "sklearn", "-b", "torch")
    assert {cell.backend: cell.status for cell in found.cells} == dict.fromkeys(
        ("numpy", "sklearn", "torch"), "agreed"
    )
    assert {cell.steps for cell in found.cells} == {25 * 6}


def test_example_of_a_backend_agrees_where_it_can(tmp_path: Path) -> None:
    file = tmp_path / "plain.py"
    file.write_text(example("plain.py"))
    found = run(tmp_path, "-b", file, "-t", "quadratic*", "-t", "xor")
    statuses = {cell.task: (cell.status, cell.reason) for cell in found.cells if cell.backend == "plain"}
    assert statuses["quadratic-gd"] == ("agreed", None)
    assert statuses["quadratic-ill-conditioned-gd"] == ("agreed", None)
    assert statuses["quadratic-adam"] == ("unsupported", "plain Python was only taught gradient descent")
    assert statuses["xor"] == ("unsupported", "the column has no class Network")


@pytest.mark.parametrize("command", ["run", "list", "show", "doctor", "compare"])
def test_command_in_the_readme_exists(command: str) -> None:
    assert f"samestep {command}" in README
    assert command in main.commands


def test_file_tree_names_every_source_file() -> None:
    files = [path for part in ("tasks", "backends", "harness") for path in (ROOT / part).glob("*.py")]
    assert len(files) > 25
    assert [path for path in files if path.name not in README] == []


def test_picture_and_sample_are_there() -> None:
    for link in re.findall(r"\((reports/[^)]+)\)", README):
        assert (ROOT / link).is_file(), link
