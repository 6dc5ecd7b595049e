"""A run that is held at one of its limits: where it is asked about, and what the answers do."""

import pytest

from lfgtui.engine.commands import SetRunLimits
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health
from lfgtui.model.ticket_keys.run_limits import RunLimits
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, lines, opened, run_screen, text_of, toasts


def held(*, asks: bool = True) -> FakeLive:
    """Two tickets that a run holds, which has spent 0.012 USD of 0.50."""
    live = FakeLive("a", "b", title="Held")
    live.start()
    live.happen("a", e.RunLimitsSet(max_run_cost=0.5))
    for ticket in "ab":
        live.begin(ticket)
    live.finish("a", tokens=(128_000, 12_400))
    live.stream("b", "Let me see.")
    live.happen("b", e.ResponseFinished(1, "tool_use"))
    live.happen("b", e.Paused())
    live.health = Health(held_at="run_cost", asks_at_limit=asks)
    return live


@pytest.mark.parametrize(
    ("key", "limits"),
    [
        ("1", RunLimits(max_run_cost=1.0, at_limit="ask")),
        ("2", RunLimits(max_run_cost=2.5, at_limit="ask")),
        ("3", RunLimits(at_limit="ask")),
        ("4", RunLimits(max_run_cost=0.5, at_limit="stop")),
    ],
)
async def test_the_inbox_asks_how_the_run_goes_on(
    make_app: MakeApp, key: str, limits: RunLimits
) -> None:
    live = held()
    async with opened(make_app(live)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        assert "max_run_cost is reached" in text_of(pilot.app)
        assert "$0.012 of $0.50: go on" in text_of(pilot.app)
        assert "up to $1.00" in text_of(pilot.app)
        await pilot.press(key)
        assert live.sent == [SetRunLimits(limits)]


async def test_the_key_that_continues_asks_in_a_run_that_does_not(make_app: MakeApp) -> None:
    app = make_app(held(asks=False))
    async with opened(app) as pilot:
        assert "held: max_run_cost reached" in lines(pilot.app)[0]
        await pilot.press("i")
        assert toasts(pilot.app) == ["nothing waits for your answer"]
        await pilot.press("2")
        assert "p raise limit" in lines(pilot.app)[-1]
        await pilot.press("p")
        assert "max_run_cost is reached" in text_of(pilot.app)
        await pilot.press("escape")
        assert run_screen(app).is_current


async def test_next_goes_to_where_it_is_asked(make_app: MakeApp) -> None:
    app = make_app(held())
    async with opened(app) as pilot:
        await pilot.press("n")
        assert run_screen(app).current == "b"
        assert "p raise limit  i inbox" in lines(app)[-1]
