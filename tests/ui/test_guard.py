"""A bug in one part of the screen is shown there; everything else goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from lfgtui.ui.app import LfgApp
from lfgtui.ui.guard import Guarded
from lfgtui.ui.history import screen as history_screen
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.screens.commands import LfgCommands
from lfgtui.ui.screens.dialogs import Help
from lfgtui.ui.screens.modes import LiveMode
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.pane_header import PaneHeader
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines, make_app, opened, text_of


class BugError(Exception):
    """What no test means to find."""


@pytest.fixture
def live() -> FakeLive:
    return FakeLive("good", "bad")


@pytest.fixture
def app(live: FakeLive) -> LfgApp:
    """An app as a person runs it: in tests it would end with the first bug."""
    app = make_app(live)
    app.survives_bugs = True
    return app


def is_in_bad_pane(part: object) -> bool:
    assert isinstance(part, Widget)
    return isinstance(part.parent, Pane) and part.parent.ticket_id == "bad"


def break_method(
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    when: Callable[[object], bool] = lambda part: True,
) -> None:
    """Have a method raise for those of its class that a test means."""
    original = getattr(owner, name)

    def broken(self: object, *arguments: object, **named: object) -> object:
        if when(self):
            raise BugError("it [broke")
        return original(self, *arguments, **named)

    monkeypatch.setattr(owner, name, broken)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what frames bring about; they come from the app's own clock."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # there is no event for a frame
            await asyncio.sleep(0)


async def shown(pilot: Pilot[int], *texts: str) -> None:
    """Wait until all of these are on the screen."""
    await until(lambda: all(text in text_of(pilot.app) for text in texts))


@asynccontextmanager
async def streaming(app: LfgApp, live: FakeLive) -> AsyncIterator[Pilot[int]]:
    """Both tickets stream."""
    async with opened(app, (160, 30)) as pilot:
        for ticket in ("good", "bad"):
            live.begin(ticket)
            live.stream(ticket, f"{ticket} words\n\n")
        await shown(pilot, "good words", "bad words")
        yield pilot


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (StreamView, "update"),
        (StreamView, "draw_lines"),
        (PaneHeader, "update"),
        (PaneHeader, "render_line"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
async def test_a_bug_in_a_pane_stays_in_that_pane(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    async with streaming(app, live) as pilot:
        break_method(monkeypatch, owner, name, is_in_bad_pane)
        live.stream("bad", "more bad words\n\n")
        live.stream("good", "more good words\n\n")
        await shown(pilot, "more good words", "a bug in lfg: BugError at ui/")
        live.now += 10
        live.stream("good", "and still more\n\n")
        await shown(pilot, "and still more")
        monkeypatch.undo()
        live.now += 10
        await shown(pilot, "more bad words")  # it is drawn anew
        assert "a bug in lfg" not in "\n".join(lines(app)[:12])  # a toast is at the bottom


@pytest.mark.parametrize(
    ("owner", "name"),
    [(LineRow, "render_line"), (LineRow, "show"), (LiveMode, "painted"), (RunScreen, "frame")],
)
async def test_a_bug_beside_the_panes_stops_no_pane(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    async with streaming(app, live) as pilot:
        with monkeypatch.context() as patched:
            break_method(patched, owner, name)
            live.stream("good", "more good words\n\n")
            await until(lambda: isinstance(app.bug, BugError))
            if name != "frame":  # which is all of the panes
                await shown(pilot, "more good words")
        live.stream("good", "the end of it\n\n")
        await shown(pilot, "the end of it")
        assert live.closed == 0


async def test_a_bug_behind_a_key_is_reported_once_and_other_keys_work(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with streaming(app, live) as pilot:
        break_method(monkeypatch, RunScreen, "action_view")
        await pilot.press("v", "v", "v")
        await shown(pilot, "a bug in lfg: BugError")
        assert text_of(app).count("a bug in lfg: BugError") == 1  # once for each place
        await pilot.press("?")
        assert isinstance(app.screen, Help)


async def test_a_bug_in_a_screen_on_top_leaves_the_run_alone(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with streaming(app, live) as pilot:
        break_method(monkeypatch, Help, "compose")
        break_method(monkeypatch, LfgCommands, "discover")
        for key in ("?", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause()
            assert not isinstance(app.screen, RunScreen)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app.screen, RunScreen)
        live.stream("good", "more good words\n\n")
        await pilot.pause()
        assert "more good words" in text_of(app)


async def test_in_tests_a_bug_ends_the_app(live: FakeLive, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BugError):
        async with streaming(make_app(live), live) as pilot:
            break_method(monkeypatch, StreamView, "update", is_in_bad_pane)
            live.stream("bad", "more bad words\n\n")
            await pilot.pause()
    assert live.closed == 1


def test_every_widget_of_lfg_is_guarded() -> None:
    assert issubclass(history_screen.HistoryScreen, Guarded)  # its widgets are known as well

    def all_of(kind: type[Widget]) -> list[type[Widget]]:
        return [kind, *(one for sub in kind.__subclasses__() for one in all_of(sub))]

    bases = {"CachedRow", "Prompt", "OneLine", "Composer"}  # without handlers of agents' words
    own = [one for one in all_of(Widget) if one.__module__.startswith("lfgtui.")]
    assert [o.__name__ for o in own if not issubclass(o, Guarded) and o.__name__ not in bases] == []
