"""The bytes written to the terminal add up to the screen the app means to show."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from lfgtui.model import events as e
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.dialogs import Help, Question
from tests.helpers.effort import times
from tests.ui.emulator import Terminal, on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app
from tests.ui.walk import TICKETS, an_app, walk

Open = Callable[..., AbstractAsyncContextManager[Terminal]]

SIZES = ((80, 24), (120, 40), (200, 60))

ANSWER = """\
# Plan

The schema keeps **one row a line item**; 設計は二段階です and `orders.py` reads them.

| part | what it is |
|---|---|
| cart | a *basket* |
| 合計 | derived |

```python
def total(items):
    return sum(items)
```

1. Read
2. Move
   - the totals
"""


@pytest.fixture
def live() -> FakeLive:
    return FakeLive("schema", "api", "checkout-ui")


@pytest.fixture
def opened(live: FakeLive) -> Open:
    """The app on a terminal, one pane of it full and in zoom."""

    @asynccontextmanager
    async def on(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Terminal]:
        async with on_terminal(make_app(live), size) as terminal:
            live.begin("schema")
            call = e.ToolCallRequested("c1", "run_command", {"command": "pytest -q"})
            live.happen("schema", e.ReasoningDelta("I should look first."))
            live.stream("schema", ANSWER * 4)
            live.happen("schema", e.ToolCallStarted("c1", "run_command"), call)
            live.happen("schema", e.ResponseFinished(1, "tool_use"))
            live.happen("schema", e.ToolCallFinished("c1", "1 failed\n11 passed\n", None, 1, 2.5))
            await terminal.press("enter")
            yield terminal

    return on


async def assert_same(terminal: Terminal) -> None:
    assert not (difference := await terminal.lasting_difference()), difference


@pytest.mark.parametrize("size", SIZES)
async def test_what_streams_is_on_the_terminal(live: FakeLive, size: tuple[int, int]) -> None:
    async with on_terminal(make_app(live), size) as terminal:
        for ticket in ("schema", "api"):
            live.begin(ticket)
        for at in range(0, len(ANSWER), 31):
            live.stream("schema", ANSWER[at : at + 31], after=0.1)
            live.stream("api", ANSWER[-at - 31 : -at or None], after=0.1)
            await terminal.settle()
            await assert_same(terminal)
        assert "the totals" in terminal.text


@pytest.mark.parametrize(
    "keys",
    [
        ("pageup", "up", "up", "home", "down", "pagedown", "end"),
        ("t", "home", "m", "space", "t", "space", "end"),
    ],
    ids=["scrolling", "folding"],
)
async def test_moving_lines_leaves_nothing_behind(opened: Open, keys: tuple[str, ...]) -> None:
    async with opened() as terminal:
        for key in keys:
            await terminal.press(key)
            await assert_same(terminal)


async def test_lines_that_come_out_of_view_are_counted(opened: Open, live: FakeLive) -> None:
    async with opened() as terminal:
        await terminal.wheel(10, 10, up=True)
        assert "to follow" in terminal.text
        live.happen("schema", e.RequestSent(2), e.TextDelta("more\n\n" * 9))
        await terminal.settle()
        assert "new lines" in terminal.text
        await assert_same(terminal)


async def test_a_resized_terminal_is_painted_whatever_stood_on_it(opened: Open) -> None:
    async with opened() as terminal:
        for size in ((80, 24), (200, 60), (41, 13), (120, 40)):
            await terminal.resize(*size)
            assert "▒▒" not in terminal.text
            await assert_same(terminal)


async def test_under_and_after_a_modal_screen_all_is_painted(opened: Open, live: FakeLive) -> None:
    async with opened() as terminal:
        for key, opens in (("question_mark", Help), ("q", Question)):
            await terminal.press("escape", "home", key)
            assert type(terminal.app.screen) is opens
            await assert_same(terminal)
            live.begin("api")
            live.stream("api", "under the question\n\n" * 5)
            await terminal.settle()
            await assert_same(terminal)
            await terminal.resize(97, 31)
            await assert_same(terminal)
            await terminal.press("escape")
            assert "under the question" in terminal.text
            await assert_same(terminal)


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("q",)], ids=["run", "help", "question"])
async def test_a_toast_goes_although_someone_asked_meanwhile_what_is_under_the_pointer(
    opened: Open, keys: tuple[str, ...]
) -> None:
    async with opened() as terminal:
        await terminal.press(*keys)
        app = terminal.app
        app.notify("a toast", timeout=60)
        await terminal.settle()
        compositor = app.screen._compositor
        compositor._full_map_invalidated = True  # as after any widget that came
        app.clear_notifications()
        (toast,) = app.screen.query("Toast")
        while toast in compositor.full_map:  # which lays out anew, and paints nothing
            compositor._full_map_invalidated = True
            await asyncio.sleep(0)
        await terminal.settle()
        assert "a toast" not in terminal.text
        await assert_same(terminal)


async def test_another_theme_reaches_every_cell(opened: Open, live: FakeLive) -> None:
    async with opened() as terminal:
        before = terminal.cell(60, 20)
        terminal.app.theme = "light"
        live.now += 1
        await terminal.settle()
        assert terminal.cell(60, 20).bg != before.bg
        await assert_same(terminal)


@pytest.mark.parametrize(
    ("name", "value", "are_coloured"), [("COLORTERM", "", True), ("NO_COLOR", "1", False)]
)
async def test_few_colours_are_the_terminal_s_own_and_focus_and_matches_need_none(
    opened: Open, monkeypatch: pytest.MonkeyPatch, name: str, value: str, are_coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    async with opened() as terminal:
        await terminal.press("/", *"schema", "enter")
        cells = [terminal.cell(x, y) for y in range(40) for x in range(120)]
        colours = {cell.fg for cell in cells} | {cell.bg for cell in cells}
        assert not any(re.fullmatch("[0-9a-f]{6}", colour) for colour in colours)
        assert (colours != {"default"}) == are_coloured
        focused, found = terminal.place_of("›"), terminal.place_of("schema keeps")
        assert focused is not None and terminal.cell(*focused).reverse
        assert found is not None and terminal.cell(*found).reverse
        assert not terminal.cell(found.x + len("schema"), found.y).reverse
        await terminal.drag((found.x + 8, found.y), (found.x + 12, found.y))
        assert terminal.cell(found.x + 8, found.y).reverse
        assert not terminal.app.theme_names


async def test_styles_reach_the_terminal_and_go_out_again(opened: Open) -> None:
    async with opened() as terminal:
        place, bold = terminal.place_of("The schema"), terminal.place_of("one row a line item")
        assert place is not None and bold is not None
        plain = terminal.cell(*place)
        assert terminal.cell(*bold).bold and not plain.bold
        assert f"#{plain.bg}" == terminal.app.theme_variables["background"].lower()
        await terminal.drag((place.x, place.y), (place.x + 30, place.y + 3))
        assert terminal.cell(*place) != plain
        await assert_same(terminal)
        terminal.app.screen.clear_selection()
        await terminal.settle()
        assert terminal.cell(*place) == plain
        await terminal.press("slash", *"the schema", "enter")
        found = terminal.place_of("The schema")
        assert found is not None and terminal.cell(*found).bg != plain.bg
        for key in ("n", "escape"):
            await terminal.press(key)
            await assert_same(terminal)
        found = terminal.place_of("The schema")
        assert found is not None and terminal.cell(*found).bg == plain.bg


async def test_the_title_follows_the_run_on_every_screen(live: FakeLive) -> None:
    app = make_app(live)
    async with on_terminal(app, (80, 24)) as terminal:
        assert terminal.title == "lfg"
        live.begin("schema")
        live.begin("api")
        await terminal.settle()
        assert terminal.title == "2 running · lfg"
        await terminal.press("H")
        live.ask("api")
        await terminal.settle()
        assert terminal.title == "1 waiting · 1 running · lfg"
        assert app.context.frames.next_at is not None  # one may stall meanwhile
        live.now += 60
        await terminal.settle()
        assert terminal.title == "2 waiting · lfg"


async def test_an_agent_cannot_drive_the_terminal(live: FakeLive) -> None:
    async with on_terminal(make_app(live), (80, 24)) as terminal:
        live.begin("schema")
        live.stream("schema", "before \x1b[2J\x1b]0;owned\x07\x9b31m\x0eafter\n\n```\n\x1b[1;1Hx\n")
        await terminal.settle()
        assert "before" in terminal.text and "after" in terminal.text
        assert "owned" not in terminal.title
        await assert_same(terminal)


@pytest.fixture
def walker() -> tuple[FakeLive, LfgApp]:
    live = FakeLive(*TICKETS)
    return live, an_app(live)


@pytest.mark.parametrize("seed", range(times(3)))
async def test_a_random_walk_shows_what_is_due(walker: tuple[FakeLive, LfgApp], seed: int) -> None:
    wrong = await walk(*walker, seed, times(10), SIZES[seed % len(SIZES)])
    assert not wrong, wrong
