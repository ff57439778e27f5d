"""Two runs side by side, in a terminal and as a page: environment, verdicts, accuracy, step times."""

import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from harness import trace
from harness.changes import FEW, NAMED, Accuracy, Changes, Place, Setting, Time, Verdict
from harness.report import figures, page, trends, verdict
from harness.report.charts import Chart, Palette
from harness.timing import CHANGE_LEVEL, LEAST_BAND

DRAWN = 40  # of more tasks, those whose time changed most are drawn; the table has all
ABSENT = "not in this run"
ENDS = {
    "diverged": "diverges",
    "inconclusive": "cannot be told to agree",
    "failed": "failed",
    "timed out": "timed out",
    "crashed": "crashed",
}
METHOD = (
    "A factor is a lane's time relative to the reference's, after ÷ before, with its "
    f"{100 * CHANGE_LEVEL:.0f} % interval, which allows for what two runs of the same code differ by. "
    "It is called slower or faster where the interval excludes no change and the middle is beyond the grey "
    f"band, ± {100 * LEAST_BAND:.0f} %."
)
OTHERS = {"no difference": "with no difference seen", "noisy": "too noisy to tell"}


# ------------------------------------------------------------------------------------- terminal


def print_changes(found: Changes, console: Console) -> None:
    """Print each part in lines that fit, and at the end a sentence."""
    for title, lines in (
        ("Environment", map(_setting, found.environment)),
        ("Verdicts", _verdict_lines(found.verdicts)),
        ("Accuracy", map(_accuracy, found.accuracy)),
        ("Step times", _time_lines(found.times)),
    ):
        told = list(lines)
        console.print(f"{title}: {'' if told else 'no change'}", style="bold")
        for line in told:
            console.print(Text(_folded(line, console.width)), soft_wrap=True)
    console.print(Text(sentence(found), style="bold"))


