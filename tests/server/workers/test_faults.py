"""Workers, networks, Redis and runs that fail: nothing is lost, doubled or left over."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import from_url

from lfgtui.cli.launching.remote.worker import Jobs
from lfgtui.engine import commands as c
from lfgtui.engine.engine import Engine
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.fold.items import NoteItem
from lfgtui.model.tickets import Ticket
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.connection import Connection
from lfgtui.settings.sandbox import SandboxPolicy
from tests.engine.harness import Room, calls, says, scenario, ticket
from tests.helpers.waiting import until
from tests.server.workers.cut import way_to
from tests.server.workers.here import assert_whole, run_of, worker
from tests.server.workers.raw import Raw, happened
from tests.server.workers.redis_server import RedisServer, needs_redis, redis_server

pytestmark = needs_redis

SHORT = 3.0
"""A lease that ends within the test."""

HANGS = calls("run_command", {"command": "echo $$ > pid; exec sleep 600"}, then="Enough.")
LONG = " ".join(f"word{n}" for n in range(3000))


def written(folder: Path, config: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "config.toml"
    path.write_text(config)
    return path


async def lfg(folder: Path, config: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start lfg with the config, and its data in that folder."""
    path = await asyncio.to_thread(written, folder, config)
    own = {"LFG_CONFIG": str(path), "LFG_DATA_DIR": str(folder / "data")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lfgtui", *arguments),
        env={**os.environ, **own},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )


