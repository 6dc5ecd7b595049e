"""A run that is watched looks as it does in its own process, also after a connection broke."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from lfgtui.engine.commands import Add, Approve, Cancel, Command, Pause, Tell
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.server import remote_run
from lfgtui.server.at_work import Here
from lfgtui.server.control.client import BrokenError
from lfgtui.server.control.messages import PROTOCOL, Frame, FromViewer, Hello
from lfgtui.server.control.watching import Watching
from lfgtui.server.remote_run import RemoteRun
from tests.engine.harness import Room, says, ticket
from tests.server.control.test_listening import WORDS, WRITES, at_work


class Attached:
    """A remote run, what came to its sinks, and what was refused."""

    def __init__(self, run: RemoteRun) -> None:
        self.run = run
        self.entries: list[e.Entry] = []
        self.refused: list[tuple[Command, str]] = []
        self._news = asyncio.Event()
        run.subscribe(self._take)
        run.on_refusal = lambda command, why: self.refused.append((command, why))

    def _take(self, entries: Sequence[e.Entry]) -> None:
        self.entries += entries
        self._news.set()

    async def up_to(self, r: Room) -> None:
        """Wait until it has all that the run has."""
        await self.until(lambda: self.run.place == r.seen[-1].place and not self.run.unfinished)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def check_same(self, r: Room) -> None:
        """It looks as it does in its own process."""
        assert self.entries == r.seen
        assert self.run.tickets == r.engine.tickets
        for name in (one.id for one in r.engine.tickets):
            there, here = r.engine.transcript(name), self.run.transcript(name)
            assert (here.state, here.last_seq, here.since) == (
                there.state,
                there.last_seq,
                there.since,
            )
            assert here.conversation.messages == there.conversation.messages
            assert self.run.meter(name).spans(0.0) == r.engine.meter(name).spans(0.0)
            assert self.run.meter(name).output_tokens() == r.engine.meter(name).output_tokens()


class Flaky(Here):
    """Connections that the test breaks, and what was asked of the machine."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.opened: list[Watching] = []
        self.failures: list[UsageError] = []

    async def watch(self, run: str, after: int = 0) -> Watching:
        self.asked.append(after)
        if self.failures:
            raise self.failures.pop(0)
        self.opened.append(await super().watch(run, after))
        return self.opened[-1]

    def cut(self) -> None:
        """Break the newest connection in the middle of things."""
        writer = self.opened[-1]._writer
        assert writer is not None
        writer.transport.abort()


async def attach(r: Room, source: Here | None = None) -> Attached:
    source = source or Here()
    attached = Attached(RemoteRun(source, await source.watch(r.engine.run)))
    attached.run.start()
    return attached


async def test_it_looks_as_it_does_in_its_own_process(tmp_path: Path) -> None:
    mine = [ticket(name, tmp_path, model="says") for name in "ab"]
    async with at_work(tmp_path, *mine, says=says(WORDS)) as r:
        one = await attach(r)
        await r.engine.wait_idle()
        more = ticket("c", tmp_path, model="says")
        one.run.send(Add((more,)))
        await r.until(lambda: len(r.engine.tickets) == 3 and r.state("c") == "done")
        late = await attach(r)
        for attached in (one, late):
            await attached.up_to(r)
            attached.check_same(r)
            assert attached.run.title == "Test" and attached.run.run == r.engine.run
            assert abs(attached.run.clock() - r.seen[-1].at) < 60
    await one.run.wait()
    assert one.run.has_ended and not one.refused
    one.run.send(Pause("a"))
    why = f"the run has ended; to continue: lfg resume {r.engine.run}"
    assert one.refused == [(Pause("a"), why)]
    await one.run.shutdown()
    await late.run.shutdown()


async def test_two_viewers_act_and_the_second_one_is_told_that_it_was_late(tmp_path: Path) -> None:
    mine = ticket("b", tmp_path, model="writes")
    async with at_work(tmp_path, mine, writes=WRITES) as r:
        one, other = await attach(r), await attach(r)
        call = (await r.until_event("b", e.ApprovalRequested)).call_id
        one.run.watch({"b"})
        one.run.send(Approve("b", call))
        await other.until(lambda: other.run.transcript("b").state == "done")
        other.run.send(Approve("b", call))
        other.run.send(Tell("b", "Thanks."))
        await other.until(lambda: r.events("b", e.UserMessage)[1:])
        assert other.refused == [
            (Approve("b", call), "b is no longer waiting for approval of that call")
        ]
        assert not one.refused
        for attached in (one, other):
            await attached.run.shutdown()


