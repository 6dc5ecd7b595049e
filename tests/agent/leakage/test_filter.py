"""Rules of all dialects, and of a filter in a stream."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lfgtui.agent.leakage import LeakageFilter
from lfgtui.agent.leakage.blocks import TAGS, TOKENS
from lfgtui.model import events as e
from lfgtui.settings.providers import ALL_DIALECTS, Dialect
from tests.agent.leakage.filtering import Filtered, filtered, outcome, summed

HEADS = sorted({head for table in (*TAGS.values(), *TOKENS.values()) for head in table})
BITS = [
    *("\n", "\n\n", " ", "  ", "    ", "`", "```", "```\n", "~~~\n", "> ", "- ", "\\", "<", "</"),
    *("{", "}", "[", "]", '"', ":", ",", '{"name": "f"', '"arguments": {', '"a": "', "\\u00e9"),
    *('name="f">', "f>", "f\n", "<parameter=", 'name="a" string="false">', "</parameter>"),
    *("<arg_key>", "</arg_key>", "<arg_value>", "<tool_input>", "Action Input:", "search\n"),
    *("analysis", "final", "commentary", "assistant", " to=functions.f", "functions.f:0", "json"),
    *("é", "\U0001f600", "\u2028"),
]


def fragments() -> st.SearchStrategy[str]:
    """Texts of markup, whole and in bits, and numbered words on lines of their own."""
    parts = st.lists(
        st.sampled_from(HEADS) | st.sampled_from(BITS) | st.just("word\n"), max_size=14
    )
    return parts.map(
        lambda found: "".join(
            f"word{number}.\n" if part == "word\n" else part for number, part in enumerate(found)
        )
    )


DIALECTS = st.sets(st.sampled_from(sorted(ALL_DIALECTS)), min_size=1).map(frozenset)


@settings(max_examples=250, deadline=None)
@given(fragments(), DIALECTS, st.integers(1, 9))
def test_no_cut_of_the_stream_matters(text: str, dialects: frozenset[Dialect], cut: int) -> None:
    whole = filtered(text, max(1, len(text)), dialects)
    assert filtered(text, cut, dialects) == whole
    assert filtered(text, 1, dialects) == whole


@settings(max_examples=250, deadline=None)
@given(fragments())
def test_every_word_is_in_the_answer_the_reasoning_or_a_call(text: str) -> None:
    everything = filtered(text, 0).everything
    for line in text.split("\n"):
        if (begin := line.rfind("word")) >= 0 and line.endswith("."):
            assert line[begin:] in everything


@settings(max_examples=100)
@given(st.text(st.characters(exclude_characters="<[:", exclude_categories=["Cs"]), max_size=80))
def test_text_without_any_mark_passes_unchanged(text: str) -> None:
    assert filtered(text, 0) == Filtered(text)


@settings(max_examples=60, deadline=None)
@given(fragments())
def test_a_fence_protects_whatever_stands_in_it(text: str) -> None:
    fenced = "~~~~\n" + text.replace("~", "") + "\n~~~~\n"
    assert filtered(fenced, 0) == Filtered(fenced)


def test_without_dialects_events_pass_as_they_are() -> None:
    leaks = LeakageFilter(frozenset())
    event = e.TextDelta("<think>x</think>")
    assert leaks.feed(event) == (event,)
    assert leaks.feed(event)[0] is event
    assert not leaks.finish()


@pytest.mark.parametrize("dialect", sorted(ALL_DIALECTS))
def test_a_dialect_that_is_off_is_left_alone(dialect: Dialect) -> None:
    head = next(iter({**TAGS.get(dialect, {}), **TOKENS.get(dialect, {})}))
    others = ALL_DIALECTS - {dialect}
    text = f"{head}x\n"
    assert filtered(text, 0, frozenset(others)) == Filtered(text)


# White space.


@pytest.mark.parametrize(
    ("text", "visible", "reasoning"),
    [
        ("\n\n  Hello\n\n", "\n\n  Hello\n\n", ""),  # without markup all of it stays
        (" \n<think>a</think>\n \n\n<think>b</think>\n\n Hello", "Hello", "ab"),
        ("Hi.\n\n<think>a</think>\n\n<think>b</think>\n\nHello\n", "Hi.\n\n\n\nHello\n", "ab"),
    ],
)
def test_blank_lines_between_markup_are_markup_and_those_before_text_are_text(
    text: str, visible: str, reasoning: str
) -> None:
    assert outcome(text) == Filtered(visible, reasoning)


def test_white_space_is_held_only_so_long() -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    events = [outcome for _ in range(5000) for outcome in leaks.feed(e.TextDelta("\n"))]
    assert len(summed(events).visible) >= 4000


# What is held back.


def test_prose_is_not_held_back() -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    text = "It costs 3 < 5 coins, as [1] says.\n\n- *one*: `x`\n- two\n"
    for char in text.replace("<", "("):
        assert leaks.feed(e.TextDelta(char)) == [e.TextDelta(char)]


def test_what_may_be_a_tag_is_held_until_it_is_none() -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    assert [leaks.feed(e.TextDelta(c)) for c in "<thi"] == [[], [], [], []]
    assert leaks.feed(e.TextDelta("s")) == [e.TextDelta("<this")]


@pytest.mark.parametrize(
    "opening",
    [
        "<think>",
        '<tool_call>{"name": "f", "arguments": {"a": "',
        '<invoke name="f"><parameter name="a">',
        "[TOOL_CALLS][{",
        "<|channel|>analysis<|message|>",
        "<|tool_call_begin|>f:0<|tool_call_argument_begin|>",
        "<｜tool▁call▁begin｜>f<｜tool▁sep｜>",
        "Action: f\nAction Input: x",
    ],
)
def test_an_open_block_streams(opening: str) -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    leaks.feed(e.TextDelta(opening))
    arrived = streamed = 0
    for number in range(10_000):
        arrived += 10
        for event in leaks.feed(e.TextDelta(f"{number:09} ")):
            assert isinstance(event, e.ReasoningDelta | e.ToolArgumentsDelta)
            streamed += len(event.text if isinstance(event, e.ReasoningDelta) else event.json)
        assert arrived - streamed < 20


# In a stream.


def test_ids_differ_between_turns() -> None:
    leaks = LeakageFilter(ALL_DIALECTS, turn="3")
    call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
    started = list(leaks.feed(e.TextDelta(call + call)))
    assert [s.call_id for s in started if isinstance(s, e.ToolCallStarted)] == [
        "text_3_1",
        "text_3_2",
    ]


@pytest.mark.parametrize(
    "aside", [e.Usage(1, 2), e.Heartbeat(), e.Citation("https://x"), e.Status("busy")]
)
def test_what_comes_in_the_middle_of_text_does_not_cut_it(aside: e.WireEvent) -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    assert list(leaks.feed(e.TextDelta("<thi"))) == []
    assert list(leaks.feed(aside)) == [aside]
    assert list(leaks.feed(e.TextDelta("nk>a</think>b"))) == [
        e.ReasoningDelta("a", "text"),
        e.TextDelta("b"),
    ]


@pytest.mark.parametrize(
    "event",
    [
        e.ToolCallStarted("1", "f"),
        e.ReasoningDelta("hm"),
        e.HostedTool("search"),
        e.ProviderItem("w", {}),
        e.ResponseFinished(1, "end"),
    ],
)
def test_what_was_held_comes_before_what_follows_it(event: e.WireEvent) -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    assert list(leaks.feed(e.TextDelta("Hi.\n<thi"))) == [e.TextDelta("Hi.\n")]
    assert list(leaks.feed(event)) == [e.TextDelta("<thi"), event]


def test_a_block_stays_open_over_other_events() -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    call = e.ToolCallStarted("1", "f")
    assert list(leaks.feed(e.TextDelta("<think>a"))) == [e.ReasoningDelta("a", "text")]
    assert list(leaks.feed(call)) == [call]
    assert list(leaks.feed(e.TextDelta("b</think>c"))) == [
        e.ReasoningDelta("b", "text"),
        e.TextDelta("c"),
    ]


def test_text_after_the_end_is_read_anew() -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    leaks.feed(e.TextDelta("<think>a"))
    assert list(leaks.feed(e.ResponseFinished(1, "end"))) == [e.ResponseFinished(1, "end")]
    assert list(leaks.feed(e.TextDelta("b"))) == [e.TextDelta("b")]
    assert list(leaks.finish()) == []


@example("<tool_call>{")
@settings(max_examples=40, deadline=None)
@given(fragments())
def test_nothing_is_left_when_the_stream_breaks(text: str) -> None:
    leaks = LeakageFilter(ALL_DIALECTS)
    events = [*leaks.feed(e.TextDelta(text)), *leaks.finish()]
    assert summed(events) == filtered(text, 0)
    assert not leaks.finish()
