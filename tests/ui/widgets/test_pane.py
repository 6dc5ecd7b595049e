"""The pane, as a person meets it: real widgets, real folds, a clock of the test's own."""

import re
from collections.abc import Iterator
from itertools import pairwise
from unittest.mock import patch

import msgspec
import pytest

from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.settings.config import Config
from lfgtui.settings.providers import PRESETS
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.widgets.pane_header import PaneHeader
from tests.ui.screen_text import on_screen, plain_text, repainted
from tests.ui.stage import BEGIN, CALL, Stage, numbered, staged


async def test_a_tick_shows_the_text_that_came() -> None:
    async with staged(*BEGIN, e.TextDelta("Hello **world**")) as (stage, pilot):
        assert stage.screen_rows()[:3] == ["▸ prompt: Build it", "", "Hello world"]
        await stage.play(pilot, e.TextDelta(", and more"))
        assert "Hello world, and more" in stage.screen_rows()
        assert stage.pane.copy_text() == "Hello **world**, and more"


async def test_a_pane_that_took_long_rests_also_where_the_clock_stands_still() -> None:
    ticks, drawn = 0.0, 0

    def slow(transcript: Transcript, now: float) -> None:
        nonlocal ticks, drawn
        ticks, drawn = ticks + 0.03, drawn + 1

    async with staged(*BEGIN, ticks=lambda: ticks) as (stage, _):
        with patch.object(stage.stream, "update", slow):
            for passed, expected in ((0.0, 1), (0.0, 1), (0.08, 1), (0.02, 2)):
                ticks += passed
                stage.pane.mark_dirty()
                stage.pane.tick(stage.now)
                assert drawn == expected


async def test_texts_parted_by_a_call_are_copied_apart() -> None:
    async with staged() as (stage, pilot):
        text = e.TextDelta("I look.")
        done = e.ToolCallFinished("c1", "ok", None, 0, 1.0)
        await stage.play(pilot, *BEGIN, text, *CALL, done, e.RequestSent(2), e.TextDelta("So."))
        assert stage.pane.copy_text() == "I look.\n\nSo."


async def test_the_header_has_state_name_and_figures_in_two_rows() -> None:
    async with staged(*BEGIN, width=110) as (stage, pilot):
        assert stage.head_rows()[0].split() == [
            "›◐", "waiting", "api", "Build", "the", "API", "anthropic/claude-sonnet-4-5"
        ]  # fmt: skip
        await stage.play(pilot, e.TextDelta("x" * 400), seconds=2.0)
        assert "● streaming" in stage.head_rows()[0]
        figures = stage.head_rows()[1]
        assert "ttft!2.00s" in figures and "50 tok/s" in figures and "~100" in figures
        assert stage.query_one(PaneHeader).size.height == 2


async def test_the_bar_beside_ttft_is_as_long_as_its_budget() -> None:
    async with staged(width=110) as (stage, pilot):

        def bar() -> str:
            return "".join(sign for sign in stage.head_rows()[1] if sign in "╍━─")

        await stage.play(pilot, *BEGIN)
        assert bar() == "─" * 10
        await stage.play(pilot, e.ResponseStarted(0.15), seconds=0.3)
        assert bar() == "╍━" + "─" * 8
        await stage.play(pilot, e.TextDelta("a"), seconds=0.6)
        assert bar() == "╍" + "━" * 5 + "─" * 4
        header = stage.query_one(PaneHeader)
        spans = [one for one in header.render_line(1) if set(one.text) <= {"╍", "━", "─"}]
        assert [len(one.text) for one in spans] == [1, 1, 4, 4]
        assert len({one.style and one.style.color for one in spans}) == 3
        await stage.play(pilot, *BEGIN)
        await stage.play(pilot, seconds=60)
        assert "━" not in stage.head_rows()[1]


