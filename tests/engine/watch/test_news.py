"""The news of a ticket: what is told, what was read, and how much of it."""

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.engine.watch.news import KEPT, News
from lfgtui.model import events as e


def told(*events: e.Event) -> News:
    news = News("/code")
    for seq, event in enumerate(events, 1):
        news.apply(e.Entry("run", "a", 1, seq, 0.0, event))
    return news


def test_text_stands_as_it_is_and_calls_in_a_line_each() -> None:
    news = told(
        e.ReasoningDelta("Where "),
        e.ReasoningDelta("is it?"),
        e.TextDelta("I "),
        e.TextDelta("look."),
        e.ToolCallRequested("1", "read_file", {"path": "/code/a.py"}),
        e.ToolCallFinished("1", "one\n\ntwo " + "word " * 100, None, None, 0.1),
        e.ToolCallFinished("2", "", "no such file", None, 0.1),
    )
    lines = news.text(10_000).splitlines()
    assert lines[:3] == ["[thinks] Where is it?", "I look.", "[calls] read_file a.py"]
    assert lines[3].startswith("[result] one two word") and len(lines[3]) < 180
    assert lines[4] == "[failed] no such file"


def test_what_was_read_is_told_no_more_until_all_is_told_again() -> None:
    news = told(e.TextDelta("One. "), e.TextDelta("Two. "), e.TextDelta("Three."))
    news.read(2)
    assert (news.text(100), news.tokens) == ("Three.", 1)
    news.read(3)
    assert news.is_empty and news.text(100) == ""
    news.forget()
    assert news.text(100) == "One. Two. Three."


def test_a_long_text_is_cut_in_its_middle_and_says_so() -> None:
    text = told(e.TextDelta("a" * 500), e.TextDelta("b" * 1000)).text(300)
    assert text.startswith("a" * 100 + "\n[… 1,200 characters are left out here …]\nb")
    assert text.endswith("b" * 200)


@given(st.lists(st.integers(1, KEPT // 3), max_size=12), st.integers(10, 1000))
def test_memory_and_text_are_bounded(sizes: list[int], most: int) -> None:
    news = told(*(e.TextDelta("x" * size) for size in sizes))
    assert len(news.text(most)) <= most + 60
    assert sum(len(text) for _, _, text in news._pieces) <= KEPT
    assert news.tokens == sum(sizes) // 4
