"""A run with workers, with nothing going wrong."""

import re
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.model.fold.items import NoteItem
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.server.workers.connection import Connection
from tests.engine.harness import calls, says, ticket
from tests.server.workers.here import assert_whole, run_of, worker
from tests.server.workers.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

HANGS = calls("run_command", {"command": "sleep 600"}, then="Enough.")


async def test_six_tickets_on_two_workers(redis: RedisServer, tmp_path: Path) -> None:
    tickets = [ticket(f"t{n}", tmp_path, model="any") for n in range(5)]
    tickets.append(ticket("last", tmp_path, model="any", needs=("t0", "t1")))
    scenarios = {"any": says("This is what there is to say of it.")}
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios, concurrency=1) as here:
        config = here.engine.config
        async with worker(redis.url, config, "one") as one, worker(redis.url, config, "two") as two:
            await here.engine.wait_idle()
        assert here.engine.all_done
        assert len(one) + len(two) == 12
        assert list((tmp_path / "worker" / "worker").iterdir()) == []
        (asked,) = here.events("last", e.UserMessage)
        assert asked.answers == dict.fromkeys(("t0", "t1"), "This is what there is to say of it.")
        await assert_whole(here)


async def test_two_runs_share_a_server_and_a_worker(redis: RedisServer, tmp_path: Path) -> None:
    tickets = [ticket(f"t{n}", tmp_path, model="any") for n in range(3)]
    one = run_of(tmp_path / "1", tickets, redis.url, scenarios={"any": says("One.")})
    other = run_of(tmp_path / "2", tickets, redis.url, scenarios={"any": says("Other.")})
    async with one as here, other as there, worker(redis.url, here.engine.config):
        await here.engine.wait_idle()
        await there.engine.wait_idle()
        for run in (here, there):
            assert run.engine.all_done
            await assert_whole(run)


async def test_a_person_approves_says_and_cancels_as_ever(
    redis: RedisServer, tmp_path: Path
) -> None:
    scenarios = {
        "ask": calls("run_command", {"command": "echo hello"}),
        "hang": HANGS,
    }
    tickets = [ticket("ask", tmp_path, approve="ask"), ticket("hang", tmp_path, approve="auto")]
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config):
            question = await here.until_event("ask", e.ApprovalRequested)
            here.engine.send(c.Tell("ask", "be quick"))
            here.engine.send(c.Approve("ask", question.call_id))
            finished = await here.until_event("ask", e.ToolCallFinished)
            assert "hello" in finished.output
            await here.until_event("hang", e.ToolRunStarted)
            here.engine.send(c.Cancel("hang"))
            await here.engine.wait_idle()
        said = [one.text for one in here.events("ask", e.UserMessage)]
        assert said == ["Do ask.", "be quick"]
        assert here.engine.transcript("hang").state == "cancelled"
        assert here.engine.transcript("ask").state == "done"
        await assert_whole(here)


async def test_a_rule_for_the_run_holds_on_every_worker(redis: RedisServer, tmp_path: Path) -> None:
    scenarios = {"any": calls("run_command", {"command": "echo hello"})}
    tickets = [ticket(name, tmp_path, model="any", approve="ask") for name in "abc"]
    async with run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here:
        config = here.engine.config
        async with worker(redis.url, config, "one"), worker(redis.url, config, "two"):
            question = await here.until_event("a", e.ApprovalRequested)
            await here.until_event("b", e.ApprovalRequested)
            rule = ApprovalRule("run_command", "tool", scope="run")
            here.engine.send(c.Approve("a", question.call_id, rule))
            await here.engine.wait_idle()
        assert here.engine.all_done
        for name in "bc":
            (given,) = here.events(name, e.ApprovalGiven)
            assert given.grants == rule
        await assert_whole(here)


