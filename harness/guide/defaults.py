"""The defaults of two frameworks side by side, as their workers read them from what is installed."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from msgspec import Struct

from backends import COLUMNS
from guide import CARDS
from guide.card import Card
from guide.counterparts import (
    COUNTERPARTS,
    NO_SETTINGS,
    WITH_CONSTRUCTORS,
    Counterpart,
    Parameter,
    find,
    shared,
)
from harness.guide.inspected import REQUIRED
from harness.plan import UsageError, suggestion
from harness.protocol import Inspect, Inspected
from harness.session import Limits, Session, opened, stop_all, together

SCHEMA: Literal["samestep.defaults/1"] = "samestep.defaults/1"


class Default(Struct, frozen=True):
    """What a framework calls a parameter, and its default as Python writes it."""

    name: str
    value: str  # "required" if it has none

    def told(self, parameter: str) -> str:
        """As it is written: "1e-07", or "eps=1e-08" where the framework calls this parameter otherwise."""
        return self.value if self.name == parameter else f"{self.name}={self.value}"


class Row(Struct, frozen=True):
    """One parameter; None where a framework does not have it."""

    parameter: str  # as cards refer to it
    source: Default | None
    port: Default | None
    differs: bool  # both have it, with different defaults
    remarks: dict[str, str]  # by framework
    cards: list[str]  # of the guide


class Thing(Struct, frozen=True):
    """One thing that both frameworks have."""

    name: str
    source: str  # dotted names
    port: str
    rows: list[Row]
    only_source: dict[str, str]  # what else it has there, parameter to default
    only_port: dict[str, str]
    problems: list[str]  # what could not be read


class Defaults(Struct, frozen=True):
    """Everything that was asked for."""

    schema: Literal["samestep.defaults/1"]
    source: str
    port: str
    versions: dict[str, dict[str, str]]  # by framework, as its worker tells
    things: list[Thing]

    def exit_code(self) -> int:
        """0, or 3 where something could not be read."""
        return 3 if any(thing.problems for thing in self.things) else 0


def choose(names: Iterable[str], source: str, port: str) -> list[Counterpart]:
    """The things of these names that both frameworks have; all of them without names.

    Raises `UsageError` for a framework that is none, and for a name that neither knows.
    """
    for option, framework in (("--from", source), ("--to", port)):
        _check(option, framework)
    if source == port:
        raise UsageError(f"--from and --to are both {source!r}: name two frameworks")
    both = shared(source, port)
    chosen = [thing for name in names for thing in _named(name, both, source, port)]
    return list(dict.fromkeys(chosen)) or both


def _check(option: str, framework: str) -> None:
    if framework == "numpy":
        raise UsageError(f"{option} numpy: it has no constructors, and so no defaults")
    if framework not in WITH_CONSTRUCTORS:
        known = suggestion(framework, list(WITH_CONSTRUCTORS))
        raise UsageError(f"{option}: no framework is named {framework!r}; {known}")


def _named(name: str, both: Sequence[Counterpart], source: str, port: str) -> list[Counterpart]:
    """Those of this name, or else those that one of the frameworks calls so; case does not matter."""
    found = [thing for thing in both if _last(thing.name) == name.lower()]
    found = found or [thing for thing in both if name.lower() in _other_names(thing, source, port)]
    if found:
        return found
    elsewhere = [thing for thing in COUNTERPARTS.values() if _last(thing.name) == name.lower()]
    if elsewhere:
        having = " and ".join(elsewhere[0].names)
        raise UsageError(f"{elsewhere[0].name} is not in both {source} and {port}: {having} have it")
    known = suggestion(name, [thing.name for thing in both], "`defaults` without names shows")
    raise UsageError(f"nothing is named {name!r} in {source} and {port}; {known}")


def _last(name: str) -> str:
    """Of "torch.nn.Linear" the last part, in small letters."""
    return name.rpartition(".")[2].lower()


def _other_names(thing: Counterpart, *frameworks: str) -> set[str]:
    """What these frameworks call it, in full and in short."""
    return {form for name in map(thing.names.__getitem__, frameworks) for form in (name.lower(), _last(name))}


def read(things: Sequence[Counterpart], source: str, port: str) -> Defaults:
    """Ask both frameworks for these things' defaults.  Raises `Broken` where one cannot tell."""
    with opened([COLUMNS[source], COLUMNS[port]], Limits()) as (_, sessions):
        told = together(partial(_ask, things), sessions, partial(stop_all, sessions), at_once=2)
        versions = {session.column.name: session.about for session in sessions}
    return Defaults(
        SCHEMA, source, port, versions, [align(thing, source, port, told[0], told[1]) for thing in things]
    )


