"""A run is watched: each entry once and in order, whenever one comes and however one reads."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lfgtui.engine.commands import (
    Add,
    AddPrompt,
    Approve,
    Cancel,
    Command,
    Deny,
    Pause,
    Resume,
    SetConcurrency,
    Tell,
)
from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.server.control import feed, watching
from lfgtui.server.control.address import is_owner, short_address, socket_path
from lfgtui.server.control.answers import Answers
from lfgtui.server.control.listening import listening
from lfgtui.server.control.messages import Frame, FromViewer, ListApprovals, Watch, line
from lfgtui.server.control.watching import watch
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import Room, calls, room, says, scenario, ticket
from tests.history.conftest import locked
from tests.server.control.viewers import viewer

WORDS = "".join(f"word{n} " for n in range(400))
HALF = scenario(turn=[{"text": WORDS, "cut": {"after": 200, "how": "half-open"}}])
WRITES = calls("write_file", {"path": "x", "content": "1"})


def refuse_none(tickets: Iterable[Ticket]) -> None:
    """Let any ticket be added."""


@asynccontextmanager
async def at_work(tmp_path: Path, *tickets: Ticket, **scenarios: Scenario) -> AsyncIterator[Room]:
    """A run that can be watched; without tickets of one that waits in the middle of its answer."""
    mine = tickets or (ticket("a", tmp_path, model="half"),)
    async with (
        room(tmp_path, mine, scenarios={"half": HALF, **scenarios}) as r,
        listening(r.engine, refuse_none),
    ):
        yield r


async def dial(run: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the run's socket on which nothing was said yet."""
    with short_address(socket_path(run)) as address:
        return await asyncio.open_unix_connection(address)


async def test_viewers_get_each_entry_once_and_in_order_whenever_they_come(tmp_path: Path) -> None:
    mine = [ticket(name, tmp_path, model="says") for name in "abcd"]
    async with at_work(tmp_path, *mine, says=says(WORDS)) as r, viewer(r.engine.run) as first:
        await r.until_event("b", e.TextDelta)
        async with viewer(r.engine.run) as second:
            await r.engine.wait_idle()
            middle = r.seen[len(r.seen) // 2].place
            async with viewer(r.engine.run, middle) as third:
                await first.all_of(r)
                await second.all_of(r)
                await third.all_of(r, after=middle)
        assert first.hello.title == "Test" and first.tickets == [*"abcd"]
        await first.until(lambda: not first.status.unfinished)


async def test_a_viewer_that_does_not_read_is_cut_off_and_catches_up_from_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts: list[bytes] = []
    left_out = feed.Feed.left_out

    def noted(self: feed.Feed) -> bytes:
        cuts.append(left_out(self))
        return cuts[-1]

    monkeypatch.setattr(feed.Feed, "left_out", noted)
    monkeypatch.setattr(feed, "MOST_BYTES", 10_000)
    async with (
        at_work(tmp_path) as r,
        viewer(r.engine.run, reads=False) as lazy,
        viewer(r.engine.run) as seen,
    ):
        await r.until_event("a", e.TextDelta)
        for at in range(150):
            for event in (e.Status(str(at)), e.TextDelta(f"{at} " * 5000)):
                r.recorder.submit(r.engine.run, "a", 1, float(at), event)
        await r.recorder.settle()
        assert not lazy.entries
        lazy.begin()
        for one in (seen, lazy):
            await one.all_of(r)
        assert cuts


async def test_viewers_see_nothing_that_is_not_saved_and_all_of_it_once_it_is(
    tmp_path: Path,
) -> None:
    async with (
        at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r,
        viewer(r.engine.run) as seen,
    ):
        lock = locked(r.history)
        await asyncio.to_thread(lock.__enter__)
        await r.until(lambda: r.state("a") == "done")
        unsaved = [entry for entry in r.seen if not entry.saved]
        async with viewer(r.engine.run) as late:
            await seen.until(lambda: seen.status.health.behind)
            await late.until(lambda: late.status.health.behind)
            places = {*seen.places, *late.places}
            assert not places & {entry.place for entry in unsaved}
            await asyncio.to_thread(lock.__exit__, None, None, None)
            await seen.all_of(r)
            await late.all_of(r)
            await seen.until(lambda: not seen.status.health.behind)
        assert unsaved


async def test_the_end_of_a_run_comes_behind_all_its_entries(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path, model="half")], scenarios={"half": HALF}) as r:
        reachable = listening(r.engine, refuse_none)
        await reachable.__aenter__()
        async with viewer(r.engine.run) as seen:
            await r.until_event("a", e.TextDelta)
            await r.engine.shutdown()
            await reachable.__aexit__(None, None, None)
            await seen.until(lambda: seen.has_ended)
            assert seen.entries == r.seen
            assert isinstance(seen.entries[-1].event, e.TicketInterrupted)