async def test_what_nobody_has_taken_can_be_cancelled(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        status = await here.until_event("a", e.Status)
        assert status.message == f"waiting for a worker; to start one: lfg worker {redis.url}"
        here.engine.send(c.Cancel("a"))
        await here.engine.wait_idle()
        assert here.engine.transcript("a").state == "cancelled"
        here.engine.send(c.Retry("a"))
        async with worker(redis.url, here.engine.config) as said:
            await here.engine.wait_idle()
        assert here.engine.transcript("a").state == "done"
        assert len(said) == 2
        await assert_whole(here)


async def test_labels_say_who_may_take_a_ticket(redis: RedisServer, tmp_path: Path) -> None:
    tickets = [ticket("plain", tmp_path), ticket("fast", tmp_path, requires=("gpu",))]
    async with run_of(tmp_path, tickets, redis.url) as here:
        async with worker(redis.url, here.engine.config, "cpu") as cpu:
            await here.until(lambda: here.engine.transcript("plain").state == "done")
            assert here.engine.transcript("fast").state == "queued"
            hint = f"a worker with label gpu; to start one: lfg worker {redis.url} --label gpu"
            assert here.engine.health.held_back == {"fast": hint}
            async with worker(redis.url, here.engine.config, "gpu", labels=("gpu", "eu")) as gpu:
                await here.engine.wait_idle()
        assert here.engine.all_done
        assert (len(cpu), len(gpu)) == (2, 2)


async def test_a_worker_that_ends_hands_back_and_another_goes_on(
    redis: RedisServer, tmp_path: Path
) -> None:
    scenarios = {"a": HANGS}
    auto = ticket("a", tmp_path, approve="auto")
    async with run_of(tmp_path, [auto], redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config, "one"):
            await here.until_event("a", e.ToolRunStarted)
        async with worker(redis.url, here.engine.config, "two"):
            await here.engine.wait_idle()
        transcript = here.engine.transcript("a")
        assert transcript.state == "done"
        assert [one.state for one in transcript.attempts] == ["interrupted", "done"]
        assert [one.items[0] for one in transcript.attempts] == [
            NoteItem("status", "on worker one"),
            NoteItem("status", "on worker two"),
        ]
        await assert_whole(here)


async def test_a_worker_says_why_it_cannot_do_a_ticket(redis: RedisServer, tmp_path: Path) -> None:
    async with run_of(tmp_path, [ticket("a", tmp_path)], redis.url) as here:
        config = type(here.engine.config)()
        async with worker(redis.url, config):
            await here.engine.wait_idle()
        (failed,) = here.events("a", e.TicketFailed)
        assert failed.message == 'worker one: unknown provider "chat"'


async def test_a_run_that_ends_has_its_workers_end(redis: RedisServer, tmp_path: Path) -> None:
    scenarios = {"a": HANGS}
    auto = ticket("a", tmp_path, approve="auto")
    async with run_of(tmp_path, [auto], redis.url, scenarios=scenarios) as here:
        async with worker(redis.url, here.engine.config) as said:
            await here.until_event("a", e.ToolRunStarted)
            await here.engine.shutdown()
            assert here.engine.transcript("a").state == "interrupted"
        assert said[-1].endswith("/a interrupted")
        await assert_whole(here)


async def test_the_user_that_the_page_names_may_do_all_that_is_needed(
    redis: RedisServer, tmp_path: Path
) -> None:
    page = Path(__file__).parents[3] / "docs" / "workers.md"
    (user,) = re.findall(r"ACL SETUSER (.+)", page.read_text())
    url = await redis.allow(*user.split())
    connection = Connection(url)
    await connection.check()
    await connection.aclose()
    async with (
        run_of(tmp_path, [ticket("a", tmp_path)], url) as here,
        worker(url, here.engine.config),
    ):
        await here.engine.wait_idle()
        assert here.engine.all_done
        await assert_whole(here)


async def test_a_ticket_that_watches_ends_behind_those_of_workers(
    redis: RedisServer, tmp_path: Path
) -> None:
    tickets = [ticket("a", tmp_path), ticket("watcher", tmp_path, watch=True)]
    scenarios = {"watcher": says("[]")}
    async with (
        run_of(tmp_path, tickets, redis.url, scenarios=scenarios) as here,
        worker(redis.url, here.engine.config),
    ):
        await here.engine.wait_idle()
        assert here.engine.all_done


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://lfg:pa/ss@box", "Redis server at redis://box cannot be read; write / ? # @"),
        ("redis://lfg:pa#ss@box", "Redis server at redis://box cannot be read; write / ? # @"),
        ("redis://box?colour=red", 'redis://box: unknown option "colour" in the URL'),
        ("box", "box is not the URL of a Redis server: expected redis://, rediss://, unix://"),
        ("redis://box:port", "redis://box:port: the port is not a number"),
        ("redis://box/x", '"x" is not the number of a database'),
    ],
)
def test_a_url_that_cannot_be_used_is_said_without_its_password(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as raised:
        Connection(url)
    assert "pa" not in str(raised.value).replace("password", "")