async def test_a_provider_may_have_a_budget_of_its_own() -> None:
    config = Config(
        providers={"anthropic": msgspec.structs.replace(PRESETS["anthropic"], ttft_budget=9)}
    )
    async with on_screen("a", "b", size=(160, 30), config=config) as (live, _, pilot):
        live.begin("a")
        live.stream("a", "word", after=3.0)
        assert "ttft 3.00s" in "\n".join(await repainted(pilot))


@pytest.mark.parametrize("width", [24, 38, 60, 120, 200])
async def test_figures_of_the_header_stay_in_their_columns(width: int) -> None:
    async with staged(*BEGIN, e.TextDelta("a"), width=width) as (stage, pilot):
        before = stage.head_rows()[1]
        assert "api" in stage.head_rows()[0]
        await stage.play(pilot, e.TextDelta("b" * 4000))
        after = stage.head_rows()[1]
        assert before.find("tok/s") == after.find("tok/s") > 0
        assert len(before) == len(after)


async def test_a_stall_is_shown() -> None:
    async with staged(*BEGIN, e.TextDelta("a")) as (stage, pilot):
        await stage.play(pilot, seconds=14)
        assert "stalled 14s" in stage.head_rows()[0]
        assert stage.head_rows()[1].strip() == "no token from claude-sonnet-4-5 for 0:14"


async def test_a_tool_that_runs_is_named_with_its_time_and_one_that_hangs_is_a_stall() -> None:
    async with staged() as (stage, pilot):
        asked = e.ApprovalRequested("c1", "run_command", "$ make")
        await stage.play(pilot, *BEGIN, *CALL, asked, e.ApprovalGiven("c1"))
        assert "▶ tool " in stage.head_rows()[0]
        await stage.play(pilot, e.ToolRunStarted("c1"), seconds=300)
        for _ in range(4):
            await stage.play(pilot, e.ToolOutputDelta("c1", "stdout", "a\n"), seconds=47.5)
        assert "▶ make 3:10 " in stage.head_rows()[0] and "tok/s" in stage.head_rows()[1]
        assert any(row.endswith(" 190 s") for row in stage.screen_rows())
        await stage.play(pilot, seconds=120)
        assert "◍ stalled 2m" in stage.head_rows()[0]
        assert stage.head_rows()[1].strip() == "no output from make for 2:00"
        await stage.play(pilot, e.ToolOutputDelta("c1", "stdout", "a\n"), seconds=7200)
        assert "▶ make 2:05:10 " in stage.head_rows()[0]


async def test_a_conflict_stands_in_the_titles_place_and_at_a_ticket_that_is_done() -> None:
    async with staged() as (stage, pilot):
        conflict = e.ConflictDetected("a.py", ("docs",))
        end = (e.ResponseFinished(1, "end"), e.TicketDone("end"))
        await stage.play(pilot, *BEGIN, conflict)
        assert re.search(r"≠ a\.py · docs \d\d:\d\d", stage.head_rows()[0])
        await stage.play(pilot, e.TextDelta("Done."), *end)
        assert "≠ ✓ done" in stage.head_rows()[0]
        await stage.play(pilot, *BEGIN, conflict, e.TextDelta("Shall I go on?"), *end)
        assert "¿ question" in stage.head_rows()[0]


async def test_a_ticket_that_a_guard_flagged_or_stopped_says_so() -> None:
    async with staged() as (stage, pilot):
        stopped = (e.ResponseFinished(1, "stopped"), e.Paused())
        await stage.play(pilot, *BEGIN, e.GuardTripped("rm", "seen", "pause"), *stopped)
        assert "⚑ ‖ paused" in stage.head_rows()[0]
        await stage.play(pilot, e.Resumed(), e.TicketDone("end"))
        assert "⚑" not in stage.head_rows()[0]
        end = (e.ResponseFinished(1, "end"), e.TicketDone("end"))
        await stage.play(pilot, *BEGIN, e.GuardTripped("rm", "seen", "flag"), *end)
        assert "⚑ ✓ done" in stage.head_rows()[0]
        await stage.play(pilot, *BEGIN, e.GuardTripped("rm", "gone", "redact"), *end)
        assert "⚑" not in stage.head_rows()[0]


