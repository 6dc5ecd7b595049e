"""The table of tickets: its columns, its order, its filter, and what drawing it costs."""

from collections.abc import Sequence

import msgspec
import pytest

from lfgtui.model import events as e
from lfgtui.model.fold.metrics import AgentUsage, Health
from lfgtui.model.tickets import Ticket
from lfgtui.ui.text.styled_line import line_width
from lfgtui.ui.widgets import ticket_row
from lfgtui.ui.widgets.last_words import last_words
from lfgtui.ui.widgets.ticket_columns import COLUMNS, arrange, draw_row, fit_columns
from lfgtui.ui.widgets.ticket_row import TicketRow
from lfgtui.ui.widgets.ticket_table import TicketTable
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, lines, opened, repainted, run_screen

HEADINGS = {column.heading: column for column in COLUMNS}


def worked() -> FakeLive:
    """Ten tickets: t1 done, t2 failed, t3 asking, t4 streaming, t5 waiting for t4, five queued."""
    live = FakeLive(*(f"t{number}" for number in range(1, 11)))
    tickets = list(live.tickets)
    tickets[1] = msgspec.structs.replace(tickets[1], title="Mend the [CART]")
    tickets[4] = msgspec.structs.replace(tickets[4], needs=("t4",))
    live.tickets = tuple(tickets)
    live.start()
    for ticket in ("t1", "t2", "t3", "t4"):
        live.begin(ticket, "grok-4" if ticket == "t4" else "claude-sonnet-4-5")
    live.stream("t1", "All is well.")
    live.finish("t1")
    live.happen("t2", e.TicketFailed("server", "HTTP 500", True), after=100.0)
    live.ask("t3", command="make")
    live.stream("t4", "Half of an answer", after=20.0)
    return live


def row(live: FakeLive, number: int) -> TicketRow:
    return TicketRow(live, number - 1, live.health, live.now, 10.0)


def arranged(
    live: FakeLive, pattern: str = "", by: str = "#", *, is_reversed: bool = False
) -> list[str]:
    rows = [row(live, number) for number in range(1, len(live.tickets) + 1)]
    indices = arrange(rows, pattern, HEADINGS[by], is_reversed=is_reversed)
    return [live.tickets[index].id for index in indices]


# Columns


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (20, "#|state|ticket"),
        (59, "#|state|ticket|last words"),
        (79, "#|state|ticket|since|tok/s|last words"),
        (119, "#|state|ticket|since|tok/s|tokens|cost|lines|model|last words"),
        (199, "|".join(HEADINGS)),
    ],
)
def test_columns_fit_and_come_in_the_order_of_their_importance(width: int, headings: str) -> None:
    fitted = fit_columns(COLUMNS, width)
    assert "|".join(column.heading for column, _ in fitted) == headings
    assert sum(cells + 1 for _, cells in fitted) - 1 == max(width, 20)


@pytest.mark.parametrize("width", [59, 79, 119, 199])
def test_a_row_is_as_wide_as_its_columns_whatever_stands_in_it(width: int) -> None:
    live = worked()
    live.tickets = tuple(
        msgspec.structs.replace(ticket, title="長い題 " * 50) for ticket in live.tickets
    )
    for number in range(1, 11):
        line = draw_row(fit_columns(COLUMNS, width), row(live, number))
        assert line_width(line) == width + 1


def cells(live: FakeLive, number: int, *headings: str) -> Sequence[str]:
    return [HEADINGS[heading].span(row(live, number)).text for heading in headings]


def test_a_row_has_the_figures_of_its_ticket() -> None:
    live = worked()
    assert cells(live, 1, "state", "since", "tokens", "cost") == ["✓ done", "2m", "340", "$0.012"]
    assert cells(live, 2, "ticket", "last words") == ["t2  Mend the [CART]", "server: HTTP 500"]
    assert cells(live, 3, "since", "last words") == ["0:20", "approve: run_command $ make"]
    assert cells(live, 4, "model", "tokens", "cost") == ["grok-4", "~4", ""]
    assert cells(live, 5, "last words", "needs") == ["waiting for “t4”", "t4"]


def test_a_row_has_the_context_the_last_tool_and_what_the_ticket_waits_for() -> None:
    live = worked()
    live.happen("t4", e.HostedTool("web_search", "row values"), e.Usage(1000, 200))
    live.stream("t4", "Found.")
    headings = ("context", "last tool", "waiting for")
    assert cells(live, 1, *headings) == ["1.5k", "", ""]
    assert cells(live, 3, *headings) == ["", "run_command $ make", "you"]
    assert cells(live, 4, *headings) == ["1.2k", "web_search row values", ""]
    assert cells(live, 5, *headings) == ["", "", "“t4”"]
    live.happen("t4", e.ContextUsed(170_000, 200_000))
    (context,) = (HEADINGS["context"].span(row(live, number)) for number in (4,))
    assert (context.text, context.colour) == ("170k  85%", "warning")
    live.health = Health(slots=8, slots_in_use=8)
    assert cells(live, 6, *headings) == ["", "", "a slot"]
    live.health = Health(held_back={"t6": "a slot at claude (2 of 2 in use)"})
    assert cells(live, 6, *headings) == ["", "", "a slot at claude"]


