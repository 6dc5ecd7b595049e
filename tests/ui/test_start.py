"""The start screen over real files, a real history and the command line's own checks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lfgtui.cli.launching.past_runs import FileHistoryActions
from lfgtui.cli.launching.start import Folder
from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.settings.config import Config, route_of
from lfgtui.settings.providers import PRESETS
from lfgtui.settings.themes import load_themes
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history.screen import HistoryScreen
from lfgtui.ui.start import Choice, StartList, StartScreen
from tests.ui.emulator import on_terminal
from tests.ui.fake_live import START
from tests.ui.screen_text import opened, run_screen, text_of
from tests.ui.waiting import shown, toasted, until, work_done

TICKETS = """title = "{title}"
[defaults]
model = "{model}"
[[ticket]]
id = "a"
prompt = "Hi."
[[ticket]]
id = "b"
prompt = "Ho."
"""
NO_MODEL = Config(providers=dict(PRESETS))
MODEL = Config(model="simulator/generic", providers=dict(PRESETS))


class Start:
    """A folder, and the start screen of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chosen: list[Choice] = []
        self._themes = load_themes()

    def write(
        self, name: str, *, title: str = "Checkout rewrite", model: str = "simulator/generic"
    ) -> None:
        (self.folder / name).write_text(TICKETS.format(title=title, model=model))

    def app(
        self,
        config: Config = MODEL,
        open_reader: Callable[[], Reader] | None = None,
        *,
        name: str | None = None,
    ) -> LfgApp:
        folder, here = name or str(self.folder), Folder(config)
        reader = open_reader or (lambda: Reader(self.folder / "none.db"))
        return LfgApp(
            None,
            config=config,
            open_reader=reader,
            simulated=False,
            themes=self._themes,
            history_actions=lambda: FileHistoryActions(config),
            clock=lambda: START + 9000,
            first_screen=lambda context: StartScreen(
                context, reader, folder, here.find, here.check, self.chosen.append
            ),
        )


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Start(folder)


def here(app: LfgApp) -> str:
    """The row under the cursor."""
    rows = app.screen.query_one(StartList)
    return "".join(span.text for span in rows.lines_at(rows.cursor, 80)[0]).strip()


@pytest.mark.parametrize(("theme", "size"), [("dark", (80, 24)), ("light", (120, 40))])
def test_what_it_looks_like(
    snap_compare: Callable[..., bool],
    start: Start,
    past: Path,
    utc: None,
    theme: str,
    size: tuple[int, int],
) -> None:
    start.write("checkout.toml")
    start.write("docs.tickets.toml", title="Docs sweep", model="anthropic/claude-sonnet-4-5")
    start.write("no-such-model.toml", model="antropic/x")
    (start.folder / "pyproject.toml").write_text("[project]")
    (start.folder / "tickets.toml").write_text('[[ticket]]\nid = "a"\npromt = "Hi."\n')
    config = Config(theme=theme, model="simulator/generic", providers=dict(PRESETS))
    app = start.app(config, lambda: Reader(past), name="/src/shop")

    async def run_before(pilot: Pilot[int]) -> None:
        await shown(pilot, "Docs sweep")
        await pilot.press("j")
        await work_done(pilot)

    assert snap_compare(app, terminal_size=size, run_before=run_before)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 60)])
async def test_many_files_with_any_names_are_scrolled_through(
    start: Start, size: tuple[int, int]
) -> None:
    for number in range(60):
        start.write(
            f"{number:02}-{'long-' * (number % 20)}tickets.toml", title="語 \t\x7f" * number
        )
    (start.folder / "\udcff\x1b[31m.tickets.toml").write_text("\x1b[2J")
    app = start.app()
    async with on_terminal(app, size) as terminal:
        await terminal.settle_until(lambda: "00-tickets.toml" in terminal.text)
        assert here(app).startswith("write a prompt for simulator/generic")
        await terminal.press("j", "pagedown", "pagedown", "ctrl+d", "k")
        await terminal.wheel(5, 5, up=False)
        assert await terminal.lasting_difference() == ""
        await terminal.press("G")
        assert here(app).startswith("six simulated agents")
        await terminal.press("k")
        assert "\x1b" not in terminal.text and "␛[31m.ticket" in terminal.text
        await terminal.press("g")
        await terminal.drag((9, 4), (9, 4))
        assert here(app).startswith("00-tickets.toml")
        assert start.chosen == []
        await terminal.drag((9, 4), (9, 4))
        await terminal.settle_until(lambda: start.chosen)
    assert start.chosen == [Choice(Path("00-tickets.toml"))]


