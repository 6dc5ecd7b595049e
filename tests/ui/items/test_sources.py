"""What a response cited. Titles and addresses are a stranger's."""

from textual.selection import Selection

from lfgtui.model import events as e
from lfgtui.ui.stream.selection import selected_text
from tests.ui.stand import Stand

CITATIONS = (
    e.Citation("https://example.org/a", "The first"),
    e.Citation("http://example.org/b", quote="what it\nsays"),
    e.Citation("javascript:alert(1)", "Third"),
)


def stand_of(*citations: e.Citation, width: int = 60) -> Stand:
    stand = Stand(width=width, height=20)
    stand.happen(*citations, e.ResponseFinished(1, "end"))
    return stand


def card(stand: Stand) -> list[str]:
    return [row.text.rstrip() for row in stand.rows()[1:]]


def links(stand: Stand) -> dict[str, str | None]:
    """What is shown of each citation, and where it leads."""
    return {text.strip(): style.link for row in stand.rows()[2:] for text, style in row.spans}


def test_folded_they_are_one_line() -> None:
    assert card(stand_of(*CITATIONS)) == ["▸ 3 sources  The first · http://example.org/b · Third"]
    assert card(stand_of(e.Citation("https://e.org", "One"))) == ["▸ 1 source  One"]
    assert card(stand_of(e.Citation("", quote="said"))) == ["▸ 1 source  said"]


def test_unfolded_they_are_a_list_with_links_to_the_web_alone() -> None:
    stand = stand_of(*CITATIONS)
    stand.fold("tool")
    assert card(stand)[1:] == [
        "  │ 1. The first https://example.org/a",
        "  │ 2. http://example.org/b",
        "  │    what it says",
        "  │ 3. Third javascript:alert(1)",
    ]
    found = links(stand)
    assert found["The first"] == found["https://example.org/a"] == "https://example.org/a"
    assert found["http://example.org/b"] == "http://example.org/b"
    assert found["Third"] is found["javascript:alert(1)"] is None


def test_nothing_of_them_reaches_the_terminal_raw() -> None:
    evil = "https://e.org/\x1b]8;;http://evil\x07\x9b2J\u202e\n\ud800"
    stand = stand_of(e.Citation(evil, "a\x1b[31mb\x9b2J\r\u202e", "\x07quote\x00"), width=80)
    stand.fold("tool")
    assert "".join(card(stand)).isprintable()
    assert set(links(stand).values()) == {None}


def test_copied_they_are_their_list() -> None:
    stand = stand_of(*CITATIONS)
    copied = selected_text(stand.lines, Selection(stand.lines.position_at(1).offset, None))
    assert copied.splitlines() == [
        "1. The first https://example.org/a",
        "2. http://example.org/b",
        "3. Third javascript:alert(1)",
    ]


def test_a_title_is_found_over_a_wrapped_edge() -> None:
    stand = stand_of(e.Citation("https://e.org", "a title of many words that wrap"), width=24)
    stand.fold("tool")
    assert stand.find("title of many words that wrap") == 1