@asynccontextmanager
async def process(url: str, here: Room, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, once it takes tickets."""
    chat = here.engine.config.providers["chat"].base_url
    config = f'[providers.chat]\nwire = "openai-chat"\nbase_url = "{chat}"\n'
    config += '[sandbox]\nmode = "none"\n'
    one = await lfg(folder, config, "worker", url)
    assert one.stderr is not None
    async for line in one.stderr:
        if b"takes tickets" in line:
            break
    try:
        yield one
    finally:
        if one.returncode is None:
            one.kill()
        await one.communicate()


def was_taken_up(here: Room, ticket: str) -> bool:
    """Return True if the ticket was interrupted, once or, on a slow machine, more often."""
    *before, last = [one.state for one in here.engine.transcript(ticket).attempts]
    return set(before) == {"interrupted"} and last == "done"


async def command_of(folder: Path) -> int:
    """The process of the command that hangs, once it has said so."""

    def said() -> list[str]:
        return [text for one in folder.rglob("pid") if (text := one.read_text())]

    await asyncio.to_thread(until, said)
    (pid,) = await asyncio.to_thread(said)
    return int(pid)


async def is_gone(pid: int) -> None:
    """Wait until the process has ended, whoever's child it is."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def states(here: Room, ticket: str) -> list[str]:
    """The states of the ticket's attempts."""
    return [one.state for one in here.engine.transcript(ticket).attempts]


def notes(here: Room, ticket: str) -> list[str]:
    """The notes of the ticket's last attempt."""
    items = here.engine.transcript(ticket).attempts[-1].items
    return [item.message for item in items if isinstance(item, NoteItem)]


async def test_a_killed_workers_ticket_is_resumed_by_another(
    redis: RedisServer, tmp_path: Path
) -> None:
    tickets = [ticket("a", tmp_path, approve="auto"), ticket("b", tmp_path)]
    scenarios = {"a": HANGS, "b": says(LONG)}
    async with run_of(tmp_path, tickets, redis.url, lease=SHORT, scenarios=scenarios) as here:
        async with process(redis.url, here, tmp_path / "one") as one:
            await here.until_event("a", e.ToolRunStarted)
            command = await command_of(tmp_path / "one")
            one.kill()
            await is_gone(command)
        async with worker(redis.url, here.engine.config, "two"):
            await here.engine.wait_idle()
        assert here.engine.transcript("a").state == here.engine.transcript("b").state == "done"
        assert was_taken_up(here, "a")
        reason = here.events("a", e.TicketInterrupted)[0].reason
        assert re.fullmatch(r"worker .+-\d+ was lost", reason or "")
        assert here.engine.transcript("b").answer == LONG
        await assert_whole(here)


async def test_what_a_worker_said_before_it_was_killed_in_mid_stream_is_kept(
    redis: RedisServer, tmp_path: Path
) -> None:
    half = scenario(turn=[{"text": LONG, "cut": {"after": 200, "how": "half-open"}}])
    tickets = [ticket("a", tmp_path)]
    async with run_of(tmp_path, tickets, redis.url, lease=SHORT, scenarios={"a": half}) as here:
        async with process(redis.url, here, tmp_path / "one") as one:
            await here.until_event("a", e.TextDelta)
            one.kill()
        async with worker(redis.url, here.engine.config, "two"):
            await here.engine.wait_idle()
        assert was_taken_up(here, "a")
        assert here.engine.transcript("a").answer == LONG
        (first, *_) = here.events("a", e.TextDelta)
        assert first.text and LONG.startswith(first.text)
        await assert_whole(here)


async def test_a_stopped_worker_has_no_tools_and_changes_nothing_once_it_wakes(
    redis: RedisServer, tmp_path: Path
) -> None:
    auto = ticket("a", tmp_path, approve="auto")
    scenarios = {"a": HANGS}
    async with run_of(tmp_path, [auto], redis.url, lease=SHORT, scenarios=scenarios) as here:
        async with process(redis.url, here, tmp_path / "one") as one:
            await here.until_event("a", e.ToolRunStarted)
            command = await command_of(tmp_path / "one")
            one.send_signal(signal.SIGSTOP)
            await is_gone(command)
            async with worker(redis.url, here.engine.config, "two"):
                await here.engine.wait_idle()
            before = len(here.seen)
            one.send_signal(signal.SIGCONT)
            one.terminate()
            assert one.stderr is not None
            said = await one.stderr.read()
            assert b"was taken over by another worker" in said or b"interrupted" in said
        later = [one.event for one in here.seen[before:]]
        assert all(isinstance(event, e.LateEntries) for event in later)
        assert was_taken_up(here, "a")
        await assert_whole(here)


@pytest.mark.parametrize("ways", [("there",), ("back",), ("there", "back")], ids="+".join)
async def test_a_worker_that_is_cut_off_stops_its_tools_and_another_goes_on(
    redis: RedisServer, tmp_path: Path, ways: tuple[str, ...]
) -> None:
    auto = ticket("a", tmp_path, approve="auto")
    how = {"scenarios": {"a": HANGS}, "sandbox": SandboxPolicy(mode="none")}
    async with (
        run_of(tmp_path, [auto], redis.url, lease=SHORT, **how) as here,
        way_to(redis.url) as way,
        worker(way.url, here.engine.config, "one"),
    ):
        await here.until_event("a", e.ToolRunStarted)
        command = await command_of(tmp_path)
        way.cut(*ways)
        await is_gone(command)
        async with worker(redis.url, here.engine.config, "two"):
            await here.engine.wait_idle()
        way.mend()
        if "there" in ways:  # else all came in time
            late = await here.until_event("a", e.LateEntries)
            assert late.worker == "one"
            assert late.entries[-1]["type"] == "ticket_interrupted"
        assert was_taken_up(here, "a")
        await assert_whole(here)


@pytest.mark.parametrize("keeps", [True, False], ids=["with its log", "without"])
async def test_redis_may_die_and_lose_its_memory(tmp_path: Path, keeps: bool) -> None:
    tickets = [ticket("a", tmp_path, approve="ask"), ticket("later", tmp_path, needs=("a",))]
    scenarios = {"a": calls("run_command", {"command": "true"}, then=LONG)}
    async with (
        redis_server(keeps=keeps) as redis,
        run_of(tmp_path, tickets, redis.url, lease=10.0, scenarios=scenarios) as here,
        worker(redis.url, here.engine.config),
    ):
        question = await here.until_event("a", e.ApprovalRequested)
        await redis.kill()
        here.engine.send(c.Approve("a", question.call_id))
        await redis.start()
        await here.engine.wait_idle()
        assert here.engine.all_done
        assert here.engine.transcript("a").answer.endswith(LONG)
        await assert_whole(here)


async def test_what_is_missing_in_redis_is_sent_again(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(30.0)
        first = (e.AttemptStarted("p", "m"), e.RequestSent(1))
        rest = (e.TextDelta("42"), e.ResponseFinished(1, "end"), e.TicketDone("end"))
        await raw.say(job, happened(job, *first))
        await raw.say(job, happened(job, *rest[1:], after=job.entries[-1].seq + 3))  # a gap
        while not (asked := await raw.redis.read(p.requests_key("raw"), "0")):
            pass
        request = p.request_decoder.decode(asked[0].body)
        assert request.what == p.Resend(job.entries[-1].seq + 2)
        again = happened(job, *first, *rest)
        await raw.say(job, again)
        await raw.say(job, again)
        await raw.say(job, p.Released(again.entries[-1].seq))
        await here.engine.wait_idle()
        assert here.engine.transcript("a").answer == "42"
        await assert_whole(here)
        await raw.redis.aclose()


async def test_a_ticket_that_kills_three_workers_fails(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, lease=0.2) as here:
        for name in ("one", "two", "three"):
            raw = Raw(redis.url, name)
            job = await raw.claim(0.2)
            await raw.say(job, happened(job, e.AttemptStarted("p", "m")))
            await raw.redis.aclose()
        await here.engine.wait_idle()
        (failed,) = here.events("a", e.TicketFailed)
        assert failed.message == "3 workers were lost while they had it: one, two, three"
        await assert_whole(here)


async def test_an_offer_that_redis_lost_is_made_again(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, lease=0.4) as here:
        await here.until_event("a", e.Status)
        raw = Raw(redis.url, "raw")
        await raw.redis.join([p.tickets_key(())])
        while not await raw.redis.take([p.tickets_key(())], "raw", 60.0):
            pass
        await raw.redis.delete(p.tickets_key(()))
        await raw.redis.aclose()
        async with worker(redis.url, here.engine.config):
            await here.engine.wait_idle()
        assert here.engine.all_done
        await assert_whole(here)


async def test_what_one_worker_cannot_do_goes_to_one_that_can(
    redis: RedisServer, tmp_path: Path
) -> None:
    picky, able = Raw(redis.url, "picky"), Raw(redis.url, "able")
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        await picky.appear()
        await able.appear()
        await picky.refuse("no such model")
        job = await able.claim(30.0)
        said = happened(job, e.AttemptStarted("chat", "any"), e.TicketDone("stop"))
        await able.say(job, said)
        await able.say(job, p.Released(said.entries[-1].seq))
        await here.engine.wait_idle()
        assert here.engine.transcript("a").state == "done"
        await assert_whole(here)
        for one in (picky, able):
            await one.redis.aclose()


async def test_what_no_worker_can_do_fails_with_the_reason_of_each(
    redis: RedisServer, tmp_path: Path
) -> None:
    workers = Raw(redis.url, "one"), Raw(redis.url, "two")
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        for one in workers:
            await one.appear()
        await workers[0].refuse("no such model")
        await workers[1].refuse("no key")
        await here.engine.wait_idle()
        (failed,) = here.events("a", e.TicketFailed)
        assert failed.message == "worker one: no such model; worker two: no key"
        for one in workers:
            await one.redis.aclose()


async def test_an_offer_to_one_worker_goes_to_the_others_when_that_one_is_gone(
    redis: RedisServer, tmp_path: Path
) -> None:
    picky, gone, able = (Raw(redis.url, name) for name in ("picky", "gone", "able"))
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, lease=SHORT) as here:
        await picky.appear()
        await gone.appear()
        await picky.refuse("no such model")
        while not await gone.redis.read(p.own_tickets_key("gone"), "0"):
            pass
        here.engine.send(c.Tell("a", "be quick"))
        await gone.redis.delete(p.presence_key("gone"))
        job = await able.claim(30.0)
        note = p.request_decoder.decode(await able.next_in(p.requests_key("able")))
        assert isinstance(note.what, p.Note)
        assert b"worker picky cannot do it: no such model" in bytes(note.what.event)
        told = note
        while told.what == note.what:  # it comes until it is answered
            told = p.request_decoder.decode(await able.next_in(p.requests_key("able")))
        assert told.what == c.Tell("a", "be quick")
        assert {note.fence, told.fence} == {job.fence}
        for one in (picky, gone, able):
            await one.redis.aclose()


async def test_the_screen_says_that_redis_is_away_until_it_is_back(
    redis: RedisServer, tmp_path: Path
) -> None:
    tickets = [ticket("a", tmp_path, model="any"), ticket("b", tmp_path, model="any")]
    hangs = {"any": HANGS}
    async with run_of(tmp_path, tickets, redis.url, scenarios=hangs) as here:
        async with worker(redis.url, here.engine.config, slots=1) as said:
            await here.until(lambda: any(here.events(one, e.AttemptStarted) for one in "ab"))
            await redis.kill()
            await here.until(lambda: bool(here.engine.health.lost))
            assert redis.url in here.engine.health.lost
            assert set(here.engine.health.held_back.values()) == {redis.url}
            await redis.start()
            await here.until(lambda: not here.engine.health.lost)
            assert redis.url not in here.engine.health.held_back.values()
            await said.until(f"reached {redis.url} again")
            here.engine.send(c.CancelAll())
            await here.engine.wait_idle()
        assert any("cannot reach Redis" in line for line in said)


@pytest.mark.parametrize("behind", [0.0, 3600.0])
async def test_times_do_not_depend_on_when_the_run_reads_them(
    redis: RedisServer, tmp_path: Path, behind: float
) -> None:
    """Entries may lie in Redis for long. No ticket's time goes back, so these are ahead instead."""
    raw, client = Raw(redis.url, "one"), from_url(redis.url)
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        job = await raw.take()
        at = now() + 600.0
        done = happened(job, e.AttemptStarted("chat", "any"), e.TicketDone("stop"))
        entries = [msgspec.structs.replace(one, at=at - behind) for one in done.entries]
        said = (
            p.Claimed(),
            p.Happened(tuple(entries), at - behind),  # as the worker's clock has it
            p.Released(entries[-1].seq),
        )
        for what in said:
            record = p.encode(p.Record("one", "a", job.fence, what))
            await client.xadd(p.entries_key(job.run), {"m": record}, f"{at * 1000:.0f}-*")
        await here.engine.wait_idle()
        (ended,) = [one for one in here.seen if isinstance(one.event, e.TicketDone)]
        assert ended.at == pytest.approx(at, abs=1.0)
        await raw.redis.aclose()
        await client.aclose()


async def test_a_request_that_comes_twice_is_done_once(redis: RedisServer, tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, approve="ask")]
    scenarios = {"a": calls("run_command", {"command": "true"})}
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config, "one"):
            question = await here.until_event("a", e.ApprovalRequested)
            said = p.Request(7, here.engine.run, "a", 1, c.Tell("a", "only once"))
            redis_ = Connection(redis.url)
            for _ in range(2):
                await redis_.add(p.requests_key("one"), p.encode(said))
            await redis_.aclose()
            await here.until(lambda: len(here.events("a", e.UserMessage)) > 1)
            here.engine.send(c.Approve("a", question.call_id))
            await here.engine.wait_idle()
        assert [m.text for m in here.events("a", e.UserMessage)] == ["Do a.", "only once"]


