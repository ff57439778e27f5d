"""Defaults side by side: the table of names, reading, aligning, printing, and the real command."""

import inspect
import json
import os
import sys
from contextlib import ExitStack
from functools import partial
from io import StringIO
from typing import overload

import numpy as np
import pytest
from command import COLUMNS as MADE
from command import harness, here, refused
from rich.console import Console

from backends import COLUMNS, Column
from backends.base import Placement
from guide import CARDS
from guide.counterparts import ABSENT, COUNTERPARTS, WITH_CONSTRUCTORS, Counterpart, Parameter, find, shared
from harness.guide.defaults import SCHEMA, Default, Defaults, Row, Thing, align, choose
from harness.guide.inspected import REQUIRED, inspected
from harness.plan import UsageError
from harness.protocol import Inspect, Inspected
from harness.report.defaults import print_defaults, sentence
from harness.session import Limits, Session, stop_all, together

# What is installed


def ask(session: Session) -> Inspected:
    framework = session.column.name
    names = [thing.names[framework] for thing in COUNTERPARTS.values() if framework in thing.names]
    return session.ask(Inspect(names), Inspected)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inspected]:
    """What each framework's worker tells of everything that it is said to have."""
    folder = tmp_path_factory.mktemp("workers")
    (folder / "logs").mkdir()
    with ExitStack() as stack:
        sessions = [
            Session(COLUMNS[name], Placement(), folder, Limits(), sys.executable, None)
            for name in WITH_CONSTRUCTORS
        ]
        for session in sessions:
            stack.callback(session.end)
        answers = together(ask, sessions, partial(stop_all, sessions), at_once=2)
    return dict(zip(WITH_CONSTRUCTORS, answers, strict=True))


def parameters(told: dict[str, Inspected], thing: Counterpart, framework: str) -> dict[str, str]:
    name = thing.names.get(framework)
    return told[framework].defaults.get(name, {}) if name else {}


def test_everything_is_there_and_tells_its_parameters(told: dict[str, Inspected]) -> None:
    assert {name: answer.problems for name, answer in told.items() if answer.problems} == {}


def test_name_that_is_written_for_a_framework_is_there(told: dict[str, Inspected]) -> None:
    """In one of the things at least that share this parameter."""
    sharing: dict[Parameter, list[Counterpart]] = {}
    for thing in COUNTERPARTS.values():
        for parameter in thing.parameters:
            sharing.setdefault(parameter, []).append(thing)
    unknown = [
        f"{things[0].name}.{parameter.name}: {framework} {name}"
        for parameter, things in sharing.items()
        for framework in WITH_CONSTRUCTORS
        if (name := getattr(parameter, framework))
        and not any(name.partition("[")[0] in parameters(told, thing, framework) for thing in things)
    ]
    assert unknown == []


# Some kinds share their list; these are what one of the kind does not have.
LACKING = {
    "MaxPooling1D.count_include_pad",
    "MaxPooling2D.count_include_pad",
    "MLPClassifier.loss",
    "TopKCategoricalAccuracy.from_sorted_ids",
    "Perceptron.learning_rate",
    "Perceptron.power_t",
    "Perceptron.loss",
    "Perceptron.epsilon",
    "Perceptron.average",
    "SGDRegressor.class_weight",
}


def test_each_listed_parameter_is_one_of_its_thing(told: dict[str, Inspected]) -> None:
    unknown = {
        f"{thing.name}.{parameter.name}"
        for thing in COUNTERPARTS.values()
        for parameter in thing.parameters
        if not any(
            parameter.called(framework).partition("[")[0] in parameters(told, thing, framework)
            for framework in thing.names
        )
    }
    assert unknown == LACKING


def test_values_that_are_said_to_be_alike_are_what_is_installed(told: dict[str, Inspected]) -> None:
    found = align(COUNTERPARTS["Conv2D"], "keras", "torch", told["keras"], told["torch"])
    rows = {row.parameter: row for row in found.rows}
    for name in ("strides", "padding", "dilation_rate"):
        assert rows[name].source.value != rows[name].port.value
        assert not rows[name].differs


