"""Random walks through the app on an emulated terminal.

Agents stream while someone scrolls, folds, searches, resizes the window,
opens what can be opened and changes the colours. After each step the terminal
has to show what the app means to show, and a frame that nobody asked for has to
change nothing: else something did not wake the clock.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence

from lfgtui.cli.launching.past_runs import FileHistoryActions
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.run import RunScreen
from tests.text.markdown.documents import made_up
from tests.ui.emulator import Terminal, on_terminal, tame
from tests.ui.fake_live import FakeLive

_SIZES = ((80, 24), (120, 40), (200, 60), (41, 13), (97, 31))
TICKETS = ("schema", "api", "checkout-ui", "tests", "docs", "migration", "search")

_PROSE = (
    "The schema keeps **one row a line item**; totals are derived, and `orders.py` reads them. "
    "設計は二段階です。 See https://example.org/a/rather/long/address?with=parts for more.\n\n"
)
_FENCE = (
    '```python\ndef total(items: list[Item]) -> Decimal:\n    """Add up."""\n\tx = "語"\n```\n\n'
)
_TABLE = "| name | what it is |\n|---|--:|\n| cart | a *basket* of line items |\n| 合計 | 12 |\n\n"
_LIST = (
    "1. Read `orders.py`\n2. Move\n   - the totals\n   - [x] the tests\n\n> Mind the **index**.\n\n"
)
_HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\rred\b\b \x1b[31mred\x1b[m\n"

_READING = (
    *("pageup", "pagedown", "home", "end", "up", "down", "f", "t", "m", "space", "enter"),
    *("escape", "v", "tab", "shift+tab", "left", "right", "1", "2", "3", "n", "N", "y"),
    *("{", "}", "P", "o", "<", "~"),
)
_OPENING = (
    ("question_mark",),
    ("q",),
    ("C",),
    ("H",),
    ("H", "t", "o", "enter"),
    ("b",),
    ("g",),
    ("g", "space", "tab"),
    ("ctrl+p",),
    ("slash",),
    ("slash", "t", "o", "enter"),
    ("slash", "e", "enter", "n"),
)
_ELSEWHERE = ("escape", "escape", "escape", "down", "up", "pagedown", "home", "tab", "enter")


class Walk:
    """Steps of agents and of a person, in an order that the seed decides."""

    def __init__(self, live: FakeLive, terminal: Terminal, seed: int) -> None:
        self._live = live
        self._terminal = terminal
        self._chance = random.Random(seed)
        self._stories = {t.id: story(self._chance) for t in live.tickets}
        self._begun: list[str] = []

    async def step(self) -> str:
        """Take one step; what it was."""
        kinds: Sequence[Callable[[], Awaitable[str]]] = (
            *(self._stream,) * 5,
            *(self._press,) * 5,
            *(self._wheel, self._wheel, self._drag, self._resize, self._toast, self._colours),
        )
        return await self._chance.choice(kinds)()

    async def _stream(self) -> str:
        for _ in range(self._chance.randint(1, 4)):
            ticket = self._chance.choice(self._live.tickets).id
            if ticket not in self._begun:
                self._begun.append(ticket)
                self._live.begin(ticket)
            for _ in range(self._chance.choice((1, 1, 5, 30))):
                self._live.happen(ticket, *next(self._stories[ticket]), after=0.1)
        await self._terminal.settle()
        return "stream"

    async def _press(self) -> str:
        screen = self._terminal.app.screen
        if not isinstance(screen, RunScreen):
            keys: tuple[str, ...] = (self._chance.choice(_ELSEWHERE),)
        elif screen.is_typing:
            keys = (self._chance.choice(("escape", "enter", "a", "backspace", "left")),)
        elif self._chance.random() < 0.25:
            keys = self._chance.choice(_OPENING)
        else:
            keys = (self._chance.choice(_READING),) * self._chance.choice((1, 1, 3))
        for key in keys:
            if key in ("y", "q") and not isinstance(self._terminal.app.screen, RunScreen):
                continue  # it would answer a question
            await self._terminal.press(key)
        return f"press {' '.join(keys)}"

    async def _wheel(self) -> str:
        (x, y), up = self._place(), self._chance.random() < 0.7
        for _ in range(self._chance.randint(1, 4)):
            await self._terminal.wheel(x, y, up=up)
        return f"wheel {'up' if up else 'down'} at {x}, {y}"

    async def _drag(self) -> str:
        if not isinstance(self._terminal.app.screen, RunScreen):
            return "nothing"  # a click may answer a question
        begin = self._place()
        end = begin if self._chance.random() < 0.6 else self._place()
        await self._terminal.drag(begin, end)
        return f"drag from {begin} to {end}"

    def _place(self) -> tuple[int, int]:
        size = self._terminal.size
        return self._chance.randrange(size.width), self._chance.randrange(size.height)

    async def _resize(self) -> str:
        width, height = self._chance.choice(_SIZES)
        await self._terminal.resize(width, height)
        return f"resize to {width}x{height}"

    async def _toast(self) -> str:
        words = "a word that goes away " * self._chance.randint(1, 5)
        self._terminal.app.notify(words, timeout=self._chance.choice((0.1, 0.5, 3)))
        await self._terminal.settle()
        return "toast"

    async def _colours(self) -> str:
        name = self._chance.choice(self._terminal.app.theme_names)
        self._terminal.app.theme = name
        self._live.now += 1
        await self._terminal.settle()
        return f"theme {name}"


def story(chance: random.Random) -> Iterator[list[e.Event]]:
    """What an agent's attempt brings once its first request left, without an end."""
    turn = 0
    while True:
        turn += 1
        for piece in _pieces("I should look at the orders first. " * 9, chance):
            yield [e.ReasoningDelta(piece)]
        parts = (_PROSE, _FENCE, _TABLE, _LIST, _HOSTILE, tame(made_up(chance.randrange(10**6))))
        for _ in range(chance.randint(1, 6)):
            for piece in _pieces(chance.choice(parts), chance):
                yield [e.TextDelta(piece)]
        yield [e.Status("looking it up")]
        if chance.random() < 0.3:
            yield from _written(f"file-{turn}", turn, chance)
        else:
            yield from _call(f"call-{turn}", turn, chance)
        yield [e.RequestSent(turn + 1)]


