"""A run's entries as Server-Sent Events: each once, in order, whenever one comes or comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Message

from lfgtui.history.deletion import delete
from lfgtui.model import events as e
from lfgtui.model.event_json import entry_json
from lfgtui.server.http import events
from lfgtui.server.http.app import build_app
from lfgtui.server.http.found import run_named
from lfgtui.settings.config import Config
from tests.engine.harness import Room, says, ticket
from tests.helpers.generators import abandoned
from tests.server.control.test_listening import WORDS, at_work
from tests.server.http.stand import served, stream


def stored(r: Room, after: int = 0) -> list[object]:
    return [
        json.loads(entry_json(entry)) | {"saved": True} for entry in r.seen if entry.place > after
    ]


def as_stored(entries: list[dict[str, object]]) -> list[object]:
    return [entry | {"saved": True} for entry in entries]


async def test_entries_come_as_they_are_and_the_end_behind_them(tmp_path: Path) -> None:
    async with (
        at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r,
        served() as client,
        stream(client, f"/runs/{r.engine.run}/events") as early,
    ):
        await r.engine.wait_idle()
        last = r.seen[-1].place
        await early.until(lambda: early.events and early.events[-1].id == str(last))
        assert as_stored(early.entries) == stored(r)
        assert [int(one.id) for one in early.events if one.data] == [x.place for x in r.seen]
        await r.engine.shutdown()
    async with served() as client, stream(client, f"/runs/{r.engine.run}/events") as late:
        await late.to_its_end()
        assert as_stored(late.entries) == stored(r)
        assert late.events[-1].event == "end"


async def test_who_comes_back_gets_the_rest(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r:
        await r.engine.wait_idle()
    middle, path = r.seen[len(r.seen) // 2].place, f"/runs/{r.engine.run}/events"
    async with (
        served() as client,
        stream(client, f"{path}?after={middle}") as asked,
        stream(client, f"{path}?after=0", **{"Last-Event-ID": str(middle)}) as came_back,
    ):
        for one in (asked, came_back):
            await one.to_its_end()
            assert as_stored(one.entries) == stored(r, after=middle)
        # A browser would come back for ever.
        answer = await client.get(path, headers={"Last-Event-ID": str(r.seen[-1].place)})
        assert answer.status_code == 204


async def test_only_what_is_wanted_comes_and_the_place_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.01)
    tickets = [ticket(name, tmp_path, model="says") for name in "ab"]
    async with at_work(tmp_path, *tickets, says=says("Hi.")) as r, served() as client:
        await r.engine.wait_idle()
        path = f"/runs/{r.engine.run}/events?ticket=b&type=text_delta&type=ticket_done"
        raw = ""
        async with client.stream("GET", path) as answer:
            async for text in answer.aiter_text():
                raw += text
                if f": alive\nid: {r.seen[-1].place}\n\n" in raw:
                    break
        wanted = [
            entry
            for entry in r.seen
            if entry.ticket == "b" and isinstance(entry.event, e.TextDelta | e.TicketDone)
        ]
        sent = [json.loads(one[6:]) for one in raw.splitlines() if one.startswith("data: ")]
        assert as_stored(sent) == [json.loads(entry_json(x)) | {"saved": True} for x in wanted]


async def test_a_reader_who_wants_nothing_of_a_busy_run_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.5)
    async with at_work(tmp_path) as r, served() as client:
        path = f"/runs/{r.engine.run}/events?type=ticket_done"
        async with asyncio.timeout(20), client.stream("GET", path) as answer:
            lines = answer.aiter_lines()
            heard = asyncio.ensure_future(_until_alive(lines))
            at = 0
            while not heard.done():  # frames come faster than the heartbeat
                at += 1
                r.recorder.submit(r.engine.run, "a", 1, float(at), e.Status(str(at)))
                await r.recorder.settle()
            assert int(heard.result()) > 0


async def _until_alive(lines: AsyncIterator[str]) -> str:
    """Return the id that stands in the first comment."""
    async for line in lines:
        if line == ": alive":
            return (await anext(lines)).removeprefix("id: ")
    raise AssertionError("the stream ended")


async def test_nothing_on_the_way_keeps_events_back(tmp_path: Path) -> None:
    async with (
        at_work(tmp_path) as r,
        served() as client,
        client.stream(
            "GET", f"/runs/{r.engine.run}/events", headers={"Accept-Encoding": "gzip"}
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert "no-cache" in answer.headers["cache-control"]
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("cancels", [0, 1, 2])  # it leaves, the server ends, and then its loop
async def test_all_is_closed_behind_a_reader_that_stops_in_the_middle(
    tmp_path: Path, cancels: int
) -> None:
    stalled, gone = asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if b"data:" in message.get("body", b""):
            stalled.set()
            await asyncio.Event().wait()

    async with at_work(tmp_path) as r:
        await r.until_event("a", e.TextDelta)
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/runs/{r.engine.run}/events",
            "query_string": b"",
            "headers": [],
        }
        with abandoned() as left:
            app = build_app(Config(), lambda: None)
            answering = asyncio.ensure_future(app(scope, receive, send))
            await stalled.wait()
            if not cancels:
                gone.set()
            for _ in range(cancels):
                answering.cancel()
                await asyncio.sleep(0)
            await asyncio.gather(answering, return_exceptions=True)
        assert left == []


async def test_a_run_that_is_deleted_once_it_was_found_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found_and_deleted(name: str) -> str:
        run = await run_named(name)
        assert await asyncio.to_thread(delete, r.history, [run]) == [run]
        return run

    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says("Hi.")) as r:
        await r.engine.wait_idle()
    monkeypatch.setattr(events, "run_named", found_and_deleted)
    async with served() as client:
        answer = await client.get(f"/runs/{r.engine.run}/events")
    error = {"error": f'no run "{r.engine.run}"; `lfg history` lists them'}
    assert (answer.status_code, answer.json()) == (404, error)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/runs/nope/events", 404, 'no run "nope"'),
        ("/runs/last/events?after=soon", 400, "after=soon: expected a whole number"),
        ("/runs/last/events?type=text_delt", 400, 'did you mean "text_delta"'),
    ],
)
async def test_a_bad_request_gets_one_line(
    tmp_path: Path, path: str, status: int, says: str
) -> None:
    async with at_work(tmp_path), served() as client:
        answer = await client.get(path)
        assert answer.status_code == status
        assert says in answer.json()["error"]