@pytest.mark.parametrize("card", CARDS)
def test_defaults_that_a_card_names_can_be_found(card: str) -> None:
    for reference in CARDS[card].defaults:
        find(reference)


# References


def test_reference_is_found() -> None:
    thing, parameter = find("Adam.epsilon")
    assert (thing.name, parameter.called("torch"), parameter.called("keras")) == ("Adam", "eps", "epsilon")
    assert find("ops.gelu.approximate")[0].name == "ops.gelu"


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("NAdam.eps", "Nadam.epsilon"),
        ("Embedding.padding_idx", "Embedding.mask_zero"),
        ("DataLoader.drop_last", "fit.drop_last"),
        ("PolynomialLR.total_iters", "PolynomialDecay.decay_steps"),
        ("LinearLR.total_iters", "LinearLR.total_iters"),
    ],
)
def test_reference_by_the_name_in_one_framework_is_found(reference: str, meant: str) -> None:
    assert find(reference) == find(meant)
    thing, parameter = find(reference)
    assert f"{thing.name}.{parameter.name}" == meant


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("Adam", "'Adam' names no parameter, expected Thing.parameter, as in Adam.epsilon"),
        ("Adem.epsilon", "'Adem.epsilon': there is no 'Adem', did you mean Adam or AdamW"),
        ("NAdam.quux", "'NAdam.quux': Nadam lists learning_rate, beta_1, beta_2, epsilon"),
        ("quux.epsilon", "'quux.epsilon': there is no 'quux'"),
        ("adam.epsilon", "'adam.epsilon': there is no 'adam', did you mean Nadam or Adam"),
        ("LeakyReLU.eps", "'LeakyReLU.eps': LeakyReLU lists negative_slope, but no 'eps'"),
    ],
)
def test_reference_that_is_wrong_is_told(reference: str, message: str) -> None:
    with pytest.raises(LookupError) as raised:
        find(reference)
    assert raised.value.args[0].startswith(message)


# Reading


class Hidden:
    """As torch.nn.LSTM."""

    @overload
    def __init__(self, size: int, bias: bool = True) -> None: ...
    @overload
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take anything."""


class Untold:
    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take anything."""


class Documented:
    """documented(x, *, beta=1,
    mode="some") -> Tensor

    As torch.nn.functional.softplus, which is written in C++.
    """

    __name__ = "documented"
    __signature__ = "no signature"

    def __call__(self) -> None:
        """Nothing."""


class Nothing:
    pass


def written(a, b=np.float64(1e-8), c=np.float32, d=len, e=object(), f=(0.9, None), *, g="text", **more):  # noqa: B008
    """Defaults of all kinds."""


documented = Documented()
unsigned = Documented()
unsigned.__doc__ = "Some words."


def read(thing: str) -> dict[str, str]:
    name = f"{__name__}.{thing}"
    defaults, problems = inspected([name])
    assert problems == {}
    return defaults[name]


def test_defaults_are_written_as_a_person_would() -> None:
    assert read("written") == {
        "a": REQUIRED,
        "b": "1e-08",
        "c": "float32",
        "d": "len",
        "e": "<object object>",
        "f": "(0.9, None)",
        "g": "'text'",
    }


def test_parameters_behind_arguments_of_any_kind_are_those_of_the_first_overload() -> None:
    assert read("Hidden") == {"size": REQUIRED, "bias": "True"}


def test_parameters_of_a_function_without_a_signature_are_the_documented_ones() -> None:
    assert read("documented") == {"x": REQUIRED, "beta": "1", "mode": "'some'"}


def test_nothing_to_pass_is_no_problem() -> None:
    assert read("Nothing") == {}


