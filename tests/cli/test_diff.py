"""`lfg diff`: of a ticket, of a run, on a terminal and in a pipe."""

import asyncio
import os
from functools import partial
from pathlib import Path
from shutil import rmtree

import pytest

from lfgtui.cli.commands import main
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import Lfg, store
from tests.engine.harness import room, scenario, ticket
from tests.helpers.checkouts import git, make_repository
from tests.helpers.terminal import fork_in_terminal

HEAD = [e.TicketQueued()]
WORK = [e.AttemptStarted("simulator", "m"), e.UserMessage("Go."), e.RequestSent(1)]
EDIT = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository", {"a.txt": "one\ntwo\n"})


@pytest.fixture
def run(folder: Path) -> str:
    tree = git(folder, "rev-parse", "HEAD^{tree}").strip()
    base = e.BaseRecorded(str(folder), tree, git(folder, "rev-parse", "HEAD").strip())
    life = [*HEAD, base, *WORK, e.TicketCancelled()]
    run = store("Hi", [Ticket(id="a", prompt="p", workspace=str(folder))], life)
    (folder / "a.txt").write_text("one\n2\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "n\x1b[31mew").write_text("x\x1b[31m\n")
    return run


def test_a_pipe_gets_a_patch(run: str, lfg: Lfg, folder: Path) -> None:
    shown = lfg("diff", f"{run}/a", "a.txt")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("diff --git a/a.txt b/a.txt\n")
    assert shown.out.endswith("@@ -1,2 +1,2 @@\n one\n-two\n+2\n")
    assert "a.txt" not in lfg("diff", run, "sub/").out
    assert lfg("diff", "--exit-code", run).code == 1
    assert lfg("diff", "--exit-code", run, "none").code == 0


def test_control_characters_are_symbols_in_a_pipe_and_said(run: str, lfg: Lfg) -> None:
    shown = lfg("diff", run)
    assert "\x1b" not in shown.out and "+x␛[31m\n" in shown.out
    assert "replaced 1 control character" in shown.err


def test_the_figures_are_those_of_git(run: str, lfg: Lfg) -> None:
    assert lfg("diff", run, "--stat").out == (
        " M a.txt        | 2 +-\n"
        " A sub/n␛[31mew | 1 +\n"
        " 2 files changed, 2 insertions(+), 1 deletion(-)\n"
    )


def test_a_terminal_gets_colours(run: str, tmp_path: Path) -> None:
    own = {"TERM": "xterm-256color", "COLUMNS": "80"}
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    ended = fork_in_terminal(partial(main, ("diff", run)), {**kept, **own}, tmp_path)
    shown = ended.raw.decode().replace("\r\n", "\n")
    assert ended.code == 0
    assert "\x1b[1mdiff --git a/a.txt b/a.txt\x1b[0m\n" in shown
    assert "\x1b[36m@@ -1,2 +1,2 @@\x1b[0m\n one\n\x1b[31m-two\x1b[0m\n\x1b[32m+2\x1b[0m\n" in shown
    assert "\x1b[31m\n" not in shown


def test_without_git_the_calls_of_file_tools_are_the_diff(lfg: Lfg, tmp_path: Path) -> None:
    def call(number: str, name: str, arguments: e.ToolArguments) -> list[e.Event]:
        return [
            e.ToolCallStarted(number, name),
            e.ToolCallRequested(number, name, arguments),
        ]

    ended = [e.ToolCallFinished(one, "ok", None, None, 0.1) for one in "12"]
    failed = e.ToolCallFinished("3", "", "no such file", None, 0.1)
    life: list[e.Event] = [
        *(*HEAD, *WORK, *call("1", "edit_file", {"path": "b", "old": "two", "new": "2"})),
        *call("2", "write_file", {"path": "a", "content": "x\n"}),
        *call("3", "write_file", {"path": "c", "content": "x\n"}),
        e.ResponseFinished(1, "tool_use"),
        e.ApprovalRequested("1", "edit_file", "b", diff=EDIT, path=str(tmp_path / "b")),
        *(e.ApprovalGiven("1"), *ended, failed, e.TicketCancelled()),
    ]
    run = store("Hi", [Ticket(id="a", prompt="p", workspace=str(tmp_path))], life)
    shown = lfg("diff", f"{run}/a")
    assert shown.out == (
        "# a: pieces, not a patch\n@@ @@\n+x\n"
        "# b: pieces, not a patch\n@@ line 1 @@\n one\n-two\n+2\n"
    )
    assert "its own calls" in shown.err
    assert "1 file changed, 1 insertion(+)\n" in lfg("diff", run, "a", "--stat").out


def test_what_git_no_longer_knows_is_said_in_a_line(lfg: Lfg, folder: Path) -> None:
    base = e.BaseRecorded(str(folder), "--output=x", "1" * 40)
    life = [*HEAD, base, *WORK, e.TicketCancelled()]
    run = store("Hi", [Ticket(id="a", prompt="p", workspace=str(folder))], life)
    shown = lfg("diff", run)
    assert shown.code == 2
    assert shown.err == "lfg: git no longer has what was recorded when the run began\n"


def test_a_folder_that_is_gone_is_said_and_the_others_are_printed(
    lfg: Lfg, folder: Path, run: str, tmp_path: Path
) -> None:
    life: list[e.Event] = [e.BaseRecorded(str(tmp_path / "gone"), "1" * 40), *WORK]
    tickets = [Ticket(id=name, prompt="p", workspace=str(folder)) for name in "ab"]
    other = store("Hi", tickets, [*HEAD, *life, e.TicketCancelled()])
    shown = lfg("diff", other)
    assert shown.code == 0 and "its folder is gone" in shown.err
    assert shown.out == "# a\n# b\n"  # a heading each, as the guide says: no patch as a whole
    folder.rename(tmp_path / "elsewhere")
    assert f"its folder is gone: {folder}" in lfg("diff", run).err


TEXT = "".join(f"line {number}\n" for number in range(1, 10))
CALLS = [
    {"name": "edit_file", "arguments": {"path": "x", "old": "line 5", "new": "five"}},
    {"name": "edit_file", "arguments": {"path": "x", "old": "five\nline 6", "new": "5  \n6"}},
    {"name": "write_file", "arguments": {"path": "deep/y", "content": "1"}},
]


async def carried_out(tmp_path: Path, workspace: Path) -> str:
    scenarios = {"edits": scenario(turn=[{"call": CALLS}, {"text": "Done."}])}
    one = ticket("a", workspace, model="edits", approve="auto")
    async with room(tmp_path, [one], scenarios=scenarios) as r:
        await r.engine.wait_idle()
        return r.engine.run


def edited(tmp_path: Path, workspace: Path, text: str = TEXT) -> str:
    """Run a ticket whose calls nobody is asked about; return the run."""
    workspace.mkdir(exist_ok=True)
    (workspace / "x").write_bytes(text.encode())
    return asyncio.run(carried_out(tmp_path, workspace))


def test_without_git_what_is_kept_for_undo_makes_a_patch_that_applies(
    lfg: Lfg, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    run = edited(tmp_path, workspace)
    shown = lfg("diff", f"{run}/a")
    assert "@@ -2,8 +2,8 @@\n line 2\n" in shown.out and "-line 6\n+5  \n+6\n" in shown.out
    wanted = (workspace / "x").read_text()
    (workspace / "x").write_text(TEXT)  # the calls made anew lead there as well
    assert lfg("diff", f"{run}/a").out == shown.out
    (workspace / "deep" / "y").unlink()
    (tmp_path / "patch").write_text(shown.out)
    git(workspace, "apply", str(tmp_path / "patch"))
    assert (workspace / "x").read_text() == wanted
    assert (workspace / "deep" / "y").read_text() == "1"


def test_a_patch_of_lines_with_returns_applies(lfg: Lfg, tmp_path: Path) -> None:
    text = TEXT.replace("\n", "\r\n").removesuffix("\r\n")
    run = edited(tmp_path, tmp_path / "workspace", text)
    file = tmp_path / "workspace" / "x"
    wanted = file.read_bytes()
    file.write_bytes(text.encode())
    (tmp_path / "patch").write_bytes(lfg("diff", "--raw", f"{run}/a", "x").out.encode())
    git(file.parent, "apply", str(tmp_path / "patch"))
    assert file.read_bytes() == wanted != text.encode()


def test_pieces_that_are_not_kept_claim_neither_a_place_nor_an_end(
    lfg: Lfg, tmp_path: Path
) -> None:
    run = edited(tmp_path, tmp_path / "workspace")
    rmtree(tmp_path / "data" / "kept")
    shown = lfg("diff", f"{run}/a").out
    assert "# x: pieces, not a patch\n@@ @@\n-line 5\n+five\n@@ @@\n" in shown
    assert "@@ -" not in shown and "diff --git" not in shown and "No newline" not in shown


def test_of_a_worktree_that_was_discarded_its_calls_tell(
    lfg: Lfg, folder: Path, tmp_path: Path
) -> None:
    run = edited(tmp_path, folder)
    folder.rename(tmp_path / "elsewhere")
    shown = lfg("diff", f"{run}/a")
    assert shown.code == 0 and "diff --git a/x b/x\n--- a/x\n" in shown.out
    assert "its folder is gone" in shown.err and "its own calls" in shown.err
