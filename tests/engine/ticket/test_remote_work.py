"""Tickets that a worker does: the engine decides when, and adds no entry of its own meanwhile."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from lfgtui.engine import commands as c
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.engine.harness import Room, room, says, ticket


class Elsewhere:
    """`RemoteWork` in this process: what a worker would send is made up by the test."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.got: asyncio.Queue[TicketRun] = asyncio.Queue()
        self.forwarded: list[c.TicketCommand | e.Event] = []
        self.endings: dict[str, asyncio.Future[e.Ending]] = {}
        self.answers: dict[str, Mapping[str, str]] = {}

    lost = ""

    @property
    def waiting(self) -> Mapping[str, str]:
        return {"far": "a worker"}

    def takes(self, ticket: Ticket) -> bool:
        return ticket.id != "here"

    def is_out(self, ticket: str) -> bool:
        return False

    def start(self, runs: Mapping[str, TicketRun], send: Callable[[c.Command], None]) -> None:
        pass

    async def work(self, run: TicketRun, answers: Mapping[str, str]) -> e.Ending:
        self.answers[run.ticket.id] = answers
        run.forward = self.forwarded.append
        ending = self.endings[run.ticket.id] = asyncio.get_running_loop().create_future()
        self.got.put_nowait(run)
        try:
            return await asyncio.shield(ending)
        finally:
            run.forward = None

    async def aclose(self) -> None:
        pass


async def says_elsewhere(room: Room, run: TicketRun, *events: e.Event) -> None:
    """Have entries come from a worker."""
    await room.recorder.settle()
    last = run.transcript.last_seq
    name = run.ticket.id
    entries = [e.Entry(room.engine.run, name, 1, last + n, 0.0, x) for n, x in enumerate(events, 1)]
    room.recorder.submit_numbered(entries)
    await room.recorder.settle()


ANSWER = (
    e.AttemptStarted("p", "m"),
    e.RequestSent(1),
    e.TextDelta("42"),
    e.ResponseFinished(1, "stop"),
)


async def test_its_ending_is_the_workers_and_its_answer_is_handed_on(tmp_path: Path) -> None:
    tickets = [ticket("far", tmp_path), ticket("here", tmp_path, needs=("far",))]
    elsewhere = Elsewhere()
    thanks = {"here": says("Thanks.")}
    async with room(tmp_path, tickets, remote=lambda _: elsewhere, scenarios=thanks) as here:
        run = await elsewhere.got.get()
        await says_elsewhere(here, run, *ANSWER, e.TicketDone("stop"))
        assert run.transcript.ending is not None
        elsewhere.endings["far"].set_result(run.transcript.ending)
        await here.engine.wait_idle()
        assert here.engine.all_done
        far = [type(one.event) for one in here.seen if one.ticket == "far"]
        assert far == [e.TicketQueued, *map(type, ANSWER), e.TicketDone]
        (asked,) = here.events("here", e.UserMessage)
        assert asked.answers == {"far": "42"}


async def test_what_is_done_to_it_is_forwarded_and_numbered_nowhere_else(tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    async with room(tmp_path, [ticket("far", tmp_path)], remote=lambda _: elsewhere) as here:
        run = await elsewhere.got.get()
        commands: list[c.TicketCommand] = [
            c.Pause("far"),
            c.Resume("far"),
            c.Tell("far", "hi"),
            c.Approve("far", "x"),
            c.Deny("far", "x"),
        ]
        for command in commands:
            here.engine.send(command)
        assert elsewhere.forwarded == commands
        run.emit(e.Status("noted"))
        assert elsewhere.forwarded[-1] == e.Status("noted")
        elsewhere.endings["far"].set_result(e.TicketInterrupted())
        await here.engine.wait_idle()
        assert [type(one.event) for one in here.seen] == [e.TicketQueued, e.TicketInterrupted]


async def test_workers_take_more_than_there_are_slots_here(tmp_path: Path) -> None:
    tickets = [ticket(f"t{n}", tmp_path) for n in range(4)]
    elsewhere = Elsewhere()
    async with room(tmp_path, tickets, concurrency=1, remote=lambda _: elsewhere) as here:
        runs = [await elsewhere.got.get() for _ in tickets]
        assert here.engine.health.slots_in_use == 0
        for run in runs:
            elsewhere.endings[run.ticket.id].set_result(e.TicketFailed("internal", "no", False))
        await here.engine.wait_idle()


async def test_a_ticket_that_is_handed_back_is_handed_out_again(tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    async with room(tmp_path, [ticket("far", tmp_path)], remote=lambda _: elsewhere) as here:
        run = await elsewhere.got.get()
        run.has_follow_up = True
        elsewhere.endings["far"].set_result(e.TicketInterrupted())
        again = await elsewhere.got.get()
        assert again is run
        await says_elsewhere(here, run, *ANSWER, e.TicketDone("stop"))
        assert run.transcript.ending is not None
        elsewhere.endings["far"].set_result(run.transcript.ending)
        await here.engine.wait_idle()
        assert msgspec.to_builtins(run.transcript.state) == "done"
