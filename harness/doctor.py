"""What is here and what is missing, found without importing any framework."""

import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

import backends
from harness import environment
from harness.report import lines


def print_doctor(console: Console) -> int:
    """Print the facts and whether all is well.  It only informs, so it returns 0 in any case."""
    modules = {name: sorted(column.frameworks()) for name, column in backends.COLUMNS.items()}
    installed = environment.versions({module for needed in modules.values() for module in needed})
    missing = [name for name, needed in modules.items() if not installed.keys() >= set(needed)]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, fact in _machine(installed).items():
        table.add_row(Text(name), Text(fact))
    for name, needed in modules.items():
        facts = ", ".join(f"{module} {installed[module]}" for module in needed if module in installed)
        table.add_row(Text(name), Text(f"missing: {_remedy([name])}" if name in missing else facts))
    lines.put(table, console)
    console.print()
    if missing:
        console.print(Text(f"Not all is well: {_remedy(missing)}", style="bold yellow"), soft_wrap=True)
    else:
        console.print(Text("All is well: every column's packages are installed.", style="bold green"))
    return 0


def _remedy(names: list[str]) -> str:
    packages = dict.fromkeys(package for name in names for package in backends.COLUMNS[name].packages)
    return f"pip install {' '.join(packages)}"


def _machine(installed: dict[str, str]) -> dict[str, str]:
    facts = environment.describe(threads=0, device="cpu", versions=installed, workers={})
    threads = [f"{name}={os.environ[name]}" for name in environment.THREAD_VARIABLES if name in os.environ]
    return {
        "Python": facts.python,
        "platform": facts.platform,
        "processor": facts.processor,
        "cores": str(facts.cores),
        "memory": f"{facts.memory_gb:.3g} GB",
        "threads": ", ".join(threads) or "no variable is set; each worker is given its own",
        "CUDA": environment.cuda_problem() or "an NVIDIA device is visible",
    }