def test_what_cannot_be_read_is_told() -> None:
    names = [f"{__name__}.Untold", f"{__name__}.unsigned", "no.such.thing"]
    defaults, problems = inspected(names)
    assert defaults == {}
    assert problems == {
        names[0]: f"{names[0]} does not tell its parameters",
        names[1]: f"{names[1]} does not tell its parameters",
        names[2]: "there is no no.such.thing",
    }


# Aligning

P = Parameter
MADE_UP = Counterpart(
    "Made",
    (
        P("rate", torch="lr"),
        P("beta", torch="betas[1]"),
        P("decay", alike=("None", "0"), remarks={"torch": "coupled", "sklearn": "not asked for"}),
        P("filters", torch=ABSENT),
        P("momentum"),
    ),
    keras="keras.Made",
    torch="torch.Made",
)


def aligned(keras: dict[str, str], torch: dict[str, str], thing: Counterpart = MADE_UP) -> Thing:
    mine, other = Inspected({"keras.Made": keras}, {}), Inspected({"torch.Made": torch}, {})
    return align(thing, "keras", "torch", mine, other)


def row(keras: dict[str, str], torch: dict[str, str]) -> Row:
    (found,) = aligned(keras, torch).rows
    return found


def test_parameters_stand_beside_what_they_correspond_to() -> None:
    found = aligned(
        {"rate": "0.1", "beta": "0.9", "filters": REQUIRED, "own": "1", "common": "2"},
        {"lr": "0.2", "betas": "(0.5, 0.9)", "filters": "3", "common": "2", "other": "4", "_hidden": "5"},
    )
    assert [(one.parameter, one.source, one.port, one.differs) for one in found.rows] == [
        ("rate", Default("rate", "0.1"), Default("lr", "0.2"), True),
        ("beta", Default("beta", "0.9"), Default("betas[1]", "0.9"), False),
        ("filters", Default("filters", REQUIRED), None, False),
        ("common", Default("common", "2"), Default("common", "2"), False),
    ]
    assert (found.only_source, found.only_port) == ({"own": "1"}, {"filters": "3", "other": "4"})


@pytest.mark.parametrize(
    ("mine", "other", "differs"),
    [
        ("1e-07", "1e-7", False),
        ("0.0", "0", False),
        ("1.0", "1.5", True),
        ("(1, 1)", "(1.0, 1.0)", False),
        ("True", "True", False),
        ("True", "1", True),
        ("'mean'", "'sum'", True),
        ("inf", "inf", False),
        ("inf", "0", True),
        ("None", "0", True),
        (REQUIRED, "0.5", True),
        (REQUIRED, REQUIRED, False),
        ("'required'", REQUIRED, True),
    ],
)
def test_numbers_are_compared_as_numbers(mine: str, other: str, differs: bool) -> None:
    assert row({"rate": mine}, {"lr": other}).differs is differs


@pytest.mark.parametrize(
    ("mine", "other", "differs"),
    [
        ("None", "0", False),
        ("0", "None", False),
        ("None", "0.0", False),
        ("None", "0.1", True),
        ("1", "0", True),
    ],
)
def test_values_that_come_to_the_same_do_not_differ(mine: str, other: str, differs: bool) -> None:
    found = row({"decay": mine}, {"decay": other})
    assert found.differs is differs
    assert found.remarks == {"torch": "coupled"}


def test_pair_that_is_required_has_no_elements() -> None:
    assert row({}, {"betas": REQUIRED}).port == Default("betas[1]", REQUIRED)


def test_what_decides_nothing_is_left_out() -> None:
    found = aligned({"name": "'a'", "seed": "None"}, {"name": "'b'", "foreach": "None"})
    assert (found.rows, found.only_source, found.only_port) == ([], {}, {})


def test_of_what_is_part_of_more_only_listed_parameters_belong_to_the_thing() -> None:
    part = Counterpart(
        "Made", MADE_UP.parameters, keras="keras.Made", torch="torch.Made", part_of_more=("torch",)
    )
    found = aligned({"rate": "1", "common": "2"}, {"lr": "1", "common": "2", "other": "3"}, part)
    assert [one.parameter for one in found.rows] == ["rate"]
    assert (found.only_source, found.only_port) == ({"common": "2"}, {})


