"""200 tickets on two worker processes over a real redis-server, one of them killed on the way."""

import asyncio
import json
from pathlib import Path

import pytest

from bench.workers import LFG, simulator, start, tickets_file
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from tests.server.workers.redis_server import needs_redis, redis_server

pytestmark = [pytest.mark.acceptance, needs_redis]

NUMBER = 200


def check(history: Path) -> None:
    """Check that the history of the run is whole."""
    with Reader(history) as reader:
        (run,) = reader.runs()
        assert (run.state, run.tickets, run.done) == ("done", NUMBER, NUMBER)
        for stored in reader.tickets(run.run):
            entries = list(reader.whole_entries(run.run, stored.ticket.id))
            assert [one.seq for one in entries] == list(range(1, len(entries) + 1))
            assert not any(isinstance(one.event, e.GuardTripped) for one in entries)


async def test_two_workers_do_two_hundred_tickets_though_one_dies(tmp_path: Path) -> None:
    models, config = await simulator(tmp_path / "models")
    lease = f"{config}[workers]\nlease = 5.0\n"
    async with redis_server() as redis:
        ready = b"takes tickets"
        workers = [
            await start(tmp_path / name, *LFG, "worker", redis.url, ready=ready, config=config)
            for name in ("one", "two")
        ]
        file = await asyncio.to_thread(tickets_file, tmp_path, NUMBER)
        command = (*LFG, "run", str(file), "--json", "--workers", redis.url)
        run = await start(tmp_path / "run", *command, config=lease)
        assert run.stdout is not None
        done = 0
        async for line in run.stdout:
            if not line.startswith(b"{"):  # a remark
                continue
            done += json.loads(line)["type"] == "ticket_done"
            if done == NUMBER // 4 and workers[0].returncode is None:
                workers[0].kill()
                await workers[0].wait()
        assert (done, await run.wait()) == (NUMBER, 0)
        workers[1].terminate()
        models.terminate()
        for one in (*workers, models):
            await one.communicate()
    await asyncio.to_thread(check, tmp_path / "run" / "history.db")
