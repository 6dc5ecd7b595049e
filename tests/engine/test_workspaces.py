"""Tickets with worktrees: each works in its own, which is found again, set up once, and told of."""

import asyncio
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket, side_by_side
from lfgtui.settings import paths
from lfgtui.workspace.worktrees import discard_worktree, find_worktree
from tests.acp.scripts import scripted
from tests.engine.acp import working
from tests.engine.harness import Room, calls, finished, room, says, ticket
from tests.helpers.checkouts import Checkout, configure_person, make_checkout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    configure_person(tmp_path, monkeypatch)
    return make_checkout(tmp_path / "project")


def isolated(name: str, checkout: Checkout, **keys: object) -> Ticket:
    return ticket(name, checkout.folder, worktree=True, approve="auto", **keys)


def path_of(made: Room, name: str) -> Path:
    return paths.worktrees_dir() / made.engine.run / name


WRITES = calls("write_file", {"path": "a.txt", "content": "agent\n"})


async def test_a_ticket_works_in_a_worktree_of_its_own(checkout: Checkout, tmp_path: Path) -> None:
    runs = calls("run_command", {"command": "pwd; git branch --show-current; echo x > new.txt"})
    tickets = [isolated("w", checkout), isolated("r", checkout)]
    async with room(tmp_path, tickets, scenarios={"w": WRITES, "r": runs}) as made:
        await made.engine.wait_idle()
        (opened,) = made.events("r", e.WorktreeOpened)
        assert opened.path == str(path_of(made, "r"))
        assert opened.branch == f"lfg/{made.engine.run}/r" and opened.base
        (finished,) = made.events("r", e.ToolCallFinished)
        assert finished.output.startswith(f"{opened.path}\n{opened.branch}\n")
        assert made.engine.transcript("w").workspace == str(path_of(made, "w"))
        assert not made.events("w", e.ConflictDetected)
    assert (path_of(made, "w") / "a.txt").read_text() == "agent\n"
    assert (path_of(made, "r") / "new.txt").exists()
    assert checkout.git("status", "--porcelain") == ""


async def test_copies_have_one_each_and_share_nothing(checkout: Checkout, tmp_path: Path) -> None:
    copies = side_by_side([isolated("w", checkout)] * 3)
    async with finished(tmp_path, copies, scenarios={"w": WRITES}) as made:
        paths = {made.events(one.id, e.WorktreeOpened)[0].path for one in copies}
        assert len(paths) == 3
        assert not any(made.events(one.id, e.GuardTripped) for one in copies)


