"""A change of view, as the first picture of it shows it."""

from collections.abc import Iterator
from contextlib import contextmanager

from lfgtui.model import events as e
from lfgtui.ui.screens.modes import PastRun
from lfgtui.ui.screens.run import RunScreen
from tests.ui.emulator import Terminal, on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, opened, repainted, run_screen

_TICKETS = tuple(f"ticket-{number}" for number in range(20))
_LINE = "a line that is as wide as a pane that has the whole of the terminal to itself alone"


@contextmanager
def layouts(terminal: Terminal) -> Iterator[list[str]]:
    """What the terminal shows right after each layout."""
    screen, pictures = terminal.app.screen, list[str]()
    signal = screen.screen_layout_refresh_signal
    signal.subscribe(screen, lambda _: pictures.append(terminal.text))
    yield pictures
    signal.unsubscribe(screen)


async def test_a_change_of_view_takes_one_layout_which_shows_what_came_meanwhile() -> None:
    live = FakeLive(*_TICKETS)
    for name in _TICKETS:
        live.begin(name)
    async with on_terminal(make_app(live)) as terminal:
        await terminal.press("v", "v", "v", "v", "v")
        for name in _TICKETS:
            live.stream(name, f"said by {name}.")
        await terminal.settle()
        with layouts(terminal) as pictures:
            await terminal.press("v")
        (picture,) = pictures
        in_view = [pane.ticket_id for pane in run_screen(terminal.app).grid.in_view()]
        assert len(in_view) > 6
        assert all(f"said by {name}." in picture for name in in_view)


async def test_a_zoomed_pane_is_drawn_for_its_new_width_at_once() -> None:
    live = FakeLive(*_TICKETS)
    live.begin("ticket-0")
    live.stream("ticket-0", _LINE)
    async with on_terminal(make_app(live)) as terminal:
        assert _LINE not in terminal.text
        with layouts(terminal) as pictures:
            await terminal.press("enter")
        assert _LINE in pictures[0]
        with layouts(terminal) as pictures:
            await terminal.press("escape")
        assert all(name in pictures[0] for name in _TICKETS[:6])


async def test_the_first_picture_of_a_zoom_is_right_on_another_page() -> None:
    live = FakeLive(*_TICKETS)
    live.begin("ticket-19")
    live.stream("ticket-19", "the last one")
    async with on_terminal(make_app(live), (80, 24)) as terminal:
        await terminal.press("shift+tab")
        assert "the last one" in terminal.text
        with layouts(terminal) as pictures:
            await terminal.press("enter")
        assert "the last one" in pictures[0]
        assert not terminal.difference()
        await terminal.press("escape")
        assert "the last one" in terminal.text


async def test_the_footer_counts_the_tickets_that_work_on_other_pages() -> None:
    live = FakeLive(*(f"t{number}" for number in range(1, 21)))
    for number in (1, 2, 19, 20):
        live.begin(f"t{number}")
    app = make_app(live)
    async with opened(app, (120, 40)) as pilot:
        assert (await repainted(pilot))[-1].endswith(" grid 1/20 · page 1/2 · +2 working ")
        run_screen(app).go_to("t20")
        assert (await repainted(pilot))[-1].endswith(" grid 20/20 · page 2/2 · +2 working ")
        await pilot.press("enter")
        assert (await repainted(pilot))[-1].endswith(" zoom 20/20 ")
    async with opened(make_app(live), (80, 24)) as pilot:
        assert (await repainted(pilot))[-1].endswith(" 1/20 · page 1/5 ")


async def test_the_engine_is_told_which_tickets_are_in_view() -> None:
    live = FakeLive(*_TICKETS)
    live.begin("ticket-0")
    live.happen("ticket-0", e.Retrying("it broke", 0.0, 2, "cut"), e.AttemptStarted("xai", "grok"))
    async with opened(make_app(live), (80, 24)) as pilot:
        first = {f"ticket-{number}" for number in range(4)}
        for keys, in_view in (
            ([], first),
            (["right_curly_bracket"], {f"ticket-{number}" for number in range(4, 8)}),
            (["enter"], {"ticket-4"}),
            (["escape", "1", "b"], {"ticket-0"}),
            (["b", "v", "v"], {f"ticket-{number}" for number in range(20)}),
            (["slash", *"ticket-1", "enter"], {"ticket-1", *_TICKETS[10:]}),
        ):
            await pilot.press(*keys)
            await repainted(pilot)
            assert live.in_view == in_view, keys


async def test_where_a_past_run_is_shown_nothing_of_the_live_one_is_in_view() -> None:
    live, past = FakeLive("a"), FakeLive("a")
    past.run = "20260303-0513-a1b2"
    app = make_app(live)
    async with opened(app) as pilot:
        assert live.in_view == {"a"}
        await app.push_screen(RunScreen(past, app.context, PastRun()))
        await repainted(pilot)
        assert live.in_view == set()
