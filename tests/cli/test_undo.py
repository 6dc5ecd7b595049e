"""`lfg undo`: what a killed run changed is restored from another folder, after a question."""

import asyncio
import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lfgtui.history import deletion
from lfgtui.settings import paths
from lfgtui.workspace.kept import KeptFiles
from tests.cli.conftest import Lfg
from tests.engine.harness import room, scenario, ticket
from tests.helpers.checkouts import configure_person, make_checkout

KILLED = """
import asyncio, os, sys
from pathlib import Path
from tests.engine.harness import calls, room, ticket
from lfgtui.model import events as e

async def main(folder):
    writes = calls("write_file", {"path": "x", "content": "new"})
    one = ticket("a", folder / "workspace", model="writes", approve="auto")
    async with room(folder, [one], scenarios={"writes": writes}) as r:
        await r.until_event("a", e.ToolCallFinished)
        os.kill(os.getpid(), 9)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, while the person is elsewhere."""
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "x").write_text("old")
    (folder / "x").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    return folder


async def run(tmp_path: Path, workspace: Path, **keys: object) -> str:
    """Run a ticket that changes two files; return the run."""
    made = [
        {"name": "write_file", "arguments": {"path": "x", "content": "new"}},
        {"name": "write_file", "arguments": {"path": "deep/y", "content": "1"}},
    ]
    writes = scenario(turn=[{"call": made}, {"text": "Done."}])
    one = ticket("a", workspace, model="writes", approve="auto", **keys)
    async with room(tmp_path, [one], scenarios={"writes": writes}) as r:
        await r.engine.wait_idle()
        return r.engine.run


def test_undo_shows_asks_restores_and_can_be_undone(
    lfg: Lfg, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = asyncio.run(run(tmp_path, workspace))
    wanted = f"restore {workspace}/x\nremove {workspace}/deep/y\n"
    assert lfg("undo", id_, "--dry-run") == (0, wanted, "")
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO())
        refused = lfg("undo", "last/a")
        assert refused.code == 1
        assert refused.err.endswith("nothing was changed; without a terminal add --yes\n")
    assert (workspace / "x").read_text() == "new"
    assert lfg("undo", "last/a", "--yes") == (0, wanted, "")
    assert (workspace / "x").read_text() == "old"
    assert (workspace / "x").stat().st_mode & 0o777 == 0o600
    assert not (workspace / "deep" / "y").exists()
    assert "nothing to undo" in lfg("undo", "last/a", "--yes").err
    assert lfg("undo", "last/a", "--redo", "--yes").code == 0
    assert (workspace / "deep" / "y").read_text() == "1"


def test_of_a_worktree_the_checkout_is_not_undone_and_that_is_said(
    lfg: Lfg, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_person(tmp_path, monkeypatch)
    checkout = make_checkout(tmp_path / "project")
    id_ = asyncio.run(run(tmp_path, checkout.folder, worktree=True))
    assert lfg("apply", f"{id_}/a").code == 0
    undone = lfg("undo", id_, "--yes")
    assert undone.code == 0
    assert undone.err == "your checkout is not touched; what `lfg apply` brought there stays\n"
    assert (checkout.folder / "x").read_text() == "new"


def test_files_are_named_as_they_are_seen(lfg: Lfg, tmp_path: Path, workspace: Path) -> None:
    asyncio.run(run(tmp_path, workspace))
    for name in ("deep", "deep/y", "workspace/deep", str(workspace / "deep" / "y")):
        printed = lfg("undo", "last/a", name, "--dry-run")
        assert printed.out == f"remove {workspace}/deep/y\n"
    refused = lfg("undo", "last/a", "dep/y", "--dry-run")
    assert refused.code == 2
    assert 'did not change "dep/y" with its tools; did you mean "deep/y"?' in refused.err


def test_what_was_changed_since_is_left_with_an_exit_code(
    lfg: Lfg, tmp_path: Path, workspace: Path
) -> None:
    asyncio.run(run(tmp_path, workspace))
    (workspace / "x").write_text("mine")
    printed = lfg("undo", "last/a", "--yes")
    assert printed.code == 1
    assert f"leave {workspace}/x (changed since, by no tool of lfg)\n" in printed.out
    assert (workspace / "x").read_text() == "mine"
    assert not (workspace / "deep" / "y").exists()


def test_after_a_kill_all_is_restored(lfg: Lfg, tmp_path: Path, workspace: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (workspace / "x").read_text() == "new"
    assert lfg("undo", "last/a", "--yes").code == 0
    assert (workspace / "x").read_text() == "old"


def test_a_run_takes_its_kept_files_along(tmp_path: Path, workspace: Path) -> None:
    id_ = asyncio.run(run(tmp_path, workspace))
    store = KeptFiles.beside(paths.history_file())
    assert store.size == 3
    assert b"old" not in paths.history_file().read_bytes()
    deletion.delete(paths.history_file(), [id_])
    assert (store.size, store.changes(id_)) == (0, [])
