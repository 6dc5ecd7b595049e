"""A run at work is reached from another process: told, answered, cancelled, given more slots."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lfgtui.cli.commands import lfg
from lfgtui.cli.launching.control_socket import listening
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.settings import paths
from tests.engine.harness import Room, calls, room, scenario, ticket

SILENT = scenario(turn=[{"text": "I begin. " * 20, "cut": {"after": 60, "how": "half-open"}}])
WRITES = calls("write_file", {"path": "x", "content": "1"})


@asynccontextmanager
async def at_work(tmp_path: Path, model: str) -> AsyncIterator[Room]:
    """A run of one ticket that can be reached."""
    scenarios = {"silent": SILENT, "writes": WRITES}
    mine = ticket("a", tmp_path, model=model)
    async with room(tmp_path, [mine], scenarios=scenarios) as r, listening(r.engine):
        yield r


async def run(*arguments: str) -> Result:
    """What the command prints; its mistakes are raised."""
    return await asyncio.to_thread(
        lambda: CliRunner().invoke(lfg, arguments, catch_exceptions=False, standalone_mode=False)
    )


async def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as error:
        await run(*arguments)
    return str(error.value)


async def test_a_message_reaches_the_agent(tmp_path: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        await run("tell", f"{r.engine.run}/a", "go on", "--stop")
        await r.until(lambda: len(r.events("a", e.RequestSent)) == 2)
        assert [m.text for m in r.events("a", e.UserMessage)] == ["Do a.", "go on"]
        await r.until(lambda: len(r.attempts("a")[-1].items) == 4)


async def test_a_call_is_approved_by_its_id_once_it_waits(tmp_path: Path) -> None:
    async with at_work(tmp_path, "writes") as r:
        await r.until_event("a", e.ApprovalRequested)
        why = await refused("approve", "last/a")
        call = why.split("--call ")[1].split()[0]
        assert "no longer waits" in await refused("approve", "last/a", "--call", "another")
        await run("approve", "last/a", "--call", call)
        await r.engine.wait_idle()
        assert (tmp_path / "x").read_text() == "1"
        assert await refused("approve", "last/a") == "a waits for no approval"


async def test_a_call_is_refused_with_a_reason_for_the_model(tmp_path: Path) -> None:
    async with at_work(tmp_path, "writes") as r:
        await r.until_event("a", e.ApprovalRequested)
        await run("deny", "last/a", "use make")
        await r.engine.wait_idle()
        assert r.events("a", e.ToolCallFinished)[0].output == "denied: use make"


async def test_a_ticket_is_cancelled_and_a_run_gets_slots(tmp_path: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        await run("concurrency", "last", "3")
        assert r.engine.health.slots == 3
        await run("cancel", "last/a")
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"


async def test_mistakes_name_what_there_is(tmp_path: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        assert await refused("tell", "last", "x") == '"last" names no ticket; write RUN/TICKET'
        assert "has no ticket" in await refused("tell", "last/b", "x")
        assert await refused("tell", "last/a", " ") == "the message is empty"
        run_id = r.engine.run
    assert await refused("tell", f"{run_id}/a", "x") == (
        f"run {run_id} is not at work; `lfg resume {run_id}` continues it"
    )


async def test_only_its_owner_reaches_it_and_only_while_it_is_at_work(tmp_path: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        path = paths.data_dir() / "control" / f"{r.engine.run}.sock"
        mode = (await asyncio.to_thread(path.stat)).st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert stat.S_IMODE((await asyncio.to_thread(path.parent.stat)).st_mode) == 0o700
    assert not await asyncio.to_thread(path.exists)


async def test_a_folder_with_a_long_name_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / ("long" * 40) / "data"))
    async with at_work(tmp_path / ("long" * 40), "silent") as r:
        await r.until_event("a", e.TextDelta)
        await run("cancel", r.engine.run)
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"
