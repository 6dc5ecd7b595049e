"""No screen sends a terminal what others wrote for it to obey."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual import events

from lfgtui.history.reader import Reader
from lfgtui.history.transfer import import_run
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health, HistoryTrouble, OpenCircuit
from lfgtui.settings import paths
from tests.cli import hostile_world as world
from tests.helpers.terminal_attacks import ALL
from tests.helpers.terminal_sequences import SCREEN, TEXT, foreign_sequences
from tests.ui.emulator import Emulator, Terminal, on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app

READING = (
    *("t", "m", "u", "home", "space", "down", "pageup", "pagedown", "end", "less_than_sign"),
    *("greater_than_sign", "n", "v", "v", "v", "tab", "1", "2"),
)
OPENING = (
    ("question_mark", "escape"),
    ("ctrl+p", "escape"),
    ("q", "escape"),
    ("C", "escape"),
    ("slash", "P", "W", "enter", "n", "escape"),
    ("b", "right", "escape"),
    ("s", "escape"),
)

OWN = rf"{SCREEN}|\n|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """All that is written to the terminal; nothing of it may be another's."""
    written: list[str] = []
    write = Emulator.write

    def record(self: Emulator, data: str) -> None:
        written.append(data)
        write(self, data)

    monkeypatch.setattr(Emulator, "write", record)
    yield written
    assert foreign_sequences("".join(written), OWN) == []


def hostile_run(folder: Path, text: str = ALL) -> FakeLive:
    """A run that goes on: a ticket that asks, one that works, one that failed."""
    live = FakeLive("asks", "works", "failed", title=text, workspace=folder)
    live.tickets = tuple(world.ticket(one.id, text, folder) for one in live.tickets)
    return live


async def happen(live: FakeLive, text: str = ALL) -> None:
    """All that can happen to its tickets."""
    live.happen("failed", *world.events(e.TicketFailed, text))
    working = list(world.events(e.TicketDone, text))
    live.happen("works", *working[:-1])
    live.begin("asks", text)
    live.stream("asks", world.markdown(text))
    live.happen(
        "asks",
        e.ToolCallStarted("1", text),
        e.ToolArgumentsDelta("1", f'{{"path": "{text.encode("unicode_escape").decode()}'),
        e.ToolCallRequested("1", text, {"command": text}),
        e.ResponseFinished(1, "tool_use"),
        e.ApprovalRequested("1", text, text),
    )


async def press(terminal: Terminal, *keys: str) -> None:
    for key in keys:
        await terminal.press(key)


async def test_a_run_on_every_screen(sent: list[str], tmp_path: Path) -> None:
    live = hostile_run(tmp_path)
    app = make_app(live)
    async with on_terminal(app, (100, 30)) as terminal:
        await happen(live)
        live.health = Health(HistoryTrouble(ALL), {ALL: OpenCircuit(5.0, ALL)})
        app.notify(ALL, markup=False)
        await terminal.settle()
        for keys in OPENING:
            await press(terminal, *keys)
        await press(terminal, "enter", *READING)
        for keys in OPENING:
            await press(terminal, *keys)
        await press(terminal, "3", "r", "p", "a")


@pytest.fixture
def open_past(tmp_path: Path) -> Callable[[], Reader]:
    """Opens a history of one run, which is hostile."""
    lines = world.run_lines(ALL, tmp_path).splitlines(keepends=True)
    import_run(paths.history_file(), lines, "a test")
    return lambda: Reader(paths.history_file())


async def test_past_runs(sent: list[str], open_past: Callable[[], Reader]) -> None:
    app = make_app(FakeLive("a"), is_past_only=True, open_reader=open_past)
    async with on_terminal(app, (100, 30)) as terminal:
        for keys in (("n", "escape"), ("x", "escape"), ("P", "W", "N"), ("down", "down")):
            await press(terminal, *keys)
        await press(terminal, "enter", "t", "m", "u", "pagedown", "v", "escape", "escape")


async def test_what_is_pasted(sent: list[str], tmp_path: Path) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with on_terminal(app, (100, 30)) as terminal:
        live.begin("a")
        await press(terminal, "slash")
        assert app.focused is not None
        app.focused.post_message(events.Paste(ALL))
        await terminal.settle()
        await press(terminal, "left", "home", "enter")


async def test_what_is_copied_is_what_is_seen(sent: list[str], tmp_path: Path) -> None:
    """A terminal pastes it into a shell, where an escape sequence would end the pasting."""
    live = FakeLive("a")
    app = make_app(live)
    async with on_terminal(app, (100, 30)) as terminal:
        live.begin("a")
        live.stream("a", f"{ALL}\x1b[201~rm -rf ~\n")
        live.finish("a")
        await terminal.settle()
        await press(terminal, "y")
        (copied,) = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", "".join(sent))
        text = base64.b64decode(copied).decode()
        assert "rm -rf" in text
        assert not foreign_sequences(text, TEXT)