async def test_a_ticket_that_is_done_with_a_question_asks_until_it_goes_on() -> None:
    async with staged() as (stage, pilot):
        end = (e.ResponseFinished(1, "end"), e.TicketDone("end"))
        await stage.play(pilot, *BEGIN, e.TextDelta("Shall I go on?"), *end)
        assert "¿ question" in stage.head_rows()[0]
        assert stage.pane.has_class("-warning")
        await stage.play(pilot, *BEGIN, e.TextDelta("Done."), *end)
        assert "✓ done" in stage.head_rows()[0]


@pytest.mark.parametrize(
    ("schema", "own", "reason"),
    [
        ([], [], "waiting for “schema”"),
        ([e.TicketDone("end")], [], "waiting for a slot"),
        (
            [e.TicketFailed("server", "500", False)],
            [e.TicketBlocked("schema failed")],
            "blocked: schema failed",
        ),
        ([e.TicketCancelled()], [e.TicketBlocked("x was cancelled")], "blocked: x was cancelled"),
        ([], [e.TicketFailed("invalid_request", "no key for sim", False)], "no key for sim"),
    ],
)
async def test_a_ticket_that_does_not_run_names_the_reason(
    schema: list[e.Event], own: list[e.Event], reason: str
) -> None:
    async with staged() as (stage, pilot):
        stage.source.happen("schema", *BEGIN[:2], *schema)
        await stage.play(pilot, e.TicketQueued(), *own)
        assert stage.head_rows()[1].strip() == reason


async def test_the_wait_for_a_retry_counts_down() -> None:
    async with staged(*BEGIN, e.Retrying("overloaded", 13.0, 2, "overloaded")) as (stage, pilot):
        before = stage.head_rows()[0]
        assert "retry in 13s" in before
        await stage.play(pilot, seconds=5)
        assert stage.head_rows()[0] == before.replace("13s", "8s ")


@pytest.mark.parametrize(
    ("seconds", "badge", "time"),
    [(3600.0, "until 01:16", "01:16"), (86_400.0, "2 Jan 00:16", "2 Jan 00:16")],
)
@pytest.mark.parametrize("width", [24, 38, 60, 120])
async def test_a_parked_ticket_says_when_it_goes_on_and_moves_nothing(
    seconds: float, badge: str, time: str, width: int
) -> None:
    async with staged(*BEGIN, width=width) as (stage, pilot):
        before = stage.head_rows()[0]
        until = stage.now + seconds
        await stage.play(pilot, e.Parked("anthropic", until, "Rate limit\x1b reached"))
        state, figures = stage.head_rows()
        assert state.index("api") == before.index("api")
        assert (f"↻ {badge} " in state) is (width >= 30)
        assert f"until {time}" in figures and figures.lstrip().startswith("parked") is (width >= 30)
        await stage.play(pilot, seconds=600)
        assert stage.head_rows() == [state, figures]


async def test_the_day_until_which_a_ticket_is_parked_is_left_out_once_it_has_begun() -> None:
    async with staged(width=100) as (stage, pilot):
        await stage.play(pilot, e.TicketQueued(), e.Parked("p", stage.now + 86_400.0, "full"))
        assert stage.head_rows()[1].strip() == "parked until 2 Jan 00:16: full"
        await stage.play(pilot, seconds=86_000.0)
        assert stage.head_rows()[1].strip() == "parked until 00:16: full"


async def test_a_parked_ticket_that_never_began_names_the_reason() -> None:
    async with staged(width=100) as (stage, pilot):
        await stage.play(pilot, e.TicketQueued(), e.Parked("p", stage.now + 3600, "no more\ntoday"))
        assert stage.head_rows()[1].strip() == "parked until 01:16: no more today"


