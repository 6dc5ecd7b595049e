"""What stands on the terminal once a run is over."""

from pathlib import Path

import pytest

from lfgtui.cli.launching.next_step import print_outcome, print_worktrees
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import LIFE, store
from tests.ui.fake_live import FakeLive

OPENED = e.WorktreeOpened("/w/a", "lfg/r/a", "0" * 40)


def ended(live: FakeLive, ticket: str, *events: e.Event) -> None:
    live.happen(ticket, *LIFE[:4], *events, *LIFE[4:])


def test_changes_in_worktrees_are_led_to_by_the_runs_id(capsys: pytest.CaptureFixture[str]) -> None:
    live = FakeLive("a", "b", "c", "d")
    for name in "abc":
        ended(live, name, OPENED, e.ChangesCounted(2, 5, 0))
    ended(live, "d", e.ChangesCounted(2, 5, 0))  # in the person's own folder
    print_worktrees(live)
    out, err = capsys.readouterr()
    place = f"{live.run}/TICKET"
    assert out == ""
    assert err == f"changes of 3 tickets: lfg worktrees; lfg diff {place}, lfg apply {place}\n"


def test_of_one_ticket_it_is_named_and_without_changes_nothing_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    live = FakeLive("a", "b", "c")
    ended(live, "a", OPENED)
    ended(live, "b", OPENED, e.ChangesCounted(1, 1, 0), e.ChangesCounted(0, 0, 0))
    print_worktrees(live)
    assert capsys.readouterr().err == ""
    ended(live, "c", OPENED, e.ChangesCounted(2, 5, 0))
    print_worktrees(live)
    place = f"{live.run}/c"
    assert capsys.readouterr().err == f"changes of c: lfg diff {place}, lfg apply {place}\n"
    live.happen("c", e.WorktreeDiscarded("lfg/r/c"))
    print_worktrees(live)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("folder", ["here", "there"])
def test_a_run_is_called_last_where_that_means_it(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    live = FakeLive("a", "b")
    ended(live, "a")
    live.run = store("A run", [Ticket(id="a", prompt="p", workspace=str(tmp_path / folder))], LIFE)
    print_outcome(live)
    name = "last" if folder == "here" else live.run
    said = f"run {live.run}: 1 done, 1 queued · lfg show {name}, lfg resume {name}\n"
    assert capsys.readouterr().err == said
    print_outcome(live, "box")
    there = (
        f"run {live.run}: 1 done, 1 queued · on box: lfg show {live.run}, lfg resume {live.run}\n"
    )
    assert capsys.readouterr().err == there
