"""Tickets that run as copies: how they are read, selected and added."""

from pathlib import Path

import pytest

from lfgtui.errors import SourceError, UsageError
from lfgtui.model.needs import check_added, needs_of, select
from lfgtui.model.tickets import Ticket, side_by_side, ticket_like
from lfgtui.model.tickets_file import TicketsFile, load_tickets

A = '[[ticket]]\nid = "a"\nprompt = "Do a."\n'
B = '[[ticket]]\nid = "b"\nprompt = "Do b."\nneeds = ["a"]\n'


def load(folder: Path, text: str) -> TicketsFile:
    file = folder / "tickets.toml"
    file.write_text(text)
    return load_tickets(file)


def read(folder: Path, text: str) -> list[tuple[str, str, str | None, str | None]]:
    """Each ticket's id, the one it is a copy of, provider and model."""
    file = load(folder, text)
    return [(one.id, one.copy_of, one.provider, one.model) for one in file.tickets]


def test_copies_are_tickets_numbered_from_1(tmp_path: Path) -> None:
    assert read(tmp_path, A + 'copies = 2\nmodel = "x/m"\n' + B) == [
        ("a.1", "a", None, "x/m"),
        ("a.2", "a", None, "x/m"),
        ("b", "", None, None),
    ]
    assert read(tmp_path, A + "copies = 1\n") == [("a", "", None, None)]


def test_providers_are_a_copy_each_on_a_model_or_on_the_providers_own(tmp_path: Path) -> None:
    routes = 'providers = ["claude", "openrouter/meta/llama"]\n'
    copies = [("a.1", "a", "claude", None), ("a.2", "a", "openrouter", "meta/llama")]
    assert read(tmp_path, A + routes) == copies
    assert read(tmp_path, f'[defaults]\nmodel = "x/m"\n{routes}' + A) == copies


@pytest.mark.parametrize("own", ['model = "x/m"', "copies = 1", 'provider = "x"'])
def test_what_a_ticket_says_of_its_model_takes_the_place_of_default_providers(
    tmp_path: Path, own: str
) -> None:
    (only,) = read(tmp_path, f'[defaults]\nproviders = ["y", "z"]\n{A}{own}\n')
    assert only[:2] == ("a", "")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (A + "copies = 0\n", "4: `copies`: expected `int` >= 1"),
        (A + "copies = 10\n", "4: `copies`: expected `int` <= 9"),
        (A + "providers = []\n", "4: `providers`: expected `array` of length >= 1"),
        (A + 'choose = "best"\n', '4: `choose`: unknown value "best" (known: first)'),
        (
            A + 'copies = 2\nproviders = ["x"]\n',
            '5: ticket "a" has both "providers" and "copies"; keep one',
        ),
        (
            A + 'providers = ["x"]\nmodel = "m"\n',
            '4: ticket "a" has both "providers" and "model"; keep one',
        ),
        (
            A + "copies = 2\n" + A.replace('"a"', '"a.2"'),
            '2: "a" has a copy "a.2", but that id is taken',
        ),
        (A + 'copies = 2\nneeds = ["b"]\n' + B, "5: circular needs: a -> b -> a"),
        (A + "copies = 2\n" + B.replace('["a"]', '["a.1"]'), None),
    ],
)
def test_copies_that_cannot_be_are_refused_at_their_line(
    tmp_path: Path, text: str, refusal: str | None
) -> None:
    with pytest.raises(SourceError) as caught:
        load(tmp_path, text)
    told = f"{caught.value.line}: {caught.value.message}"
    assert told == refusal or (refusal is None and 'needs "a.1", which is not a ticket' in told)


def test_of_copies_all_are_selected_or_none(tmp_path: Path) -> None:
    file = load(tmp_path, A + "copies = 2\n" + B + A.replace('"a"', '"c"'))
    assert [one.id for one in select(file, ("b",)).tickets] == ["a.1", "a.2", "b"]
    assert [one.id for one in select(file, ("a",)).tickets] == ["a.1", "a.2"]
    assert [one.id for one in select(file, ("a.2",)).tickets] == ["a.1", "a.2"]
    assert [one.id for one in select(file, ("c",)).tickets] == ["c"]


def test_a_run_takes_copies_whose_ids_it_does_not_have(tmp_path: Path) -> None:
    file = load(tmp_path, A + "copies = 2\n" + B)
    known = needs_of(file.tickets)
    assert known == {"a": ("a.1", "a.2"), "a.1": (), "a.2": (), "b": ("a",)}
    new = [Ticket(id="c", prompt="p", workspace="/", needs=("a",))]
    check_added(new, known)
    for name, copy_of in (("a", ""), ("a.1", ""), ("x", "a")):
        taken = [Ticket(id=name, copy_of=copy_of, prompt="p", workspace="/")]
        with pytest.raises(UsageError, match="the run already has a ticket"):
            check_added(taken, known)
    with pytest.raises(UsageError, match='two of the tickets have the id "c"'):
        check_added(new * 2, known)
    circle = [
        Ticket(id="x.1", copy_of="x", prompt="p", workspace="/", needs=("y",)),
        Ticket(id="y", prompt="p", workspace="/", needs=("x",)),
    ]
    with pytest.raises(UsageError, match="circular needs"):
        check_added(circle, known)


def test_a_prompt_that_is_added_among_copies_is_none() -> None:
    tickets = side_by_side([Ticket(id="prompt", prompt="p", workspace="/")] * 2)
    added = ticket_like(tickets, "More.")
    assert (added.id, added.copy_of) == ("prompt-2", "")