async def test_a_tool_call_is_one_line_from_its_first_byte_to_its_end() -> None:
    async with staged() as (stage, pilot):
        heights = []
        for event in (*BEGIN, *CALL, *(e.ToolOutputDelta("c1", "stdout", "a\n"),) * 3):
            await stage.play(pilot, event)
            heights.append(sum("run_command" in row for row in stage.screen_rows()))
        await stage.play(pilot, e.ToolCallFinished("c1", "a\na\n", None, 2, 1.24))
        assert set(heights[len(BEGIN) :]) == {1}
        card = next(row for row in stage.screen_rows() if "run_command" in row)
        assert card.startswith("▸ ✗ run_command  $ make")
        assert card.endswith("exit 2 · 1.2 s")


async def test_a_question_unfolds_by_itself_and_folds_when_answered() -> None:
    async with staged() as (stage, pilot):
        await stage.play(pilot, *BEGIN, *CALL, e.ApprovalRequested("c1", "run_command", "$ make"))
        assert any("a approve · A rules… · d deny" in row for row in stage.screen_rows())
        assert any("$ make" in row for row in stage.screen_rows())
        await stage.play(pilot, e.ApprovalGiven("c1"))
        assert not any("approve" in row for row in stage.screen_rows())


async def test_a_card_shows_arguments_and_output_when_unfolded() -> None:
    async with staged(*BEGIN, *CALL) as (stage, pilot):
        await stage.play(pilot, e.ToolCallFinished("c1", "\x1b[31mred\x1b[0m", "broke", None, 0.01))
        stage.stream.toggle_kind("tool")
        shown = plain_text(stage.stream.lines)
        assert "command: make" in shown and "error: broke" in shown and "│ red" in shown
        stage.stream.toggle_kind("tool")
        assert "command: make" not in plain_text(stage.stream.lines)


async def test_a_click_on_a_card_folds_only_that_one() -> None:
    async with staged() as (stage, pilot):
        await stage.play(pilot, *BEGIN, *CALL, e.ToolCallFinished("c1", "out", None, 0, 1.0))
        row = next(y for y, text in enumerate(stage.screen_rows()) if "run_command" in text)
        await pilot.click(StreamView, offset=(4, row))
        assert "command: make" in plain_text(stage.stream.lines)
        assert stage.screen_rows()[row].startswith("▾")
        await pilot.click(StreamView, offset=(4, row))
        assert "command: make" not in plain_text(stage.stream.lines)


async def test_thinking_is_one_line_while_it_streams_and_after() -> None:
    async with staged(*BEGIN, e.ReasoningDelta("first thought " * 20)) as (stage, pilot):
        row = stage.screen_rows()[1]
        assert row.startswith("▸ thinking… …") and row.endswith("first thought")
        await stage.play(pilot, e.ReasoningDelta("last"), seconds=3.2)
        await stage.play(pilot, e.TextDelta("answer"))
        assert stage.screen_rows()[1] == "▸ thought for 3.2 s · 284 chars"
        stage.stream.toggle_kind("reasoning")
        assert "first thought first thought" in plain_text(stage.stream.lines)


async def test_a_new_attempt_begins_below_a_rule_and_the_old_text_stays() -> None:
    async with staged() as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta("partial"), e.Retrying("cut", 1.0, 2, "cut"))
        await stage.play(pilot, e.AttemptStarted("openai", "gpt-5-mini"))
        shown = plain_text(stage.stream.lines)
        assert "partial" in shown and "── attempt 2 · openai/gpt-5-mini ──" in shown
        await stage.play(pilot, *BEGIN[2:], e.TextDelta("whole"))
        assert stage.pane.copy_text() == "whole"
        await pilot.resize_terminal(24, 12)
        (rule,) = (row for row in stage.screen_rows() if "attempt 2" in row)
        assert rule.startswith("── attempt 2 · open") and rule.endswith("…")