async def test_a_run_that_is_over_is_read_from_the_history(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r:
        await r.engine.wait_idle()
    async with viewer(r.engine.run, r.seen[4].place) as seen:
        await seen.until(lambda: seen.has_ended)
        assert (seen.hello.pid, seen.tickets, seen.entries) == (0, ["a"], r.seen[5:])
    with pytest.raises(UsageError, match="no run"):
        await watch("20000101-000000-abcd", 0, "ann@here")


async def test_a_viewer_that_leaves_while_it_reads_the_history_closes_it_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, goes_on = asyncio.Event(), threading.Event()
    loop, order = asyncio.get_running_loop(), list[str]()
    read = watching._frame

    class Noted(Reader):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self.close = self._closed

        def _closed(self) -> None:
            order.append("closed")
            self._connection.close()

    def slow(entries: Iterator[e.Entry]) -> Frame | None:
        loop.call_soon_threadsafe(reads.set)
        assert goes_on.wait(60)
        order.append("read")
        return read(entries)

    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r:
        await r.engine.wait_idle()
        monkeypatch.setattr(watching, "_frame", slow)
        monkeypatch.setattr(watching, "Reader", Noted)
        async with viewer(r.engine.run) as seen:
            await reads.wait()
            leaving = asyncio.create_task(seen.leave())
            await asyncio.sleep(0)
            goes_on.set()
            await leaving
    assert order == ["read", "closed"]


async def test_a_viewer_acts_as_on_the_runs_own_screen(tmp_path: Path) -> None:
    mine = (ticket("a", tmp_path, model="half"), ticket("b", tmp_path, model="writes"))
    async with (
        at_work(tmp_path, *mine, writes=WRITES) as r,
        viewer(r.engine.run) as one,
        viewer(r.engine.run) as other,
    ):
        call = (await r.until_event("b", e.ApprovalRequested)).call_id
        rule = ApprovalRule("write_file", "tool")
        assert await one.do(Approve("b", call, rule)) == ""
        assert "no longer waiting" in await other.do(Approve("b", call))
        await other.until(lambda: any(isinstance(x.event, e.ApprovalGiven) for x in other.entries))
        assert (await r.until_event("b", e.ApprovalGiven)).grants == rule
        assert await other.do(Cancel("a")) == ""
        assert 'no ticket "c"' in await one.do(Pause("c"))
        assert "already" in await one.do(Add((ticket("b", tmp_path),)))
        more = ticket("c", tmp_path, model="writes")
        assert await one.do(Add((more,))) == ""
        await other.until(lambda: other.tickets == ["a", "b", "c"])
        one.watching.send(FromViewer(99))
        one.watching._writer.write(b'{"id": 7, "command": {"type": "OfTomorrow"}}\n')  # type: ignore[union-attr]
        await one.until(lambda: "OfTomorrow" in one.answers.get(7, ""))


async def test_of_two_decisions_at_the_same_moment_the_second_is_refused(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("b", tmp_path, model="writes"), writes=WRITES) as r:
        call = (await r.until_event("b", e.ApprovalRequested)).call_id
        answers = Answers(r.engine, refuse_none)
        first = answers.reply_to(Approve("b", call), "one")
        second = answers.reply_to(Deny("b", call), "other")
        assert first.error == ""
        assert "no longer waiting" in second.error
        assert answers.reply_to(ListApprovals("b"), "other").approvals == ()
        await r.until_event("b", e.ApprovalGiven)
        await r.engine.wait_idle()
    assert [x.event.by for x in r.seen if isinstance(x.event, e.CommandTaken)] == ["one"]


async def test_what_cannot_be_done_is_refused_with_the_reason(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says("Done.")) as r:
        await r.engine.wait_idle()
        answers, ended = Answers(r.engine, refuse_none), "a has already ended (done)"
        refused: dict[Command, str] = {
            Cancel("a"): ended,
            Pause("a"): ended,
            Resume("a"): ended,
            Tell("a", " "): "the message is empty",
            AddPrompt("\n"): "the message is empty",
            SetConcurrency(0): "slots: at least 1, not 0",
        }
        assert {one: answers.reply_to(one, "ann").error for one in refused} == refused
        assert [one.id for one in r.engine.tickets] == ["a"]
        assert r.events("a", e.CommandTaken) == []


async def test_a_name_of_any_length_is_answered_in_a_line(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r:
        answers, name = Answers(r.engine, refuse_none), "a" * (8 << 20)
        for request in (Cancel(name), ListApprovals(name)):
            error = answers.reply_to(request, "one").error
            assert "has no ticket" in error and len(error) < 400


async def test_what_any_viewer_has_in_view_is_read_sooner(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r, viewer(r.engine.run) as one:
        session = r.engine._session
        async with viewer(r.engine.run) as other:
            for seen, tickets in ((one, ("a",)), (other, ("a", "b"))):
                seen.watching.send(FromViewer(in_view=tickets))
                await seen.do(Pause("nothing"))
            assert set(session.in_view) == {"a", "b"}
            r.engine.watch({"c"})
        async with viewer(r.engine.run) as third:
            await third.do(Pause("nothing"))
            assert set(session.in_view) == {"a", "c"}


async def test_a_line_that_nobody_understands_is_answered(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r:
        for sent, answer in (
            (b'{"type": "OfTomorrow"}\n', b"not a request"),
            (b"\n", b"not a req"),
        ):
            reader, writer = await dial(r.engine.run)
            writer.write(sent)
            assert answer in await reader.readline()
            writer.close()


async def test_viewers_that_leave_or_do_not_speak_keep_no_run_from_ending(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r:
        silent = await dial(r.engine.run)
        async with viewer(r.engine.run, reads=False), viewer(r.engine.run):
            pass
        deaf = await dial(r.engine.run)
        deaf[1].write(line(Watch()))
        assert json.loads(await deaf[0].readline())["run"] == r.engine.run
    assert not await asyncio.to_thread(socket_path(r.engine.run).exists)
    assert await silent[0].read() == b""
    assert b'"has_ended":true' in await deaf[0].read()
    for _, writer in (silent, deaf):
        writer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("user", "is_ours"), [(0, True), (65534, False)])
def test_only_the_owner_and_root_are_served(user: int, is_ours: bool) -> None:
    os.seteuid(user)
    try:
        client, served = socket.socketpair()  # each end is told who made the other
    finally:
        os.seteuid(0)
    with client, served:
        assert is_owner(served) is is_ours


def test_a_socket_of_ones_own_is_served() -> None:
    mine, other = socket.socketpair()
    with mine, other:
        assert is_owner(mine)
