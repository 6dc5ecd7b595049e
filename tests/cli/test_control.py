"""A run at work is reached from another process: told, answered, cancelled, given more slots."""

import asyncio
import json
import shlex
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE

import pytest
from click.testing import CliRunner, Result

from lfgtui.cli.commands import lfg
from lfgtui.cli.launching.reachable import reachable
from lfgtui.engine.commands import Add, Approve
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import HistoryTrouble
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.providers.registry import Providers
from lfgtui.server.control.client import ask
from lfgtui.settings import paths
from tests.agent.test_questions import NEVER, OPTIONS, Asking
from tests.cli.conftest import configure
from tests.engine.harness import Room, calls, room, says, scenario, ticket
from tests.helpers.checkouts import configure_person, make_checkout
from tests.helpers.terminal import LFG

pytestmark = pytest.mark.usefixtures("at_root")

CONFIG = '[providers.chat]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
ONE = """[[ticket]]
id = "b"
prompt = "Write."
"""
TWO = """[defaults]
provider = "chat"
model = "writes"
tools = ["write_file"]

[[ticket]]
id = "b"
prompt = "Write."

[[ticket]]
id = "c"
prompt = "Go."
needs = ["a", "b"]
"""
SILENT = scenario(turn=[{"text": "I begin. " * 20, "cut": {"after": 60, "how": "half-open"}}])
WRITES = calls("write_file", {"path": "x", "content": "1"})


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Asking:
    """An installed agent in every provider's place."""
    asking = Asking((*OPTIONS, NEVER), asks=2)

    async def get(providers: Providers, name: str) -> Asking:
        return asking

    monkeypatch.setattr(Providers, "get", get)
    return asking


@asynccontextmanager
async def at_work(tmp_path: Path, model: str) -> AsyncIterator[Room]:
    """A run of one ticket that can be reached."""
    scenarios = {"silent": SILENT, "writes": WRITES}
    mine = ticket("a", tmp_path, model=model)
    async with room(tmp_path, [mine], scenarios=scenarios) as r, reachable(r.engine):
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


async def test_its_owner_alone_tells_it_gives_it_slots_and_cancels_it_wherever_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 40)  # longer than the address of a socket may be
    monkeypatch.setenv("LFG_DATA_DIR", str(folder / "data"))
    async with at_work(folder, "silent") as r:
        await r.until_event("a", e.TextDelta)
        path = paths.data_dir() / "control" / f"{r.engine.run}.sock"
        modes = [(await asyncio.to_thread(one.stat)).st_mode for one in (path, path.parent)]
        assert [stat.S_IMODE(mode) for mode in modes] == [0o600, 0o700]
        await run("tell", f"{r.engine.run}/a", "go on", "--stop")
        await r.until(lambda: len(r.events("a", e.RequestSent)) == 2)
        assert [m.text for m in r.events("a", e.UserMessage)] == ["Do a.", "go on"]
        assert (await run("concurrency", "last", "3")).output == "3 tickets at a time\n"
        assert r.engine.health.slots == 3
        await run("cancel", "last/a")
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"
    assert not await asyncio.to_thread(path.exists)


async def test_a_call_is_approved_by_its_id_once_it_waits(tmp_path: Path) -> None:
    async with at_work(tmp_path, "writes") as r:
        await r.until_event("a", e.ApprovalRequested)
        why = await refused("approve", "last/a")
        call = why.split("--call ")[1].split()[0]
        assert "no longer waiting" in await refused("approve", "last/a", "--call", "another")
        await run("approve", "last/a", "--call", call)
        await r.engine.wait_idle()
        assert (tmp_path / "x").read_text() == "1"
        assert await refused("approve", "last/a") == "a is not waiting for approval"


async def test_a_run_at_work_takes_note_of_a_worktree_that_is_discarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_person(tmp_path, monkeypatch)
    checkout = await asyncio.to_thread(make_checkout, tmp_path / "project")
    mine = [
        ticket("a", checkout.folder, model="writes", worktree=True, approve="auto"),
        ticket("b", tmp_path, model="silent"),
    ]
    scenarios = {"silent": SILENT, "writes": WRITES}
    async with room(tmp_path, mine, scenarios=scenarios) as r, reachable(r.engine):
        await r.until(lambda: r.state("a") == "done")
        place = f"{r.engine.run}/a"
        assert (await run("discard", place, "--yes")).output == f"{place}\n"
        discarded = await r.until_event("a", e.WorktreeDiscarded)
        assert discarded == e.WorktreeDiscarded(f"lfg/{place}")
        assert r.engine.transcript("a").worktree is None


