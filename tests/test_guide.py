"""The porting guide as a whole: every card on every framework, and the commands around it."""

import io
import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from command import COLUMNS as BROKEN
from command import Ran, here, ran_here, refused
from pages import opened
from rich.console import Console

import guide
from backends import COLUMNS, Column
from guide import CARDS
from guide.card import FRAMEWORKS
from harness.guide.conduct import conduct
from harness.guide.outcome import Guide, Outcome, Pair
from harness.report import cards as words
from harness.report import handbook, site, snippets
from harness.report.guide import print_found

HOLDS = ("proved", "same", "no recipe")
PARTS = [
    pytest.param(card.id, framework, id=f"{card.id}-{framework}")
    for card in CARDS.values()
    for framework in card.parts
]


class Silent:
    """Hears how far a run is."""

    def start(self, phase: str, total: int | None) -> None: ...
    def counted(self, what: str) -> None: ...


@pytest.fixture(scope="module")
def found() -> Guide:
    """The whole guide, run once."""
    return conduct(list(CARDS.values()), Silent())


@pytest.fixture(scope="module")
def outcomes(found: Guide) -> dict[str, Outcome]:
    return {outcome.card: outcome for outcome in found.cards}


@pytest.mark.parametrize(("card", "framework"), PARTS)
def test_card_holds_in(card: str, framework: str, outcomes: dict[str, Outcome]) -> None:
    """Ported to it from each other one: naively off by more than stated, by recipe to rounding."""
    outcome = outcomes[card]
    assert framework not in outcome.broken
    pairs = [pair for pair in outcome.pairs if pair.port == framework]
    assert len(pairs) == len(CARDS[card].parts) - 1
    assert [words.told(pair) for pair in pairs if pair.word not in HOLDS] == []


def test_guide_as_a_whole(found: Guide) -> None:
    assert found.exit_code() == 0
    assert set(found.versions) == set(FRAMEWORKS)
    directions = {
        (pair.source, pair.port) for card in found.cards for pair in card.pairs if pair.word == "proved"
    }
    assert len(directions) == 20


