"""An app whose tickets wait for a person, and the keys that person presses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from lfgtui.engine.commands import Approve
from lfgtui.ui.app import LfgApp
from tests.ui.emulator import settled
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, opened


class Asked:
    """An app on a run that waits for decisions."""

    def __init__(self, app: LfgApp, live: FakeLive, pilot: Pilot[int]) -> None:
        self.app, self.live, self.pilot = app, live, pilot

    async def press(self, *keys: str) -> None:
        """Press keys, a whole frame after each."""
        for key in keys:
            await self.pilot.press(key)
            await settled(self.app)

    async def wait(self, seconds: float = 1.0) -> None:
        """Leave it on the screen for a while."""
        await settled(self.app)  # a frame shows it
        self.live.now += seconds
        await settled(self.app)

    async def check_refused_until_read(self) -> None:
        """Approving does nothing now, and works once the request was in view."""
        await self.press("a")
        assert self.live.sent == []
        await self.wait()
        await self.press("a")
        assert self.live.sent == [Approve("a", "call-1")]


@asynccontextmanager
async def asked(make_app: MakeApp, command: str = "rm -rf build") -> AsyncIterator[Asked]:
    """One ticket asks for a command, at the end of a long answer."""
    live = FakeLive("a")
    app = make_app(live)
    async with opened(app, (80, 24)) as pilot:
        live.begin("a")
        live.stream("a", "words and more words\n\n" * 40)
        live.ask("a", command=command)
        await settled(app)
        yield Asked(app, live, pilot)


@asynccontextmanager
async def three_asked(make_app: MakeApp) -> AsyncIterator[Asked]:
    """Three of four tickets ask, the second one first."""
    live = FakeLive("a", "b", "c", "d")
    app = make_app(live)
    async with opened(app, (120, 24)) as pilot:
        for ticket in "badc":
            live.begin(ticket)
            live.stream(ticket, "words and more words\n\n" * 40)
            if ticket != "d":
                live.ask(ticket, f"call-{ticket}", command=f"make {ticket}")
        await settled(app)
        yield Asked(app, live, pilot)