async def test_a_rule_cannot_be_given_from_outside(tmp_path: Path) -> None:
    async with at_work(tmp_path, "writes") as r:
        call = (await r.until_event("a", e.ApprovalRequested)).call_id
        approval = Approve("a", call, ApprovalRule("write_file", "tool"))
        await asyncio.to_thread(ask, r.engine.run, approval)
        assert await r.until_event("a", e.ApprovalGiven) == e.ApprovalGiven(call)


async def test_a_call_is_refused_with_a_reason_for_the_model(tmp_path: Path) -> None:
    async with at_work(tmp_path, "writes") as r:
        await r.until_event("a", e.ApprovalRequested)
        await run("deny", "last/a", "use make")
        await r.engine.wait_idle()
        assert r.events("a", e.ToolCallFinished)[0].output == "denied: use make"


async def test_a_copy_is_chosen_once_it_is_done(tmp_path: Path) -> None:
    scenarios = {"silent": SILENT, "says": says("Yes."), "writes": WRITES}
    mine = [
        ticket("a.1", tmp_path, model="says", copy_of="a"),
        ticket("a.2", tmp_path, model="silent", copy_of="a"),
        ticket("b", tmp_path, model="writes", needs=["a"]),
    ]
    async with room(tmp_path, mine, scenarios=scenarios) as r, reachable(r.engine):
        await r.until_event("a.1", e.TicketDone)
        assert "no copies to choose from" in await refused("choose", "last/b")
        assert "only a copy that is done" in await refused("choose", "last/a.2")
        assert "known: a.1, a.2, b" in await refused("choose", "last/a")
        await run("choose", "last/a.1")
        await r.until_event("b", e.ApprovalRequested)


async def test_an_agents_own_answer_is_given_by_its_name_or_id(
    tmp_path: Path, agent: Asking
) -> None:
    async with at_work(tmp_path, "agent") as r:
        await r.until(lambda: len(r.events("a", e.ApprovalRequested)) == 2)
        first, second = (asked.call_id for asked in r.events("a", e.ApprovalRequested))
        shown = (await asyncio.to_thread(CliRunner().invoke, lfg, ("approve", "last/a"))).output
        assert "--option always: Always allow (approves, from here on)\n" in shown
        assert "--option never: Never ask again (denies, with lfg deny, from here on)\n" in shown
        assert "--option once: Allow (approves)\n" in shown and "1 more call waiting\n" in shown
        assert f"to approve this call: --call {first} --option always" in await refused(
            "approve", "last/a", "--option", "Always allow"
        )
        assert 'it offers always ("Always allow"), once ("Allow")' in await refused(
            "approve", "last/a", "--call", first, "--option", "never"
        )
        with pytest.raises(UsageError, match="does not offer that answer"):
            await asyncio.to_thread(ask, r.engine.run, Approve("a", first, option="unknown"))
        await run("approve", "last/a", "--call", second, "--option", "Always allow")
        await r.until(lambda: r.events("a", e.ApprovalGiven))
        assert r.events("a", e.ApprovalGiven) == [
            e.ApprovalGiven(second, option="Always allow"),
        ]
        await run("deny", "last/a", "--option", "never")
        await r.engine.wait_idle()
        assert agent.answers == {"theirs0": NEVER, "theirs1": OPTIONS[0]}


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """A file of tickets to be added, in a folder of its own."""
    configure(CONFIG)
    file = tmp_path / "elsewhere" / "more.toml"
    file.parent.mkdir()
    file.write_text(TWO)
    return file