def test_cards_that_name_a_default_stand_in_its_row() -> None:
    adam = COUNTERPARTS["Adam"]
    told = Inspected({"keras.optimizers.Adam": {"epsilon": "1"}, "torch.optim.Adam": {"eps": "2"}}, {})
    (found,) = align(adam, "keras", "torch", told, told).rows
    assert "adam-epsilon" in found.cards


# Choosing


def names(*asked: str, source: str = "keras", port: str = "torch") -> list[str]:
    return [thing.name for thing in choose(asked, source, port)]


def test_case_does_not_matter_and_both_of_a_name_are_meant() -> None:
    assert names("aDAm") == ["Adam"]
    assert names("elu", "ELU", "Dense") == ["ELU", "elu", "Dense"]
    assert names("gelu") == ["gelu", "ops.gelu"]


def test_the_name_in_one_of_the_frameworks_is_known_too() -> None:
    assert names("Linear") == names("torch.nn.Linear") == ["Dense"]
    assert names("CrossEntropyLoss") == ["CategoricalCrossentropy", "SparseCategoricalCrossentropy"]
    assert names("MLPClassifier", source="sklearn") == ["MLPClassifier"]


def test_without_names_everything_is_meant_that_both_have() -> None:
    found = names()
    assert {"SGD", "Dense", "fit"} <= {*found}
    assert {"InverseTimeDecay", "Ridge"}.isdisjoint(found)
    assert "Ridge" in names(source="sklearn")


@pytest.mark.parametrize("source", WITH_CONSTRUCTORS)
@pytest.mark.parametrize("port", WITH_CONSTRUCTORS)
def test_every_two_frameworks_share_something(source: str, port: str) -> None:
    if source == port:
        with pytest.raises(UsageError, match=f"--from and --to are both '{source}': name two frameworks"):
            choose([], source, port)
    else:
        assert "Adam" in names(source=source, port=port)


# Printing

FOUND = Defaults(
    SCHEMA,
    "keras",
    "torch",
    {},
    [
        Thing(
            "Made",
            "keras.somewhere.with.a.very.long.name.Made",
            "torch.somewhere.with.a.very.long.name.Made",
            [
                Row(
                    "rate",
                    Default("rate", "0.1"),
                    Default("lr", "0.2"),
                    True,
                    {"torch": "meant otherwise"},
                    [],
                ),
                Row("beta", Default("beta", "0.9"), Default("beta", "0.9"), False, {}, ["a-card", "a-card"]),
                Row("most", Default("most", f"'{'long ' * 12}'"), None, False, {}, []),
            ],
            {f"own_{i}": "None" for i in range(9)},
            {},
            [],
        ),
        Thing("Bare", "keras.bare", "torch.bare", [], {}, {}, []),
    ],
)


def printed(found: Defaults, **options: object) -> str:
    file = StringIO()
    print_defaults(found, Console(file=file, width=80, highlight=False, **options))
    return file.getvalue()


def test_difference_is_marked_by_a_sign() -> None:
    lines = [line.split() for line in printed(FOUND).splitlines()]
    assert ["≠", "rate", "0.1", "lr=0.2"] in lines
    assert ["beta", "0.9", "0.9"] in lines
    assert [line[-1] for line in lines if line[:1] == ["most"]] == ["–"]


def test_what_cannot_stand_in_a_table_stands_below() -> None:
    text = printed(FOUND)
    assert "  rate (torch): meant otherwise" in text
    assert "  only keras: own_0=None, own_1=None" in text
    assert "only torch" not in text
    assert text.count("a-card") == 1
    assert "Bare: keras.bare, torch.bare\n  nothing to set" in text


def test_nothing_is_wider_than_a_terminal_and_nothing_is_lost() -> None:
    text = printed(FOUND)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("long") == 12 + 2
    assert "…" not in text


