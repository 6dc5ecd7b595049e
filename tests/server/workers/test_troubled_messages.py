"""Messages between a run and its workers that are late, lost, doubled, or make no sense."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import from_url
from redis.exceptions import ConnectionError as BrokenError

from lfgtui.cli.launching.remote.worker import Jobs
from lfgtui.engine import commands as c
from lfgtui.engine.engine import Engine
from lfgtui.model import events as e
from lfgtui.model.event_json import encode_event
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers import run_workers
from lfgtui.server.workers import worker as worker_module
from lfgtui.server.workers.connection import Connection, Received
from lfgtui.server.workers.held import Held
from lfgtui.settings.sandbox import SandboxPolicy
from tests.engine.harness import calls, says, ticket
from tests.server.workers.here import assert_whole, run_of, worker
from tests.server.workers.raw import Raw, happened
from tests.server.workers.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

BEGINS = (e.AttemptStarted("p", "m"), e.RequestSent(1))
REST = (e.TextDelta("42"), e.ResponseFinished(1, "end"), e.TicketDone("end"))
OPEN = SandboxPolicy(mode="none")


async def test_the_last_entries_are_asked_for_again_if_redis_lost_them(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, lease=2.0) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(60.0)
        said = happened(job, *BEGINS)
        await raw.say(job, said)
        last = said.entries[-1].seq
        ends = p.Lease("raw", job.fence, last + len(REST), is_over=True)
        await raw.redis.hold(job.run, "a", ends, 60.0)
        asked = p.request_decoder.decode(await raw.next_in(p.requests_key("raw")))
        assert asked.what == p.Resend(last)
        await raw.say(job, happened(job, *REST, after=last))
        await here.engine.wait_idle()
        assert here.engine.all_done
        await assert_whole(here)
        await raw.redis.aclose()


async def test_a_request_that_is_answered_before_it_was_sent_ends_nothing(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, get = Connection.add, Connection.get
    may_go_on, has_gone_on, looks = asyncio.Event(), asyncio.Event(), 0
    is_answered, has_looked = asyncio.Event(), asyncio.Event()

    async def slow(redis: Connection, stream: str, body: bytes) -> str:
        id_ = await add(redis, stream, body)
        if stream == p.requests_key("raw"):
            await may_go_on.wait()
            has_gone_on.set()
        return id_

    async def counted(redis: Connection, keys: Sequence[str]) -> list[bytes | None]:
        nonlocal looks
        looks += is_answered.is_set()
        if looks > 2:
            has_looked.set()
        return await get(redis, keys)

    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, lease=2.0) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(60.0)
        await raw.say(job, happened(job, *BEGINS))
        await here.until_event("a", e.RequestSent)
        monkeypatch.setattr(Connection, "add", slow)
        monkeypatch.setattr(Connection, "get", counted)
        here.engine.send(c.Tell("a", "first"))
        first = p.request_decoder.decode(await raw.next_in(p.requests_key("raw")))
        monkeypatch.setattr(Connection, "add", add)
        await raw.say(job, p.Answered(first.id))
        is_answered.set()
        await has_looked.wait()
        may_go_on.set()
        await has_gone_on.wait()
        await asyncio.sleep(0)  # its caller's turn
        here.engine.send(c.Tell("a", "second"))
        second = p.request_decoder.decode(await raw.next_in(p.requests_key("raw")))
        assert second.what == c.Tell("a", "second")
        await raw.redis.aclose()


async def test_an_offer_that_comes_again_to_the_same_worker_begins_nothing_anew(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "IDLE", 0.5)
    drop, is_first, came_again = Connection.drop, True, asyncio.Event()

    async def lost(redis: Connection, one: Received) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            raise BrokenError("Connection reset by peer")
        await drop(redis, one)
        came_again.set()

    monkeypatch.setattr(Connection, "drop", lost)
    ran, go = tmp_path / "ran", tmp_path / "go"
    command = f"echo x >> {ran}; until [ -e {go} ]; do sleep 0.05; done"
    scenarios = {"a": calls("run_command", {"command": command}, then="Done.")}
    auto = ticket("a", tmp_path, approve="auto")
    async with (
        run_of(tmp_path, [auto], redis.url, scenarios=scenarios, sandbox=OPEN) as here,
        worker(redis.url, here.engine.config) as said,
    ):
        await here.until_event("a", e.ToolRunStarted)
        await came_again.wait()
        await asyncio.to_thread(go.touch)
        await here.engine.wait_idle()
        assert await asyncio.to_thread(ran.read_text) == "x\n"
        assert sum("begins" in line for line in said) == 1
        await assert_whole(here)


async def test_messages_without_a_body_hold_nothing_up(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        client = from_url(redis.url)
        for stream in (p.entries_key(here.engine.run), p.requests_key("one"), p.tickets_key(())):
            for _ in range(150):
                await client.xadd(stream, {"x": b"y"})
        await client.aclose()
        async with worker(redis.url, here.engine.config, "one"):
            await here.engine.wait_idle()
        assert here.engine.all_done


@pytest.mark.parametrize(
    ("attempt", "at"), [(2**63, 1e9), (-1, 1e9), (1, 1e300)], ids=["large", "negative", "late"]
)
async def test_numbers_beyond_all_bounds_fail_their_ticket_and_no_other(
    redis: RedisServer, tmp_path: Path, attempt: int, at: float
) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    async with run_of(tmp_path, tickets, redis.url) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(60.0)
        event = msgspec.json.decode(encode_event(BEGINS[0]))
        what = {"type": "Happened", "sent": 1e9}
        what["entries"] = [[job.entries[-1].seq + 1, attempt, at, event]]
        record = {"worker": "raw", "ticket": job.ticket.id, "fence": job.fence, "what": what}
        await raw.redis.add(p.entries_key(job.run), msgspec.json.encode(record))
        async with worker(redis.url, here.engine.config, "good"):
            await here.engine.wait_idle()
        assert here.engine.health.behind is None
        (failed,) = here.events(job.ticket.id, e.TicketFailed)
        assert failed.message.startswith("worker raw: it runs a different version of lfg: ")
        (other,) = {"a", "b"} - {job.ticket.id}
        assert here.engine.transcript(other).state == "done"
        await raw.redis.aclose()


async def test_a_short_lease_is_renewed_from_the_first_ticket_on(
    redis: RedisServer, tmp_path: Path
) -> None:
    scenarios = {"a": calls("run_command", {"command": "sleep 3"}, then="Done.")}
    auto = ticket("a", tmp_path, approve="auto")
    how = {"scenarios": scenarios, "sandbox": OPEN}
    async with run_of(tmp_path, [auto], redis.url, lease=2.0, **how) as here:
        async with worker(redis.url, here.engine.config):
            await here.engine.wait_idle()
        assert [one.state for one in here.engine.transcript("a").attempts] == ["done"]


async def test_a_fault_while_a_ticket_is_opened_is_no_bug_of_it(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, open_, has_come, is_first = Connection.add, Jobs.open, asyncio.Event(), True
    obey = Held.obey

    async def broken(redis: Connection, stream: str, body: bytes) -> str:
        nonlocal is_first
        if b'"Answered"' in body and is_first:
            is_first = False
            raise BrokenError("Connection reset by peer")
        return await add(redis, stream, body)

    async def seen(held: Held, request: p.Request) -> None:
        await obey(held, request)
        has_come.set()

    @asynccontextmanager
    async def slow(jobs: Jobs, job: p.Job, deadline: SharedDeadline) -> AsyncIterator[Engine]:
        await has_come.wait()  # a fetch of its files takes as long
        async with open_(jobs, job, deadline) as engine:
            yield engine

    monkeypatch.setattr(Connection, "add", broken)
    monkeypatch.setattr(Held, "obey", seen)
    monkeypatch.setattr(Jobs, "open", slow)
    says_so = {"a": says("Hello.")}
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url, scenarios=says_so) as here:
        async with worker(redis.url, here.engine.config) as said:
            await said.until("begins")
            here.engine.send(c.Tell("a", "use tabs"))
            await here.engine.wait_idle()
        assert here.engine.all_done
        assert "use tabs" in [one.text for one in here.events("a", e.UserMessage)]
        await assert_whole(here)


async def test_a_run_whose_history_cannot_be_written_can_be_left(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_workers, "LAST_WORDS", 0.1)
    monkeypatch.setattr(run_workers, "SETTLING_PATIENCE", 0.1)
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        raw = Raw(redis.url, "raw")
        job = await raw.claim(60.0)
        await raw.say(job, happened(job, *BEGINS))
        await here.until_event("a", e.RequestSent)
        with closing(sqlite3.connect(here.history, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await raw.say(job, happened(job, e.TextDelta("42"), after=job.entries[-1].seq + 2))
            here.engine.send(c.Cancel("a"))
            await here.until(lambda: not here.engine.unfinished)
        await raw.redis.aclose()