async def test_tickets_of_a_file_and_a_prompt_are_added(tmp_path: Path, more: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        await asyncio.to_thread(more.write_text, f"{TWO}[[on_end]]\nwebhook = 'http://h'\n")
        added = await run("add", "last", str(more))
        assert added.stderr == "ignoring on_end: the run has already started\n"
        assert added.stdout.split() == [f"{r.engine.run}/{name}" for name in "bc"]
        stored = json.loads((await run("show", "last", "--json")).output)["tickets"]
        assert [one["ticket"] for one in stored] == ["a", "b", "c"]
        await r.until_event("b", e.ApprovalRequested)
        assert r.engine.tickets[1].workspace == str(more.parent)
        added = await run("add", "last", "-p", "One more.")
        assert added.output == f"{r.engine.run}/prompt\n"
        assert (r.engine.tickets[-1].model, r.engine.tickets[-1].tools) == (
            "writes",
            ("write_file",),
        )
        await r.until_event("prompt", e.ApprovalRequested)
        r.recorder.on_behind(HistoryTrouble("the disk is full"))
        added = await run("add", "last", "-p", "And more.")
        assert (added.return_value, added.stdout) == (1, "")
        assert "added prompt-2, but not saved yet: the disk is full" in added.stderr


async def test_tickets_that_a_program_prints_are_added(tmp_path: Path, more: Path) -> None:
    line = '{"id": "b", "prompt": "Go.", "model": "chat/writes", "needs": ["a"]}'
    async with at_work(tmp_path, "silent") as r:
        command = f"echo '{line}' | {shlex.join([*LFG, 'add', r.engine.run, '-'])}"
        await r.until_event("a", e.TextDelta)
        adding = await asyncio.create_subprocess_exec(
            *("sh", "-c", command), stdout=PIPE, cwd=more.parent
        )
        added, _ = await adding.communicate()
        assert added.decode() == f"{r.engine.run}/b\n"
        assert r.engine.tickets[1].workspace == str(more.parent)


WRONG: list[tuple[str, str, tuple[str, ...]]] = [
    ("id = ", ":1: ", ()),
    ("title = 'T'\n", "no [[ticket]]", ()),
    (ONE.replace('"b"', '"a"'), ':2: the run already has a ticket "a"', ()),
    (ONE.replace('"b"', '"x"') + "copies = 2\n" + ONE.replace('"b"', '"x.1"'), "is taken", ()),
    (ONE + 'needs = ["x"]\n', ':4: "b" needs "x", which is not a ticket', ()),
    (ONE + 'provider = "chatt"\n', ':4: unknown provider "chatt"', ()),
    (ONE, ':1: ticket "b" has no model', ()),
    (ONE + 'approve = "auto"\n', "add --yes", ("--model", "chat/m")),
    (ONE + "max_cost = 1\n", 'provider "chat" has no price', ("--model", "chat/m")),
    (ONE, "give RUN and either", ("-p", "x")),
]


async def test_tickets_that_cannot_be_added_change_nothing(tmp_path: Path, more: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        for text, message, options in WRONG:
            await asyncio.to_thread(more.write_text, text)
            assert message in await refused("add", "last", str(more), *options)
        assert [one.id for one in r.engine.tickets] == ["a"]


async def test_the_run_itself_refuses_what_changed_since_the_file_was_checked(
    tmp_path: Path,
) -> None:
    b, c, d = (
        ticket(name, tmp_path, needs=needs)
        for name, needs in (("b", ["c"]), ("c", ["b"]), ("d", ["x"]))
    )
    mistakes = {"already": [ticket("a", tmp_path)], "circular": [b, c], '"x", which': [d]}
    mistakes["two of the tickets have the id"] = [ticket("e", tmp_path)] * 2
    mistakes["only letters"] = [ticket("e\x1b/f", tmp_path)]
    async with at_work(tmp_path, "silent") as r:
        for message, tickets in mistakes.items():
            with pytest.raises(UsageError, match=message):
                await asyncio.to_thread(ask, r.engine.run, Add(tuple(tickets)))
        assert [one.id for one in r.engine.tickets] == ["a"]


async def test_mistakes_name_what_there_is(tmp_path: Path) -> None:
    async with at_work(tmp_path, "silent") as r:
        await r.until_event("a", e.TextDelta)
        assert await refused("tell", "last", "x") == 'invalid ticket "last": expected RUN/TICKET'
        assert "has no ticket" in await refused("tell", "last/b", "x")
        assert await refused("tell", "last/a", " ") == "the message is empty"
        assert await refused("add", "last", "-p", " ") == "-p: the prompt is empty"
        assert "require a tickets file" in await refused("add", "last", "-p", "x", "--yes")
        assert await refused("add", "no-such", "-p", "x") == (
            'no run "no-such"; `lfg history` lists them'
        )
        run_id = r.engine.run
        await run("cancel", run_id)
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"
        await r.engine.shutdown()
        for command in (("tell", "last/a", "x"), ("add", "last", "-p", "x")):
            assert await refused(*command) == (
                f"run {run_id} is ending; to continue: lfg resume {run_id}"
            )
    for command in (("tell", f"{run_id}/a", "x"), ("add", run_id, "-p", "x")):
        assert await refused(*command) == (
            f"run {run_id} is not in progress; to continue: lfg resume {run_id}"
        )
