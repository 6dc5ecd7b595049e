"""What the screen looks like. `make snapshots` accepts what it looks like now."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings.config import Config
from lfgtui.text.diffs import diff
from tests.ui.fake_live import FakeLive
from tests.ui.history.past import ANSWER
from tests.ui.screen_text import make_app
from tests.ui.waiting import shown, work_done

Compare = Callable[..., bool]

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def live() -> FakeLive:
    return FakeLive("schema", "api", "checkout-ui", "tests", "docs", "migration")


def play(live: FakeLive) -> None:
    """A minute of work: one done, one to approve, one failed, one streaming, two waiting."""
    for ticket in ("schema", "api", "tests", "checkout-ui"):
        live.begin(ticket)
    live.stream("schema", ANSWER, after=0.8)
    live.stream("api", "The endpoint needs a migration first.\n", after=0.4)
    live.finish("schema")
    live.ask("api", command="alembic upgrade head")
    live.happen("tests", e.TicketFailed("server", "the server is overloaded (529)", True))
    for word in ("Three ", "components ", "change: ", "`Cart`, ", "`Total` ", "and "):
        live.stream("checkout-ui", word, after=0.3)
    live.now += 0.3


MODULE = "".join(
    f"def step_{number}() -> str:\n    return 'é {number}'\n\n\n" for number in range(12)
)


def play_cards(live: FakeLive) -> None:
    """A call in the text, tools on the provider's side, sources, and a file that arrives."""
    live.begin("api")
    live.stream("api", "I look it up, then I write the module.\n")
    live.happen(
        "api",
        e.ToolCallStarted("t", "read_file", "text"),
        e.ToolArgumentsDelta("t", '{"path": "src/old.py"}'),
        e.HostedTool("web_search", '{"query": "sqlite row values"}', "3 results", call_id="h"),
        e.HostedTool("code_interpreter", '{"code": "import sqlite3\\nprint(1)"}', call_id="i"),
        e.HostedOutputDelta("i", "1\n"),
        e.Citation("https://sqlite.org/rowvalue.html", "Row Values", "A row value is a list."),
        e.Citation("https://sqlite.org/lang.html", "SQL As Understood By SQLite"),
        e.ResponseFinished(1, "end"),
        e.RequestSent(2),
        e.HostedTool("web_search", call_id="j"),
        e.ToolCallStarted("c", "edit_file"),
        e.ToolArgumentsDelta("c", '{"path": "README.md", "old": "One\\ntwo", "new": "1\\n2\\n3"}'),
        e.ToolCallStarted("d", "write_file"),
        e.ToolArgumentsDelta("d", json.dumps({"path": "src/app.py", "content": MODULE})[:-47]),
    )


def play_twice(live: FakeLive) -> None:
    """A first attempt that broke, and a second one."""
    live.begin("api")
    live.stream("api", ANSWER[:70])
    live.happen("api", e.Retrying("the connection broke off", 0.0, 2, "cut"))
    live.happen("api", e.AttemptStarted("xai", "grok-4"), e.UserMessage("Do."), e.RequestSent(1))
    live.stream("api", ANSWER)
    live.finish("api")


CART = """class Cart:
    def __init__(self) -> None:
        self.items = []

    def total(self):
        return sum(price(item) for item in self.items)
"""


def play_agent(live: FakeLive) -> None:
    """An installed agent has a plan, a context, and two questions; the first is a change."""
    typed = CART.replace("items = []", "items: list[Item] = []").replace("total(self)", "sum(self)")
    path, change = "/code/shop/cart.py", diff(CART, typed).text
    started = e.AttemptStarted("claude", "")
    live.happen("api", started, e.UserMessage("Do api."), e.RequestSent(1))
    live.happen(
        "api",
        e.PlanChanged(
            (
                e.PlanStep("Read the cart", "completed"),
                e.PlanStep("Type it", "in_progress"),
                e.PlanStep("Deploy"),
            )
        ),
        e.ContextUsed(164_000, 200_000, 0.31),
        e.ToolCallStarted("r", "Read", "agent"),
        e.ToolCallRequested("r", "Read", {"file_path": path}, origin="agent"),
        e.ToolCallFinished("r", CART, None, None, 0.02),
        e.TextDelta("The cart has no types yet.\n"),
    )
    given: dict[str, object] = {"file_path": path, "replace_all": False}
    live.ask_as_agent(
        *("api", "w"),
        name="Edit",
        arguments=given,
        summary=f"Edit {path} (+2 −2)",
        diff=change,
        path=path,
    )
    live.ask_as_agent("api", "d", summary="$ make deploy")


