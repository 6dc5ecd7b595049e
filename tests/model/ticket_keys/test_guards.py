"""Guards as they are written in the config and in a tickets file."""

from pathlib import Path

import pytest

from lfgtui.errors import SourceError
from lfgtui.model.ticket_keys.guards import Guard, in_force
from lfgtui.model.tickets_file import load_tickets
from lfgtui.settings.config import load_config

BUILT_IN = Guard("secrets")


def refused_by_config(folder: Path, text: str) -> str:
    file = folder / "config.toml"
    file.write_text(text)
    with pytest.raises(SourceError) as caught:
        load_config(file)
    return f"{caught.value.line}: {caught.value.message}"


def refused_by_tickets(folder: Path, text: str) -> str:
    file = folder / "tickets.toml"
    file.write_text(f'[[ticket]]\nid = "api"\nprompt = "x"\n{text}')
    with pytest.raises(SourceError) as caught:
        load_tickets(file)
    return f"{caught.value.line}: {caught.value.message}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[guards]]\nname = "x"', '2: guard "x" needs either "match" or "phrase"'),
        ('[[guards]]\nname = "x"\nphrase = " "', '3: guard "x": the phrase is empty'),
        (
            '[[guards]]\nname = "x"\nmatch = "a(?=b)"',
            '3: guard "x": (?=...) cannot be matched in one pass',
        ),
        (
            '[[guards]]\nname = "x"\nphrase = "y"\naction = "off"',
            '4: guard "x": only "secrets" can be "off"',
        ),
        (
            '[[guards]]\nname = "secrets"\nmatch = "y"',
            '3: guard "secrets" is built in; it takes no "match"',
        ),
        (
            '[[guards]]\nname = "x"\nphrase = "y"\n[[guards]]\nname = "x"\nphrase = "z"',
            '5: guard "x": there is another of that name',
        ),
        (
            '[[guards]]\nname = "x"\nmatch = "a{600}"\n[[guards]]\nname = "y"\nmatch = "b{600}"',
            '6: guard "y": together with the guards before it, more than 1,000 steps;'
            " shorten a pattern",
        ),
        (
            '[[guards]]\nname = "x"\nphrase = "y"\naction = "paus"',
            '4: `action`: unknown value "paus"; did you mean "pause"?',
        ),
        (
            '[[guards]]\nname = "x"\nphrase = "y"\non = ["txt"]',
            '4: unknown value "txt"; did you mean "text"?',
        ),
    ],
)
def test_a_mistake_in_the_config_is_one_line(tmp_path: Path, text: str, why: str) -> None:
    assert refused_by_config(tmp_path, text) == why


def test_a_tickets_file_names_its_tickets_and_leaves_the_built_in_guard_alone(
    tmp_path: Path,
) -> None:
    off = '[[guards]]\nname = "secrets"\naction = "off"'
    why = '5: guard "secrets" is built in; it is set in the config'
    assert refused_by_tickets(tmp_path, off) == why
    typo = '[[guards]]\nname = "x"\nphrase = "y"\ntickets = ["ap"]'
    why = '7: guard "x": no ticket "ap"; did you mean "api"?'
    assert refused_by_tickets(tmp_path, typo) == why


def test_a_ticket_has_the_guards_of_its_file_that_are_for_it(tmp_path: Path) -> None:
    file = tmp_path / "tickets.toml"
    file.write_text(
        '[[guards]]\nname = "all"\nphrase = "x"\n'
        '[[guards]]\nname = "some"\nphrase = "y"\non = ["text"]\ntickets = ["b"]\n'
        '[[ticket]]\nid = "a"\nprompt = "x"\n'
        '[[ticket]]\nid = "b"\nprompt = "x"\ncopies = 2\n'
    )
    tickets = load_tickets(file).tickets
    names = {ticket.id: [guard.name for guard in ticket.guards] for ticket in tickets}
    assert names == {"a": ["all"], "b.1": ["all", "some"], "b.2": ["all", "some"]}


def test_what_is_in_force_for_a_ticket() -> None:
    own, other = Guard("own", phrase="x"), Guard("b", phrase="x", tickets=("b",))
    assert in_force([other], [own], "a") == (BUILT_IN, own)
    assert in_force([other], [own], "b.1", "b") == (BUILT_IN, other, own)
    assert in_force([Guard("secrets", action="off")], [], "a") == ()
    paused = Guard("secrets", action="pause", on=("text",))
    assert in_force([paused], [own], "a") == (paused, own)
