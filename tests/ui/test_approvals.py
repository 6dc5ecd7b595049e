"""What is approved is what was in view: all of it, and for long enough."""

from collections.abc import Awaitable, Callable

import pytest

from lfgtui.engine.commands import Approve, Deny
from lfgtui.model import events as e
from lfgtui.ui.stream.requests_in_view import CardInView, RequestsSeen
from tests.ui.asked import Asked, asked
from tests.ui.emulator import settled
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, lines, opened, run_screen, text_of, toasts

TALL = "\n".join(f"echo line {number}" for number in range(60))
GUARD = 0.4


async def test_approval_keys_are_ignored_until_the_request_was_in_view(make_app: MakeApp) -> None:
    async with asked(make_app) as it:
        await it.wait(GUARD - 0.01)
        await it.press("a")
        assert it.live.sent == []
        await it.wait(0.02)
        await it.press("a")
        it.live.happen("a", e.ToolCallFinished("call-1", "ok", None, 0, 0.1), e.RequestSent(2))
        it.live.ask("a", "call-2")
        await it.pilot.press("A", "1", "a")  # the second one must be seen as well
        assert it.live.sent == [Approve("a", "call-1")]


async def test_denying_takes_a_reason_for_the_model(make_app: MakeApp) -> None:
    async with asked(make_app) as it:
        await it.wait()
        await it.press("d", *"no", "escape")
        assert it.live.sent == []
        await it.press("d", *"use make", "enter")
        assert it.live.sent == [Deny("a", "call-1", "use make")]


@pytest.mark.parametrize("before", [(), ("home",), ("enter",), ("v",), ("v", "v")])
async def test_what_nobody_has_read_is_denied_at_once(
    make_app: MakeApp, before: tuple[str, ...]
) -> None:
    async with asked(make_app, TALL) as it:
        await it.press(*before, "d")
        assert "deny run_command" in lines(it.app)[-1]
        await it.press(*"a d", "enter")
        assert it.live.sent == [Deny("a", "call-1", "a d")]


async def test_nothing_is_denied_where_nothing_waits(make_app: MakeApp) -> None:
    async with asked(make_app) as it:
        it.live.happen("a", e.ApprovalGiven("call-1"))
        await it.press("d")
        assert toasts(it.app) == ["“a” has no request to approve or deny"]


async def test_a_request_that_is_not_on_the_screen_cannot_be_approved(make_app: MakeApp) -> None:
    async with asked(make_app) as it:
        await it.press("v", "v")
        await it.wait()
        await it.press("a")
        assert "press enter to read the request" in lines(it.app)[-1]
        await it.press("enter")
        await it.check_refused_until_read()


async def test_a_request_that_a_resumed_attempt_repeats_is_read_and_approved_there(
    make_app: MakeApp,
) -> None:
    live = FakeLive("a")
    live.begin("a")
    live.ask("a", command="rm -rf build")
    live.happen("a", e.TicketInterrupted())
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        it = Asked(app, live, pilot)
        await it.wait()
        again = e.ApprovalRequested("call-1", "run_command", "$ rm -rf build")
        live.happen("a", e.TicketQueued(), e.AttemptStarted("anthropic", "m", True), again)
        await it.wait()
        screen = text_of(app)
        stopped, _, resumed = screen.partition("attempt 2")
        assert "stopped" in stopped
        assert "$ rm -rf build" in resumed and "a approve" in resumed
        await it.press("a")
        assert live.sent == [Approve("a", "call-1")]
        live.happen("a", e.ToolCallFinished("call-1", "ok", None, 0, 0.1))
        await it.wait()
        stopped, _, resumed = text_of(app).partition("attempt 2")
        assert "stopped" in stopped and "exit 0" in resumed


async def test_a_card_that_was_scrolled_away_is_shown_first(make_app: MakeApp) -> None:
    async with asked(make_app) as it:
        await it.wait()
        await it.press("home")
        await it.wait()
        assert "rm -rf build" not in text_of(it.app)
        await it.press("a")
        assert it.live.sent == []
        assert "read the request first, then decide" in lines(it.app)[-1]
        assert "rm -rf build" in text_of(it.app)
        await it.check_refused_until_read()


