"""Frames: when they are drawn, what they show, and what the run hears of it."""

from tests.ui.screen_text import on_screen, repainted


async def test_the_run_hears_which_tickets_a_frame_shows_up_to_date() -> None:
    async with on_screen("a", "b") as (live, _, pilot):
        live.begin("a")
        live.stream("a", "Hello.")
        live.in_frame.clear()
        await repainted(pilot)
        assert live.in_frame == {"a", "b"}
        await pilot.press("enter")
        await repainted(pilot)
        assert live.in_frame == {"a"}