def test_a_row_has_what_the_processes_of_an_agent_use() -> None:
    live = worked()
    live.health = Health(agents={"t3": AgentUsage(746_000_000, 0.037), "t4": AgentUsage(0, 1.5)})
    assert cells(live, 2, "mem", "cpu") == ["", ""]
    assert cells(live, 3, "mem", "cpu") == ["746 MB", "4%"]
    assert cells(live, 4, "mem", "cpu") == ["0 MB", "150%"]


def test_a_row_names_the_tool_that_runs_and_what_a_stalled_ticket_waits_for() -> None:
    live = worked()
    live.happen("t3", e.ApprovalGiven("call-1"), e.ToolRunStarted("call-1"))
    live.now += 59
    assert cells(live, 3, "state", "last words") == ["▶ make 0:59", "run_command $ make"]
    assert row(live, 3).matches("is:tool") and not row(live, 3).matches("is:stalled")
    live.now += 2
    assert cells(live, 3, "state", "last words") == [
        "◍ stalled 61s",
        "no output from make for 1:01",
    ]


# The order


@pytest.mark.parametrize(
    ("heading", "rising", "falling"),
    [
        ("#", ["t1", "t2", "t3"], ["t10", "t9", "t8"]),
        ("state", ["t3", "t2", "t4"], ["t1", "t5", "t6"]),
        ("ticket", ["t1", "t2", "t3"], ["t10", "t9", "t8"]),
        ("since", ["t4", "t2", "t3"], ["t5", "t6", "t7"]),
        ("tokens", ["t4", "t3", "t1"], ["t1", "t3", "t4"]),
        ("cost", ["t1", "t2", "t3"], ["t1", "t2", "t3"]),
        ("needs", ["t5", "t1", "t2"], ["t5", "t1", "t2"]),
    ],
)
def test_a_column_sorts_both_ways_and_what_has_no_figure_comes_last(
    heading: str, rising: list[str], falling: list[str]
) -> None:
    live = worked()
    live.happen("t3", e.Usage(10, 20))
    live.happen("t4", e.TextDelta("."))
    assert arranged(live, by=heading)[:3] == rising
    assert arranged(live, by=heading, is_reversed=True)[:3] == falling


# The filter


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("t2", ["t2"]),
        ("cart MEND", ["t2"]),
        ("cart grok", []),
        ("grok", ["t4"]),
        ("waiting slot", ["t6", "t7", "t8", "t9", "t10"]),
        ("http", ["t2"]),
        ("state:failed", ["t2"]),
        ("is:fail", ["t2"]),
        ("is:ended http", ["t2"]),
        ("is:approve", ["t3"]),
        ("is:running", ["t3", "t4"]),
        ("is:waiting", []),
        ("IS:", [f"t{number}" for number in range(1, 11)]),
        ("  ", [f"t{number}" for number in range(1, 11)]),
    ],
)
def test_a_filter_keeps_the_tickets_that_have_all_words(pattern: str, expected: list[str]) -> None:
    assert arranged(worked(), pattern) == expected


def test_a_parked_ticket_has_waited_for_whole_minutes_after_the_first() -> None:
    live = worked()
    live.happen("t4", e.Parked("p", live.now + 3600, "full"))
    live.now += 59
    assert cells(live, 4, "since") == ["0:59"]
    live.now += 91
    assert cells(live, 4, "since") == ["2m"]


def test_a_stalled_and_a_parked_ticket_are_found_by_these_words() -> None:
    live = worked()
    live.happen("t3", e.ApprovalDenied("call-1", ""))
    live.happen("t3", e.Parked("p", live.now + 3600, "full"))
    live.now += 60
    assert row(live, 4).matches("is:stalled") and row(live, 4).matches("state:streaming")
    assert row(live, 3).matches("is:parked") and not row(live, 4).matches("is:parked")


# On the screen


def ids(rows: Sequence[str]) -> list[str]:
    """The tickets of the rows between the heading and the footer, from the top."""
    words = [line.split() for line in rows[2:-1]]
    return [next(word for word in line if word.startswith("t")) for line in words if line]