async def test_a_cancel_and_the_end_cross_on_their_way(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(30.0)
        await here.until(lambda: True)
        events = (e.AttemptStarted("p", "m"), e.RequestSent(1), e.ResponseFinished(1, "end"))
        await raw.say(job, happened(job, *events, e.TicketDone("end")))
        here.engine.send(c.Cancel("a"))
        await raw.say(job, p.Released(job.entries[-1].seq + 4))
        await here.engine.wait_idle()
        assert here.engine.transcript("a").state in ("done", "cancelled")
        await assert_whole(here)
        await raw.redis.aclose()


async def test_the_older_side_is_named(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(30.0)
        odd = msgspec.Raw(b'{"type": "of_next_year"}')
        last = job.entries[-1].seq
        await raw.say(job, p.Happened((p.Numbered(last + 1, 1, 1e9, odd),), 1e9))
        await here.engine.wait_idle()
        (failed,) = here.events("a", e.TicketFailed)
        assert failed.message.startswith("worker raw runs a different version of lfg: ")
        newer = msgspec.structs.replace(job, protocol=p.PROTOCOL + 1, version="9.9", run="r")
        await raw.redis.add(p.tickets_key(()), p.encode(newer))
        async with worker(redis.url, here.engine.config, "one"):
            while not (told := await raw.redis.read(p.entries_key("r"), "0")):
                pass
        refused = p.record_decoder.decode(told[0].body).what
        assert isinstance(refused, p.Refused)
        assert refused.reason.endswith("the run is of a newer lfg (9.9)")
        await raw.redis.aclose()


async def test_what_is_no_message_disturbs_nobody(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        connection = Connection(redis.url)
        odd = (b"{}", b"\xff", b'{"run": 1}', b"[" * 2000)
        for stream in (p.tickets_key(()), p.requests_key("one"), p.entries_key(here.engine.run)):
            for one in odd:
                await connection.add(stream, one)
        await connection.put(p.presence_key("odd"), b"?", 60.0)
        await connection.put(p.lease_key(here.engine.run, "b"), b"{}", 60.0)
        async with worker(redis.url, here.engine.config, "one"):
            await here.engine.wait_idle()
        assert here.engine.all_done
        await connection.aclose()


async def test_a_killed_run_that_goes_on_takes_in_what_came_meanwhile(
    redis: RedisServer, tmp_path: Path
) -> None:
    raw = Raw(redis.url, "raw")
    options = ("--provider", "chat", "--model", "any", "--workers", redis.url)
    nowhere = '[providers.chat]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9"\n'
    killed = await lfg(tmp_path, nowhere, "run", "-p", "Go.", *options)
    job = await raw.claim(60.0)
    await raw.say(job, happened(job, e.AttemptStarted("p", "m"), e.RequestSent(1)))
    while await raw.redis.read(p.entries_key(job.run), "0"):
        pass  # until it is in the history
    killed.send_signal(signal.SIGSTOP)
    second = await lfg(tmp_path, nowhere, "resume", job.run, *options)  # there is one watcher
    _, refusal = await second.communicate()
    assert second.returncode == 2
    assert b"is in progress in another lfg" in refusal
    killed.kill()
    await killed.communicate()
    again = await lfg(tmp_path, nowhere, "resume", job.run)
    _, refusal = await again.communicate()
    assert again.returncode == 2
    assert b"workers have ticket" in refusal
    rest = (e.TextDelta("42"), e.ResponseFinished(1, "end"), e.TicketDone("end"))
    await raw.say(job, happened(job, *rest, after=job.entries[-1].seq + 2))
    await raw.say(job, p.Released(job.entries[-1].seq + 5))
    async with run_of(tmp_path, [job.ticket], redis.url, resumes=job.run) as here:
        await here.engine.wait_idle()
        transcript = here.engine.transcript(job.ticket.id)
        assert (transcript.state, transcript.answer) == ("done", "42")
        assert len(transcript.attempts) == 1
        await assert_whole(here)
    await raw.redis.aclose()


async def test_a_bug_in_a_worker_fails_its_ticket_and_no_other(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Jobs._open

    def open_(
        jobs: Jobs, job: p.Job, of: Ticket, until: SharedDeadline, closing: ExitStack
    ) -> Engine:
        if job.ticket.id == "bad":
            raise RuntimeError("no")
        return opened(jobs, job, of, until, closing)

    monkeypatch.setattr(Jobs, "_open", open_)
    tickets = [ticket("bad", tmp_path), ticket("good", tmp_path)]
    async with (
        run_of(tmp_path, tickets, redis.url) as here,
        worker(redis.url, here.engine.config, "one"),
    ):
        await here.engine.wait_idle()
        (failed,) = here.events("bad", e.TicketFailed)
        assert failed.message == "worker one: a bug in lfg: RuntimeError: no"
        assert here.engine.transcript("good").state == "done"
        await assert_whole(here)


async def test_a_message_to_a_ticket_whose_worker_is_lost_goes_to_the_next(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, lease=0.4) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(0.4)
        await raw.say(job, happened(job, e.AttemptStarted("p", "m"), e.RequestSent(1)))
        await here.until_event("a", e.RequestSent)
        here.engine.send(c.Tell("a", "mind this"))
        await raw.redis.aclose()
        await here.until_event("a", e.TicketInterrupted)
        async with worker(redis.url, here.engine.config):
            await here.engine.wait_idle()
        assert here.engine.transcript("a").state == "done"
        assert [m.text for m in here.events("a", e.UserMessage)].count("mind this") == 1
        assert here.events("a", e.GuardTripped) == []
        await assert_whole(here)


async def test_what_comes_after_the_ticket_was_taken_back_is_kept_and_changes_nothing(
    redis: RedisServer, tmp_path: Path
) -> None:
    auto = ticket("a", tmp_path, approve="auto")
    how = {"scenarios": {"a": HANGS}, "sandbox": SandboxPolicy(mode="none")}
    async with run_of(tmp_path, [auto], redis.url, lease=SHORT, **how) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(0.1)
        begins = happened(job, e.AttemptStarted("p", "m"), e.RequestSent(1))
        await raw.say(job, begins)
        await here.until_event("a", e.TicketInterrupted)
        late = happened(job, *map(e.TextDelta, ("Too ", "late")), after=begins.entries[-1].seq)
        async with worker(redis.url, here.engine.config):
            await here.until_event("a", e.ToolRunStarted)
            await raw.say(job, late)  # while another worker numbers the entries
            (kept,) = [await here.until_event("a", e.LateEntries)]
            here.engine.send(c.Cancel("a"))
            await here.engine.wait_idle()
        await raw.say(job, late)  # it comes twice
        last = late.entries[-1].seq
        await raw.say(job, happened(job, e.TextDelta("!"), e.TicketDone("end"), after=last))
        await here.until(lambda: len(here.events("a", e.LateEntries)) == 2)
        assert kept == e.LateEntries("raw", 1, [{"type": "text_delta", "text": "Too late"}])
        assert "late" not in here.engine.transcript("a").answer
        assert states(here, "a") == ["interrupted", "cancelled"]
        assert here.engine.transcript("a").state == "cancelled"
        said = [
            f"worker raw, attempt 1, too late to count: wrote {x}" for x in ('"Too late"', '"!"')
        ]
        assert [one for one in notes(here, "a") if "too late" in one] == said
        await assert_whole(here)
        await raw.redis.aclose()