async def test_an_agent_that_chooses_its_model_is_named_alone() -> None:
    async with staged(*BEGIN, width=110) as (stage, pilot):
        await stage.play(pilot, e.Retrying("cut", 1.0, 2, "cut"), e.AttemptStarted("claude", ""))
        assert stage.head_rows()[0].split()[-1] == "claude"
        assert "── attempt 2 · claude ──" in plain_text(stage.stream.lines)


async def test_scrolling_up_releases_the_end_and_a_hint_counts_what_is_new() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        assert stage.screen_rows()[-1] == "line 30"
        stage.stream.scroll_lines(-5)
        await stage.play(pilot)
        top = stage.screen_rows()[0]
        await stage.play(pilot, e.TextDelta(numbered(31, 40)))
        rows = stage.screen_rows()
        assert rows[0] == top
        assert rows[-1].strip() == "↓ 20 new lines · f to follow"
        stage.stream.follow()
        assert stage.screen_rows()[-1] == "line 40"
        stage.stream.scroll_lines(-3)
        assert "f to follow" in stage.screen_rows()[-1]
        stage.stream.scroll_pages(1)  # reaching the end follows it again
        await stage.play(pilot, e.TextDelta(numbered(41, 42)))
        assert stage.screen_rows()[-1] == "line 42"
        stage.stream.scroll_lines(-5)
        more = e.TextDelta(numbered(43, 43))
        await stage.play(pilot, more, e.ResponseFinished(1, "end"), e.TicketDone("end"))
        assert stage.screen_rows()[-1].strip() == "↓ 7 more lines"


async def test_a_theme_switches_colours_while_it_runs() -> None:
    def colours(stage: Stage) -> Iterator[object]:
        stream = stage.stream
        for segment in stream.render_lines(stream.size.region)[0]:
            assert segment.style is not None
            yield segment.style.bgcolor

    async with staged(*BEGIN, e.TextDelta("text")) as (stage, pilot):
        dark = set(colours(stage))
        stage.theme = "light"
        await pilot.pause()
        await stage.play(pilot)
        assert set(colours(stage)).isdisjoint(dark)


async def test_where_links_lead_is_shown_on_request_and_hidden_again() -> None:
    async with staged() as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta("see [the page](https://example.org/x)"))
        assert "see the page" in stage.screen_rows()
        stage.stream.toggle_urls()
        assert "see the page (https://example.org/x)" in stage.screen_rows()
        await stage.play(pilot, e.TextDelta(" and [more](https://example.org/y)"))
        assert "more (https://example.org/y)" in " ".join(stage.screen_rows())
        stage.stream.toggle_urls()
        assert "see the page and more" in stage.screen_rows()


async def test_a_pane_whose_frame_was_slow_once_is_not_left_waiting() -> None:
    slow = list[float]()

    def ticks() -> float:
        stage.now += slow.pop() if slow else 0.0
        return stage.now

    async with staged(ticks=ticks) as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta("one"))
        slow.append(2.0)  # others had the CPU, or the interpreter's lock
        await stage.play(pilot, e.TextDelta(" two"))
        await stage.play(pilot, e.TextDelta(" three"), seconds=0.25)
        assert "one two three" in stage.screen_rows()


def gauge(used: int) -> tuple[e.Event, ...]:
    return (*BEGIN, e.ContextUsed(used, 200_000))


async def test_the_share_of_a_models_window_and_an_estimated_cost_are_gauges() -> None:
    begun = (e.TicketQueued(), e.AttemptStarted("p", "m", context_window=200_000), e.RequestSent(1))
    used = e.Usage(165_000, 1_000, cost=0.42, price_date="2026-11-23")
    async with staged(*begun, e.TextDelta("Hi"), used, width=110) as (stage, _):
        assert "ctx! 83%" in stage.head_rows()[1]
        assert " ~$0.42 " in stage.head_rows()[1]


