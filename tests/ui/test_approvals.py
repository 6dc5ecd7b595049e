"""What is approved is what was in view: all of it, and for long enough."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from lfgtui.engine.commands import Approve
from lfgtui.model import events as e
from lfgtui.ui.app import LfgApp
from lfgtui.ui.stream.requests_seen import CardInView, RequestsSeen
from tests.ui.emulator import settled
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines, toasts

MakeApp = Callable[..., LfgApp]

TALL = "\n".join(f"echo line {number}" for number in range(60))


@pytest.fixture
def live() -> FakeLive:
    return FakeLive("a")


@asynccontextmanager
async def asked(
    app: LfgApp, live: FakeLive, command: str = "rm -rf build", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[int]]:
    """A ticket has said much and asks for a command."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        live.begin("a")
        live.stream("a", "words and more words\n\n" * 40)
        live.ask("a", command=command)
        await settled(app)
        yield pilot


async def wait_out_the_guard(live: FakeLive, app: LfgApp) -> None:
    await settled(app)  # a frame shows it
    live.now += 1
    await settled(app)


async def check_it_is_approved_once_read(live: FakeLive, app: LfgApp, pilot: Pilot[int]) -> None:
    await pilot.press("a")
    assert live.sent == []
    await wait_out_the_guard(live, app)
    await pilot.press("a")
    assert live.sent == [Approve("a", "call-1")]


async def test_a_card_that_was_scrolled_away_is_shown_first(
    make_app: MakeApp, live: FakeLive
) -> None:
    app = make_app(live)
    async with asked(app, live) as pilot:
        await wait_out_the_guard(live, app)
        await pilot.press("home")
        await wait_out_the_guard(live, app)
        assert not any("rm -rf build" in line for line in lines(app))
        await pilot.press("a")
        assert live.sent == []
        assert toasts(app) == ["read the request first, then decide"]
        await settled(app)
        assert any("rm -rf build" in line for line in lines(app))
        await check_it_is_approved_once_read(live, app, pilot)


async def test_a_card_that_output_pushes_out_of_sight_is_not_approved(
    make_app: MakeApp, live: FakeLive
) -> None:
    app = make_app(live)
    async with asked(app, live) as pilot:
        await wait_out_the_guard(live, app)
        live.happen("a", *(e.Status(f"note {number}") for number in range(60)))
        await wait_out_the_guard(live, app)
        await check_it_is_approved_once_read(live, app, pilot)


async def test_a_card_that_does_not_fit_must_have_been_read_to_its_end(
    make_app: MakeApp, live: FakeLive
) -> None:
    app = make_app(live)
    async with asked(app, live, TALL) as pilot:
        await wait_out_the_guard(live, app)  # its end is in view, its beginning was not
        await pilot.press("a")
        assert live.sent == []
        assert "does not fit here" in toasts(app)[0]
        await pilot.press("end")
        await settled(app)
        for key in ("pageup", "pageup", "pageup", "pageup"):
            await pilot.press(key)
            await settled(app)
        await wait_out_the_guard(live, app)
        await pilot.press("a")
        assert live.sent == []  # the question is not in view
        await pilot.press("end")
        await check_it_is_approved_once_read(live, app, pilot)


async def test_time_under_a_question_does_not_count(make_app: MakeApp, live: FakeLive) -> None:
    app = make_app(live)
    async with asked(app, live) as pilot:
        await pilot.press("?")
        await wait_out_the_guard(live, app)
        await pilot.press("escape")
        await check_it_is_approved_once_read(live, app, pilot)


async def test_a_resize_has_it_read_again(make_app: MakeApp, live: FakeLive) -> None:
    app = make_app(live)
    async with asked(app, live, "echo " + "long " * 40) as pilot:
        await wait_out_the_guard(live, app)
        await pilot.resize_terminal(50, 20)
        await settled(app)
        await check_it_is_approved_once_read(live, app, pilot)


async def test_a_folded_card_is_unfolded_first(make_app: MakeApp, live: FakeLive) -> None:
    app = make_app(live)
    async with asked(app, live) as pilot:
        await pilot.press("space")
        await wait_out_the_guard(live, app)
        await check_it_is_approved_once_read(live, app, pilot)


async def test_a_card_whose_beginning_was_never_in_view_is_shown_from_there(
    make_app: MakeApp, live: FakeLive
) -> None:
    app = make_app(live)
    async with asked(app, live, TALL) as pilot:
        await wait_out_the_guard(live, app)  # following the end shows its end
        assert any("approve" in line and "deny" in line for line in lines(app)[:-1])
        await pilot.press("a")
        await settled(app)
        assert any("echo line 0" in line for line in lines(app))
        await pilot.press("pagedown")
        await settled(app)
        before = lines(app)[3:12]  # not the header, which counts
        await pilot.press("a")
        await settled(app)
        assert lines(app)[3:12] == before  # who reads on stays there
        for _ in range(4):
            await pilot.press("pagedown")
            await settled(app)
        await check_it_is_approved_once_read(live, app, pilot)


def test_lines_that_were_jumped_over_were_not_read() -> None:
    seen = RequestsSeen()
    for first, last in ((0, 10), (30, 40), (20, 30), (30, 40)):
        seen.note({"r": CardInView(first, last, 40, 80, 10)}, 0.0)
    assert seen.seconds("r", 5.0) is None
    for first, last in ((12, 22), (2, 12), (0, 10), (10, 20), (20, 30), (30, 40)):
        seen.note({"r": CardInView(first, last, 40, 80, 10)}, 6.0)
    assert seen.seconds("r", 7.0) == 1.0
    seen.note({"r": None}, 8.0)
    assert seen.seconds("r", 9.0) is None


def test_a_card_that_fits_must_be_in_view_whole() -> None:
    seen = RequestsSeen()
    seen.note({"r": CardInView(0, 5, 5, 80, 20)}, 0.0)
    assert seen.seconds("r", 1.0) == 1.0
    seen.note({"r": CardInView(2, 5, 5, 80, 20)}, 1.0)
    assert seen.seconds("r", 2.0) is None
