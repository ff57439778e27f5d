"""The command line: arguments to a plan, a plan to a result, a result to reports and an exit code.

0 all agreed or declared · 1 something diverged · 2 wrong use · 3 something failed, timed out or crashed ·
4 nothing diverged, but something cannot be told
"""

import io
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import plan
from harness.plan import UsageError
from tasks.spec import Task

if TYPE_CHECKING:  # imported where they are needed: --help must not wait for them
    from rich.console import Console

    from harness.bench.measures import Bench
    from harness.report.progress import Progress
    from harness.result import Result

INTERRUPTED = 130  # as shells report a program ended by Ctrl-C


class _Commands(click.Group):
    """Turns wrong use, wherever it is noticed, into one sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.ClickException(str(error)) from error


click.ClickException.exit_code = 2


def _version() -> str:
    try:
        return metadata.version("samestep")
    except metadata.PackageNotFoundError:
        return "not installed, run from its folder"


@click.group(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(_version(), prog_name="samestep")
@click.pass_context
def main(context: click.Context) -> None:
    """The same training step in every framework: proved, timed and explained.

    Without a command: the default tasks on every installed backend; the report in reports/latest.
    """
    if context.invoked_subcommand is None:
        with run.make_context("run", [], parent=context) as defaults:
            run.invoke(defaults)


def _pythons(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=PATH pairs."""
    pythons = {}
    for value in values:
        name, sign, path = value.partition("=")
        found = shutil.which(path) if sign else None
        if found is None:
            raise click.BadParameter(f"{value!r}, expected BACKEND=PATH of a Python interpreter")
        pythons[plan.columns([name])[-1].name] = found
    return pythons


file_path = click.Path(path_type=Path)


@main.command()
@click.option(
    "-t", "--task", "patterns", multiple=True, help="Task name, pattern ('moons*') or tag ('tag:quadratic')."
)
@click.option("--all", "everything", is_flag=True, help="Every task there is, not only the default ones.")
@click.option(
    "-b", "--backend", "backends", multiple=True, help="Backend name, or a .py file with one of your own."
)
@click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--threads", type=click.IntRange(1, 1024), default=1, show_default=True, help="Threads per worker."
)
@click.option("--all-cores", is_flag=True, help="Beside that, the same on a thread for each core.")
@click.option(
    "--out", type=file_path, default=Path("reports/latest"), show_default=True, help="Folder of the run."
)
@click.option("--no-timing", is_flag=True, help="Only compare.")
@click.option("--quick", is_flag=True, help="Few timing rounds: indicative figures.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out: keep what is finished in it.")
@click.option("--tasks-from", type=file_path, help="A Python file with tasks of your own.")
@click.option(
    "--python", "pythons", multiple=True, callback=_pythons, help="BACKEND=PATH of its interpreter."
)
@click.option("--export", type=file_path, help="Also write differences by step into this .csv or .parquet.")
@click.option(
    "--start-limit", type=click.FloatRange(0.1), default=120, show_default=True, help="Seconds to start."
)
@click.option(
    "--limit", type=click.FloatRange(0.1), default=120, show_default=True, help="Seconds per request."
)
def run(
    patterns: tuple[str, ...],
    everything: bool,
    backends: tuple[str, ...],
    dtype: str,
    device: str,
    threads: int,
    all_cores: bool,
    out: Path,
    no_timing: bool,
    quick: bool,
    resume: bool,
    tasks_from: Path | None,
    pythons: dict[str, str],
    export: Path | None,
    start_limit: float,
    limit: float,
) -> None:
    """Compare and time tasks on backends, and write the report.

    Without -t or --all: the default tasks, and all of --tasks-from.
    """
    from backends.base import Placement
    from harness import environment, steps, timing
    from harness.report import terminal
    from harness.report.progress import Progress
    from harness.run import Options, Run
    from harness.session import Limits

    if everything and patterns:
        raise UsageError("--all goes without -t: it is every task")
    if device == "cuda" and (problem := environment.cuda_problem()):
        raise UsageError(f"--device cuda: {problem}")
    if export:
        steps.check(export)
    table = plan.rows(patterns, tasks_from, everything=everything)
    cores = os.cpu_count() if all_cores else None
    if cores == threads:
        raise UsageError(f"--all-cores: there are {cores}, the same as --threads")
    spots = plan.spots(table, plan.columns(backends), Placement(dtype, device, threads), cores=cores)
    options = Options(
        out=out,
        command=[
            "python",
            "-m",
            "harness",
            *(word for word in sys.argv[1:] or ["run"] if word != "--resume"),
        ],
        rounds=0 if no_timing else timing.QUICK_ROUNDS if quick else timing.ROUNDS,
        timed=None if patterns or everything else plan.timed(table),
        resume=resume,
        limits=Limits(start_limit, limit),
        pythons=pythons,
        tasks_from=tasks_from,
    )
    console = _console()
    try:
        with Progress(console) as progress:
            result = Run(spots, options, progress).execute()
            more = {export: partial(steps.export, result, out, export)} if export else {}
            problems = _report(result, out, table, progress, more)
    except KeyboardInterrupt:
        again = shlex.join([*options.command, "--resume"])
        _say(console, f"Interrupted. What is finished is in {out}; go on with: {again}")
        sys.exit(INTERRUPTED)
    terminal.print_result(result, console, out)
    for problem in problems:
        _say(console, problem)
    sys.exit(3 if problems else result.exit_code())