def _call(call_id: str, turn: int, chance: random.Random) -> Iterator[list[e.Event]]:
    command = f"pytest -q tests/{turn}"
    yield [e.ToolCallStarted(call_id, "run_command")]
    yield [e.ToolCallRequested(call_id, "run_command", {"command": command})]
    yield [e.ResponseFinished(turn, "tool_use")]
    if chance.random() < 0.3:
        yield [e.ApprovalRequested(call_id, "run_command", f"$ {command}")]
        yield [e.ApprovalGiven(call_id)]
    output = "collected 12 items\n" + _HOSTILE + "..........F. [100%]\n" * chance.randint(1, 30)
    for piece in _pieces(output, chance):
        yield [e.ToolOutputDelta(call_id, "stdout", piece)]
    yield [e.ToolCallFinished(call_id, output, None, chance.randint(0, 1), 2.5)]


def _written(call_id: str, turn: int, chance: random.Random) -> Iterator[list[e.Event]]:
    path, content = f"src/\x1b[31m{turn % 3}.py", chance.choice((_FENCE, _HOSTILE, _PROSE * 9))
    yield [e.ToolCallStarted(call_id, "write_file")]
    yield [e.ToolCallRequested(call_id, "write_file", {"path": path, "content": content})]
    yield [e.ResponseFinished(turn, "tool_use")]
    yield [e.ToolCallFinished(call_id, "written", None, None, 0.1)]


def _pieces(text: str, chance: random.Random) -> Iterator[str]:
    longest = chance.choice((3, 12, 60, 400))
    while text:
        length = chance.randint(1, longest)
        yield text[:length]
        text = text[length:]


def an_app(live: FakeLive) -> LfgApp:
    """An app on the run, with a history of two runs to look at."""
    path = paths.history_file()
    with Recorder(path) as store:
        for title in ("Checkout rewrite", "Docs sweep"):
            store.finish_run(store.start_run(title, live.tickets[:1], None), "done")
    return LfgApp(
        live,
        config=Config(),
        open_reader=lambda: Reader(path),
        history_actions=lambda: FileHistoryActions(Config()),
        simulated=False,
        themes=load_themes(),
        clock=lambda: live.now,
    )


async def walk(live: FakeLive, app: LfgApp, seed: int, steps: int, size: tuple[int, int]) -> str:
    """Walk on; how the terminal first differed from what was due, or nothing."""
    taken: list[str] = []
    async with on_terminal(app, size) as terminal:
        steps_of = Walk(live, terminal, seed)
        terminal.is_watched = True
        for _ in range(steps):
            taken.append(await steps_of.step())
            if wrong := terminal.missed or await terminal.lasting_difference():
                last = "\n  ".join(taken[-6:])
                return f"seed {seed}, after {len(taken)} steps, the last ones\n  {last}\n{wrong}"
    return ""