@pytest.fixture(scope="module")
def pages(found: Guide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    home = tmp_path_factory.mktemp("site")
    site.write(found, home)
    return home


def test_site_leads_from_its_index_to_every_card_and_checklist(pages: Path) -> None:
    texts = {file.name: file.read_text() for file in pages.glob("*.html")}
    assert set(texts) == {
        "index.html",
        *(f"{name}.html" for name in CARDS),
        *(f"{a}-to-{b}.html" for a in FRAMEWORKS for b in FRAMEWORKS if a != b),
    }
    for name, page in texts.items():
        local = {
            link for link in re.findall(r'href="([^"#]+)', page) if not link.startswith("https://github.com/")
        }
        assert local <= set(texts), name
        assert not re.search(r'(src|href)="(?!https://github\.com/)\w+:', page), name  # nothing is loaded
    assert {f"{name}.html" for name in CARDS} <= set(re.findall(r'href="([^"#]+)', texts["index.html"]))


def test_markdown_has_every_card(found: Guide, tmp_path: Path) -> None:
    handbook.write(found, tmp_path / "guide.md")
    text = (tmp_path / "guide.md").read_text()
    assert [name for name in CARDS if f'<a id="{name}"></a>' not in text] == []


def test_page_of_a_card_shows_what_was_measured(outcomes: dict[str, Outcome], pages: Path) -> None:
    page = (pages / "adam-epsilon.html").read_text()
    for row in words.measured(CARDS["adam-epsilon"], outcomes["adam-epsilon"]):
        assert all(value in page for value in row)


def test_index_is_searched_in_a_browser(pages: Path) -> None:
    with opened(pages / "index.html") as page:
        assert page.locator("tr[data-text]:visible").count() == len(CARDS)
        page.fill("#search", "epsilon adam")
        shown = page.locator("tr[data-text]:visible")
        assert any("Adam: where ε goes" in text for text in shown.all_inner_texts())
        assert shown.count() == len(words.search("epsilon adam")) < len(CARDS)
        assert page.locator("#count").inner_text() == f"{shown.count()} of {len(CARDS)} cards"


def test_page_of_a_card_in_a_browser(pages: Path) -> None:
    """A script can be copied, and axe finds nothing serious."""
    with opened(pages / "adam-epsilon.html") as page:
        script = page.locator("button[data-script]").first.get_attribute("data-script") or ""
        compile(script, "copied", "exec")
        assert "print(" in script
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        page.set_viewport_size({"width": 400, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 400


# ----------------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def checklist() -> tuple[str, list[str]]:
    """`guide dense-kernel adam-epsilon --from torch --to numpy`, which starts two workers."""
    done = here("guide", "dense-kernel", "adam-epsilon", "--from", "torch", "--to", "numpy")
    assert done.returncode == 0
    return done.stdout, done.stdout.splitlines()


def test_checklist_of_a_direction(checklist: tuple[str, list[str]]) -> None:
    text, lines = checklist
    assert lines[0] == "Porting from PyTorch to NumPy, the most damaging first"
    assert "Transpose the kernel." in text
    assert "Nothing to do: adam-epsilon" in text
    assert lines[-1].startswith("1 thing to mind, 1 that is the same")


def test_card_in_full() -> None:
    done = here("guide", "dense-kernel", "-b", "numpy", "-b", "torch", env={"COLUMNS": "100"})
    assert done.returncode == 0
    for part in ("y = x·Wᵀ + b", "return x @ w.T + b", "torch.nn.Linear(6, 6)", "def dense()", "proved:"):
        assert part in done.stdout
    code = snippets.given(CARDS["dense-kernel"]).splitlines()  # never wrapped, so that it can be copied
    assert set(code) <= set(done.stdout.splitlines())
    assert max(len(line) for line in done.stdout.splitlines() if line not in code) <= 100


def test_json_of_a_card_has_its_numbers() -> None:
    done = here("guide", "dense-kernel", "-b", "numpy", "-b", "sklearn", "--json")
    answer = json.loads(done.stdout)
    assert answer["schema"] == "samestep.guide/1"
    (card,) = answer["cards"]
    assert {(pair["source"], pair["port"], pair["word"]) for pair in card["pairs"]} == {
        ("numpy", "sklearn", "same"),
        ("sklearn", "numpy", "same"),
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["adam-epsilom"], "no card is named 'adam-epsilom'; did you mean adam-epsilon"),
        (["--from", "keras"], "--from and --to go together"),
        (["--from", "keras", "--to", "keras"], "--from and --to are both 'keras', expected two frameworks"),
        (
            ["--from", "kera", "--to", "torch"],
            "--from 'kera' is no framework of the guide; did you mean keras?",
        ),
        (["-b", "jax"], "-b 'jax' is no framework of the guide"),
        (["--from", "keras", "--to", "torch", "-b", "numpy"], "-b goes with neither --from nor --to"),
        (["--search", "epsilon", "--json"], "--search goes with nothing else"),
    ],
    ids=["card", "half", "equal", "misspelled", "unknown", "both", "search"],
)
def test_wrong_use_is_refused(arguments: list[str], sentence: str) -> None:
    assert sentence in refused("guide", *arguments)


def test_place_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for option, place in (("--html", tmp_path / "file" / "site"), ("--markdown", tmp_path / "file" / "a.md")):
        assert f"{option} {place} cannot be written" in refused("guide", "dense-kernel", option, place)


def test_what_was_written_is_said(tmp_path: Path) -> None:
    places = ("--html", tmp_path / "site", "--markdown", tmp_path / "guide.md")
    done = here("guide", "dense-kernel", "-b", "numpy", "-b", "sklearn", *places)
    assert done.returncode == 0
    for place in (tmp_path / "site" / "index.html", tmp_path / "guide.md"):
        assert f"Written: {place}" in done.stdout
        assert place.is_file()


def test_card_that_is_not_whole_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    card = CARDS["dense-kernel"]
    monkeypatch.setattr(card, "absent", {"numpy": "it is there"})
    assert refused("guide", "dense-kernel") == (
        "guide, card 'dense-kernel': `absent` names numpy, which has a snippet"
    )


def test_table_is_whole_on_80_columns(found: Guide) -> None:
    shown = io.StringIO()
    print_found(found, Console(file=shown, width=80))
    lines = shown.getvalue().splitlines()
    for outcome in found.cards:
        (row,) = [line.split() for line in lines if line.startswith(f"  {outcome.card} ")]
        assert row[2:4] == [words.size(outcome.naive()), words.size(outcome.recipe())]
        assert " ".join(row[4:]) == outcome.word


def test_snippet_that_raised_shows_the_end_of_its_traceback() -> None:
    raised = {"numpy": {"plain": "Traceback …\n  np.stdd(x)\nAttributeError: no such function\n"}}
    outcome = Outcome("dense-kernel", [0], [Pair("numpy", "torch", "failed", reason="…")], {}, {}, {}, raised)
    shown = io.StringIO()
    print_found(Guide("samestep.guide/1", {}, 1.0, [outcome]), Console(file=shown, width=80), in_full=True)
    assert "dense-kernel, numpy, plain, raised:" in shown.getvalue()
    assert "AttributeError: no such function" in shown.getvalue()


# ----------------------------------------------------------------------- workers that break


@pytest.mark.parametrize(
    ("file", "word", "status", "code"),
    [("dies_at_start.py", "failed", "crashed", 3), ("not_installed.py", "missing", "missing", 0)],
)
def test_framework_that_breaks_breaks_its_own_directions_only(
    file: str, word: str, status: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COLUMNS, "torch", Column("torch", BROKEN / file))
    found = conduct([CARDS["dense-kernel"]], Silent(), ["numpy", "sklearn", "torch"])
    (outcome,) = found.cards
    words_by_pair = {frozenset((pair.source, pair.port)): pair.word for pair in outcome.pairs}
    assert words_by_pair == {
        frozenset(("numpy", "sklearn")): "same",
        frozenset(("numpy", "torch")): word,
        frozenset(("sklearn", "torch")): word,
    }
    assert outcome.broken["torch"][0] == status
    assert found.exit_code() == code


# ------------------------------------------------------------------------- links from reports


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run with a known difference, whose cause has a card."""
    arguments = ("--no-timing", "-t", "small-rmsprop-inside", "-b", "torch")
    return ran_here(tmp_path_factory.mktemp("linked"), {"run": arguments})["run"]


def test_terminal_and_summary_name_the_card_of_a_known_difference(linked: Ran) -> None:
    assert "samestep guide rmsprop-epsilon" in linked.done.stdout
    assert "`samestep guide rmsprop-epsilon`" in (linked.folder / "summary.md").read_text()


def test_page_leads_to_the_card_of_a_known_difference(linked: Ran) -> None:
    page = (linked.folder / "report.html").read_text()
    links = set(re.findall(r'href="(guide/[^"]+)"', page))
    assert links == {"guide/rmsprop-epsilon.html"}
    card = (linked.folder / "guide" / "rmsprop-epsilon.html").read_text()
    assert guide.CARDS["rmsprop-epsilon"].title in card
    assert "samestep guide rmsprop-epsilon" in card  # which measures it
