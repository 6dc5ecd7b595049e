"""A terminal in the test's own process: what Textual writes, read back cell by cell.

The app paints as it does for a person, by partial updates over whatever stood
there before. What the emulator has come to show is compared with a full
picture made by the compositor at that moment and written to an empty
terminal. Nothing is asked while a message, a layout or a repaint is pending.
"""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TypeVar

import pyte
from rich.cells import get_character_cell_size
from textual import events
from textual._context import visible_screen_stack
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Offset, Size
from textual.pilot import Pilot
from textual.strip import Strip
from wcwidth import wcwidth

from lfgtui.settings.keys import key_name
from lfgtui.ui.app import LfgApp
from lfgtui.ui.painting.canvas import come_to_rest
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.widgets.frame_clock import SLOWEST

Cell = pyte.screens.Char
ResultT = TypeVar("ResultT")

_PATIENCE = 20.0
"""Seconds until an app that never comes to rest is given up."""

_SECOND_LOOKS = (0.02, 0.1, 0.4)
"""Seconds to the next look at a terminal that shows something else: a toast may be leaving."""

_SOON = SLOWEST + 0.01
"""Seconds within which the clock draws what it was woken for, on a slow machine too."""

_ROWS_SAID = 3
"""Rows of a difference that are described."""

_KEYS = {"space": " ", "slash": "/", "question_mark": "?"}


class Emulator(HeadlessDriver):
    """Textual's driver over an emulated terminal; to Textual it is a real one."""

    screen: pyte.Screen
    written: int = 0
    sequences: Sequence[str] = ()

    @property
    def is_headless(self) -> bool:
        return False

    def start_application_mode(self) -> None:
        self.take_size(*self._get_terminal_size())
        super().start_application_mode()

    def take_size(self, width: int, height: int) -> None:
        """Another size. A terminal may leave anything on the screen then: so does this one."""
        self._size = (width, height)
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.Stream(self.screen)
        for _ in range(height):
            self._stream.feed("\x1b[7m" + "▒" * width)
        self._stream.feed("\x1b[m")

    def show_title(self, title: str) -> None:
        """Show the title, without a thought for the one before."""
        self.write(f"\x1b]0;{title}\x07")

    def write_sequence(self, sequence: str) -> None:
        """Keep a sequence that paints nothing, as a terminal acts on it."""
        self.sequences = [*self.sequences, sequence]

    def write(self, data: str) -> None:
        self.written += len(data)
        self._stream.feed(data)