async def push_out_of_view(it: Asked) -> None:
    it.live.happen("a", *(e.Status(f"note {number}") for number in range(60)))
    await it.wait()


async def put_a_page_over_it(it: Asked) -> None:
    await it.press("question_mark")
    await it.wait()
    await it.press("escape")


async def resize(it: Asked) -> None:
    await it.pilot.resize_terminal(50, 20)
    await settled(it.app)


async def fold(it: Asked) -> None:
    await it.press("space")
    await it.wait()


@pytest.mark.parametrize(
    ("change", "is_seen_before"),
    [(push_out_of_view, True), (put_a_page_over_it, False), (resize, True), (fold, False)],
)
async def test_a_card_that_was_not_in_view_all_along_is_read_again(
    make_app: MakeApp, change: Callable[[Asked], Awaitable[None]], is_seen_before: bool
) -> None:
    async with asked(make_app, "echo " + "long " * 40) as it:
        if is_seen_before:
            await it.wait()
        await change(it)
        await it.check_refused_until_read()


async def test_a_card_that_does_not_fit_must_have_been_read_to_its_end(make_app: MakeApp) -> None:
    async with asked(make_app, TALL) as it:
        await it.wait()  # its end is in view, its beginning was not
        await it.press("a")
        assert it.live.sent == []
        assert "press PgDn until you have seen all of it" in lines(it.app)[-1]
        assert toasts(it.app) == []  # which would hide the lines to be read
        await it.press("end", "pageup", "pageup", "pageup", "pageup")
        await it.wait()
        await it.press("a")
        assert it.live.sent == []  # the question is not in view
        await it.press("end")
        await it.check_refused_until_read()


async def test_a_card_whose_beginning_was_never_in_view_is_shown_from_there(
    make_app: MakeApp,
) -> None:
    async with asked(make_app, TALL) as it:
        await it.wait()  # following the end shows its end
        assert any("approve" in line and "deny" in line for line in lines(it.app)[:-1])
        await it.press("a")
        assert "echo line 0" in text_of(it.app)
        await it.press("pagedown")
        before = lines(it.app)[3:12]  # not the header, which counts
        await it.press("a")
        assert lines(it.app)[3:12] == before  # who reads on stays there
        await it.press("pagedown", "pagedown", "pagedown", "pagedown")
        await it.check_refused_until_read()


HUNDRED = "\n".join(f"echo {number:03}" for number in range(100))
ENDLESS = "echo " + "".join(f"{number:05}" for number in range(999))


async def read_on(it: Asked) -> list[str]:
    """The rows of the request from its beginning to its end; before that `a` does nothing."""
    rows: dict[str, None] = {}
    await it.wait()
    await it.press("a")  # shows the beginning
    while True:
        it.app.clear_notifications()  # which hide what is below them
        await it.wait()
        rows |= dict.fromkeys(line for line in lines(it.app) if "│ " in line)
        if any("a approve" in line for line in lines(it.app)[:-1]):
            break
        await it.press("a")
        assert it.live.sent == []
        await it.press("pagedown")
    return [row.partition("│ ")[2].rstrip() for row in rows]


async def test_a_command_of_a_hundred_lines_is_approved_after_the_last_of_them(
    make_app: MakeApp,
) -> None:
    async with asked(make_app, HUNDRED) as it:
        rows = await read_on(it)
        assert set(HUNDRED.split("\n")) < {row.strip() for row in rows}
        await it.wait()
        await it.press("a")
        assert it.live.sent == [Approve("a", "call-1")]


