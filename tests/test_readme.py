"""The README's examples, run as they stand."""

import importlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from command import here
from conftest import ROOT

from backends import COLUMNS, Column
from backends.base import Placement, Unsupported
from guide import CARDS
from harness import folder
from harness.__main__ import main
from harness.guide.attempt import attempt
from harness.guide.outcome import Answer, judge
from harness.result import Result
from tasks import TASKS
from tasks.spec import WarmUp

README = (ROOT / "README.md").read_text()


def example(name: str) -> str:
    """The fenced Python block whose first line names the file."""
    (found,) = re.findall(rf"```python\n(# {re.escape(name)}\n.*?)```", README, re.DOTALL)
    return found


def run(tmp_path: Path, *arguments: object, exit_code: int = 0) -> Result:
    done = here("run", "--no-timing", "--out", tmp_path / "run", *arguments)
    assert done.returncode == exit_code, done
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
    names = ("quadratic-gd", "quadratic-ill-conditioned-gd", "quadratic-adam", "rosenbrock-gd", "xor")
    found = run(tmp_path, "-b", file, *(word for name in names for word in ("-t", name)))
    statuses = {cell.task: (cell.status, cell.reason) for cell in found.cells if cell.backend == "plain"}
    assert statuses == {
        "quadratic-gd": ("agreed", None),
        "quadratic-ill-conditioned-gd": ("agreed", None),
        "quadratic-adam": ("unsupported", "plain Python was only taught gradient descent"),
        "rosenbrock-gd": ("unsupported", "plain Python was only taught quadratics"),
        "xor": ("unsupported", "the column has no class Network"),
    }


def test_example_of_a_backend_refuses_a_schedule(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(example("plain.py"))
    program = Column("plain", tmp_path / "plain.py").load().Function
    task = replace(TASKS["quadratic-gd"], schedule=WarmUp(5))
    with pytest.raises(Unsupported, match="a constant learning rate"):
        program(task, Placement())


def test_copied_column_agrees_and_shares_nothing_with_the_original(tmp_path: Path) -> None:
    assert "cp -r backends/torch my_torch" in README
    copy = Path(shutil.copytree(COLUMNS["torch"].path, tmp_path / "my_torch"))
    tasks = ("-t", "small-squared", "-t", "small-rmsprop-inside")
    found = run(tmp_path, "-b", copy, *tasks, exit_code=0)
    cells = {cell.task: cell for cell in found.cells if cell.backend == "my_torch"}
    assert cells["small-squared"].status == "agreed"
    assert cells["small-rmsprop-inside"].status == "known difference"  # declared for the same framework
    assert [cause.id for cause in cells["small-rmsprop-inside"].causes] == ["epsilon-elsewhere"]

    with (copy / "optimizer.py").open("a") as file:
        file.write("\n\nclass Optimizer:\n    def __init__(self, *_):\n        raise ValueError('edited')\n")
    found = run(tmp_path, "-b", copy, *tasks, exit_code=3)
    assert {cell.reason for cell in found.cells if cell.backend == "my_torch"} == {"ValueError: edited"}


@pytest.mark.parametrize(
    "command",
    ["run", "list", "show", "doctor", "compare", "history", "selftest", "random", "scale", "defaults"],
)
def test_command_in_the_readme_exists(command: str) -> None:
    assert f"samestep {command}" in README
    assert command in main.commands


def test_file_tree_names_every_source_file_and_no_other() -> None:
    (tree,) = re.findall(r"## Files\n\n```\n(.*?)```", README, re.DOTALL)
    files = [
        path for part in ("tasks", "backends", "guide", "harness") for path in (ROOT / part).rglob("*.py")
    ]
    summed_up = {"report", "selftest"}  # in a line each
    assert set(re.findall(r"\w+\.py", tree)) == {p.name for p in files if p.parent.name not in summed_up}
    folders = {path.parent.name for path in files} | {"tests", "benchmarks", "reports", "sample"}
    assert set(re.findall(r"(\w+)/", tree)) == folders


def test_number_of_cards_is_that_of_the_guide() -> None:
    assert f"A porting guide of {len(CARDS)} cards" in README


def test_example_of_a_card_is_whole_and_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "std_of_rows.py").write_text(example("std_of_rows.py"))
    monkeypatch.syspath_prepend(tmp_path)
    card = importlib.import_module("std_of_rows").std_of_rows
    assert card.problems() == []
    found = judge(card, {name: Answer(*attempt(card, name)) for name in card.parts})
    assert {pair.word for pair in found.pairs} == {"proved"}


def test_example_of_a_notebook_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(import harness\n.*?)```", README, re.DOTALL)
    run(tmp_path, "-t", "xor", "-b", "torch")
    exec(code.replace("reports/latest", str(tmp_path / "run")), {})


def test_picture_and_sample_are_there() -> None:
    for link in re.findall(r"\((reports/[^)]+)\)", README):
        assert (ROOT / link).is_file(), link