def _folded(line: str, width: int) -> str:
    """Indented, and more so where it goes on."""
    return textwrap.fill(
        figures.plain(line),
        max(width, 40),
        initial_indent=" " * 4,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _setting(one: Setting) -> str:
    return f"{one.name}: {_or_absent(one.before)} → {_or_absent(one.after)}"


def _or_absent(value: str | None) -> str:
    return "absent" if value is None else value


def _verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Tasks that ended alike on a backend share a line."""
    for tasks, one in _alike(verdicts):
        why = _why(one)
        yield f"{names(tasks)} × {one.backend}{_placed(one)}: {_change(one)}{f': {why}' if why else ''}"


def _alike(verdicts: Sequence[Verdict]) -> Iterator[tuple[list[str], Verdict]]:
    """Verdicts that differ in nothing but their task, as the tasks and one of them."""
    groups: dict[tuple[object, ...], list[Verdict]] = {}
    for one in verdicts:
        but_task = (repr(getattr(one, name)) for name in one.__struct_fields__ if name != "task")
        groups.setdefault(tuple(but_task), []).append(one)
    for group in groups.values():
        yield [one.task for one in group], group[0]


def _change(one: Verdict) -> str:
    before, after = one.before or ABSENT, one.after or ABSENT
    return f"{before} → {after}" if before != after else f"{after} as before, but for another cause"


def _why(one: Verdict) -> str:
    """The reason, what was proved, and what was before, where that is another thing."""
    reason, now, then = one.reason or "", " or ".join(one.causes), " or ".join(one.causes_before)
    proved = f"the cause is proved: {now}" if now and now not in reason else ""
    before = f"before: {then}" if then and then != now else ""
    return figures.plain("; ".join(words for words in (reason, proved, before) if words))


def _placed(one: Place) -> str:
    device = [one.device] if one.device != "cpu" else []
    return f" ({', '.join([one.dtype, *device, *_threads(one)])})"


def _threads(one: Place) -> list[str]:
    return [] if one.threads is None else [f"{one.threads} threads"]


def _accuracy(one: Accuracy) -> str:
    numbers = " → ".join(figures.number(size) for size in (one.before, one.after))
    return f"{one.task} × {one.backend}{_placed(one)}: worst difference {numbers}, in {one.quantity}"


def _time_lines(times: Sequence[Time]) -> Iterator[str]:
    """Lanes whose time changed relative to the reference's, and what can be said of the others."""
    for one in _moved(times):
        where = ", ".join([f"{one.task} × {one.backend}", *_threads(one), one.lane])
        yield f"{where}: {'indicative: ' if one.rounds < FEW else ''}{one.word} by {percent(one.factor)}"
    if times:
        said = Counter(one.word for one in times)
        yield (
            f"of {len(times)} compared: {said['slower']} slower, {said['faster']} faster, "
            + ", ".join(f"{said[word]} {words}" for word, words in OTHERS.items())
        )


def _moved(times: Sequence[Time]) -> list[Time]:
    return [one for one in times if one.word in ("slower", "faster")]


def percent(change: list[float]) -> str:
    """A change with its interval: "5.1 % (3.9–6.3 %)", least first, of more or of less time."""
    low, middle, high = (100 * abs(factor - 1) for factor in change)
    return f"{middle:.1f} % ({min(low, high):.1f}–{max(low, high):.1f} %)"


# ------------------------------------------------------------------------------------- sentence


def sentence(found: Changes) -> str:
    """What changed, the worst first."""
    if not (found.environment or found.verdicts or found.accuracy or found.times):
        return f"{_unfinished(found)}Nothing changed."
    parts = [
        *_worse(found.verdicts),
        *_times_that(found.times, "slower"),
        *_nothing_diverges(found.verdicts),
        *_grown(found.accuracy),
        *_times_that(found.times, "faster"),
        *_better_and_other(found.verdicts),
        *_no_time(found.times),
        _environment(found),
    ]
    said = "; ".join(parts)
    return f"{_unfinished(found)}{said[0].upper()}{said[1:]}."


def _unfinished(found: Changes) -> str:
    names = [name for name, run in (("first", found.a), ("second", found.b)) if not run.complete]
    return f"The {' and the '.join(names)} run is unfinished. " if names else ""


def _worse(verdicts: Sequence[Verdict]) -> list[str]:
    """Each backend's cells that got worse the same way, as one; of many, how many more there are."""
    worse = [one for one in verdicts if one.direction == "worse"]
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for one in worse:
        groups.setdefault((one.backend, one.after or ""), []).append(one)
    said = [
        f"{framework(backend)} {ENDS[end]} on {names([one.task for one in group])}{_common_cause(group)}"
        for (backend, end), group in groups.items()
    ][:NAMED]
    left = sum(len(group) for group in [*groups.values()][NAMED:])
    return said + ([f"{counted(left, 'more cell')} got worse"] if left else [])


def _common_cause(group: Sequence[Verdict]) -> str:
    causes = {" or ".join(one.causes) for one in group}
    cause = causes.pop() if len(causes) == 1 else ""
    return f" ({cause})" if cause else ""


def _nothing_diverges(verdicts: Sequence[Verdict]) -> list[str]:
    """Unless a cell got worse, or diverges that broke before."""
    is_said = any(one.direction == "worse" or one.after == "diverged" != one.before for one in verdicts)
    return [] if is_said else ["nothing diverges that did not before"]


def _times_that(times: Sequence[Time], word: str) -> list[str]:
    """The lane that changed most, and how many others did."""
    changed = [one for one in times if one.word == word]
    if not changed:
        return []
    most, *others = changed
    few = ", as far as few rounds tell," if most.rounds < FEW else ""
    where = " on ".join([most.lane, most.task, *_threads(most)])
    also = f", and so did {counted(len(others), 'other lane')}" if others else ""
    return [f"{framework(most.backend)} became{few} {word} by {percent(most.factor)} in {where}{also}"]


def _grown(accuracy: Sequence[Accuracy]) -> list[str]:
    if not accuracy:
        return []
    one, *others = accuracy
    numbers = " to ".join(figures.number(size) for size in (one.before, one.after))
    also = f", and that of {counted(len(others), 'other cell')}" if others else ""
    return [f"the worst difference of {framework(one.backend)} on {one.task} grew from {numbers}{also}"]


def _better_and_other(verdicts: Sequence[Verdict]) -> list[str]:
    shared = [one for one in verdicts if one.before and one.after]
    better = [one for one in shared if one.direction == "better"]
    other = [one for one in shared if one.direction == "other"]
    alone = [one for one in verdicts if not (one.before and one.after) and one.direction == "other"]
    return [
        *([f"{counted(len(better), 'cell')} got better"] if better else []),
        *([f"{counted(len(other), 'verdict')} changed for neither better nor worse"] if other else []),
        *([f"{counted(len(alone), 'cell')} {are(alone)} in only one of the runs"] if alone else []),
    ]


def _no_time(times: Sequence[Time]) -> list[str]:
    if not times or _moved(times):
        return []
    return [f"of {counted(len(times), 'step time')} none is seen to have changed"]


def _environment(found: Changes) -> str:
    if not found.environment:
        return "the environment is the same"
    first, *others = found.environment
    what = f"{first.name} {_or_absent(first.before)} → {_or_absent(first.after)}"
    also = f" and {counted(len(others), 'other thing')}" if others else ""
    return f"the environment differs in {what}{also}{', so timings may too' if found.times else ''}"


def names(tasks: Sequence[str]) -> str:
    """As "xor, moons and iris", or "xor, moons, iris and 5 more"."""
    shown = [*tasks] if len(tasks) <= NAMED else [*tasks[:NAMED], f"{len(tasks) - NAMED} more"]
    *most, last = shown
    return f"{', '.join(most)} and {last}" if most else last


def framework(backend: str) -> str:
    """How its people write it."""
    return verdict.TITLES.get(backend, backend)


def counted(count: int, noun: str) -> str:
    """As "1 cell" or "2 cells"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def are(things: Sequence[object]) -> str:
    """The verb for one or several."""
    return "is" if len(things) == 1 else "are"


# ----------------------------------------------------------------------------------------- page


def write(found: Changes, file: Path, folders: Sequence[Path]) -> None:
    """Write the page, with links to the reports of both runs where these are.

    Raises `OSError` when it cannot be written.
    """
    trace.write(file, html(found, [_link(folder, file) for folder in folders]))


def _link(folder: Path, file: Path) -> str | None:
    """How to get from the page to the report of a run."""
    report = (folder.parent if folder.name == "run.json" else folder) / "report.html"
    return quote(os.path.relpath(report, file.parent)) if report.is_file() else None


def html(found: Changes, links: Sequence[str | None] = (None, None)) -> bytes:
    """The page: the sentence, then the same parts as in a terminal, as tables and charts."""
    template, charts = page.templates().get_template("compare.html"), list(_charts(found))
    text = template.render(
        found=found,
        sentence=sentence(found),
        runs=[("Before", found.a, links[0]), ("After", found.b, links[1])],
        environment=[[s.name, _or_absent(s.before), _or_absent(s.after)] for s in found.environment],
        verdicts=[(", ".join(tasks), one, _change(one), _why(one)) for tasks, one in _alike(found.verdicts)],
        placed=_placed,
        accuracy=[_accuracy_row(one) for one in found.accuracy],
        charts=charts,
        told=[line for line in _time_lines(found.times) if line.startswith("of ")],
        method=METHOD,
        packed=page.packed(charts),
    )
    return text.encode()


def _accuracy_row(one: Accuracy) -> list[str]:
    name = f"{one.task} × {one.backend}{_placed(one)}"
    return [name, figures.number(one.before), figures.number(one.after), one.quantity]


def _charts(found: Changes) -> Iterator[Chart]:
    """Factors by task, a chart for each lane."""
    palette = Palette(found.b.backends)
    for lane in sorted({one.lane for one in found.times}, key=lambda lane: (lane != "run", lane != "step")):
        of_lane = [one for one in found.times if one.lane == lane]
        rows = dict.fromkeys(_row(one) for one in sorted(of_lane, key=_size, reverse=True))
        drawn = list(rows)[:DRAWN]
        notes = [f"Drawn are {DRAWN} of {len(rows)} tasks, those whose time changed most."]
        yield trends.factors(
            f"factors-{lane}",
            f"Step time in {lane}, after ÷ before",
            {row: [one for one in of_lane if _row(one) == row] for row in drawn},
            [[_row(one), one.backend, *_numbers(one), one.word] for one in of_lane],
            palette,
            band=LEAST_BAND,
            notes=notes if len(rows) > DRAWN else [],
        )


def _row(one: Time) -> str:
    return ", ".join([one.task, *([one.dtype] if one.dtype != "float64" else []), *_threads(one)])


def _size(one: Time) -> float:
    return max(one.factor[1], 1 / one.factor[1])


def _numbers(one: Time) -> list[str]:
    return [f"{value:.3f}" for value in one.factor]
