"""The guide's cards: whole, short and self-contained; how they are run, judged, searched and told."""

import ast
import builtins
import inspect
import re
import symtable
import textwrap
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

import guide
from backends import COLUMNS
from backends.base import Arrays
from guide import CARDS
from guide.card import FRAMEWORKS, Card, CardError, Part, Snippet
from harness.__main__ import main
from harness.faults import FAULTS
from harness.guide.attempt import attempt
from harness.guide.outcome import Answer, Guide, Outcome, Pair, judge
from harness.report import cards as words
from harness.report import listing, snippets

LINES = 15  # of a snippet


# --------------------------------------------------------------------------------- every card


def test_there_are_a_hundred_cards_and_every_pair_of_frameworks() -> None:
    assert len(CARDS) >= 100
    assert len(CARDS) == sum(len(guide.of(topic)) for topic in guide.TOPICS)  # no id twice
    differing = {
        pair
        for card in CARDS.values()
        for pair in card.pairs()
        if card.convention(pair[0]) != card.convention(pair[1])
    }
    assert len(differing) == len(FRAMEWORKS) * (len(FRAMEWORKS) - 1)


@pytest.mark.parametrize("card", [pytest.param(card, id=card.id) for card in CARDS.values()])
def test_card_is_whole(card: Card) -> None:
    assert card.problems() == []
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", card.id)
    assert len(card.parts) > 1
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", issue) for issue in card.issues)
    assert {fault.partition("@")[0] for fault in card.faults} <= set(FAULTS)
    assert card.wrong.rstrip(")").endswith(".")
    assert not card.title.endswith(".")


@pytest.mark.parametrize("card", [pytest.param(card, id=card.id) for card in CARDS.values()])
def test_numbers_of_a_card_are_the_same_each_time_and_need_nothing_but_numpy(card: Card) -> None:
    first, again = card.given(), card.given()
    assert list(first) == list(again)
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
        assert isinstance(array, np.ndarray)
    assert _globals(snippets.given(card)) <= {"np", "Arrays"}


@pytest.mark.parametrize("card", [pytest.param(card, id=card.id) for card in CARDS.values()])
def test_snippets_are_short_and_run_as_they_are_shown(card: Card) -> None:
    problems = [
        f"{part.framework}, {name}: {problem}"
        for part in card.parts.values()
        for name, snippet in part.snippets().items()
        for problem in _problems(card, part, name, snippet)
    ]
    assert problems == []


def _problems(card: Card, part: Part, name: str, snippet: Snippet) -> Iterator[str]:
    code = snippets.body(snippet)
    if (lines := len([line for line in code.splitlines() if line])) > LINES:
        yield f"{lines} lines"
    if hidden := _globals(snippets.script(card, part.framework, name)) - {"np", "given"}:
        yield f"uses {sorted(hidden)}, which are not shown"
    frameworks = {"sklearn", "tensorflow", "keras", "torch"}
    if others := _imports(code) & (frameworks - _own(part.framework)):
        yield f"imports {sorted(others)}"


def _own(framework: str) -> set[str]:
    """Keras here computes with TensorFlow, whose tape its users write."""
    return {framework, "tensorflow"} if framework == "keras" else {framework}


def _imports(code: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(f"def _():\n{textwrap.indent(code, '    ')}")))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


@cache
def _globals(source: str) -> set[str]:
    """The global names that functions in some source use, beside Python's own."""

    def inside(table: symtable.SymbolTable) -> Iterator[str]:
        for child in table.get_children():
            if isinstance(child, symtable.Function):
                yield from child.get_globals()
            yield from inside(child)

    table = symtable.symtable(source, "snippet", "exec")
    shown = {name for name in table.get_identifiers() if table.lookup(name).is_namespace()}
    return set(inside(table)) - shown - set(dir(builtins))


def test_a_snippet_that_uses_what_is_not_shown_is_noticed() -> None:
    assert _globals("def f(x):\n    return [helper(y) for y in np.abs(x)]") == {"np", "helper"}