def test_no_colour_is_needed() -> None:
    coloured = printed(FOUND, force_terminal=True, color_system="standard")
    assert "\x1b[1;33m" in coloured
    assert "≠" in printed(FOUND, force_terminal=True, no_color=True)
    assert "\x1b[1;33m" not in printed(FOUND, force_terminal=True, no_color=True)


def test_sentence_counts() -> None:
    assert sentence(FOUND) == (
        "2 things in keras and torch: of 2 defaults that both have 1 differ, in 1 thing."
    )


def test_what_cannot_be_read_is_told_and_fails() -> None:
    unread = Thing("Made", "keras.made", "torch.made", [], {}, {}, ["there is no keras.made"])
    found = Defaults(SCHEMA, "keras", "torch", {}, [unread])
    assert "  there is no keras.made" in printed(found)
    assert sentence(found).endswith("; 1 thing could not be read.")
    assert (found.exit_code(), FOUND.exit_code()) == (3, 0)


# The command

ALL = len(shared("keras", "torch"))


def test_adam_of_keras_beside_that_of_pytorch() -> None:
    import keras
    import torch

    theirs = inspect.signature(torch.optim.Adam).parameters
    ours = inspect.signature(keras.optimizers.Adam).parameters
    done = harness("defaults", "--from", "keras", "--to", "torch", "Adam", env=os.environ | {"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["Adam:", "keras.optimizers.Adam,", "torch.optim.Adam"]
    assert ["≠", "epsilon", repr(ours["epsilon"].default), f"eps={theirs['eps'].default!r}"] in lines
    assert ["beta_1", repr(ours["beta_1"].default), f"betas[0]={theirs['betas'].default[0]!r}"] in lines
    assert "\x1b" not in done.stdout
    assert "cards: adam-epsilon" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 thing in keras and torch: of ")


def test_json_holds_everything() -> None:
    done = here("defaults", "--from", "sklearn", "--to", "torch", "adam", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert (found["schema"], found["source"], found["port"]) == (SCHEMA, "sklearn", "torch")
    assert {"torch", "scikit-learn"} & {name for about in found["versions"].values() for name in about}
    (thing,) = found["things"]
    rate = next(one for one in thing["rows"] if one["parameter"] == "learning_rate")
    assert [rate["source"]["name"], rate["port"]["name"]] == ["learning_rate_init", "lr"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "keras", "--to", "keras"), "--from and --to are both 'keras': name two frameworks"),
        (("--from", "numpy", "--to", "keras"), "--from numpy: it has no constructors, and so no defaults"),
        (("--from", "keras", "--to", "numpy"), "--to numpy: it has no constructors, and so no defaults"),
        (("--from", "keras", "--to", "Torch"), "--to: no framework is named 'Torch'; did you mean torch?"),
        (
            ("--from", "jax", "--to", "torch"),
            "--from: no framework is named 'jax'; there are: sklearn, tensorflow, keras, torch",
        ),
        (
            ("--from", "keras", "--to", "torch", "Adm"),
            "nothing is named 'Adm' in keras and torch; did you mean Adam or Nadam or AdamW?",
        ),
        (
            ("--from", "keras", "--to", "torch", "xyzzy"),
            f"nothing is named 'xyzzy' in keras and torch; `defaults` without names shows all {ALL}",
        ),
        (
            ("--from", "keras", "--to", "torch", "InverseTimeDecay"),
            "InverseTimeDecay is not in both keras and torch: tensorflow and keras have it",
        ),
        (("--from", "keras"), "Missing option '--to'."),
    ],
)
def test_wrong_use_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    assert refused("defaults", *arguments) == sentence


def test_framework_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Column("torch", MADE / "not_installed.py")
    monkeypatch.setitem(COLUMNS, "torch", missing)
    done = here("defaults", "--from", "sklearn", "--to", "torch", "Adam")
    assert done.returncode == 3
    name = "a_framework_that_nobody_has"
    assert done.stdout == f"missing: {name} is not installed: pip install {name}\n"
