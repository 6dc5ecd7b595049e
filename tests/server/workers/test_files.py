"""Tickets with worktrees on workers: their files travel over a remote of git, and come back."""

import asyncio
from asyncio.subprocess import DEVNULL
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.workspace.diff_reading import read_changes
from tests.engine.harness import Room, calls, scenario, ticket
from tests.helpers.checkouts import Checkout, configure_person, make_checkout
from tests.server.workers.here import assert_whole, run_of, worker
from tests.server.workers.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

WRITES = calls("write_file", {"path": "new.txt", "content": "agent\n"})
RUNS = calls("run_command", {"command": "cat sub/b.txt new.txt; rm a.txt; git commit -qam gone"})


def writes(content: str) -> dict[str, object]:
    """A turn that writes to new.txt."""
    return {"call": [{"name": "write_file", "arguments": {"path": "new.txt", "content": content}}]}


HANGS = {"call": [{"name": "run_command", "arguments": {"command": "sleep 600"}}]}
DONE = {"text": "Done."}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout whose remote is a bare repository in a folder."""
    configure_person(tmp_path, monkeypatch)
    made = make_checkout(tmp_path / "project")
    made.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    made.git("remote", "add", "origin", "../remote.git")
    return made


def isolated(name: str, checkout: Checkout, **keys: object) -> Ticket:
    return ticket(name, checkout.folder, worktree=True, approve="auto", **keys)


def path_of(here: Room, name: str) -> Path:
    return paths.worktrees_dir() / here.engine.run / name


def left(checkout: Checkout) -> str:
    """What is still noted of journeys, on the remote and here."""
    remote = checkout.git("ls-remote", "origin")
    return remote + checkout.git("for-each-ref", "refs/lfg")


async def test_the_work_of_a_ticket_comes_back_into_a_worktree_here(
    redis: RedisServer, checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("a.txt", "not committed\n")
    before = checkout.everything()
    tickets = [isolated("w", checkout), isolated("then", checkout, needs=("w",))]
    scenarios = {"w": WRITES, "then": RUNS}
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config) as said:
            await here.engine.wait_idle()
        assert here.engine.all_done, [*said, *here.events("w", e.TicketFailed)]
        (ran,) = here.events("then", e.ToolCallFinished)
        assert ran.output.startswith("two\nagent\n")
        assert (path_of(here, "w") / "new.txt").read_text() == "agent\n"
        at = path_of(here, "then")
        assert checkout.git("log", "--format=%s", "-1", cwd=at) == "gone\n"
        assert checkout.git("status", "--porcelain", cwd=at) == ""
        assert checkout.git("status", "--porcelain", cwd=path_of(here, "w")) == "?? new.txt\n"
        transcript = here.engine.transcript("w")
        assert transcript.workspace == str(path_of(here, "w").resolve())
        changes = (await read_changes(transcript)).changes
        assert [file.path for file in changes.files] == ["new.txt"]
        said_of = [one.message for one in here.events("w", e.GuardTripped)]
        assert len(said_of) == 1 and "leaves out 1 uncommitted change" in said_of[0]
        await assert_whole(here)
        runs = {path.name for path in paths.worktrees_dir().iterdir()}
        assert runs == {here.engine.run}, "a worker keeps nothing"
    assert left(checkout) == ""
    kept = {name: text for name, text in checkout.everything().items() if "lfg" not in name}
    assert kept == before


async def test_another_worker_goes_on_with_the_files_of_the_first(
    redis: RedisServer, checkout: Checkout, tmp_path: Path
) -> None:
    tickets = [isolated("a", checkout)]
    scenarios = {"a": scenario(turn=[writes("agent\n"), HANGS, DONE])}
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config, "one"):
            await here.until(lambda: len(here.events("a", e.ToolRunStarted)) == 2)
        async with worker(redis.url, here.engine.config, "two"):
            await here.engine.wait_idle()
        assert here.state("a") == "done"
        assert (path_of(here, "a") / "new.txt").read_text() == "agent\n"
        await assert_whole(here)
    assert left(checkout) == ""


async def test_what_was_changed_here_meanwhile_is_not_written_over(
    redis: RedisServer, checkout: Checkout, tmp_path: Path
) -> None:
    tickets = [ticket("w", checkout.folder, worktree=True, approve="ask")]
    scenarios = {"w": calls("run_command", {"command": "echo more >> new.txt"})}
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config):
            await here.approve("w")
            await here.engine.wait_idle()
            here.engine.send(c.Tell("w", "once more"))
            await here.until(lambda: len(here.events("w", e.ApprovalRequested)) == 2)
            (path_of(here, "w") / "new.txt").write_text("mine\n")
            await here.approve("w")
            await here.engine.wait_idle()
        assert (path_of(here, "w") / "new.txt").read_text() == "mine\n"
        assert here.engine.transcript("w").workspace == str(path_of(here, "w").resolve())
        (remark,) = here.events("w", e.GuardTripped)
        branch = remark.message.split()[-1]
        assert "changed here meanwhile" in remark.message
        assert checkout.git("show", f"{branch}:new.txt") == "more\nmore\n"


async def test_without_a_remote_such_a_ticket_fails_and_says_what_to_do(
    redis: RedisServer, checkout: Checkout, tmp_path: Path
) -> None:
    checkout.git("remote", "remove", "origin")
    async with run_of(tmp_path, [isolated("a", checkout)], redis.url) as here:
        await here.engine.wait_idle()
        (failed,) = here.events("a", e.TicketFailed)
        assert 'has no remote "origin"' in failed.message
        assert "[workers] remote" in failed.message


async def test_a_remote_that_is_gone_when_the_work_is_done_loses_nothing(
    redis: RedisServer, checkout: Checkout, tmp_path: Path
) -> None:
    asks = ticket("w", checkout.folder, worktree=True, approve="ask")
    remote = tmp_path / "remote.git"
    then = isolated("then", checkout, needs=("w",))
    async with run_of(tmp_path, [asks, then], redis.url, scenarios={"w": WRITES}) as here:
        async with worker(redis.url, here.engine.config):
            question = await here.until_event("w", e.ApprovalRequested)
            remote.rename(tmp_path / "away.git")
            here.engine.send(c.Approve("w", question.call_id))
            await here.engine.wait_idle()
        assert (here.state("w"), here.state("then")) == ("failed", "blocked")
        (failed,) = here.events("w", e.TicketFailed)
        assert (failed.message, failed.retryable) == ("not all of its work is here", False)
        kept, missed = (one.message for one in here.events("w", e.GuardTripped))
        assert kept.startswith("worker one: its files could not be sent and are kept in ")
        assert missed.startswith("its files did not come back: git ls-remote, ")
        (folder,) = paths.worktrees_dir().glob("*/w")
        assert (folder / "new.txt").read_text() == "agent\n"


async def test_work_whose_end_the_remote_refuses_counts_as_failed(
    redis: RedisServer, checkout: Checkout, tmp_path: Path
) -> None:
    tickets = [
        ticket("w", checkout.folder, worktree=True, approve={"write_file": "auto"}),
        isolated("then", checkout, needs=("w",)),
    ]
    remote = tmp_path / "remote.git"
    ends = {"call": [{"name": "run_command", "arguments": {"command": "echo end >> new.txt"}}]}
    scenarios = {"w": scenario(turn=[writes("agent\n"), ends, DONE])}
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config):
            question = await here.until_event("w", e.ApprovalRequested)
            await has_been_pushed(remote, "new.txt")
            hook = remote / "hooks" / "update"
            hook.write_text("#!/bin/sh\nexit 1\n")
            hook.chmod(0o755)
            here.engine.send(c.Approve("w", question.call_id))
            await here.engine.wait_idle()
        assert (here.state("w"), here.state("then")) == ("failed", "blocked")
        kept, stays, lacks = (one.message for one in here.events("w", e.GuardTripped))
        assert kept.startswith("worker one: its files could not be sent and are kept in ")
        assert "/w/" in stays and " stays on the remote: git push, " in stays
        assert lacks == f"{path_of(here, 'w').resolve()} lacks what its worker could not send"
        assert (path_of(here, "w") / "new.txt").read_text() == "agent\n"


async def has_been_pushed(remote: Path, file: str) -> None:
    """Wait until the one reference of the bare repository has the file."""
    show = f"git show $(git for-each-ref --format='%(refname)'):{file}"
    while await (await asyncio.create_subprocess_shell(show, cwd=remote, stderr=DEVNULL)).wait():
        pass