class Terminal:
    """A running app and the terminal it writes to."""

    def __init__(self, app: LfgApp, pilot: Pilot[int]) -> None:
        driver = app._driver
        assert isinstance(driver, Emulator)
        self.app = app
        self._driver = driver
        self._pilot = pilot
        self.is_watched = False
        self.missed = ""
        """While it is watched: what stood still and yet was out of date, once it ever was."""

    @property
    def sequences(self) -> Sequence[str]:
        """The sequences so far that paint nothing."""
        return self._driver.sequences

    # What a person does

    async def look(self, *, away: bool = False) -> None:
        """Give the terminal the focus, or take it away."""
        self._driver.send_message(events.AppBlur() if away else events.AppFocus())
        await self.settle()

    async def press(self, *keys: str) -> None:
        """Press keys, each one handled before the next."""
        for key in keys:
            character = key if len(key) == 1 else _KEYS.get(key)
            self._driver.send_message(events.Key(key_name(key), character))
            await self.settle()

    async def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        if (width, height) == tuple(self.size):
            return  # no terminal says so
        self._driver.take_size(width, height)
        await self._pilot.resize_terminal(width, height)
        await self.settle()

    async def wheel(self, x: int, y: int, *, up: bool) -> None:
        """Turn the wheel by a notch over a cell."""
        kind = events.MouseScrollUp if up else events.MouseScrollDown
        self._mouse(kind, x, y)
        await self.settle()

    async def drag(self, begin: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the button on one cell and let go on another; on the same one it is a click."""
        self._mouse(events.MouseDown, *begin, button=1)
        if begin != end:
            self._mouse(events.MouseMove, *end, button=1)
        self._mouse(events.MouseUp, *end, button=1)
        await self.settle()

    def _mouse(self, kind: type[events.MouseEvent], x: int, y: int, button: int = 0) -> None:
        event = kind(
            None, x, y, 0, 0, button, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y
        )
        self._driver.process_message(event)

    # Coming to rest

    async def settle(self) -> None:
        """Wait until all is handled and painted, a whole frame of the clock included."""
        if self.is_watched:
            await self._watch()
        await settled(self.app)

    async def settle_until(self, condition: Callable[[], object]) -> None:
        """Wait for what is at work beside the app's loop."""
        async with asyncio.timeout(_PATIENCE):
            while not condition():
                await self.settle()

    async def _watch(self) -> None:
        """Wait for the clock's own frames, after which one more must change nothing."""
        await at_rest(self.app)
        while (at := self.app.context.frames.next_at) is not None:
            if (seconds := at - asyncio.get_running_loop().time()) > _SOON:
                break  # only figures are due
            await self._pilot.pause(max(0.0, seconds))
            await at_rest(self.app)
        if not isinstance(self.app.screen, RunScreen) or self.app.screen.query("Toast"):
            return  # what a worker brings, or when a toast goes, is not the clock's affair
        shown = [self._row(y) for y in range(self.size.height)]
        self.app.draw_frame()
        await at_rest(self.app)
        for y, before in enumerate(shown):
            if said := _unlike(before, self._row(y)):
                self.missed = self.missed or f"row {y} was not woken for: {said}"

    # What is on the screen

    @property
    def size(self) -> Size:
        """Columns and rows."""
        return self.app.size

    def cell(self, x: int, y: int) -> Cell:
        """One cell as a person sees it."""
        return self._driver.screen.buffer[y][x]

    def row(self, y: int) -> str:
        """A row's text as a person sees it."""
        return "".join(cell.data for cell in self._row(y))

    @property
    def title(self) -> str:
        """The window's title, if something set it."""
        return str(self._driver.screen.title)

    @property
    def text(self) -> str:
        """All rows as a person sees them."""
        return "\n".join(self.row(y) for y in range(self.size.height))

    def place_of(self, text: str) -> Offset | None:
        """The first cell of a text on the screen."""
        for y in range(self.size.height):
            cells = [cell.data for cell in self._row(y)]
            if (at := "".join(cells).find(text)) >= 0:
                x = next(x for x in range(len(cells)) if len("".join(cells[:x])) == at)
                return Offset(x, y)
        return None

    def difference(self) -> str:
        """How the terminal differs from what the app means to show; empty if it does not."""
        strips, width = self._full_picture(), self.size.width
        said = []
        for y, strip in enumerate(strips):
            due = _cells("".join(strip.render(self.app.console)), width)
            shown = self._row(y)
            if said_of_row := _unlike(shown, due) or _unfaithful(strip, due):
                said.append(f"row {y}: {said_of_row}")
        more = [f"and {len(said) - _ROWS_SAID} rows more"] if len(said) > _ROWS_SAID else []
        return "\n".join(said[:_ROWS_SAID] + more)

    async def lasting_difference(self) -> str:
        """The difference, if it stays: where a timer of the app's is at work it does not."""
        for seconds in _SECOND_LOOKS:
            if not self.difference():
                return ""
            await self._pilot.pause(seconds)
            await at_rest(self.app)
        return self.difference()

    def _row(self, y: int) -> tuple[Cell, ...]:
        line = self._driver.screen.buffer[y]
        return tuple(line[x] for x in range(self._driver.screen.columns))

    def _full_picture(self) -> list[Strip]:
        visible_screen_stack.set(self.app._background_screens)
        return self.app.screen._compositor.render_strips()


@asynccontextmanager
async def on_terminal(app: LfgApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Terminal]:
    """Run the app on an emulated terminal."""
    app.driver_class = Emulator
    async with app.run_test(headless=False, size=size, notifications=True) as pilot:
        terminal = Terminal(app, pilot)
        await terminal.settle()
        yield terminal


def tame(text: str) -> str:
    """The text without what emulators and Textual count differently: joiners, selectors, marks."""
    return "".join(
        c
        for c in text
        if unicodedata.category(c) == "Cc" or 0 < wcwidth(c) == get_character_cell_size(c)
    )


@lru_cache(maxsize=8192)
def _cells(sequence: str, width: int) -> tuple[Cell, ...]:
    """A row as an empty terminal shows it."""
    screen = pyte.Screen(width, 1)
    pyte.Stream(screen).feed(sequence)
    return tuple(screen.buffer[0][x] for x in range(width))


def _unlike(shown: Sequence[Cell], due: Sequence[Cell]) -> str:
    if shown == due:
        return ""
    wrong = [
        x
        for x, (a, b) in enumerate(zip(shown, due, strict=True))
        if a != b and not (_is_halved(shown, due, x) or _is_overwritten(shown, due, x))
    ]
    if not wrong:
        return ""
    first = wrong[0]
    return (
        f"{len(wrong)} cells from column {first} to {wrong[-1]}\n"
        f"  shown {''.join(cell.data for cell in shown).rstrip()!r}, first {_style(shown[first])}\n"
        f"  due   {''.join(cell.data for cell in due).rstrip()!r}, first {_style(due[first])}"
    )


def _is_halved(shown: Sequence[Cell], due: Sequence[Cell], x: int) -> bool:
    """Whether a wide character lacks a half that another widget's edge had cut off.

    Textual repaints up to the edge, where the character does not fit, and
    leaves a blank until the row is next painted.
    """
    begin = x - 1 if due[x].data == "" else x
    is_wide = 0 <= begin < len(due) - 1 and due[begin + 1].data == ""
    return is_wide and shown[x].data in ("", " ") and shown[x].bg == due[x].bg


def _is_overwritten(shown: Sequence[Cell], due: Sequence[Cell], x: int) -> bool:
    """Whether the other half of a wide character was written over: pyte leaves this one."""
    if due[x].data != " " or due[x].bg != shown[x].bg:
        return False
    if shown[x].data == "":
        return x == 0 or not _is_wide(shown[x - 1])
    return _is_wide(shown[x]) and x + 1 < len(shown) and shown[x + 1].data != ""


def _is_wide(cell: Cell) -> bool:
    return wcwidth(cell.data[:1] or " ") == 2


def _style(cell: Cell) -> str:
    names = ("bold", "italics", "underscore", "strikethrough", "reverse", "blink")
    return " ".join([repr(cell.data), cell.fg, cell.bg, *(n for n in names if getattr(cell, n))])


def _unfaithful(strip: Strip, due: Sequence[Cell]) -> str:
    """What the terminal would make of a row that is not the row's own text."""
    text = strip.text
    if any(unicodedata.category(c) == "Cc" for c in text):
        return f"control characters in {text!r}"
    shown = "".join(cell.data for cell in due)
    if all(wcwidth(c) > 0 for c in text) and shown != text:
        return f"{text!r} reads {shown!r}"
    return ""


async def settled(app: LfgApp) -> None:
    """Draw a whole frame of the clock when all before it is handled, and wait for it."""
    await at_rest(app)
    app.draw_frame()
    await at_rest(app)


async def at_rest(app: App[ResultT]) -> None:
    """Wait until no message, layout or repaint is pending, or the app has ended."""
    async with asyncio.timeout(_PATIENCE):
        await come_to_rest(app)
