"""What a self-test found, as tables: which faults were found where, and how soon."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.faults import DAMAGES, FAULTS
from harness.selftest.files import HARNESS
from harness.selftest.outcome import Clean, Outcome, Power, Selftest


def print_selftest(found: Selftest, console: Console) -> None:
    """Print every table that there is, and whether what was promised was kept."""
    if found.outcomes:
        of_files = [one for one in found.outcomes if one.backend == HARNESS]
        console.print(_matrix([one for one in found.outcomes if one.backend != HARNESS]))
        console.print(_files(of_files))
        _print_proofs(found.outcomes, console)
        _print_shares(found, console)
    if found.clean:
        _print_clean(found.clean, console)
    if found.power:
        console.print(_power(found.power))
    for broken in found.broken_promises():
        console.print(Text(f"not kept: {broken}", style="bold red"), soft_wrap=True)
    if not found.exit_code():
        console.print(Text("Everything promised was kept.", style="bold green"))


def _matrix(outcomes: list[Outcome]) -> Table:
    """One row per fault, one column per backend: found / tried, and = for each that nobody can see."""
    backends = list(dict.fromkeys(one.backend for one in outcomes))
    table = _empty("fault", *backends, "steps", "where", "cause")
    for fault in (*FAULTS, *DAMAGES):
        group = [one for one in outcomes if one.fault == fault]
        tried = [one for one in group if one.found in ("found", "missed")]
        steps = [one.steps for one in tried if one.steps is not None]
        table.add_row(
            fault,
            *(_count([one for one in group if one.backend == backend]) for backend in backends),
            str(max(steps)) if steps else "",
            _share([one.localised for one in tried]),
            _share([one.named == "right" for one in tried if one.named != "none to name"]),
        )
    return table


def _files(outcomes: list[Outcome]) -> Table:
    table = _empty("damage to a run's files", "noticed")
    for one in outcomes:
        table.add_row(one.words, _count([one]))
    return table


def _empty(first: str, *others: str) -> Table:
    """A table of names and short figures."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for other in others:  # where there is too little room, the names of rows are shortened, not these
        table.add_column(other, justify="right", no_wrap=True, min_width=len(other))
    return table


def _count(group: list[Outcome]) -> Text:
    tried = [one for one in group if one.found in ("found", "missed")]
    found = sum(one.found == "found" for one in tried)
    equal = "=" * sum(one.found == "equivalent" for one in group)
    wrong = "!" * sum(one.found == "not equivalent" for one in group)
    counted = f"{found}/{len(tried)}" if tried else ""
    return Text(f"{counted} {equal}{wrong}".strip(), "" if found == len(tried) and not wrong else "bold red")


def _share(values: list[bool]) -> Text:
    if not values:
        return Text("")
    return Text(f"{sum(values)}/{len(values)}", "" if all(values) else "yellow")


def _print_proofs(outcomes: list[Outcome], console: Console) -> None:
    """Why a fault that nobody can see is none, each reason once."""
    proofs: dict[str, set[str]] = {}
    for one in outcomes:
        if one.found == "equivalent" and one.proof:
            proofs.setdefault(f"{one.fault}: {one.proof}", set()).add(one.task)
    for proof, tasks in proofs.items():
        where = (f" ({', '.join(sorted(tasks))})", "dim")
        console.print(Text.assemble(("= ", "bold"), proof, where), soft_wrap=True)


def _print_shares(found: Selftest, console: Console) -> None:
    tried = found.tried()
    kinds = {one.fault for one in tried}
    detected = sum(one.found == "found" for one in tried)
    equal = sum(one.found == "equivalent" for one in found.outcomes)
    wrong = sum(one.named == "wrong" for one in tried)
    console.print(
        f"{detected} of {len(tried)} faults found, of {len(kinds)} kinds; "
        f"{equal} more are equivalent, with proof. Localised right: {found.localised():.1%}. "
        f"Causes named right: {found.named():.1%}, wrong: {wrong}.",
        soft_wrap=True,
    )


def _print_clean(clean: Clean, console: Console) -> None:
    room = ""
    if clean.tightest:
        room = f"; least headroom {clean.least_headroom:.1f}: {clean.tightest}"
    console.print(
        f"{clean.runs} clean runs: {len(clean.alarms)} false alarms, {clean.agreed} agreed, "
        f"{clean.as_declared} differ as declared, {clean.inconclusive} inconclusive{room}.",
        soft_wrap=True,
    )


def _power(found: list[Power]) -> Table:
    """One row per task, one column per hyper-parameter: the smallest relative change that is found."""
    names = list(dict.fromkeys(one.parameter for one in found))
    table = _empty("smallest change found", *names)
    for task in dict.fromkeys(one.task for one in found):
        own = {one.parameter: one.change for one in found if one.task == task}
        table.add_row(task, *("" if name not in own else _change(own[name]) for name in names))
    return table


def _change(change: float | None) -> str:
    return "none" if change is None else f"{change:.0e}"
