"""Leaving lfg: by a key, by a signal, by a bug; nothing is left running."""

import asyncio
import os
import signal

import pytest

from lfgtui.model import events as e
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, on_screen, opened, repainted, run_screen, text_of


@pytest.mark.parametrize("is_all_done", [True, False])
async def test_an_ended_run_stays_open_and_leaves_with_its_code(is_all_done: bool) -> None:
    async with on_screen("a", "b") as (live, app, pilot):
        live.begin("a")
        live.finish("a")
        if is_all_done:
            live.begin("b")
            live.finish("b")
            assert "all done – q to quit" in (await repainted(pilot))[0]
        else:
            live.happen("b", e.TicketCancelled())
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == (0 if is_all_done else 1)
    assert live.closed == 1


@pytest.mark.parametrize("keys", [("q", "y"), ("ctrl+c", "ctrl+c"), ("q", "n", "q", "ctrl+c")])
async def test_quitting_while_work_runs_asks_and_interrupts(keys: tuple[str, ...]) -> None:
    async with on_screen("a") as (live, app, pilot):
        await pilot.press(keys[0])
        assert "1 ticket is unfinished. Quit anyway?" in text_of(app)
        await pilot.press(*keys[1:])
        await pilot.pause()
    assert app.return_value == 1
    assert live.transcript("a").state == "interrupted"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
async def test_a_signal_shuts_down_and_gives_its_code(number: signal.Signals, code: int) -> None:
    async with on_screen("a") as (live, app, pilot):
        os.kill(os.getpid(), number)
        while not live.closed:
            await pilot.pause()
    assert app.return_value == code
    assert live.closed == 1


async def test_a_signal_that_comes_while_the_run_ends_does_not_cut_that_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = asyncio.Event()
    async with on_screen("a") as (live, app, pilot):
        shut_down = live.shutdown

        async def slowly() -> None:
            await ends.wait()
            await shut_down()

        monkeypatch.setattr(live, "shutdown", slowly)
        await pilot.press("q", "y")
        app.leaving.signalled(signal.SIGHUP)  # the terminal was closed, too
        await pilot.pause()
        assert app.is_running and live.closed == 0
        ends.set()
        while not live.closed:
            await pilot.pause()
    assert live.transcript("a").state == "interrupted"


async def test_a_screen_that_breaks_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    live = FakeLive("a")
    app = make_app(live)

    def broken(gauges: bool = True) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with opened(app) as pilot:
            monkeypatch.setattr(run_screen(app), "frame", broken)
            await pilot.pause()
    assert live.closed == 1
    assert live.transcript("a").state == "interrupted"


async def test_a_run_at_work_is_left_without_a_question_where_it_can_go_on() -> None:
    live = FakeLive("a")
    app = make_app(live, can_detach=True)
    async with opened(app) as pilot:
        await pilot.press("D")
        await pilot.pause()
    assert (app.return_value, app.leaving.is_detached, live.closed) == (0, True, 0)


async def test_where_it_cannot_go_on_it_is_not_left() -> None:
    async with on_screen("a") as (_, app, pilot):
        await pilot.press("D")
        await pilot.pause()
        assert "lfg cannot detach from this run" in text_of(app)
        assert not app.leaving.is_detached
