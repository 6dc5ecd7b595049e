"""Any bytes at all come out as messages that harm nothing, and what a person types as keys."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from lfgtui.ui.terminal.input import LONGEST_PASTE, PASTE_SILENCE, STRING_SILENCE, TerminalInput


def messages(*pieces: bytes, silence: float = 0.2) -> list[Message]:
    """What the bytes say, read in those pieces, with a silence at the end."""
    found = TerminalInput()
    said = [message for piece in pieces for message in found.feed(piece, 0.0)]
    return [*said, *found.tick(silence)]


def keys(*pieces: bytes, silence: float = 0.2) -> list[str]:
    return [m.key for m in messages(*pieces, silence=silence) if isinstance(m, events.Key)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a", ["a"]),
        ("é語".encode(), ["é", "語"]),
        (b"\x1b", ["escape"]),
        (b"\x1b\x1b", ["escape", "escape"]),
        (b"\x1b[A", ["up"]),
        (b"\x1bOA", ["up"]),
        (b"\x1b[[A", ["f1"]),
        (b"\x1b[1;5C", ["ctrl+right"]),
        (b"\x1b[7$", ["shift+home"]),
        (b"\x1b[97;5u", ["ctrl+a"]),
        (b"\x1ba", ["alt+a"]),
        (b"\x1b\r", ["alt+enter"]),
        (b"\x1b[", ["left_square_bracket"]),
        (b"\x1b]", ["right_square_bracket"]),
        (b"\r\t\x7f\x03", ["enter", "tab", "backspace", "ctrl+c"]),
    ],
)
def test_keys_are_keys_however_they_are_cut(data: bytes, expected: list[str]) -> None:
    assert keys(data) == expected
    assert keys(*(data[at : at + 1] for at in range(len(data)))) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"c\xe9 \xff\xfe\xc3",
        b"\x1b[M a\xe9",  # a mouse report from before UTF-8, beyond column 95
        b"\x1b[M \xc3\xa9",
        b"\x1b[<0;99999999999999999999999;1M",
        b"\x1b[" + b"9" * 5000 + b";1R",
        b"\x1b[55296;;55296u\x1b[1114112u\x1b[99999999;1;99999999u\x1b[;;u\x1b[:u",
        b"\x1b[48;9999999;9999999;0;0t\x1b[48;0;0;0;0t",
        b"\x1b[?2048;1$y\x1b[?2026;0$y\x1b[1;1R",
        b"\x1b]11;rgb:aaaa/dddd/aaaa\x07\x1b]0;aAd\x1b\\",
        b"\x1bPaAd\x1b\\\x1b_aAd\x1b\\\x1b^aAd\x07\x1bXaAd\x9c",
        b"\x1b]52;c;" + b"aAd" * 30_000,
        b"\x1b[200~" + b"aAd" * 30_000,
        b"\x1b[?62;22;52c\x1b[>1;10;0c\x1b[?1u\x1b[12;a",
    ],
)
def test_nothing_a_terminal_says_is_taken_for_a_decision(data: bytes) -> None:
    for cut in (len(data), 1, 7):
        pieces = [data[at : at + cut] for at in range(0, min(len(data), 5000), cut)]
        said = keys(*pieces)
        assert not {"a", "A", "d"} & set(said), said


def test_bytes_that_are_no_text_spoil_nothing_that_follows() -> None:
    assert keys(b"\xe9") == []
    assert keys(b"\xe9", b"q")[-1] == keys(b"\xff\xffq")[-1] == keys(b"\x1b[M \xff\xffq")[-1] == "q"


def test_a_paste_is_one_message() -> None:
    (paste,) = messages(b"\x1b[200~one\rtwo\x1b[31m\x00 caf\xe9\x1b[20", b"1~")
    assert isinstance(paste, events.Paste)
    assert paste.text == "one\ntwo[31m caf\ufffd"


def test_a_paste_without_an_end_is_bounded_and_ends_with_silence() -> None:
    found = TerminalInput()
    assert list(found.feed(b"\x1b[200~", 0.0)) == []
    for _ in range(800):
        assert list(found.feed(b"y" * 65536, 0.0)) == []
    assert list(found.tick(PASTE_SILENCE - 0.1)) == []
    (paste,) = found.tick(PASTE_SILENCE)
    assert isinstance(paste, events.Paste)
    assert len(paste.text) == LONGEST_PASTE
    assert [m.key for m in found.feed(b"q", 9.0) if isinstance(m, events.Key)] == ["q"]


@pytest.mark.parametrize("begun", [b"\x1b]0;title", b"\x1bPqabc", b"\x1b[" + b"1" * 99, b"\x1b[M!"])
def test_what_never_ends_does_not_swallow_the_keyboard(begun: bytes) -> None:
    found = TerminalInput()
    list(found.feed(begun, 0.0))
    list(found.tick(STRING_SILENCE))
    assert [m.key for m in found.feed(b"q", 9.0) if isinstance(m, events.Key)] == ["q"]


def test_an_unfinished_sequence_takes_no_memory() -> None:
    found = TerminalInput()
    for begun in (b"\x1b[", b"\x1b]"):
        list(found.feed(begun, 0.0))
        for _ in range(100):
            list(found.feed(b"1" * 4096, 0.0))
            assert len(found.begun) < 4096
        list(found.tick(9.0))


_PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"\x1b", b"\x1b[", b"\x1b[M", b"\x1b[<", b"\x1b[200~", b"\x1b[201~", b"\x1b]"]
    ),
    st.from_regex(rb"\x1b\[[<?>]?[0-9;:]{0,40}[ -/]?[@-~]", fullmatch=True),
)


@given(st.lists(_PIECES, max_size=20))
def test_any_bytes_make_messages_and_leave_the_keyboard_working(pieces: list[bytes]) -> None:
    found = TerminalInput()

    def said() -> Iterator[Message]:
        for at, piece in enumerate(pieces):
            yield from found.feed(piece, at / 10)
            yield from found.tick(at / 10 + 0.05)
        yield from found.tick(100.0)
        yield from found.tick(200.0)

    for message in said():
        assert isinstance(message, Message)
        if isinstance(message, events.Key):
            (message.character or "").encode()
    last = [m.key for m in found.feed(b"q", 300.0) if isinstance(m, events.Key)]
    assert last[-1:] == ["q"]