async def test_lines_that_were_paged_over_between_two_frames_are_shown_again_from_the_first(
    make_app: MakeApp,
) -> None:
    async with asked(make_app, HUNDRED) as it:
        await it.wait()
        await it.press("a")  # shows the beginning
        seen = [line for line in lines(it.app) if "│   echo" in line]
        for _ in range(8):
            run_screen(it.app).current_pane.stream.scroll_pages(1)
        await it.wait()
        assert any("a approve" in line for line in lines(it.app)[:-1])
        await it.press("a")
        assert it.live.sent == []
        assert "press PgDn until you have seen all of it" in lines(it.app)[-1]
        rows = [line for line in lines(it.app) if "│   echo" in line]
        assert f"echo {len(seen):03}" in rows[0]
        await it.press(*["pagedown"] * 8)
        await it.check_refused_until_read()


async def test_a_request_that_was_read_is_shown_again_at_its_end(make_app: MakeApp) -> None:
    async with asked(make_app, HUNDRED) as it:
        await read_on(it)
        await it.press("pageup")
        before = lines(it.app)[3:12]
        await it.press("a")
        assert lines(it.app)[3:12] == before
        await it.press("home", "a")
        assert any("a approve" in line for line in lines(it.app)[:-1])
        await it.wait()
        await it.press("A", "escape")
        await it.check_refused_until_read()


@pytest.mark.parametrize("queued", [1, 2, 30])
@pytest.mark.parametrize("length", [16, 17, 18, 60])
async def test_a_card_with_calls_queued_below_it_is_approved_at_its_end(
    make_app: MakeApp, length: int, queued: int
) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        live.begin("a")
        commands = {"call-1": "\n".join(f"echo {number}" for number in range(length))}
        commands |= {f"call-{number + 2}": "ls" for number in range(queued)}
        for call, command in commands.items():
            requested = e.ToolCallRequested(call, "run_command", {"command": command})
            live.happen("a", e.ToolCallStarted(call, "run_command"), requested)
        asked = e.ApprovalRequested("call-1", "run_command", "$ echo 0")
        live.happen("a", e.ResponseFinished(1, "tool_use"), asked)
        await settled(app)
        it = Asked(app, live, pilot)
        await read_on(it)
        await it.wait()
        await it.press("a")
        assert live.sent == [Approve("a", "call-1")]


async def test_a_line_of_5000_characters_is_whole(make_app: MakeApp) -> None:
    async with asked(make_app, ENDLESS) as it:
        rows = await read_on(it)
        assert ENDLESS.removeprefix("echo ") in "".join(rows)


async def test_a_long_diff_is_approved_after_the_last_of_its_lines(make_app: MakeApp) -> None:
    live = FakeLive("a")
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        live.begin("a")
        removed = "".join(f"-row {number:03}\n" for number in range(100))
        diff = f"@@ -1,100 +1,1 @@\n{removed}+x\n"
        live.ask_to_write("a", "a", "x\n", "overwrite a (+1 −100)", diff)
        await settled(app)
        it = Asked(app, live, pilot)
        rows = await read_on(it)
        assert {f"{number + 1:>3} - row {number:03}" for number in range(100)} < set(rows)
        assert "overwrite a (+1 −100)" in rows


def test_lines_that_were_jumped_over_were_not_read() -> None:
    seen = RequestsSeen()
    for first, last in ((0, 10), (30, 40), (20, 30), (30, 40)):
        seen.note({"r": CardInView(first, last, 40, 80, 10)}, 0.0)
    assert seen.seconds("r", 5.0) is None
    for first, last in ((12, 22), (2, 12), (0, 10), (10, 20), (20, 30), (30, 40)):
        seen.note({"r": CardInView(first, last, 40, 80, 10)}, 6.0)
    assert seen.seconds("r", 7.0) == 1.0
    seen.note({"r": None}, 8.0)
    assert seen.seconds("r", 9.0) is None


def test_a_card_that_fits_must_be_in_view_whole() -> None:
    seen = RequestsSeen()
    seen.note({"r": CardInView(0, 5, 5, 80, 20)}, 0.0)
    assert seen.seconds("r", 1.0) == 1.0
    seen.note({"r": CardInView(2, 5, 5, 80, 20)}, 1.0)
    assert seen.seconds("r", 2.0) is None
