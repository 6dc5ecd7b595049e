"""A bug in one part of the screen is shown there; everything else goes on."""

import asyncio
from collections.abc import Callable

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot

from lfgtui.ui.app import LfgApp
from lfgtui.ui.guard import Guarded
from lfgtui.ui.screens.help import Help
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.stream.visible_rows import Sight
from lfgtui.ui.widgets.header import Header
from lfgtui.ui.widgets.pane_header import PaneHead
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines

MakeApp = Callable[..., LfgApp]


class BugError(Exception):
    """What no test means to find."""


@pytest.fixture
def live() -> FakeLive:
    return FakeLive("good", "bad")


@pytest.fixture
def app(make_app: MakeApp, live: FakeLive) -> LfgApp:
    """An app as a person runs it: in tests it would end with the first bug."""
    app = make_app(live)
    app.survives_bugs = True
    return app


def break_method(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: Callable[[object], bool]
) -> None:
    """Have a method raise for those of its class that a test means."""
    original = getattr(owner, name)

    def broken(self: object, *arguments: object, **named: object) -> object:
        if when(self):
            raise BugError("it [broke")
        return original(self, *arguments, **named)

    monkeypatch.setattr(owner, name, broken)


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Wait for what frames bring about."""
    async with asyncio.timeout(30):
        while not condition():
            await pilot.pause(0.02)


def text_of(app: LfgApp) -> str:
    return "\n".join(lines(app))


async def shown(app: LfgApp, pilot: Pilot[int], *texts: str) -> None:
    """Wait until all of these are on the screen."""
    await until(pilot, lambda: all(text in text_of(app) for text in texts))


_bad: list[object] = []


async def opened(app: LfgApp, pilot: Pilot[int], live: FakeLive) -> RunScreen:
    """Both tickets stream; the parts of the bad one's pane are known."""
    await pilot.pause()
    for ticket in ("good", "bad"):
        live.begin(ticket)
        live.stream(ticket, f"{ticket} words\n\n")
    await shown(app, pilot, "good words", "bad words")
    screen = app.screen
    assert isinstance(screen, RunScreen)
    stream = screen.panes[1]._stream
    _bad[:] = [stream, stream._stream, stream._sight, screen.panes[1]._head]
    return screen


BREAKS = [
    (StreamView, "update"),
    (StreamLines, "update"),
    (Sight, "strips"),
    (PaneHead, "update"),
    (PaneHead, "render_line"),
]


@pytest.mark.parametrize(("owner", "name"), BREAKS, ids=lambda one: getattr(one, "__name__", one))
async def test_a_bug_in_a_pane_is_that_pane_s(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await opened(app, pilot, live)
        break_method(monkeypatch, owner, name, lambda part: part in _bad)
        live.stream("bad", "more bad words\n\n")
        live.stream("good", "more good words\n\n")
        await shown(app, pilot, "more good words", "a bug in lfg: BugError")
        live.now += 10
        live.stream("good", "and still more\n\n")
        await shown(app, pilot, "and still more")
        monkeypatch.undo()


async def test_a_pane_is_drawn_anew_after_its_bug(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(160, 30)) as pilot:
        await opened(app, pilot, live)
        with monkeypatch.context() as patched:
            break_method(patched, StreamLines, "update", lambda part: part in _bad)
            live.stream("bad", "more bad words\n\n")
            await shown(app, pilot, "a bug in lfg: BugError at ui/stream/view.py")
        live.now += 10
        await shown(app, pilot, "more bad words")
        assert "a bug in lfg" not in text_of(app)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(Header, "render_line"), (Header, "tell"), (RunScreen, "_situation"), (RunScreen, "frame")],
)
async def test_a_bug_beside_the_panes_stops_no_pane(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await opened(app, pilot, live)
        with monkeypatch.context() as patched:
            break_method(patched, owner, name, lambda part: True)
            live.stream("good", "more good words\n\n")
            await until(pilot, lambda: isinstance(app.bug, BugError))
            if name != "frame":  # which is all of the panes
                await shown(app, pilot, "more good words")
        live.stream("good", "the end of it\n\n")
        await shown(app, pilot, "the end of it")
        assert live.closed == 0


async def test_a_bug_behind_a_key_is_said_and_other_keys_work(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await opened(app, pilot, live)
        break_method(monkeypatch, RunScreen, "action_view", lambda part: True)
        await pilot.press("v", "v", "v")
        await shown(app, pilot, "a bug in lfg: BugError")
        assert text_of(app).count("a bug in lfg: BugError") == 1  # once for each place
        await pilot.press("?")
        assert isinstance(app.screen, Help)


async def test_a_bug_in_a_screen_on_top_leaves_the_run_alone(
    app: LfgApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lfgtui.ui.commands import LfgCommands

    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await opened(app, pilot, live)
        break_method(monkeypatch, Help, "compose", lambda part: True)
        break_method(monkeypatch, LfgCommands, "_entries", lambda part: True)
        for key in ("?", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause(0.1)
            await pilot.press("escape")
            await pilot.pause(0.1)
        assert not isinstance(app.screen, CommandPalette)
        live.stream("good", "more good words\n\n")
        await shown(app, pilot, "more good words")


async def test_in_tests_a_bug_ends_the_app(
    make_app: MakeApp, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(live)
    with pytest.raises(BugError):
        async with app.run_test(size=(160, 30)) as pilot:
            await opened(app, pilot, live)
            break_method(monkeypatch, StreamView, "update", lambda part: part in _bad)
            live.stream("bad", "more bad words\n\n")
            await pilot.pause(0.2)
    assert live.closed == 1


def test_every_widget_of_lfg_s_own_is_guarded() -> None:
    from textual.widget import Widget

    import lfgtui.ui.commands
    import lfgtui.ui.history.screen
    import lfgtui.ui.screens.replay
    import lfgtui.ui.widgets.ticket_table  # noqa: F401  # so that its classes are known

    def all_of(kind: type[Widget]) -> list[type[Widget]]:
        return [kind, *(one for sub in kind.__subclasses__() for one in all_of(sub))]

    bases = {"_Body", "Prompt", "OneLine"}  # without handlers of agents' words
    own = [one for one in all_of(Widget) if one.__module__.startswith("lfgtui.")]
    assert [o.__name__ for o in own if not issubclass(o, Guarded) and o.__name__ not in bases] == []