def _ask(things: Sequence[Counterpart], session: Session) -> Inspected:
    framework = session.column.name
    return session.ask(Inspect([thing.names[framework] for thing in things]), Inspected)


@dataclass(frozen=True)
class Side:
    """One of the two frameworks, and what it told of a thing."""

    framework: str
    defaults: Mapping[str, str]

    def default(self, parameter: Parameter) -> Default | None:
        """The default of a parameter, or of "betas[0]"; None where there is none of this name."""
        name = parameter.called(self.framework)
        whole, bracket, index = name.partition("[")
        if whole not in self.defaults:
            return None
        value = self.defaults[whole]
        if bracket and value != REQUIRED:
            value = repr(ast.literal_eval(value)[int(index.rstrip("]"))])
        return Default(name, value)

    def unlisted(self, thing: Counterpart) -> dict[str, str]:
        """Defaults that belong to the thing and that nobody listed."""
        if self.framework in thing.part_of_more:
            return {}
        listed = {parameter.called(self.framework).partition("[")[0] for parameter in thing.parameters}
        taken = listed | NO_SETTINGS
        return {name: value for name, value in self.defaults.items() if name not in taken and name[0] != "_"}


def of_cards(cards: Iterable[Card], told: Mapping[str, Inspected]) -> dict[str, dict[str, dict[str, str]]]:
    """By card, what its `defaults` are in each framework that has them: {"Adam.epsilon": {"keras": …}}."""
    return {
        card.id: {reference: _of_reference(reference, told) for reference in card.defaults} for card in cards
    }


def _of_reference(reference: str, told: Mapping[str, Inspected]) -> dict[str, str]:
    thing, parameter = find(reference)
    sides = [
        Side(framework, told[framework].defaults.get(name, {}))
        for framework, name in thing.names.items()
        if framework in told
    ]
    found = {side.framework: side.default(parameter) for side in sides}
    return {framework: one.told(parameter.name) for framework, one in found.items() if one}


def names_for(cards: Iterable[Card], framework: str) -> list[str]:
    """The dotted names in this framework of all things whose defaults some cards show."""
    things = [find(reference)[0] for card in cards for reference in card.defaults]
    return list(dict.fromkeys(thing.names[framework] for thing in things if framework in thing.names))


def align(thing: Counterpart, source: str, port: str, here: Inspected, there: Inspected) -> Thing:
    """What two frameworks told of a thing, parameter beside parameter."""
    names = thing.names[source], thing.names[port]
    left = Side(source, here.defaults.get(names[0], {}))
    right = Side(port, there.defaults.get(names[1], {}))
    mine, other = left.unlisted(thing), right.unlisted(thing)
    common = [name for name in mine if name in other]
    parameters = [*thing.parameters, *map(Parameter, common)]
    problems = [
        told.problems[name] for told, name in zip((here, there), names, strict=True) if name in told.problems
    ]
    return Thing(
        name=thing.name,
        source=names[0],
        port=names[1],
        rows=[row for parameter in parameters if (row := _row(thing, parameter, left, right))],
        only_source={name: value for name, value in mine.items() if name not in common},
        only_port={name: value for name, value in other.items() if name not in common},
        problems=problems,
    )


def _row(thing: Counterpart, parameter: Parameter, left: Side, right: Side) -> Row | None:
    """One parameter, if either has it."""
    mine, other = left.default(parameter), right.default(parameter)
    if not (mine or other):
        return None
    return Row(
        parameter=parameter.name,
        source=mine,
        port=other,
        differs=_differ(mine, other, parameter.alike),
        remarks={
            side.framework: parameter.remarks[side.framework]
            for side in (left, right)
            if side.framework in parameter.remarks
        },
        cards=[card.id for card in CARDS.values() if (thing, parameter) in map(find, card.defaults)],
    )


def _differ(mine: Default | None, other: Default | None, alike: Sequence[str]) -> bool:
    """Whether both have one, neither equal nor among the values that come to the same."""
    if mine is None or other is None or _is_equal(mine.value, other.value):
        return False
    return not all(any(_is_equal(one.value, value) for value in alike) for one in (mine, other))


def _is_equal(a: str, b: str) -> bool:
    """Whether two defaults, as Python writes them, are equal: 1e-07 is 1e-7, and 0.0 is 0, but not False."""
    if a == b:
        return True
    try:
        one, other = ast.literal_eval(a), ast.literal_eval(b)
    except (SyntaxError, ValueError):  # a name, such as inf or tf.float32
        return False
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
