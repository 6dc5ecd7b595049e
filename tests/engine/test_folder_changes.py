"""What changes in the folders of tickets is recorded as events, while they work and after."""

import asyncio
from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.workspace.diff_reading import read_changes
from tests.engine.harness import calls, room, says, ticket
from tests.helpers.checkouts import git, make_repository

WRITES = calls("write_file", {"path": "new", "content": "one\ntwo\n"})
COMMANDS = calls("run_command", {"command": "rm old; echo x > new"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "repository", {"old": "one\n"})
    (made / "mine").write_text("not committed\n")
    return made


async def test_a_count_follows_what_tools_did_and_is_the_same_from_history(
    tmp_path: Path, folder: Path
) -> None:
    mine = ticket("a", folder, model="commands", approve="auto", tools=["run_command"])
    async with room(tmp_path, [mine], scenarios={"commands": COMMANDS}) as r:
        await r.engine.wait_idle()
        await r.engine.shutdown()
        assert r.events("a", e.ChangesCounted) == [e.ChangesCounted(2, 1, 1)]
        stored = await asyncio.to_thread(r.stored, "a")
    transcript = Transcript(str(folder))
    for entry in stored:
        transcript.apply(entry)
    assert transcript.changes == e.ChangesCounted(2, 1, 1)
    assert transcript.base is not None
    assert transcript.base.commit == git(folder, "rev-parse", "HEAD").strip()
    reading = await read_changes(transcript)
    assert [(one.path, one.status) for one in reading.changes.files] == [
        ("new", "added"),
        ("old", "deleted"),
    ]
    assert [hunk.rows for hunk in reading.hunks["new"]] == [("+x",)]


async def test_tickets_in_one_folder_have_one_base_and_shared_counts(
    tmp_path: Path, folder: Path
) -> None:
    both = [ticket(name, folder, model="writes", approve="auto") for name in ("a", "b")]
    both[1] = ticket("b", folder, model="writes", approve="auto", needs=("a",))
    async with room(tmp_path, both, scenarios={"writes": WRITES}) as r:
        await r.engine.wait_idle()
        await r.engine.shutdown()
        assert r.events("a", e.BaseRecorded) == r.events("b", e.BaseRecorded)
        assert e.ChangesCounted(1, 2, 0, shared=True) in r.events("b", e.ChangesCounted)


async def test_without_git_the_events_are_counted_and_nothing_is_recorded(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes", approve="auto")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:
        await r.engine.wait_idle()
        await r.engine.shutdown()
        assert r.events("a", e.BaseRecorded) == []
        assert r.events("a", e.ChangesCounted) == [e.ChangesCounted(1, 2, 0)]


async def test_what_can_write_nothing_is_not_looked_at(tmp_path: Path, folder: Path) -> None:
    mine = ticket("a", folder, model="says", tools=["read_file"])
    async with room(tmp_path, [mine], scenarios={"says": says("Hi.")}) as r:
        await r.engine.wait_idle()
        await r.engine.shutdown()
        assert r.events("a", e.BaseRecorded) == []


async def test_a_ticket_with_a_worktree_knows_both_folders_and_counts_its_own(
    tmp_path: Path, folder: Path
) -> None:
    settings = {"approve": "auto", "tools": ["run_command"], "worktree": True}
    mine = ticket("a", folder, model="commands", **settings)
    async with room(tmp_path, [mine], scenarios={"commands": COMMANDS}) as r:
        await r.engine.wait_idle()
        await r.engine.shutdown()
        home, own = r.events("a", e.BaseRecorded)
        transcript = r.engine.transcript("a")
        counted = r.events("a", e.ChangesCounted)
    assert (home.folder, own.folder) == (str(folder), transcript.workspace)
    assert transcript.base == own and counted == [e.ChangesCounted(2, 1, 1)]
    assert (await read_changes(transcript, "workspace")).changes.files == ()
    assert {one.path for one in (await read_changes(transcript)).changes.files} == {"new", "old"}
