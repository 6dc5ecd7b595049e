"""Runs, search, exports and commands over HTTP, for a run at work and for one that is over."""

import asyncio
import json
from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.server.control import client as control
from lfgtui.server.control.address import person, socket_path
from tests.engine.harness import says, ticket
from tests.server.control.slow_run import slow
from tests.server.control.test_listening import WRITES, at_work
from tests.server.http.stand import served


async def test_runs_are_listed_with_their_tickets(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="says")
    async with at_work(tmp_path, mine, says=says("Hello there.")) as r, served() as client:
        await r.engine.wait_idle()
        (listed,) = (await client.get("/runs")).json()
        assert (listed["run"], listed["title"]) == (r.engine.run, "Test")
        for name in (r.engine.run, r.engine.run[-4:], "last"):
            found = (await client.get(f"/runs/{name}")).json()
            assert found["folder"] == str(tmp_path)
            assert [(t["id"], t["state"]) for t in found["tickets"]] == [("a", "done")]
    async with served() as client:
        (listed,) = (await client.get("/runs?limit=1")).json()
        assert (listed["at_work"], listed["waiting"]) == (False, 0)
        (hit,) = (await client.get("/search?q=hello+kind:text")).json()
        assert (hit["ticket"], hit["snippet"]) == ("a", "Hello there.")
        answer = await client.get("/runs/last/export?format=jsonl")
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert len([json.loads(line) for line in answer.text.splitlines()]) > 3
        assert "Hello there." in (await client.get("/runs/last/export?ticket=a")).text
        answer = await client.get("/runs/last/export?ticket=b")
        assert (answer.status_code, 'no ticket "b"' in answer.json()["error"]) == (404, True)


async def test_a_command_is_carried_out_or_refused_in_one_line(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with at_work(tmp_path, mine, writes=WRITES) as r, served() as client:
        asked = await r.until_event("a", e.ApprovalRequested)
        (listed,) = (await client.get("/runs")).json()
        assert (listed["at_work"], listed["waiting"]) == (True, 1)
        commands = f"/runs/{r.engine.run}/commands"
        assert [run["at_work"] for run in (await client.get("/runs")).json()] == [True]
        wrong = await client.post(commands, json={"type": "Approve", "ticket": "b", "call_id": "1"})
        assert (wrong.status_code, 'no ticket "b"' in wrong.json()["error"]) == (409, True)
        assert (await client.post(commands, json={"type": "Dance"})).status_code == 400
        approval = {"type": "Approve", "ticket": "a", "call_id": asked.call_id}
        assert (await client.post(commands, json=approval)).status_code == 200
        await r.engine.wait_idle()
        assert (tmp_path / "x").read_text() == "1"
        taken = await r.until_event("a", e.CommandTaken)
        assert taken == e.CommandTaken("approve", person(), asked.call_id)
    async with served() as client:
        over = await client.post(commands, json=approval)
        assert (over.status_code, "lfg resume" in over.json()["error"]) == (410, True)


async def test_a_command_for_a_run_at_work_that_cannot_be_reached_may_be_sent_again(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path) as r, served() as client:
        path = socket_path(r.engine.run)
        await asyncio.to_thread(path.rename, path.with_suffix(".kept"))
        answer = await client.post(f"/runs/{r.engine.run}/commands", json={"type": "CancelAll"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "is in progress, but cannot be reached" in answer.json()["error"]


async def test_a_command_without_a_reply_may_have_been_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_SECONDS", 0.1)
    async with at_work(tmp_path) as r, slow(r) as run, served() as client:
        path = f"/runs/{r.engine.run}/commands"
        answers = [await client.post(path, json={"type": "CancelAll"})]
        monkeypatch.setattr(control, "_SECONDS", 60.0)
        sending = asyncio.create_task(client.post(path, json={"type": "CancelAll"}))
        await run.joined(2)
        run.leave()
        answers.append(await sending)
        for answer in answers:
            assert (answer.status_code, "retry-after" in answer.headers) == (503, False)
            assert "the command may still take effect" in answer.json()["error"]


async def test_many_commands_that_wait_for_a_run_hold_up_nobody_else(tmp_path: Path) -> None:
    many = 40  # more than threads for other work
    async with at_work(tmp_path) as r, slow(r) as run, served() as client:
        path = f"/runs/{r.engine.run}/commands"
        sending = [
            asyncio.create_task(client.post(path, json={"type": "CancelAll"})) for _ in range(many)
        ]
        await run.joined(many)
        assert (await client.get("/runs")).status_code == 200
        assert not any(one.done() for one in sending)
        run.leave()
        await asyncio.gather(*sending)


async def test_bad_requests_get_one_line(tmp_path: Path) -> None:
    async with served() as client:
        assert (await client.get("/runs")).json() == []
        for path, status, says_what in (
            ("/runs/last", 404, "no runs yet"),
            ("/runs/x/export", 404, "no run"),
            ("/runs?limit=1e3", 400, "limit=1e3"),
            ("/runs?limit=-1", 400, "limit=-1"),
            (f"/runs?limit={'0' * 20}99999999", 400, "expected a whole number from 0 to"),
            (f"/runs?limit={'9' * 5000}", 400, "expected a whole number from 0 to"),
            ("/search", 400, "q is empty"),
            ("/nothing", 404, "Not Found"),
        ):
            answer = await client.get(path)
            assert answer.status_code == status, path
            assert says_what in answer.json()["error"]


async def test_a_command_gives_no_rule_of_approval(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with at_work(tmp_path, mine, writes=WRITES) as r, served() as client:
        asked = await r.until_event("a", e.ApprovalRequested)
        rule = {"tool": "write_file", "matches": "tool", "scope": "run"}
        approval = {"type": "Approve", "ticket": "a", "call_id": asked.call_id, "rule": rule}
        answer = await client.post(f"/runs/{r.engine.run}/commands", json=approval)
        assert answer.status_code == 200
        given = await r.until_event("a", e.ApprovalGiven)
        assert not given.grants
