"""Answers and endings spoken by a real program, which is silenced at once and never left behind."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lfgtui.model import events as e
from lfgtui.settings.config import Config
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import MakeApp, opened, toasts
from tests.ui.waiting import toasted

VOICE = """
import socket, sys
with socket.socket(socket.AF_UNIX) as ear:
    ear.connect({ear!r})
    ear.sendall(" ".join(sys.argv[1:]).encode() + b"|" + sys.stdin.buffer.read() + b"\\0")
    answer = ear.recv(100)  # speaks until it may end
sys.exit(answer.decode() or 0)
"""


class Spoken(NamedTuple):
    """What a program speaks, and the line to it."""

    text: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def finish(self, complaint: str = "") -> None:
        """Have the program end: with a complaint, badly."""
        self.writer.write(complaint.encode())
        self.writer.close()

    async def silenced(self) -> None:
        """Wait until the program is gone."""
        assert await asyncio.wait_for(self.reader.read(), 60) == b""
        self.writer.close()


class Ear:
    """Hears the programs that speak."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "ear")
        self.program = VOICE.format(ear=self.path)
        self._spoken = asyncio.Queue[Spoken]()

    def command(self) -> tuple[str, ...]:
        """A `speak_command` that has another program speak, with an argument no shell has read."""
        script = 'exec 3<&0; "$@" <&3 & wait $!'
        return ("sh", "-c", script, "sh", sys.executable, "-c", self.program, "$(id)")

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note what a program speaks."""
        arguments, _, text = (await reader.readuntil(b"\0"))[:-1].decode().partition("|")
        assert arguments in ("$(id)", "--wait --pipe-mode", "--stop")
        await self._spoken.put(Spoken(text or arguments, reader, writer))

    async def next(self) -> Spoken:
        """Return what is spoken next."""
        return await asyncio.wait_for(self._spoken.get(), 60)


@pytest.fixture
async def ear(tmp_path: Path) -> AsyncIterator[Ear]:
    """An ear that listens."""
    ear = Ear(tmp_path)
    async with await asyncio.start_unix_server(ear.hear, ear.path):
        yield ear


async def test_the_answer_in_focus_is_read_until_a_key_or_another_focus(
    make_app: MakeApp, ear: Ear
) -> None:
    live = FakeLive("a", "b")
    config = Config(speak="answers", speak_command=ear.command())
    async with opened(make_app(live, config=config)) as pilot:

        async def say(ticket: str, *texts: str) -> None:
            live.happen(ticket, e.ReasoningDelta("Hm."), *map(e.TextDelta, texts))
            await pilot.pause()

        live.begin("a")
        live.begin("b")
        await say("b", "Unheard. In ")
        await say("a", "# He", "llo\nDr. *X*", " is \x1b[1mhere. Then")
        first = await ear.next()
        assert first.text == "Hello.\nDr. X is here.\n"
        live.stream("a", " [see](http://x.y).\n\n```\nrm. A\n```\n~~~\nB\n~~~\nDone. And")
        await pilot.pause()
        first.finish()
        second = await ear.next()
        assert second.text == "Then see.\ncode.\nDone.\n"
        await pilot.press("m")
        await second.silenced()
        live.stream("a", " this is not. So. ")
        await say("a", "Next answer. More")
        third = await ear.next()
        assert third.text == "Next answer.\n"
        await pilot.press("tab")
        await third.silenced()
        fourth = await ear.next()
        assert fourth.text == "Unheard.\n"
        fourth.finish()
        live.finish("b")
        await pilot.pause()
        last = await ear.next()
        assert last.text == "In.\n"
    await last.silenced()


async def test_endings_are_those_of_all_tickets_from_when_it_is_switched_on(
    make_app: MakeApp, ear: Ear
) -> None:
    live = FakeLive("1", "2", "3", "4")
    app = make_app(live, config=Config(speak_command=ear.command()))
    async with opened(app) as pilot:
        for ticket in ("1", "2", "3", "4"):
            live.begin(ticket)
        live.finish("1")
        await pilot.press("ctrl+p", *"endings")
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await pilot.pause()
        assert app.speech.mode == "endings"
        live.stream("2", "Nobody hears this. Or")
        live.finish("2")
        live.ask("3")
        await pilot.pause()
        first = await ear.next()
        assert first.text == "ticket 2 is done.\nticket 3 needs approval.\n"
        live.happen("4", e.TicketFailed("auth", "no key", False))
        await pilot.pause()
        first.finish()
        second = await ear.next()
        assert second.text == "ticket 4 failed.\n"
        app.speech.switch("off")
        await second.silenced()


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (("/no/such/voice",), "/no/such/voice is not installed"),
        (("/dev/null",), "/dev/null failed (Permission denied)"),
        (("sh", "-c", "echo no audio >&2; exit 3"), "sh failed (exit code 3)"),
        (("sh", "-c", "sleep 600 & wait"), "sh took more than 0 s"),
    ],
)
async def test_a_program_that_cannot_speak_is_said_once(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], complaint: str
) -> None:
    monkeypatch.setattr("lfgtui.ui.speech._PATIENCE", 0.2)
    monkeypatch.setattr("lfgtui.ui.speech._SLOWEST", 0.0)
    live = FakeLive("a")
    app = make_app(live, config=Config(speak="answers", speak_command=command))
    async with opened(app) as pilot:
        live.begin("a")
        live.stream("a", "One. Two. ")
        await toasted(pilot, f"speech is off: {complaint}")
        live.stream("a", "Three. Four.")
        live.finish("a")
        await pilot.pause()
        assert app.speech.mode == "off"
        assert len(toasts(app)) == 1


async def test_the_first_program_installed_speaks_and_its_server_is_told_to_stop(
    make_app: MakeApp, ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "spd-say"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\n{ear.program}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))
    live = FakeLive("a")
    async with opened(make_app(live, config=Config(speak="answers"))) as pilot:
        live.begin("a")
        live.stream("a", "One. Two. ")
        await pilot.pause()
        spoken = await ear.next()
        assert spoken.text == "One.\n"
        await pilot.press("down")
        await spoken.silenced()
        stopping = await ear.next()
        assert stopping.text == "--stop"
        stopping.finish()