async def test_rows_stay_where_they_are_while_text_streams_until_a_person_sorts(
    make_app: MakeApp,
) -> None:
    live = worked()
    async with opened(make_app(live), (140, 16)) as pilot:
        await pilot.press("v", "v", *[">"] * 5)
        before = ids(await repainted(pilot))
        assert before[:3] == ["t1", "t4", "t2"]
        live.stream("t4", "word " * 2000)
        live.happen("t4", e.TicketFailed("server", "gone", True))
        rows = await repainted(pilot)
        assert ids(rows) == before
        assert "✗ failed" in rows[3] and "~2.5k" in rows[3]
        await pilot.press("~", "~")
        assert ids(await repainted(pilot))[:3] == ["t4", "t1", "t2"]


async def test_a_click_on_a_heading_sorts_and_a_second_one_reverses(make_app: MakeApp) -> None:
    live = worked()
    app = make_app(live)
    async with opened(app, (140, 16)) as pilot:
        await pilot.press("v", "v")
        column = lines(app)[1].index("ticket")
        for arrow, first in (("▲", "t1"), ("▼", "t10")):
            await pilot.click(TicketTable, offset=(column, 0))
            rows = await repainted(pilot)
            assert f"ticket {arrow}" in rows[1]
            assert ids(rows)[0] == first
        assert run_screen(app).current == "t1"


async def test_a_sort_by_a_column_that_does_not_fit_is_named_beside_ticket(
    make_app: MakeApp,
) -> None:
    app = make_app(worked())
    async with opened(app, (60, 15)) as pilot:
        await pilot.press("v", "v", "<")
        assert "ticket by needs ▲" in (await repainted(pilot))[1]
        await pilot.press("<")
        assert " by waiting for ▲ " in (await repainted(pilot))[1]


async def test_by_needs_the_rows_are_a_tree(make_app: MakeApp) -> None:
    live = worked()
    needs = {"t2": ("t6",), "t6": ("t5", "t1"), "t9": ("t5",)}
    live.tickets = tuple(
        msgspec.structs.replace(one, needs=needs.get(one.id, one.needs)) for one in live.tickets
    )
    async with opened(make_app(live), (180, 16)) as pilot:
        await pilot.press("v", "v", "<")
        tree = ["t1", "t3", "t4", "└ t5", "  └ t6", "    └ t2", "  └ t9"]
        for _ in range(2):
            rows = [row[19:] for row in (await repainted(pilot))[2:9]]
            assert [row[: len(name) + 1] for row, name in zip(rows, tree, strict=True)] == [
                f"{name} " for name in tree
            ]
            await pilot.press("~")  # a tree has one way round


async def test_a_column_comes_when_a_ticket_has_something_in_it(make_app: MakeApp) -> None:
    live = FakeLive("a", "b")
    live.start()
    async with opened(make_app(live), (160, 15)) as pilot:
        await pilot.press("v", "v", "<")
        heading = " ".join((await repainted(pilot))[1].split())
        assert heading == "# state ticket since last words waiting for ▲"
        live.begin("b")
        live.happen("b", e.Usage(1000, 200))
        heading = " ".join((await repainted(pilot))[1].split())
        assert heading == "# state ticket since tokens model last words context waiting for ▲"


async def test_only_rows_in_view_are_computed_and_only_changed_ones_painted(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = FakeLive(*(f"t{number}" for number in range(500)))
    live.start()
    live.begin("t0")
    app = make_app(live)
    async with opened(app, (120, 30)) as pilot:
        await pilot.press("v", "v", "end")
        await repainted(pilot)
        computed, painted = list[str](), list[int]()

        def count(run: FakeLive, ticket: Ticket, now: float, health: Health) -> str:
            computed.append(ticket.id)
            return last_words(run, ticket, now, health)

        monkeypatch.setattr(ticket_row, "last_words", count)
        monkeypatch.setattr(TicketTable, "redraw", lambda _, index: painted.append(index))
        table = app.screen.query_one(TicketTable)
        table.update_rows()
        assert computed == [f"t{number}" for number in range(473, 500)]
        assert painted == []
        live.begin("t480")
        table.update_rows()
        assert painted == [480]


def test_by_state_a_conflict_comes_after_the_failed_and_can_be_filtered() -> None:
    live = FakeLive("done", "conflict", "limit", "fails", "asks")
    for ticket in ("done", "conflict", "limit", "fails", "asks"):
        live.begin(ticket)
    live.happen("conflict", e.ConflictDetected("a.py", ("done",)))
    live.stream("asks", "Shall I go on?")
    for ticket in ("done", "conflict", "asks"):
        live.finish(ticket)
    live.happen("limit", e.TicketLimited("turns"))
    live.happen("fails", e.TicketFailed("server", "500", True))
    assert arranged(live, by="state") == ["asks", "fails", "conflict", "limit", "done"]
    assert arranged(live, "is:conflict") == ["conflict"]
    assert arranged(live, "≠ a.py done") == ["conflict"]  # in its last words
