"""Attempts at one ticket side by side."""

from lfgtui.model import events as e
from lfgtui.ui.screens.attempts import AttemptsView
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines, on_screen, run_screen, toasts
from tests.ui.waiting import shown


def tried_twice(live: FakeLive) -> None:
    """A first attempt that broke, a second one that streams."""
    live.begin("a")
    live.stream("a", "The first try says fish.", after=2)
    live.happen("a", e.Usage(100, 7), e.Retrying("the connection broke", 0.0, 2, "cut"), after=1)
    live.happen("a", e.AttemptStarted("xai", "grok-4"), e.UserMessage("Do a."), e.RequestSent(1))
    live.stream("a", "The second try says ", after=3)


async def test_the_attempts_stand_side_by_side_and_the_newest_grows_on() -> None:
    async with on_screen("a", "b", size=(90, 24)) as (live, app, pilot):
        tried_twice(live)
        await pilot.press("b")
        await shown(pilot, "The second try")
        (row,) = (line for line in lines(app) if "The first try" in line)
        assert row.index("The first try") < row.index("The second try")
        screen = run_screen(app)
        assert [pane.ticket_id for pane in screen.panes] == ["a #1", "a #2"]
        assert screen.current == "a #2"
        assert any("grok-4" in line and "claude-sonnet-4-5" in line for line in lines(app))
        live.stream("a", "fowl.")
        await shown(pilot, "says fowl.")
        await pilot.press("escape")
        assert run_screen(app).mode.is_live
        await shown(pilot, "says fowl.")


async def test_each_is_searched_and_copied_by_itself_and_nothing_is_done_to_it() -> None:
    async with on_screen("a", size=(90, 24)) as (live, app, pilot):
        tried_twice(live)
        await pilot.press("b", "1", "slash")
        await pilot.press(*"fish", "enter")
        await shown(pilot, "“fish” 1/1")
        await pilot.press("escape", "y")
        assert app.clipboard == "The first try says fish."
        await pilot.press("c", "r", "p", "a")
        assert live.sent == []
        assert toasts(app)[-1] == "attempts are read-only; press esc to go back to “a”"
        await pilot.press("b")
        assert run_screen(app).mode.is_live


async def test_one_attempt_has_nothing_beside_it() -> None:
    async with on_screen("a", size=(90, 24)) as (live, app, pilot):
        await pilot.press("b")
        live.begin("a")
        await pilot.press("b")
        assert toasts(app) == ["“a” has no attempt yet", "“a” has only one attempt"]
        assert run_screen(app).mode.is_live


def test_each_attempt_has_figures_of_its_own() -> None:
    live = FakeLive("a")
    tried_twice(live)
    view = AttemptsView(live, live.tickets[0])
    first, second = view.meter("a #1"), view.meter("a #2")
    assert [view.transcript(name).state for name in ("a #1", "a #2")] == ["failed", "streaming"]
    assert (first.elapsed(live.now + 100), first.output_tokens()) == (3.0, (7, True))
    assert (second.elapsed(live.now), second.output_tokens()) == (3.0, (5, True))
    assert (first.ttft, second.ttft) == (2.0, 3.0)
    assert (first.rate(live.now), second.rate(live.now) > 0) == (0.0, True)
    assert not first.is_stalled(live.now + 1000, 10)
    assert second.is_stalled(live.now + 1000, 10)