@pytest.mark.parametrize("width", [40, 60, 110])
async def test_the_share_of_an_agents_context_is_a_gauge(width: int) -> None:
    async with staged(*gauge(82_000), width=width) as (stage, pilot):
        before = stage.head_rows()[1]
        assert "ctx  41%" in before
        assert context_colour(stage) == stage.theme_variables["foreground"]
        await stage.play(pilot, e.ContextUsed(160_000, 200_000))
        assert "ctx! 80%" in stage.head_rows()[1]
        assert before.find("ctx") == stage.head_rows()[1].find("ctx")
        assert context_colour(stage) == stage.theme_variables["warning"]


def context_colour(stage: Stage) -> str:
    """The colour of the figure."""
    segments = list(stage.query_one(PaneHeader).render_line(1))
    figure = next(after for one, after in pairwise(segments) if "ctx" in one.text)
    assert figure.style is not None and figure.style.color is not None
    return figure.style.color.name


async def test_a_model_that_says_nothing_of_its_context_has_no_such_gauge() -> None:
    async with staged(*BEGIN, e.Usage(1000, 10), width=110) as (stage, _):
        assert "ctx" not in stage.head_rows()[1]


async def test_the_share_that_came_from_a_providers_cache_is_a_gauge() -> None:
    used = (e.Usage(3_000, 10), e.ResponseFinished(1, "end"), e.RequestSent(2), e.Usage(5_000, 1))
    async with staged(*BEGIN, *used, width=110) as (stage, pilot):
        assert "cached" not in stage.head_rows()[1]
        await stage.play(pilot, e.Usage(5_000, 1, cached=4_000))
        assert "↑  8.0k  cached  50% " in stage.head_rows()[1]


async def test_an_answer_from_the_history_is_marked_and_is_no_figure() -> None:
    reused = e.AnswerReused(1, "20261123-a1b2/api", 1_700_000_000.0, 900)
    answer = (*BEGIN[:-1], reused, e.TextDelta("As before. " * 40), e.ResponseFinished(1, "end"))
    async with staged(*answer, width=110) as (stage, _):
        assert "from cache, recorded 2023-11-1" in plain_text(stage.stream.lines)
        figures = stage.head_rows()[1]
        assert " reused 1 " in figures
        assert "ttft     –" in figures and "↓     0" in figures


async def test_files_that_went_with_a_prompt_are_counted_and_listed() -> None:
    files = tuple(ContextFile(f"docs/{n}.md", 1500, "0f" * 32, "# Doc") for n in range(3))
    prompt = e.UserMessage("Do it.", {"api": "Fine."}, files)
    async with staged(*BEGIN[:2], prompt, width=110) as (stage, _):
        assert stage.screen_rows()[0] == "▸ prompt, with api and 3 files (4 kB): Do it."
        stage.stream.toggle_kind("prompt")
        shown = plain_text(stage.stream.lines)
        assert "docs/0.md (2 kB, sha256 0f0f0f0f0f0f)" in shown
        assert shown.index("docs/2.md") < shown.index("<answer") and "# Doc" not in shown


async def test_an_agents_tool_is_named_with_its_time_and_one_that_hangs_is_a_stall() -> None:
    command: dict[str, object] = {"command": "cd app && pytest -q"}
    called = e.ToolCallRequested("c1", "Bash", command, origin="agent")
    async with staged(*BEGIN, e.ToolCallStarted("c1", "Bash", "agent"), called) as (stage, pilot):
        await stage.play(pilot, seconds=40)
        assert "▶ pytest 0:40" in stage.head_rows()[0]
        assert any(row.endswith(" 40 s") for row in stage.screen_rows())
        await stage.play(pilot, seconds=40)
        assert stage.head_rows()[1].strip() == "no output from pytest for 1:20"
        await stage.play(pilot, e.ApprovalRequested("c1", "Bash", "$ pytest -q"))
        assert "? approve?" in stage.head_rows()[0]