def test_script_of_a_card_runs_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    exec(snippets.script(CARDS["adam-epsilon"], "numpy", "like sklearn"), {})
    assert len(capsys.readouterr().out.splitlines()) >= 100
    exec(snippets.script(CARDS["dense-kernel"], "numpy", "plain"), {})
    x = CARDS["dense-kernel"].given()
    np.testing.assert_allclose(
        np.fromstring(capsys.readouterr().out.replace("[", "").replace("]", ""), sep=" "),
        (x["x"] @ x["w"] + x["b"]).ravel(),
        atol=1e-6,
    )


# ------------------------------------------------------------- a card of this test, run and judged


def numbers() -> Arrays:
    return {"x": np.array([1.0, 2.0, 4.0])}


def toy(**more: object) -> Card:
    """Two frameworks that need not be there: NumPy's and TensorFlow's snippets are both plain NumPy."""
    options: dict = {
        "id": "toy",
        "title": "A toy",
        "wrong": "It is off.",
        "conventions": {"numpy": "x", "tensorflow": "2·x"},
        "given": numbers,
        "differs": 0.4,
        "absent": dict.fromkeys(("sklearn", "keras", "torch"), "no toys"),
    }
    return Card(**(options | more))


def plainly(card: Card, numpy: Snippet, tensorflow: Snippet) -> Card:
    card.numpy(numpy)
    card.tensorflow(tensorflow)
    return card


def with_recipes(card: Card, numpy: Snippet, tensorflow: Snippet) -> Card:
    card.numpy.like("tensorflow")(numpy)
    card.tensorflow.like("numpy")(tensorflow)
    return card


def once(x):
    """Once."""
    return x


def twice(x):
    """Twice."""
    return 2 * x


def half(x):
    """Half."""
    return x / 2


def run(card: Card) -> Outcome:
    return judge(card, {name: Answer(*attempt(card, name)) for name in card.parts})


def verdicts(card: Card) -> dict[tuple[str, str], str]:
    return {(pair.source, pair.port): pair.word for pair in run(card).pairs}


def test_difference_with_recipes_is_proved() -> None:
    card = with_recipes(plainly(toy(), once, twice), twice, once)
    assert card.problems() == []
    found = run(card)
    assert found.word == "proved"
    assert [(pair.naive, pair.recipe) for pair in found.pairs] == [([1.0], [0.0]), ([0.5], [0.0])]
    assert (found.naive(), found.recipe()) == (1.0, 0.0)


def test_difference_that_is_gone_is_cured() -> None:
    card = with_recipes(plainly(toy(), once, once), once, once)
    assert set(verdicts(card).values()) == {"cured"}


def test_difference_smaller_than_stated_is_cured() -> None:
    card = with_recipes(plainly(toy(differs=0.75), once, twice), twice, once)
    assert verdicts(card) == {("numpy", "tensorflow"): "proved", ("tensorflow", "numpy"): "cured"}


def test_recipe_that_is_a_few_ulp_beside_agrees_and_one_that_is_more_does_not() -> None:
    def nearly(x):
        """Nearly."""
        return 2 * x * (1 + 8 * np.finfo(float).eps)

    def roughly(x):
        """Roughly."""
        return 2 * x * (1 + 80 * np.finfo(float).eps)

    assert (
        verdicts(with_recipes(plainly(toy(), once, twice), nearly, once))["tensorflow", "numpy"] == "proved"
    )
    assert verdicts(with_recipes(plainly(toy(), once, twice), roughly, once))["tensorflow", "numpy"] == "off"


def test_frameworks_of_one_convention_are_the_same_or_off() -> None:
    shared = {"conventions": {"numpy tensorflow": "x"}, "differs": 0.0}
    assert set(verdicts(plainly(toy(**shared), once, once)).values()) == {"same"}
    assert set(verdicts(plainly(toy(**shared), once, twice)).values()) == {"off"}