def _report(
    result: "Result",
    out: Path,
    table: Mapping[str, Task],
    progress: "Progress",
    more: Mapping[Path, Callable[[], object]],
) -> list[str]:
    """Write every format and what `more` was asked for; why some could not be written."""
    from harness import folder
    from harness.report import figures, junit, listing, markdown, page, site, timings

    cards = figures.all_cards(result.cells) + listing.cards(figures.backends(result))
    files: dict[str, Callable[[], object]] = {
        "run.json": partial(folder.store, out, result),
        "summary.md": partial(markdown.write, result, out),
        "junit.xml": partial(junit.write, result, out),
        "timings.pyperf.json": partial(timings.write, result, out),
        "report.html": partial(page.write, result, out, table),
        "guide": partial(site.write_cards, dict.fromkeys(cards), out / "guide"),
    }
    whole = {out / name: write for name, write in files.items()} | dict(more)
    progress.start("writing the report", None)
    return _written(whole, progress.working)


def _say(console: "Console", sentence: str) -> None:
    """Print as it is: a path may hold what looks like markup, and a command must stay on one line."""
    console.print(sentence, markup=False, soft_wrap=True)


@main.command("list")
@click.option("--tasks-from", type=file_path, help="A Python file with tasks of your own.")
def list_(tasks_from: Path | None) -> None:
    """The table of tasks × backends, and what is unsupported and why."""
    import backends
    from harness.report import overview
    from tasks.concepts import CONCEPTS

    table = plan.rows((), tasks_from, everything=True)
    titles = {concept.id: concept.title for concept in CONCEPTS}
    overview.print_table(table.values(), list(backends.COLUMNS.values()), titles, _console())


@main.command()
@click.argument("task")
@click.option("-b", "--backend", "names", multiple=True, help="Show only these columns.")
@click.option("--tasks-from", type=file_path, help="A Python file with tasks of your own.")
def show(task: str, names: tuple[str, ...], tasks_from: Path | None) -> None:
    """A task in words and formulas, and its code in every column."""
    import backends
    from harness.show import print_task

    table = plan.rows((), tasks_from, everything=True)
    if task not in table:
        table |= plan.unlisted(task)
    if task not in table:
        raise UsageError(f"no task is named {task!r}; {plan.suggestion(task, list(table))}")
    chosen = plan.columns(names) if names else backends.COLUMNS.values()
    print_task(table[task], [c.spelling for c in chosen if not names or c.spelling in names], _console())


