"""However much comes at once, a frame reads a part of it and the rest waits."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from textual.selection import Selection

from lfgtui.model import events as e
from lfgtui.ui.items import text as text_view
from tests.ui.screen_text import plain_text
from tests.ui.stage import BEGIN, Stage, staged


def ticking() -> Callable[[], float]:
    """A clock on which any look takes as long as a frame may read."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1.0
        return now

    return clock


def tick(stage: Stage) -> None:
    stage.now += 10.0
    stage.pane.mark_dirty()
    stage.pane.tick(stage.now)


def frames_until_read(stage: Stage) -> int:
    for count in range(1, 10_000):
        tick(stage)
        if not stage.stream.is_behind:
            return count
    raise AssertionError("it is never read")


async def test_a_large_delta_is_read_in_slices_over_many_frames_and_none_is_lost() -> None:
    text = "".join(f"word{n}\n\n" for n in range(3_000))
    async with staged(*BEGIN, ticks=ticking()) as (stage, _):
        frames_until_read(stage)
        stage.source.apply(stage.now, e.TextDelta(text))
        tick(stage)
        assert stage.stream.is_behind
        assert "word2999" not in plain_text(stage.stream.lines)
        assert len(text) // 2_000 < frames_until_read(stage) < len(text) // 500
        assert "word2999" in stage.screen_rows()
        assert plain_text(stage.stream.lines).count("word") == 3_000


async def test_what_follows_an_answer_that_is_not_read_yet_closes_it_all_the_same() -> None:
    async with staged(*BEGIN, ticks=ticking()) as (stage, _):
        stage.source.apply(stage.now, e.TextDelta("*a* " * 1_000 + "end"), e.ReasoningDelta("hm"))
        frames_until_read(stage)
        stage.source.apply(stage.now, e.TextDelta("more"))
        frames_until_read(stage)
        assert [row for row in stage.screen_rows() if row][-2:][-1] == "more"
        assert "end" in plain_text(stage.stream.lines)


async def test_many_items_that_come_at_once_are_taken_in_over_many_frames() -> None:
    events = [
        event for n in range(200) for event in (e.TextDelta(f"a{n} "), e.ReasoningDelta(f"b{n}"))
    ]
    async with staged(*BEGIN, ticks=ticking()) as (stage, _):
        frames_until_read(stage)
        stage.source.apply(stage.now, *events)
        tick(stage)
        assert stage.stream.is_behind
        frames_until_read(stage)
        assert all(f"a{n}" in plain_text(stage.stream.lines) for n in (0, 99, 199))


SLOW = {
    "accents": "a" + "\u0301" * 20_000,
    "joiners": "👩" + "\u200d👩" * 10_000,
    "brackets": "[" * 20_000,
    "addresses": "http://a." * 2_222,
    "many columns": "a|" * 2_000 + "\n" + "-|" * 2_000 + "\n" + "1|" * 6_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
async def test_what_is_made_to_take_long_is_shown_whole(text: str) -> None:
    async with staged(ticks=ticking()) as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta(text), e.ReasoningDelta("over"))
        frames_until_read(stage)
        said = "".join(plain_text(stage.stream.lines).split()).replace("␦", "")
        assert text.strip()[-1] in said
        assert len(said) > len(text) * 0.8


async def test_what_follows_a_document_of_too_many_blocks_is_plain_text_and_bounded() -> None:
    text = "".join(f"*word{n}*\n\n" for n in range(2_000)) + "x" * 20_000 + "\n\n*end*"
    with patch.object(text_view, "MOST_BLOCKS", 300):
        async with staged(*BEGIN, e.TextDelta(text[:9_000]), ticks=ticking()) as (stage, _):
            frames_until_read(stage)
            stage.source.apply(stage.now, e.TextDelta(text[9_000:]), e.ReasoningDelta("hm"))
            frames_until_read(stage)
            chunks = stage.stream.lines.chunks
            assert len(chunks) < 500
            shown = plain_text(stage.stream.lines)
            assert all(f"word{n}" in shown for n in range(2_000))
            assert "*word1999*" in shown
            assert "*word1*" not in shown
            everything = stage.stream.get_selection(Selection(None, None))[0]
            assert "x" * 20_000 in everything
            assert len(max((chunk.source or "" for chunk in chunks), key=len)) <= 8_000


async def test_a_pattern_is_found_in_what_there_is_time_for_and_then_in_the_rest() -> None:
    text = "".join(f"word{n} here\n\n" for n in range(500))
    async with staged(ticks=ticking()) as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta(text), e.ReasoningDelta("hm"))
        frames_until_read(stage)
        assert stage.stream.find("here") < 500
        for _ in range(500):
            tick(stage)
        assert stage.stream.finder.count == 500
        assert stage.stream.finder.number > 0
