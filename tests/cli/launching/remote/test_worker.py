"""A ticket as a worker does it, and what doctor says of workers."""

import asyncio
from pathlib import Path

from lfgtui.cli.launching.remote.worker import examine_workers, ticket_of
from lfgtui.model.tickets import Ticket
from lfgtui.server.workers.connection import workers_at
from lfgtui.server.workers.protocol import Job
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from tests.server.workers.here import worker
from tests.server.workers.redis_server import needs_redis, redis_server


def test_a_ticket_brings_no_hole_in_the_sandbox_along(tmp_path: Path) -> None:
    secret = str(tmp_path / "home")
    ticket = Ticket(
        id="a",
        prompt="Go.",
        workspace="/etc",
        needs=("b",),
        copy_of="c",
        sandbox="none",
        readable=(secret,),
        writable=(secret,),
    )
    job = Job("20261123-000000-aaaa", ticket, 1, "Test", 15.0, is_headless=True)
    here = ticket_of(job)
    assert (here.sandbox, here.readable, here.writable) == (None, (), ())
    assert Path(here.workspace) == paths.data_dir().resolve() / "worker" / job.run / "a"
    assert (here.needs, here.copy_of, here.prompt) == ((), "", "Go.")


@needs_redis
async def test_doctor_says_who_would_work_and_what_keeps_them_away() -> None:
    async with redis_server() as redis:
        alone = await asyncio.to_thread(examine_workers, redis.url)
        answers = f"{redis.url} answers; "
        assert (alone.level, alone.message) == ("note", answers + "no worker is running")
        config = Config()
        async with (
            worker(redis.url, config, "two", labels=("gpu", "eu")),
            worker(redis.url, config, "one"),
        ):
            await there(redis.url, 2)
            found = await asyncio.to_thread(examine_workers, redis.url)
    running = "running: one (no labels), two (gpu, eu)"
    assert (found.level, found.message) == ("ok", answers + running)
    gone = await asyncio.to_thread(examine_workers, redis.url)
    assert gone.level == "fix"
    assert gone.message.startswith(f"cannot reach Redis at {redis.url}: ")


async def there(url: str, number: int) -> None:
    """Wait until as many workers are."""
    while len(await workers_at(url)) < number:
        pass