@main.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--from", "source", required=True, help="The framework that code is ported from.")
@click.option("--to", "port", required=True, help="The framework that it is ported to.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the tables.")
def defaults(names: tuple[str, ...], source: str, port: str, as_json: bool) -> None:
    """Defaults of two frameworks side by side, as the installed versions have them, and which differ.

    NAME is a class or a function, such as Adam or Dense; everything that both have if none is given.

    0 told · 2 wrong use · 3 a framework is missing, or something could not be read
    """
    from harness.guide import defaults as guide
    from harness.report import defaults as report
    from harness.result import encode
    from harness.session import Broken

    console = _console(stderr=as_json)
    things = guide.choose(names, source, port)
    try:
        found = guide.read(things, source, port)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Broken as broken:
        _say(console, f"{broken.status}: {broken.reason}")
        sys.exit(3)
    if as_json:
        click.echo(encode(found), nl=False)
    else:
        report.print_defaults(found, console)
    sys.exit(found.exit_code())


@main.command("random")
@click.option(
    "-b", "--backend", "names", multiple=True, help="Backend name, or a .py file with one of your own."
)
@click.option(
    "--seeds", type=click.IntRange(2), default=100, show_default=True, help="How often each one draws."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")
def random_(names: tuple[str, ...], seeds: int, as_json: bool) -> None:
    """What frameworks draw by themselves, compared over many seeds: initialisers, dropout, shuffles.

    0 equivalent or unsupported · 1 something is different · 2 wrong use · 3 something broke ·
    4 nothing is different, but something cannot be told
    """
    from harness import result, sampling
    from harness.report import chance

    try:
        found = sampling.compare(plan.columns(names), seeds)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if as_json:
        click.echo(result.encode(found), nl=False)
    else:
        chance.print_comparison(found, _console())
    sys.exit(found.exit_code())


@main.command()
@click.option(
    "-b", "--backend", "names", multiple=True, help="Backend name, or a .py file with one of your own."
)
@click.option(
    "--out", type=file_path, default=Path("reports/scale"), show_default=True, help="Folder of the report."
)
@click.option("--quick", is_flag=True, help="Few sizes and timing rounds: indicative figures.")
@click.option("--all-cores", is_flag=True, help="Once more with as many threads as there are cores.")
def scale(names: tuple[str, ...], out: Path, quick: bool, all_cores: bool) -> None:
    """How a step's time grows with width, depth, batch and rows, and where backends overtake each other.

    0 all agreed or declared · 1 something diverged · 2 wrong use · 3 something failed, timed out or crashed ·
    4 nothing diverged, but something cannot be told
    """
    from harness import timing
    from harness.report import scale as report
    from harness.report.progress import Progress
    from harness.scale import conduct, grid

    console = _console()
    columns = plan.columns(names)
    cores = os.cpu_count() or 1
    if all_cores and cores == 1:
        raise UsageError("--all-cores: there is only one")
    threads = [1, cores] if all_cores else [1]
    families = grid.families(grid.QUICK if quick else grid.FULL)
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS
    command = ["python", "-m", "harness", *sys.argv[1:]]
    try:
        with Progress(console) as progress:
            found = conduct.conduct(families, columns, threads, rounds, out, command, progress)
        problems = report.write(found, out)
    except KeyboardInterrupt:
        _say(console, f"Interrupted. Nothing new is in {out}; again with: {shlex.join(command)}")
        sys.exit(INTERRUPTED)
    report.print_scale(found, console, out)
    for problem in problems:
        _say(console, problem)
    sys.exit(3 if problems else found.exit_code())


@main.command()
@click.option("-b", "--backend", "names", multiple=True, help="Backend name; all if none is given.")
@click.option("--quick", is_flag=True, help="Each fault once, the backends taking turns.")
@click.option(
    "--clean", "runs", type=click.IntRange(1), help="In place of faults: so many runs of random tasks."
)
@click.option("--power", is_flag=True, help="In place of faults: the smallest changes that are found.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the tables.")
def selftest(names: tuple[str, ...], quick: bool, runs: int | None, power: bool, as_json: bool) -> None:
    """Show the checker every fault of the catalogue, and see whether it finds them.

    0 every promise kept · 1 a fault missed, a cause named wrong, a false alarm · 2 wrong use ·
    3 a worker broke
    """
    from harness.report import killmatrix
    from harness.report.progress import Progress
    from harness.result import encode
    from harness.selftest.conduct import conduct
    from harness.session import Broken

    if quick and (runs or power):
        raise UsageError("--quick goes with neither --clean nor --power: it is for faults")
    console = _console(stderr=as_json)
    try:
        with Progress(console) as progress:
            found = conduct(plan.columns(names), progress, quick=quick, clean_runs=runs, with_power=power)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Broken as broken:
        _say(console, f"{broken.status}: {broken.reason}")
        sys.exit(3)
    if as_json:
        click.echo(encode(found), nl=False)
    else:
        killmatrix.print_selftest(found, console)
    sys.exit(found.exit_code())


@main.command("guide")
@click.argument("names", metavar="[CARD]...", nargs=-1)
@click.option("--from", "source", help="With --to: the checklist of a port from this framework …")
@click.option("--to", "port", help="… to this one, the most damaging first.")
@click.option("--search", "words", help="Only list the cards that have these words.")
@click.option(
    "-b", "--backend", "backends", multiple=True, help="Only these frameworks; all if none is given."
)
@click.option("--html", type=file_path, help="Also write a site into this folder: a page per card.")
@click.option("--markdown", type=file_path, help="Also write the whole guide into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the tables.")
def guide_(
    names: tuple[str, ...],
    source: str | None,
    port: str | None,
    words: str | None,
    backends: tuple[str, ...],
    html: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> None:
    """The porting guide: run every card, or show some in full.

    A card is one convention that frameworks do not share: its naive port must be off, its recipe must agree.

    0 all hold · 1 a card no longer holds · 2 wrong use · 3 something broke
    """
    from harness.guide import choice
    from harness.guide.conduct import conduct
    from harness.report import guide as report
    from harness.report import handbook, site
    from harness.report.progress import Progress
    from harness.result import encode

    if words is not None:
        if names or source or port or html or markdown or as_json:
            raise UsageError("--search goes with nothing else: it runs nothing")
        report.print_search(words, _console())
        return
    cards, frameworks = choice.cards(names), choice.frameworks(source, port, backends)
    choice.check(html, markdown)
    console = _console(stderr=as_json)
    try:
        with Progress(console) as progress:
            found = conduct(cards, progress, frameworks)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    files: dict[Path, Callable[[], object]] = {}
    if html:
        files[html / "index.html"] = partial(site.write, found, html)
    if markdown:
        files[markdown] = partial(handbook.write, found, markdown)
    problems = _written(files)
    if as_json:
        click.echo(encode(found), nl=False)
    else:
        report.print_found(found, console, frameworks if source else (), in_full=bool(names))
    for sentence in problems or [f"Written: {place}" for place in files]:
        _say(console, sentence)
    sys.exit(3 if problems else found.exit_code())


def _written(
    files: Mapping[Path, Callable[[], object]], tell: Callable[[str], object] = lambda _: None
) -> list[str]:
    """Write these files and tell of each; why some of them could not be."""
    problems = []
    for path, write in files.items():
        tell(path.name)
        try:
            write()
        except OSError as error:  # a full disk
            problems.append(f"{path} could not be written: {error.strerror or error}")
    return problems


@main.command()
def doctor() -> None:
    """Versions, processor, threads, devices, and what is missing and how to install it."""
    from harness.doctor import print_doctor

    print_doctor(_console())


@main.command()
@click.argument("run_a", type=file_path)
@click.argument("run_b", type=file_path)
@click.option("--html", type=file_path, help="Also write a page with charts into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the lines.")
def compare(run_a: Path, run_b: Path, html: Path | None, as_json: bool) -> None:
    """Two runs: environment first, then verdicts that changed, then timings; at the end a sentence.

    0 nothing is worse · 1 a cell diverged, broke or cannot be told that was better before · 2 wrong use ·
    3 the page could not be written.
    A cell that became slower is named and leaves 0: times are no promise.
    """
    from harness import changes, folder
    from harness.report import changes as report
    from harness.result import encode

    a, b = folder.load(run_a), folder.load(run_b)
    if problem := changes.nothing_shared(a, b):
        raise UsageError(problem)
    found, console = changes.find(a, b), _console(stderr=as_json)
    problems = _written({html: partial(report.write, found, html, [run_a, run_b])}) if html else []
    if as_json:
        click.echo(encode(found), nl=False)
    else:
        report.print_changes(found, console)
    for problem in problems:
        _say(console, problem)
    sys.exit(3 if problems else found.exit_code())


@main.command()
@click.argument("directory", metavar="DIR", type=file_path)
@click.option("-t", "--task", "patterns", multiple=True, help="Only tasks of this name, pattern or tag.")
@click.option("--html", type=file_path, help="Also write a page with charts into this file.")
def history(directory: Path, patterns: tuple[str, ...], html: Path | None) -> None:
    """The trend of many runs: all that are in DIR or one level below, on the tasks that they share.

    0 told · 2 wrong use · 3 the page could not be written
    """
    from harness import history
    from harness.report import history as report

    found, console = history.follow(*history.find(directory), patterns), _console()
    report.print_history(found, console)
    problems = _written({html: partial(report.write, found, html, directory)}) if html else []
    for problem in problems:
        _say(console, problem)
    sys.exit(3 if problems else 0)


@main.command()
@click.argument("file", type=file_path, required=False)
@click.option("--quick", is_flag=True, help="Few rounds, and no default run: indicative figures.")
@click.option("--out", type=file_path, help="Also write what was measured into this file, as JSON.")
@click.option("--against", type=file_path, help="Such a file of before: tell what became slower or faster.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table in Markdown.")
def bench(file: Path | None, quick: bool, out: Path | None, against: Path | None, as_markdown: bool) -> None:
    """The suite's own benchmark: its columns beside the fastest loops, and what a run costs.

    With a FILE that --out has written, show that in place of measuring.

    0 measured · 1 something became slower · 2 wrong use · 3 something could not be measured
    """
    from harness.bench import measures
    from harness.report import bench as report

    if file and (quick or out):
        raise UsageError("a FILE goes with neither --quick nor --out: nothing is measured")
    before = measures.load(against) if against else None  # first: a wrong file must not cost minutes
    found = measures.load(file) if file else _measured(quick, out)
    console = _console()
    if as_markdown:
        click.echo(report.markdown(found), nl=False)
    else:
        report.print_bench(found, console)
    slower = report.print_changes(before, found, console) if before else 0
    sys.exit(3 if found.problems else slower)


def _measured(quick: bool, out: Path | None) -> "Bench":
    from harness import trace
    from harness.bench.conduct import conduct
    from harness.report.progress import Progress
    from harness.result import encode
    from harness.session import Broken

    console = _console(stderr=True)
    try:
        with Progress(console) as progress:
            found = conduct(progress, quick=quick)
        if out:
            trace.write(out, encode(found))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Broken as broken:
        _say(console, f"{broken.status}: {broken.reason}")
        sys.exit(3)
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written: {error.strerror}") from error
    return found


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where × cannot be shown, a question mark can
    stream = sys.stderr if stderr else sys.stdout
    # Colours may be forced into a file; a live view would only fill it with copies of itself.
    return Console(highlight=False, stderr=stderr, force_interactive=None if stream.isatty() else False)


if __name__ == "__main__":
    main(prog_name="python -m harness")