def play_changes(live: FakeLive) -> None:
    """The agent made its change."""
    play_agent(live)
    given, done = e.ApprovalGiven("w"), e.ToolCallFinished("w", "ok", None, None, 0.1)
    live.happen("api", given, e.ToolRunStarted("w"), done)


def after(
    live: FakeLive, *keys: str, until: str = "streaming", play: Callable[[FakeLive], None] = play
) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Play, press the keys, and wait until the text is on the screen and all is still."""

    async def run_before(pilot: Pilot[int]) -> None:
        await pilot.pause()
        play(live)
        await pilot.pause()
        live.now += 0.3  # before the keys: under a dialog nothing is painted any more
        await pilot.press(*keys)
        await shown(pilot, until)
        await work_done(pilot)

    return run_before


SMALL, LARGE = (80, 24), (120, 40)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_grid(snap_compare: Compare, live: FakeLive, size: tuple[int, int]) -> None:
    app = make_app(live, simulated=True)
    assert snap_compare(app, terminal_size=size, run_before=after(live, "2"))


def test_the_light_theme(snap_compare: Compare, live: FakeLive) -> None:
    app = make_app(live, config=Config(theme="light"))
    assert snap_compare(app, terminal_size=LARGE, run_before=after(live))


@pytest.mark.parametrize(
    ("keys", "until", "size", "play"),
    [
        (("enter",), "esc back", SMALL, play),
        (("2", "enter", "t"), "write_file", (80, 54), play_cards),
        (("v", "v"), "tok/s", LARGE, play),
        (("?",), "│4", SMALL, play),  # the seconds beside the page, of the time set last
        (("2", "b"), "api #2", SMALL, play_twice),
        (("2", "b"), "api #2", LARGE, play_twice),
        (("2", "enter"), "a approve", SMALL, play_agent),
        (("2", "enter"), "a approve", LARGE, play_agent),
        (("2", "g"), "1 file ", SMALL, play_changes),
        (("2", "g", "n", "j"), "1 file ", LARGE, play_changes),
    ],
    ids=[
        *("zoomed", "cards", "table", "help", "attempts-small", "attempts-large"),
        *("agent-small", "agent-large", "changes-small", "changes-large"),
    ],
)
def test_a_run(
    snap_compare: Compare,
    live: FakeLive,
    keys: tuple[str, ...],
    until: str,
    size: tuple[int, int],
    play: Callable[[FakeLive], None],
) -> None:
    run_before = after(live, *keys, until=until, play=play)
    assert snap_compare(make_app(live), terminal_size=size, run_before=run_before)


def test_the_answers_of_an_agent(snap_compare: Compare, live: FakeLive) -> None:
    async def run_before(pilot: Pilot[int]) -> None:
        await after(live, "2", "enter", until="a approve", play=play_agent)(pilot)
        live.now += 1.0
        await work_done(pilot)
        await pilot.press("A")
        await shown(pilot, "Never allow")
        await work_done(pilot)

    assert snap_compare(make_app(live), terminal_size=LARGE, run_before=run_before)


@pytest.mark.parametrize(
    ("keys", "until", "size"),
    [
        (("tab", "down"), "2 runs", SMALL),
        (("tab", "down"), "2 runs", LARGE),
        (tuple("totals OR flag"), "2 matches", LARGE),
    ],
    ids=["small", "large", "searched"],
)
def test_the_history(
    snap_compare: Compare,
    live: FakeLive,
    past: Path,
    keys: tuple[str, ...],
    until: str,
    size: tuple[int, int],
) -> None:
    app = make_app(live, open_reader=lambda: Reader(past))

    async def run_before(pilot: Pilot[int]) -> None:
        await after(live, "H", until="2 runs")(pilot)
        await pilot.press(*keys)
        await shown(pilot, until)
        await work_done(pilot)

    assert snap_compare(app, terminal_size=size, run_before=run_before)
