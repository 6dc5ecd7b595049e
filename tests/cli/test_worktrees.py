"""`lfg worktrees`, `apply` and `discard`, where it is not a matter of git."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.workspace.worktrees import Worktree, open_worktree
from tests.cli.conftest import LIFE, Lfg, store
from tests.helpers.checkouts import Checkout, configure_person, make_checkout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    configure_person(tmp_path, monkeypatch)
    made = make_checkout(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made


def opened(checkout: Checkout, events: list[e.Event]) -> Worktree:
    run = store("t", [Ticket(id="a", prompt="p", workspace=str(checkout.folder))], events)
    root = paths.worktrees_dir()
    return asyncio.run(open_worktree(root, run, "a", checkout.folder))


def test_without_worktrees_the_list_says_how_to_have_one(lfg: Lfg) -> None:
    assert lfg("worktrees") == (
        0,
        "",
        "no worktrees; a ticket with worktree = true gets one\n",
    )
    assert lfg("worktrees", "--json").json == []


def test_the_list_has_state_size_and_branch(lfg: Lfg, checkout: Checkout) -> None:
    made = opened(checkout, LIFE)
    (made.path / "a.txt").write_text("work\n")
    code, out, err = lfg("worktrees")
    assert (code, err) == (0, "")
    assert out.split()[:3] == [f"{checkout.folder}:", f"{made.run}/a", "dirty"]
    assert out.split()[-1] == made.branch
    (one,) = json.loads(lfg("worktrees", "--json").out)
    assert one["path"] == str(made.path) and one["size"] > 0 and one["fault"] is None


def test_what_does_not_apply_is_listed_and_the_code_says_so(lfg: Lfg, checkout: Checkout) -> None:
    made = opened(checkout, LIFE)
    (made.path / "a.txt").write_text("work\n")
    checkout.write("a.txt", "mine\n")
    code, out, err = lfg("apply", "last/a")
    assert (code, out) == (1, "a.txt\n")
    dirty = "uncommitted changes of yours in the same files (commit or stash them)"
    assert err == f"lfg: nothing was changed: {dirty}:\n"


def test_discarding_asks_and_says_what_would_be_lost(
    lfg: Lfg, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opened(checkout, LIFE)
    (made.path / "a.txt").write_text("work\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    asked = f"Delete {made.path} and branch {made.branch}, although it has uncommitted changes?"
    code, out, err = lfg("discard", "last/a")
    assert (code, f"{made.run}/a\n" in out, asked in err) == (0, True, True)
    assert lfg("discard", "last/a", "--yes").err == (
        f"lfg: {made.run}/a has no worktree; `lfg worktrees` lists them\n"
    )
    with Reader(paths.history_file()) as reader:
        *_, noted = reader.entries(made.run, "a")
    assert noted.event == e.WorktreeDiscarded(made.branch)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("n\n", "nothing was deleted\n"), ("", "deleted; without a terminal add --yes\n")],
)
def test_a_no_is_confirmed(
    lfg: Lfg, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, typed: str, said: str
) -> None:
    made = opened(checkout, LIFE)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    refused = lfg("discard", "last/a")
    assert refused.code == 1 and refused.err.endswith(said)
    assert made.path.exists()


def test_a_ticket_at_work_is_not_discarded_and_nothing_of_its_run_pruned(
    lfg: Lfg, checkout: Checkout
) -> None:
    with Recorder(paths.history_file()) as recorder:
        ticket = Ticket(id="a", prompt="p", workspace=str(checkout.folder))
        run = recorder.start_run("t", [ticket], None)
        recorder.submit(run, "a", 1, 0.0, e.TicketQueued())
        recorder.flush().result(30)
        root = paths.worktrees_dir()
        made = asyncio.run(open_worktree(root, run, "a", checkout.folder))
        refused = lfg("discard", f"{run}/a", "--yes")
        assert refused.code == 2 and "is still running; cancel it first: lfg cancel" in refused.err
        pruned = lfg("worktrees", "prune")
        assert pruned.out == "" and f"kept {run}/a: its run is in progress" in pruned.err
        assert made.path.exists()
    assert lfg("worktrees", "prune", "--dry-run").out == f"{run}/a\n"
    assert lfg("worktrees", "prune").out == f"{run}/a\n"
    assert not made.path.exists()


def test_files_that_git_ignores_are_counted_and_kept(
    lfg: Lfg, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opened(checkout, LIFE)
    (Path(made.common) / "info" / "exclude").write_text("out\n")
    (made.path / "out").write_text("work\n")
    name, has = f"{made.run}/a", "it has 1 git-ignored file made by the agent"
    assert lfg("worktrees").err == f"{name}: {has}\n"
    assert f"kept {name}: {has}\n" in lfg("worktrees", "prune").err
    (made.path / "a.txt").write_text("work\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert f", although it has uncommitted changes and {has}?" in lfg("discard", "last/a").err


def test_only_this_repository_is_pruned_unless_all_are(
    lfg: Lfg, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, mine = opened(make_checkout(tmp_path / "other"), LIFE), opened(checkout, LIFE)
    assert lfg("worktrees", "prune").out == f"{mine.run}/a\n"
    monkeypatch.chdir(tmp_path)
    refused = lfg("worktrees", "prune")
    assert refused.code == 2 and "--all prunes the worktrees of all repositories" in refused.err
    assert lfg("worktrees", "prune", "--all").out == f"{other.run}/a\n"


def test_a_run_that_the_history_no_longer_has_is_found_by_its_worktree(
    lfg: Lfg, checkout: Checkout
) -> None:
    made = opened(checkout, LIFE)
    lfg("history", "delete", made.run, "--yes")
    assert lfg("discard", f"{made.run[:-1]}/a", "--yes").out == f"{made.run}/a\n"


def test_the_last_run_is_that_of_this_repository(
    lfg: Lfg, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = opened(make_checkout(tmp_path / "other"), LIFE)
    (other.path / "a.txt").write_text("work\n")
    deep = checkout.folder / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    mine = opened(checkout, LIFE)
    opened(make_checkout(tmp_path / "third"), LIFE)
    assert lfg("discard", "last/a", "--yes").out == f"{mine.run}/a\n"
    assert other.path.exists()


@pytest.mark.parametrize("place", ["last", "nowhere/a"])
def test_a_place_that_is_none_is_refused(lfg: Lfg, place: str) -> None:
    assert lfg("apply", place).code == 2