@pytest.mark.usefixtures("programs")
async def test_a_file_that_cannot_be_run_is_checked_again_when_it_is_chosen(start: Start) -> None:
    start.write("tickets.toml", model="anthropic/x")
    start.write("a-name-that-is-much-too-long.toml", model="anthropic/x")
    app = start.app(NO_MODEL)
    async with opened(app, (80, 24)) as pilot:
        await shown(
            pilot, "set ANTHROPIC_API_KEY", "a prompt needs a model: `lfg run --provider NAME"
        )
        assert here(app).startswith("a-name-that-is-mu…")
        await pilot.press("enter")
        await toasted(pilot, 'provider "anthropic" needs a key: set ANTHROPIC_API_KEY, or')
        await pilot.press("slash", *"quit", "enter")  # a prompt that cannot run is kept
        await toasted(pilot, "`lfg run --provider simulator --model generic -p …`")
        await pilot.press("k")
        assert (here(app), start.chosen) == ("quit", [])
        start.write("tickets.toml")
        found = await asyncio.to_thread(Folder(NO_MODEL).find)
        assert found.files[0].path.name == "tickets.toml"
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: start.chosen)
    assert start.chosen == [Choice(Path("tickets.toml"))]
    assert app.return_value == 0


async def test_a_prompt_is_kept_until_it_runs(start: Start) -> None:
    app = start.app()
    async with opened(app, (80, 24)) as pilot:
        await shown(pilot, "write a prompt for simulator/generic", "none here: add a .toml")
        await pilot.press("question_mark")
        await shown(pilot, "Start screen", "run a file or the demo, open a run, write a prompt")
        assert "pane" not in text_of(app)
        await pilot.press("escape")
        await pilot.press("tab", *"q?", "alt+enter", *"jk", "escape")
        await shown(pilot, "›  q? jk")
        assert "esc keeps the draft" not in text_of(app)
        await pilot.press("slash", "enter")
        await until(pilot, lambda: start.chosen)
    assert start.chosen == [Choice(prompt="q?\njk", model="simulator/generic")]


async def test_without_a_model_installed_agents_are_offered(start: Start, programs: Path) -> None:
    for name in ("opencode", "claude-agent-acp"):
        (programs / name).touch(0o755)
    app = start.app(NO_MODEL)
    async with opened(app, (80, 24)) as pilot:
        await shown(pilot, "write a prompt for claude", "write a prompt for opencode")
        await pilot.press("j", "enter", *"Hi")
        await shown(pilot, "prompt for opencode  Hi")
        await pilot.press("escape")
        await shown(pilot, "write a prompt for claude")
        assert here(app) == "Hi"
        await pilot.press("G", "slash", "enter")
        await until(pilot, lambda: start.chosen)
    assert start.chosen == [Choice(prompt="Hi", model="opencode")]


@pytest.mark.usefixtures("start")
def test_an_agent_that_was_chosen_works_on_the_prompt(programs: Path) -> None:
    (programs / "opencode").touch(0o755)
    (ticket,) = Folder(NO_MODEL).tickets(Choice(prompt="Hi", model="opencode")).tickets
    assert route_of(NO_MODEL, ticket) == ("opencode", "")
    assert Folder(NO_MODEL).find().models == ["opencode"]
    assert Folder(MODEL).find().models == ["simulator/generic"]
    assert Folder(NO_MODEL, "anthropic").find().lacks.startswith('provider "anthropic" needs a')


@pytest.mark.usefixtures("history")
async def test_past_runs_are_opened_and_resumed(
    start: Start, open_reader: Callable[[], Reader]
) -> None:
    app = start.app(open_reader=open_reader)
    async with opened(app, (80, 24)) as pilot:
        await shown(pilot, "First run  in /", "Second")
        await pilot.press("j", "j", "enter")
        await shown(pilot, "The quick brown fox.")
        assert run_screen(app).run.title == "First run"
        await pilot.press("escape", "H")
        await until(pilot, lambda: isinstance(app.screen, HistoryScreen))
        await pilot.press("escape", "r")
        await toasted(pilot, "is already finished")
        assert here(app).endswith("First run  in /")
        await pilot.press("escape")
        await pilot.pause()
    assert (app.return_value, start.chosen) == (0, [])


async def test_a_history_that_cannot_be_read_leaves_the_rest(start: Start) -> None:
    def refuse() -> Reader:
        raise HistoryError("history.db: not a database")

    app = start.app(open_reader=refuse)
    async with opened(app, (80, 24)) as pilot:
        await shown(pilot, "history.db: not a database", "six simulated agents")
        await pilot.press("G", "enter")
        await until(pilot, lambda: start.chosen)
    assert start.chosen == [Choice()]
