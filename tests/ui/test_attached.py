"""The screen of a run in another process: the same, but that it is left and goes on."""

import pytest

from lfgtui.engine.commands import AddPrompt, Approve, Command
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health
from lfgtui.ui.run_view import AttachedRun
from lfgtui.ui.widgets.frame_clock import ATTACHED
from tests.ui.asked import Asked
from tests.ui.emulator import settled
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, opened, repainted, run_screen, text_of, toasts
from tests.ui.waiting import toasted


class FakeAttached(FakeLive):
    """A run elsewhere; commands are noted, and what comes of them is the test's."""

    def __init__(self, *ids: str, host: str = "") -> None:
        super().__init__(*ids)
        self.host = host
        self.has_ended = False
        self.on_refusal = self.refuse

    def refuse(self, command: Command, why: str) -> object:
        raise AssertionError("nobody takes refusals")

    def send(self, command: Command) -> None:
        self.sent.append(command)

    async def shutdown(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("key", ["q", "D", "ctrl+c"])
async def test_it_is_left_without_a_question_and_goes_on(key: str) -> None:
    live = FakeAttached("a")
    assert isinstance(live, AttachedRun)
    app = make_app(live)
    async with opened(app) as pilot:
        live.begin("a")
        rows = await repainted(pilot)
        assert "ATTACHED" in rows[0] and "q leave" in rows[-1]
        assert app.context.frames.pace == ATTACHED
        await pilot.press(key)
        await pilot.pause()
    assert (app.return_value, live.closed, live.transcript("a").state) == (0, 1, "waiting")


async def test_a_decision_that_was_refused_is_said_and_can_be_made_again() -> None:
    live = FakeAttached("a")
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        live.begin("a")
        live.ask("a")
        it = Asked(app, live, pilot)
        await it.wait()
        await it.press("a", "a")
        approval = Approve("a", "call-1")
        assert live.sent == [approval]
        live.on_refusal(approval, "it may not have arrived")
        await toasted(pilot, "it may not have arrived")
        await it.wait()
        await it.press("a")
        assert live.sent == [approval, approval]


async def test_what_needs_files_of_another_machine_says_where_they_are() -> None:
    live = FakeAttached("a", host="web1.example")
    app = make_app(live)
    async with opened(app) as pilot:
        live.begin("a")
        live.happen("a", e.ChangesCounted(1, 2, 3))
        assert "ATTACHED TO web1.example" in (await repainted(pilot))[0]
        await pilot.press("g")
        await toasted(
            pilot, f"its files are on web1.example: ssh web1.example lfg diff {live.run}/a"
        )
        await pilot.press("H")
        await toasted(pilot, "past runs are on web1.example: ssh web1.example lfg history")
        assert run_screen(app).is_current


async def test_a_ticket_that_is_added_comes_later_and_is_not_missed() -> None:
    live = FakeAttached("a")
    app = make_app(live)
    async with opened(app) as pilot:
        live.begin("a")
        await pilot.press("+", *"Test it.", "enter")
        assert live.sent == [AddPrompt("Test it.")]
        assert toasts(app) == []


async def test_a_run_that_is_lost_says_so_and_one_that_has_ended_how_to_go_on() -> None:
    live = FakeAttached("a")
    app = make_app(live)
    async with opened(app) as pilot:
        live.begin("a")
        live.health = Health(lost="the connection to web1 broke; trying again")
        assert "the connection to web1 broke; trying again" in (await repainted(pilot))[0]
        live.health = Health()
        live.has_ended = True
        live.happen("a", e.TicketInterrupted())
        await settled(app)
        await toasted(pilot, f"the run has ended; to continue: lfg resume {live.run}")
        assert "finished – q to quit" in text_of(app)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 1
