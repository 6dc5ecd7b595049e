"""Runs that are started over HTTP are processes of their own."""

import asyncio
from pathlib import Path

from lfgtui.server.control.client import is_at_work
from tests.helpers.waiting import until
from tests.server.http.stand import served

TICKET = """
[[ticket]]
id = "a"
provider = "simulator"
model = "demo"
prompt = "Go."
"""


async def test_posted_tickets_run_in_their_folder(tmp_path: Path) -> None:
    async with served() as client:
        started = await client.post(f"/runs?folder={tmp_path}&trust=yes", content=TICKET)
        assert started.status_code == 201, started.text
        run = started.json()["run"]
        found = (await client.get(started.headers["location"])).json()
        assert (found["run"], found["folder"]) == (run, str(tmp_path))
        cancelled = await client.post(f"/runs/{run}/commands", json={"type": "CancelAll"})
        assert cancelled.status_code in (200, 410)
    await asyncio.to_thread(until, lambda: not is_at_work(run))


async def test_what_cannot_run_is_said(tmp_path: Path) -> None:
    async with served() as client:
        for query, content, says in (
            ("", TICKET, "expected the absolute path"),
            ("?folder=.", TICKET, "expected the absolute path"),
            (f"?folder=/{'a' * 300}", TICKET, "expected the absolute path"),
            (f"?folder={tmp_path}", "[[tickt]]", "tickt"),
        ):
            answer = await client.post(f"/runs{query}", content=content)
            assert (answer.status_code, says in answer.json()["error"]) == (400, True), answer.text
