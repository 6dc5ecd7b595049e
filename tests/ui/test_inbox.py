"""The inbox: what waits for a person, one after the other."""

from lfgtui.engine.commands import Approve, Deny, Tell
from lfgtui.model import events as e
from lfgtui.ui.stream.requests_in_view import MIN_SECONDS_IN_VIEW
from tests.ui.asked import Asked, three_asked
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, lines, opened, run_screen, text_of, toasts


async def test_the_inbox_goes_from_request_to_request_as_they_are_decided(
    make_app: MakeApp,
) -> None:
    async with three_asked(make_app) as it:
        await it.press("i")
        await it.wait()
        assert "make b" in text_of(it.app)
        assert "inbox:3" in lines(it.app)[-1]
        await it.pilot.resize_terminal(80, 24)
        await it.wait()
        assert "inbox:3" in lines(it.app)[-1] and "d deny" in lines(it.app)[-1]
        await it.press("a")
        await it.wait()
        assert "make a" in text_of(it.app)
        await it.press("d", *"no", "enter")
        await it.wait()
        assert "make c" in text_of(it.app)
        assert "inbox:1" in lines(it.app)[-1]
        await it.press("a")
        assert it.live.sent == [
            Approve("b", "call-b"),
            Deny("a", "call-a", "no"),
            Approve("c", "call-c"),
        ]


async def test_the_inbox_stays_where_it_is_until_another_request_comes(make_app: MakeApp) -> None:
    async with three_asked(make_app) as it:
        await it.press("i")
        await it.wait()
        for ticket in "bac":  # a rule for the run
            it.live.happen(ticket, e.ApprovalGiven(f"call-{ticket}"))
        await it.wait()
        assert "nothing left to answer; esc leaves" in lines(it.app)[-1]
        assert "inbox:0" in lines(it.app)[-1] and run_screen(it.app).current == "b"
        it.live.ask("d", "call-d", command="make d")
        await it.press("a")
        await it.press("a")
        assert it.live.sent == [] and "make d" in text_of(it.app)
        await it.wait()
        await it.press("a")
        assert it.live.sent == [Approve("d", "call-d")]
        await it.press("escape")
        assert "inbox" not in lines(it.app)[-1]


async def test_the_inbox_is_left_with_escape_and_says_when_it_is_empty(make_app: MakeApp) -> None:
    async with three_asked(make_app) as it:
        await it.press("i", "escape")
        await it.wait()
        assert "2/4" in lines(it.app)[-1]
        await it.press("a")
        await it.wait()
        assert it.live.sent == [Approve("b", "call-b")]
        assert "2/4" in lines(it.app)[-1]  # out of the inbox nothing moves by itself
        await it.press("enter")
        assert "zoom 2/4" in lines(it.app)[-1]
        for ticket in "ac":
            it.live.happen(ticket, e.ApprovalGiven(f"call-{ticket}"))
        await it.press("i")
        assert toasts(it.app)[-1] == "nothing waits for your answer"


async def test_a_key_that_came_too_soon_says_so(make_app: MakeApp) -> None:
    async with three_asked(make_app) as it:
        await it.press("i")
        await it.wait(MIN_SECONDS_IN_VIEW / 2)
        await it.press("a")
        assert it.live.sent == []
        assert "too soon: read the request first" in lines(it.app)[-1]


async def test_questions_follow_the_requests_and_n_leaves_one_for_later(make_app: MakeApp) -> None:
    live = FakeLive("a", "b", "c", "d")
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        it = Asked(app, live, pilot)
        for ticket in "bdc":
            live.begin(ticket)
            live.stream(ticket, f"Shall {ticket} go on?")
            live.finish(ticket)
        live.begin("a")
        live.ask("a", "call-a", command="make a")
        await it.press("i")
        await it.wait()
        assert run_screen(app).current == "a" and "inbox:4" in lines(app)[-1]
        await it.press("a")
        assert run_screen(app).current == "b" and "s answer" in lines(app)[-1]
        await it.press("n")
        assert run_screen(app).current == "d"
        await it.press("s", *"Yes", "enter")
        assert live.sent[-1] == Tell("d", "Yes")
        assert run_screen(app).current == "c" and "inbox:2" in lines(app)[-1]
        await it.press("s", *"No", "enter")
        assert run_screen(app).current == "b" and "inbox:1" in lines(app)[-1]
        await it.press("s", *"No", "enter")
        assert "nothing left to answer; esc leaves" in lines(app)[-1]
