"""Approving with a rule: a list of what it would cover, and what is shown of it afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.containers import VerticalScroll
from textual.widgets import Label

from lfgtui.engine.commands import Approve, Deny, WithdrawRule
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.settings.config import Config
from lfgtui.ui.screens.dialogs import Choice
from tests.ui.asked import Asked, asked, three_asked
from tests.ui.emulator import settled
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import THEMES, MakeApp, lines, opened, text_of, toasts

DIFF = ApprovalRule("run_command", "prefix", "git diff --stat")
OF_DIFF = "commands beginning with `git diff --stat`, without further options"
EVERY_IN_RUN = ApprovalRule("run_command", "tool", "", "run")


def in_run(rule: ApprovalRule) -> ApprovalRule:
    return ApprovalRule(rule.tool, rule.matches, rule.text, "run")


@asynccontextmanager
async def listed(
    make_app: MakeApp,
    *tickets: str,
    elsewhere: str = "",
    command: str = "git diff --stat 'a b'",
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Asked]:
    """The list is open for a request of the first ticket; the others wait for the same."""
    live = FakeLive(*tickets)
    for name in elsewhere:
        live.add(Ticket(id=name, prompt="x", workspace="/elsewhere"))
    app = make_app(live)
    async with opened(app, size) as pilot:
        for ticket in tickets:
            live.begin(ticket)
            live.ask(ticket, f"call-{ticket}", command=command)
        it = Asked(app, live, pilot)
        await it.press("enter")
        await it.wait()
        await it.press("A")
        await it.wait()
        assert isinstance(app.screen, Choice)
        yield it


async def test_the_list_says_exactly_what_would_be_approved(make_app: MakeApp) -> None:
    async with listed(make_app, "a", "b") as it:
        assert [str(label.render()) for label in it.app.screen.query(Label)] == [
            "in a",
            "1 the command `git diff --stat 'a b'`",
            f"2 {OF_DIFF}",
            "3 every run_command",
            "in all tickets of this run",
            "4 the command `git diff --stat 'a b'`",
            f"5 {OF_DIFF}",
            "6 every run_command",
        ]


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        (["1"], ApprovalRule("run_command", "command", "git diff --stat 'a b'")),
        (["2"], DIFF),
        (["j", "k", "down", "enter"], DIFF),
        (["k", "enter"], EVERY_IN_RUN),
        (["9", "x", "5"], in_run(DIFF)),
        (["escape"], None),
        (["q"], None),
    ],
)
async def test_a_rule_is_chosen_by_its_digit_or_its_line(
    make_app: MakeApp, keys: list[str], rule: ApprovalRule | None
) -> None:
    async with listed(make_app, "a", "b") as it:
        await it.press(*keys)
        assert it.live.sent == ([] if rule is None else [Approve("a", "call-a", rule)])
        assert not isinstance(it.app.screen, Choice)


async def test_one_ticket_has_no_others_to_approve_in(make_app: MakeApp) -> None:
    async with listed(make_app, "a") as it:
        assert "all tickets" not in text_of(it.app)
        await it.press("4")
        assert it.live.sent == []


async def test_the_list_says_which_rules_hold_in_one_workspace_alone(make_app: MakeApp) -> None:
    async with listed(make_app, "a", "b", elsewhere="c") as it:
        assert [str(label.render()) for label in it.app.screen.query(Label)][4:] == [
            "in all tickets of this run in the same workspace",
            "4 the command `git diff --stat 'a b'`",
            f"5 {OF_DIFF}",
            "in all tickets of this run",
            "6 every run_command",
        ]
        await it.press("6")
        assert it.live.sent == [Approve("a", "call-a", EVERY_IN_RUN)]


async def test_a_digit_goes_to_a_line_that_is_not_on_the_screen(make_app: MakeApp) -> None:
    command = f"git diff {'src/a.py ' * 20}"
    async with listed(make_app, "a", "b", command=command, size=(60, 15)) as it:
        assert "6 every run_command" not in text_of(it.app)
        await it.press("6")
        assert it.live.sent == []
        assert "6 every run_command" in text_of(it.app)
        await it.press("enter")
        assert it.live.sent == [Approve("a", "call-a", EVERY_IN_RUN)]


async def test_nothing_is_chosen_before_the_list_could_be_read(make_app: MakeApp) -> None:
    async with asked(make_app) as it:
        await it.wait()
        await it.press("A", "1", "enter")
        assert it.live.sent == []
        assert toasts(it.app)[-1] == "too soon: read the request first"


async def test_a_request_that_is_gone_meanwhile_gives_no_rule(make_app: MakeApp) -> None:
    async with listed(make_app, "a") as it:
        it.live.happen("a", e.ApprovalGiven("call-a"))
        await it.press("2")
        assert it.live.sent == []
        assert toasts(it.app)[-1] == "the request is no longer there"


async def test_a_card_names_the_rule_that_approved_it_and_the_palette_withdraws_it(
    make_app: MakeApp,
) -> None:
    async with listed(make_app, "a", "b", "c") as it:
        await it.press("5")
        it.live.happen("c", e.ApprovalGiven("call-c", grants=in_run(DIFF)))
        done = e.ToolCallFinished("call-b", "ok", None, 0, 0.1)
        it.live.happen("b", e.ApprovalGiven("call-b", in_run(DIFF)), done)
        it.app.clear_notifications()  # which hide what is below them
        await it.press("t")
        assert "from here on, in all tickets of the run in the same workspace" in text_of(it.app)
        await it.press("2", "t")
        assert "by rule · exit 0" in text_of(it.app)
        assert "approved by your rule: commands beginning with `git diff" in text_of(it.app)
        await it.press("ctrl+p", *"withdraw")
        await it.pilot.app.workers.wait_for_complete()
        await settled(it.app)
        assert text_of(it.app).count("Withdraw approval of") == 1  # of both that hold it
        await it.press("down", "enter")
        await settled(it.app)
        assert it.live.sent[-1] == WithdrawRule("a", in_run(DIFF))
        assert not it.live.transcript("a").rules


async def test_the_inbox_goes_on_when_a_rule_decides_on_the_request_it_shows(
    make_app: MakeApp,
) -> None:
    async with three_asked(make_app) as it:
        await it.press("i")
        await it.wait()
        it.live.happen("b", e.ApprovalGiven("call-b", DIFF))
        await it.wait()
        assert "make a" in text_of(it.app)
        assert "inbox:2" in lines(it.app)[-1]


@asynccontextmanager
async def answers_listed(make_app: MakeApp, *calls: str) -> AsyncIterator[Asked]:
    """The list is open for the first of the calls that an agent asks about."""
    live = FakeLive("a")
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        live.begin("a")
        for call in calls:
            live.ask_as_agent("a", call, summary=f"make {call}")
        it = Asked(app, live, pilot)
        await it.press("i")
        await it.wait()
        await it.press("A")
        await it.wait()
        yield it


async def test_the_list_has_the_agents_own_answers_too(make_app: MakeApp) -> None:
    async with answers_listed(make_app, "one") as it:
        assert isinstance(it.app.screen, Choice)
        title = it.app.screen.query_one(VerticalScroll).border_title
        assert title == "decide on this call and others like it"
        assert [str(label.render()) for label in it.app.screen.query(Label)][-4:] == [
            "anthropic's own options: approve",
            "3 Always allow",
            "anthropic's own options: deny",
            "4 Never allow",
        ]


@pytest.mark.parametrize(
    ("key", "decision"),
    [
        ("2", Approve("a", "one", ApprovalRule("Bash", "tool"))),
        ("3", Approve("a", "one", option="always")),
        ("4", Deny("a", "one", option="never")),
    ],
)
async def test_an_answer_of_the_agent_is_chosen_like_a_rule(
    make_app: MakeApp, key: str, decision: Approve | Deny
) -> None:
    async with answers_listed(make_app, "one", "two") as it:
        await it.press(key)
        assert it.live.sent == [decision]


async def test_of_several_requests_of_a_ticket_one_comes_after_the_other(
    make_app: MakeApp,
) -> None:
    async with answers_listed(make_app, "one", "two") as it:
        await it.press("escape")
        await it.wait()
        assert "a approve 1 of 2" in lines(it.app)[-1] and "inbox:2" in lines(it.app)[-1]
        await it.press("a")
        await it.wait()
        assert "1 of" not in lines(it.app)[-1] and "inbox:1" in lines(it.app)[-1]
        await it.press("a")
        assert it.live.sent == [Approve("a", "one"), Approve("a", "two")]


async def test_a_call_about_which_an_agent_asks_again_is_decided_again(make_app: MakeApp) -> None:
    async with answers_listed(make_app, "one") as it:
        await it.press("escape")
        await it.wait()
        await it.press("a")
        it.live.happen("a", e.ApprovalRequested("one", "Bash", "make one, really"))
        await it.wait()
        await it.wait()
        await it.press("a")
        assert it.live.sent == [Approve("a", "one"), Approve("a", "one")]


@pytest.mark.parametrize("theme", sorted(THEMES))
async def test_the_list_opens_in_every_theme(make_app: MakeApp, theme: str) -> None:
    live = FakeLive("a")
    app = make_app(live, config=Config(theme=theme))
    async with opened(app, (32, 14)) as pilot:
        it = Asked(app, live, pilot)
        live.begin("a")
        live.ask("a")
        await it.wait()
        await it.press("A")
        assert isinstance(app.screen, Choice)
        assert app.screen.query_one(VerticalScroll).region.width <= 29
