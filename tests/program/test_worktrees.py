"""Three tickets with worktrees on a clone of this project: one applied, one discarded, one left."""

from pathlib import Path

from tests.helpers.sandbox import walled
from tests.program.worktree_world import ADDED, CHANGED, world


@walled
def test_one_is_applied_one_discarded_and_one_left(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        mine, status = made.mine(), made.git("status", "--porcelain", "--ignored")
        with made.start("run", str(made.tickets), "--headless", "--yes") as process:
            out, err = process.communicate()
        assert (process.returncode, "lfg diff" in out) == (0, False)
        assert made.mine() == mine
        states = made.states()
        (run,) = {one["run"] for one in states.values()}
        place = f"{run}/TICKET"
        led = f"changes of 3 tickets: lfg worktrees; lfg diff {place}, lfg apply {place}\n"
        assert err.endswith(led)
        kinds = {one["ticket"]: one["state"] for one in states.values()}
        assert kinds == {"apply": "unmerged", "discard": "dirty", "leave": "dirty"}
        assert all(one["size"] > 1_000 for one in states.values())

        applied = made.lfg("apply", f"{run}/apply").splitlines()
        assert sorted(applied) == sorted([CHANGED, ADDED, "CONTRIBUTING.md"])
        made.lfg("discard", "last/discard", "--yes")
        kept = made.lfg("worktrees", "prune", "--all")
        assert kept == ""

        now = made.mine()
        differing = {name for name in {*mine, *now} if mine.get(name) != now.get(name)}
        assert differing == {CHANGED, ADDED, "CONTRIBUTING.md"}
        assert (made.checkout / CHANGED).read_text().startswith("apply was here\n")
        new = {f" M {CHANGED}", f"?? {ADDED}", " D CONTRIBUTING.md"}
        rows = set(made.git("status", "--porcelain", "--ignored").splitlines())
        assert rows == {*status.splitlines(), *new}

        branches = made.git("branch", "--list", "lfg/*", "--format=%(refname:short)").split()
        assert branches == [f"lfg/{run}/apply", f"lfg/{run}/leave"]
        left = made.worktrees / run / "leave"
        assert (left / ADDED).read_text() == "leave\n"
        assert not (made.worktrees / run / "discard").exists()
        assert made.lfg("apply", "last/leave", code=1).splitlines()  # they conflict
        assert made.mine() == now
        made.git("add", "-A", CHANGED, ADDED, "CONTRIBUTING.md")
        made.git("commit", "-qm", "taken", CHANGED, ADDED, "CONTRIBUTING.md")
        assert made.lfg("worktrees", "prune", "--all") == f"{run}/apply\n"
        assert set(made.states()) == {f"{run}/leave"}