async def test_a_connection_that_breaks_is_made_again_without_loss_or_repetition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_run, "_DELAYS", (0.0,))
    source = Flaky()
    async with at_work(tmp_path) as r:
        attached = await attach(r, source)
        await attached.until(lambda: attached.entries)
        for number in range(3):
            source.failures = [BrokenError("no route to web1")] * number
            source.cut()
            for n in range(20):
                r.recorder.submit(r.engine.run, "a", 1, float(n), e.Status(f"{number} {n}"))
            await r.recorder.settle()
            await attached.until(
                lambda: attached.entries == r.seen and not attached.run.health.lost
            )
        assert source.asked[1:] == sorted(source.asked[1:]) and len(source.asked) == 1 + 3 + 3
        attached.check_same(r)
        attached.run.send(Cancel("a"))
        await attached.until(lambda: attached.run.transcript("a").state == "cancelled")
        await attached.run.shutdown()


async def test_commands_that_may_not_have_arrived_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_run, "_DELAYS", (0.0,))
    source = Flaky()
    async with at_work(tmp_path) as r:
        attached = await attach(r, source)
        await attached.until(lambda: attached.entries)
        source.failures = [UsageError("web1 has an lfg that is older")]
        source.cut()
        attached.run.send(Pause("a"))
        await attached.run.wait()
        attached.run.send(Cancel("a"))
        lost = "web1 has an lfg that is older"
        assert attached.run.health.lost == lost and not attached.run.has_ended
        assert [command for command, _ in attached.refused] == [Pause("a"), Cancel("a")]
        assert "may not have arrived" in attached.refused[0][1]
        assert attached.refused[1][1] == f"not sent: {lost}"
        await attached.run.shutdown()


async def test_a_run_that_says_nothing_for_long_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_run, "SILENCE", 0.05)
    monkeypatch.setattr(remote_run, "_DELAYS", (0.0,))
    source = Flaky()
    async with at_work(tmp_path) as r:
        attached = await attach(r, source)
        await attached.until(lambda: len(source.asked) > 2)
        assert not attached.run.has_ended
        await attached.run.shutdown()
        assert len(attached.entries) == len({one.place for one in attached.entries})


async def test_tickets_that_were_added_while_it_heard_nothing_come_at_the_end(
    tmp_path: Path,
) -> None:
    source = Flaky()
    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r:
        await r.engine.wait_idle()
        attached = Attached(RemoteRun(source, await source.watch(r.engine.run)))
        source.cut()
        r.engine.send(Add((ticket("late", tmp_path, model="says"),)))
        await r.until(lambda: len(r.engine.tickets) == 2 and r.state("late") == "done")
    attached.run.start()
    await attached.run.wait()
    assert attached.run.has_ended
    attached.check_same(r)


class Garbled:
    """A source and its run, whose lfg sends one frame."""

    host = "box"

    def __init__(self, frame: Frame) -> None:
        self.hello = Hello(PROTOCOL, "9.0", "r")
        self._frame = frame

    async def watch(self, run: str, after: int = 0) -> "Garbled":
        return self

    async def frames(self) -> AsyncGenerator[Frame, None]:
        yield self._frame

    def send(self, message: FromViewer) -> None:
        """Nothing: nobody is there."""

    def close(self) -> None:
        """Nothing is open."""


def raw(**keys: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(keys).encode())


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Frame((raw(type="status"),), 5), "Object missing required field `run`"),
        (
            Frame((raw(run="r", ticket="b", attempt=1, seq=1, at=1.0, type="paused"),), 5),
            'ticket "b"',
        ),
        (Frame(tickets=(raw(prompt="Go."),)), "Object missing required field `id`"),
    ],
)
async def test_what_cannot_be_read_of_a_run_is_said(frame: Frame, why: str) -> None:
    source = Garbled(frame)
    attached = Attached(RemoteRun(source, source))
    attached.run.start()
    await attached.run.wait()
    lost = attached.run.health.lost
    assert "box" in lost and why in lost
    assert not attached.run.has_ended
    attached.run.send(Pause("b"))
    assert attached.refused == [(Pause("b"), f"not sent: {lost}")]