def test_not_a_number_is_a_result_like_any_other() -> None:
    def lost(x):
        """Lost."""
        return np.where(x > 1, np.nan, x)

    card = with_recipes(plainly(toy(), once, lost), lost, once)
    found = run(card)
    assert found.word == "proved"
    assert found.naive() == np.inf
    assert [pair.naive for pair in found.pairs] == [[None], [None]]
    assert set(verdicts(with_recipes(plainly(toy(), once, lost), twice, once)).values()) == {"proved", "off"}


def test_shapes_that_do_not_fit_differ() -> None:
    def column(x):
        """A column."""
        return x[:, np.newaxis]

    assert run(with_recipes(plainly(toy(), once, column), column, once)).word == "proved"
    assert run(with_recipes(plainly(toy(), once, twice), column, once)).word == "off"


def test_direction_without_a_recipe_has_a_reason() -> None:
    card = plainly(toy(), once, twice)
    card.tensorflow.like("numpy")(once)
    card.numpy.cannot("tensorflow", "it cannot double")
    assert card.problems() == []
    found = run(card)
    assert found.word == "no recipe"
    assert {pair.reason for pair in found.pairs} == {None, "it cannot double"}


def test_snippet_that_raises_breaks_its_own_directions_only() -> None:
    def broken(x):  # noqa: ARG001  as a snippet has it
        """Broken."""
        raise ValueError("no such option")

    found = run(with_recipes(plainly(toy(), once, twice), broken, once))
    assert [(pair.port, pair.word) for pair in found.pairs] == [("tensorflow", "proved"), ("numpy", "failed")]
    assert found.pairs[1].reason == "numpy, like tensorflow: ValueError: no such option"
    assert Guide("samestep.guide/1", {}, 1.0, [found]).exit_code() == 3


@pytest.mark.parametrize(
    ("status", "word", "code"),
    [("missing", "missing", 0), ("crashed", "failed", 3), ("timed out", "failed", 3)],
)
def test_framework_without_an_answer(status, word: str, code: int) -> None:
    card = with_recipes(plainly(toy(), once, twice), twice, once)
    answers = {"numpy": Answer(*attempt(card, "numpy")), "tensorflow": Answer(status=status, reason="gone")}
    found = judge(card, answers)
    assert {pair.word for pair in found.pairs} == {word}
    assert Guide("samestep.guide/1", {}, 1.0, [found]).exit_code() == code


def test_training_is_compared_after_1_10_and_100_steps() -> None:
    def training(factor: float) -> Snippet:
        def steps(x):
            """Go on."""
            for _ in range(100):
                x *= factor  # in place
                yield x

        return steps

    card = with_recipes(
        plainly(toy(differs=1e-3), training(1.0), training(1.01)), training(1.01), training(1.0)
    )
    assert card.after == (1, 10, 100)
    (first, _) = run(card).pairs
    np.testing.assert_allclose(first.naive, [0.01, 1.01**10 - 1, 1.01**100 - 1])
    np.testing.assert_allclose(first.tolerance, 32 * np.finfo(float).eps * np.sqrt([1, 10, 100]))


def test_each_snippet_gets_its_own_copy_of_the_numbers() -> None:
    def greedy(x):
        """Take."""
        x *= 2
        return x

    assert run(with_recipes(plainly(toy(), once, greedy), greedy, once)).word == "proved"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda card: card.numpy.recipes.clear(), "numpy has no recipe for 'tensorflow', and no reason why"),
        (lambda card: setattr(card, "absent", {}), "sklearn has neither a snippet nor a reason in `absent`"),
        (
            lambda card: setattr(card, "absent", card.absent | {"numpy": "…"}),
            "`absent` names numpy, which has",
        ),
        (lambda card: setattr(card, "differs", 0.0), "`differs` is 0.0 with 2 convention(s)"),
        (lambda card: card.numpy(lambda y: y), "numpy, plain: `given` has no ['y']"),
        (lambda card: card.numpy.like("tensorflow")(lambda x: x), "says in its docstring what is to be done"),
    ],
    ids=["no-recipe", "unsaid", "said-twice", "no-bound", "unknown-number", "no-words"],
)
def test_card_that_is_not_whole_says_what_is_missing(spoil: Callable[[Card], object], problem: str) -> None:
    card = with_recipes(plainly(toy(), once, twice), twice, once)
    assert card.problems() == []
    spoil(card)
    assert problem in "; ".join(card.problems())