async def test_what_is_not_committed_stays_behind_and_that_is_said(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("a.txt", "mine\n")
    checkout.write("new.txt", "mine\n")
    before = checkout.everything()
    async with finished(tmp_path, [isolated("w", checkout)], scenarios={"w": says("Hi")}) as made:
        (remark,) = made.events("w", e.GuardTripped)
        head = checkout.git("rev-parse", "--short=7", "HEAD").strip()
        assert remark.guard == "worktree" and remark.message == (
            f"starts from the last commit ({head}); leaves out 2 uncommitted changes"
            f" in {checkout.folder}"
        )
        assert (path_of(made, "w") / "a.txt").read_text() == "one\nmore\n"
    assert checkout.everything() == before


async def test_setup_runs_once_before_the_first_request_and_is_shown(
    checkout: Checkout, tmp_path: Path
) -> None:
    setup = "echo building; echo built >> built.log; pwd"
    tickets = [isolated("w", checkout, setup=setup)]
    async with finished(tmp_path, tickets, scenarios={"w": says("Hi")}) as made:
        kinds = [type(event) for event in made.events("w")]
        assert kinds.index(e.ToolCallFinished) < kinds.index(e.RequestSent)
        (call,) = made.attempts("w")[0].tools
        assert (call.name, call.given) == ("setup", {"command": setup})
        assert call.output.startswith(f"building\n{path_of(made, 'w')}\n")
        assert "building" in str(call.live)
        messages = made.engine.transcript("w").conversation.messages
        assert [type(message).__name__ for message in messages] == ["UserTurn", "ModelTurn"]
        made.engine.send(c.Retry("w"))
        await made.until(lambda: len(made.attempts("w")) == 2)
        await made.engine.wait_idle()
        assert len(made.events("w", e.SetupStarted)) == 1 == len(made.events("w", e.WorktreeOpened))
    built = path_of(made, "w") / "built.log"
    assert built.read_text() == "built\n"
    opened = await asyncio.to_thread(find_worktree, paths.worktrees_dir(), made.engine.run, "w")
    assert opened and opened.record.stat().st_mtime_ns >= built.stat().st_mtime_ns


async def test_a_setup_that_fails_fails_the_ticket_in_one_line_and_a_retry_runs_it_again(
    checkout: Checkout, tmp_path: Path
) -> None:
    setup = "test -e ready || { touch ready; echo no such thing; exit 3; }"
    tickets = [isolated("w", checkout, setup=setup)]
    async with finished(tmp_path, tickets, scenarios={"w": says("Hi")}) as made:
        (failed,) = made.events("w", e.TicketFailed)
        assert failed.message == "setup failed: exit code 3: no such thing"
        assert not made.events("w", e.RequestSent)
        made.engine.send(c.Retry("w"))
        await made.until_event("w", e.TicketDone)


async def test_a_folder_that_is_no_repository_fails_its_ticket_alone(
    checkout: Checkout, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    tickets = [ticket("p", plain, worktree=True), isolated("w", checkout)]
    scenarios = {"p": says("Hi"), "w": says("Hi")}
    async with finished(tmp_path, tickets, scenarios=scenarios) as made:
        (failed,) = made.events("p", e.TicketFailed)
        assert failed.message == f"{plain}: not a git repository"
        assert failed.kind == "invalid_request"  # a mistake of the file's, not one of lfg
        assert made.state("w") == "done"


async def test_a_ticket_begins_with_the_work_of_those_it_needs(
    checkout: Checkout, tmp_path: Path
) -> None:
    other = calls("write_file", {"path": "sub/b.txt", "content": "other\n"})
    tickets = [
        isolated("w", checkout),
        isolated("o", checkout),
        isolated("n", checkout, needs=("w", "o")),
    ]
    scenarios = {"w": WRITES, "o": other, "n": says("Hi")}
    async with finished(tmp_path, tickets, scenarios=scenarios) as made:
        assert (path_of(made, "n") / "a.txt").read_text() == "agent\n"
        assert (path_of(made, "n") / "sub" / "b.txt").read_text() == "other\n"
        assert checkout.git("status", "--porcelain", cwd=path_of(made, "n")) == ""
        assert not made.events("n", e.GuardTripped)


async def test_work_of_two_that_conflicts_is_taken_of_the_first(
    checkout: Checkout, tmp_path: Path
) -> None:
    other = calls("write_file", {"path": "a.txt", "content": "other\n"})
    tickets = [
        isolated("w", checkout),
        isolated("o", checkout),
        isolated("n", checkout, needs=("w", "o")),
    ]
    scenarios = {"w": WRITES, "o": other, "n": says("Hi")}
    async with finished(tmp_path, tickets, scenarios=scenarios) as made:
        assert (path_of(made, "n") / "a.txt").read_text() == "agent\n"
        (remark,) = made.events("n", e.GuardTripped)
        assert remark.message.startswith("starts without the work of o, which conflicts with")


async def test_a_resume_finds_the_same_worktree_as_it_was_left(
    checkout: Checkout, tmp_path: Path
) -> None:
    tickets = [isolated("w", checkout, setup="echo x >> set-up.log")]
    async with room(tmp_path, tickets, scenarios={"w": says("Hi")}, concurrency=1) as made:
        made.engine.send(c.Pause("w"))
        await made.until_event("w", e.Paused)
    run = made.engine.run
    path = path_of(made, "w")
    scenarios = {"w": WRITES}
    async with finished(tmp_path, tickets, scenarios=scenarios, resumes=run) as again:
        assert again.state("w") == "done"
        assert again.engine.transcript("w").workspace == str(path)
    assert (path / "a.txt").read_text() == "agent\n"
    assert (path / "set-up.log").read_text() == "x\n"


async def test_one_that_was_discarded_is_made_and_set_up_anew(
    checkout: Checkout, tmp_path: Path
) -> None:
    tickets = [isolated("w", checkout, setup="touch ready")]
    async with finished(tmp_path, tickets, scenarios={"w": says("Hi")}) as made:
        root = paths.worktrees_dir()
        known = await asyncio.to_thread(find_worktree, root, made.engine.run, "w")
        assert known is not None
        await discard_worktree(known)
        made.engine.send(c.Retry("w"))
        await made.until(lambda: len(made.events("w", e.TicketDone)) == 2)
        assert len(made.events("w", e.SetupStarted)) == 2 == len(made.events("w", e.WorktreeOpened))


async def test_a_worktree_that_an_imported_run_names_is_not_entered(
    checkout: Checkout, tmp_path: Path
) -> None:
    """Events of a run that came from elsewhere may name any folder."""
    tickets = [isolated("w", checkout)]
    async with room(tmp_path, tickets, scenarios={"w": WRITES}) as made:
        made.engine.send(c.Pause("w"))
        await made.until_event("w", e.Paused)
        foreign = e.WorktreeOpened(str(tmp_path), "main", "0" * 40)
        made.recorder.submit(made.engine.run, "w", 1, 0.0, foreign)
        await made.engine.settle()
    run = made.engine.run
    async with finished(tmp_path, tickets, scenarios={"w": WRITES}, resumes=run) as again:
        assert again.engine.transcript("w").workspace == str(path_of(again, "w"))
    assert not (tmp_path / "a.txt").exists()


async def test_an_installed_agent_works_in_the_worktree(checkout: Checkout, tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "Hi."}]])
    tickets = [isolated("a", checkout, provider="mine", model="")]
    async with working(tmp_path, agent, tickets) as made:
        await made.engine.wait_idle()
        assert made.state("a") == "done"
        (session,) = agent.received("session/new")
        (started,) = agent.log("started")
        assert session["cwd"] == str(path_of(made, "a"))
        assert started


async def test_what_changed_in_a_worktree_is_counted_against_where_it_began(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("a.txt", "mine\n")
    async with room(tmp_path, [isolated("w", checkout)], scenarios={"w": WRITES}) as made:
        counted = await made.until_event("w", e.ChangesCounted)
        assert counted == e.ChangesCounted(1, 1, 2)