def test_framework_without_a_convention_is_an_error() -> None:
    with pytest.raises(CardError, match="toy: no convention names 'keras'"):
        toy().keras.like("keras")


# ------------------------------------------------------------------------------- words and search


def pair(source: str, port: str, naive: list, word: str = "proved") -> Pair:
    return Pair(source, port, word, naive, [0.0] * len(naive), [1e-14] * len(naive))  # type: ignore[arg-type]


def test_checklist_has_the_most_damaging_first_and_leaves_out_what_is_the_same() -> None:
    outcomes = [
        Outcome("adam-epsilon", [1, 10, 100], [pair("keras", "torch", [1e-6, 1e-5, 1e-4])], {}, {}),
        Outcome("dense-kernel", [0], [pair("keras", "torch", [2.0]), pair("torch", "keras", [3.0])], {}, {}),
        Outcome("lstm-gates", [0], [pair("keras", "torch", [0.0], "same")], {}, {}),
        Outcome("norm-at-zero", [0], [pair("keras", "torch", [None])], {}, {}),
    ]
    found = Guide("samestep.guide/1", {}, 1.0, outcomes)
    order = [card.id for card, *_ in words.checklist(found, "keras", "torch")]
    assert order == ["dense-kernel", "adam-epsilon", "norm-at-zero"]  # a NaN shows itself
    assert words.same(found, "keras", "torch") == ["lstm-gates"]
    assert [advice for *_, advice in words.checklist(found, "torch", "keras")] == ["Transpose the kernel."]
    assert words.checklist(found, "numpy", "torch") == []


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0"), (1.26e-15, "1.3e-15"), (np.inf, "∞"), (17.0, "1.7e+01")]
)
def test_size(value: float | None, text: str) -> None:
    assert words.size(value) == text


def test_search_finds_words_anywhere_and_titles_first() -> None:
    found = words.search("epsilon ADAM")
    assert found[0].id == "adam-epsilon"
    assert words.search("param_groups eps")  # in code
    assert words.search("no-such-word-anywhere") == []


def test_search_command_runs_nothing_and_is_quick() -> None:
    done = CliRunner().invoke(main, ["guide", "--search", "transposed kernel"])
    assert done.exit_code == 0
    assert "dense-kernel" in done.output


def test_causes_lead_to_cards() -> None:
    def ids(*of: str) -> set[str]:
        return {card.id for card in guide.explaining(*of)} & {"adagrad-epsilon", "rmsprop-epsilon"}

    assert ids("epsilon-elsewhere", "RMSprop") == {"rmsprop-epsilon"}
    assert ids("epsilon-elsewhere", "Adagrad") == {"adagrad-epsilon"}
    assert ids("epsilon-elsewhere") == {"adagrad-epsilon", "rmsprop-epsilon"}
    assert guide.explaining("no-such-fault") == []


def test_recipes_in_columns_name_cards() -> None:
    named = {card for column in COLUMNS for card in listing.cards([column])}
    assert len(named) > 20
    assert named <= set(CARDS)


def test_snippets_come_from_the_file_that_is_read() -> None:
    card = CARDS["adam-epsilon"]
    assert card.torch.plain
    assert snippets.body(card.torch.plain) in textwrap.dedent(inspect.getsource(card.torch.plain)).replace(
        "\n    ", "\n"
    )
