"""The screen of changes: what it shows, how one moves in it, and that it keeps its place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.settings import paths
from lfgtui.ui.app import LfgApp
from lfgtui.ui.screens.diff import DiffScreen
from lfgtui.workspace.worktrees import (
    Worktree,
    discard_worktree,
    find_worktrees,
    open_worktree,
)
from tests.helpers.checkouts import git, make_repository
from tests.ui.fake_live import FakeLive
from tests.ui.history.past import begin, play
from tests.ui.screen_text import lines, make_app, opened, run_screen, text_of, toasts
from tests.ui.waiting import gone, shown

LONG = "".join(f"line {number}\n" for number in range(1, 101))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"long.txt": LONG, "app.py": "def one() -> int:\n    return 1\n"}
    made = make_repository(tmp_path / "repository", files)
    (made / "app.py").write_text("def one() -> int:\n    return 2\n")
    (made / "new").write_text("x\x1b[31m\u200b\n")
    changed = LONG.replace("line 10\n", "line ten\n").replace("line 90\n", "")
    (made / "long.txt").write_text(changed)
    return made


@asynccontextmanager
async def looked_at(
    folder: Path, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[FakeLive, LfgApp, Pilot[int]]]:
    """The changes of the first of two tickets, of which the second is in no repository."""
    live = FakeLive("a", "b", workspace=folder)
    tree = git(folder, "rev-parse", "HEAD^{tree}").strip()
    app = make_app(live)
    async with opened(app, size) as pilot:
        live.happen("a", e.TicketQueued(), e.BaseRecorded(str(folder), tree, "1234567890"))
        live.begin("a")
        live.begin("b")
        await pilot.press("g")
        await shown(pilot, "3 files")
        yield live, app, pilot


def cursor(app: LfgApp) -> str:
    """The row under the cursor."""
    return next(line[1:].rstrip(" ▁▂▃▄▅▆▇█").strip() for line in lines(app) if line.startswith("›"))


async def test_files_come_with_their_counts_and_their_lines(folder: Path) -> None:
    async with looked_at(folder) as (_, app, pilot):
        shown_rows = [line.rstrip(" ▁▂▃▄▅▆▇█") for line in lines(app)]
        assert shown_rows[0].startswith(" changes   a  3 files +3 −3")
        assert shown_rows[0].endswith("since the run began (12345678)")
        assert shown_rows[1].startswith(" app.py") and shown_rows[1].endswith("file 1/3")
        assert shown_rows[2:7] == [
            "›▾ M app.py  +1 −1",
            "   line 1",
            "  1   def one() -> int:",
            "  2 -     return 1",
            "  2 +     return 2",
        ]
        assert "x\\x1b[31m\\u200b" in text_of(app).replace("␛", "\\x1b")
        await pilot.press("g")
        assert run_screen(app).current == "a"


async def test_one_moves_by_changes_files_pages_and_lines(folder: Path) -> None:
    async with looked_at(folder, (80, 15)) as (_, app, pilot):
        places = []
        for key in ("n", "n", "n", "n", "n", "N", "[", "]", "end", "home", "j", "pagedown"):
            await pilot.press(key)
            places.append(cursor(app).partition("  line")[0])
        assert places[:8] == [
            "line 1",
            "line 7",
            "line 87",
            "line 1",
            "line 1",
            "line 87",
            "▾ M long.txt  +1 −2",
            "▾ A new  +1",
        ]
        assert places[8].startswith("1 + x") and places[9:11] == ["▾ M app.py  +1 −1", "line 1"]
        assert toasts(app) == ["no more changes"]


async def test_a_file_is_folded_by_key_and_by_mouse_and_all_at_once(folder: Path) -> None:
    async with looked_at(folder) as (_, app, pilot):
        await pilot.press("down", "down", "space")
        assert cursor(app) == "▸ M app.py  +1 −1"
        assert "return 2" not in text_of(app)
        await pilot.press("enter")
        assert "return 2" in text_of(app)
        await pilot.click(offset=(5, 2))
        assert "return 2" not in text_of(app)
        await pilot.press("Z")
        assert [line[:10] for line in lines(app)[2:5]] == ["›▸ M app.p", " ▸ M long.", " ▸ A new  "]
        await pilot.press("Z")
        assert "return 2" in text_of(app)


async def test_what_comes_above_the_cursor_moves_nothing(folder: Path) -> None:
    async with looked_at(folder, (80, 15)) as (live, app, pilot):
        await pilot.press("n", "n", "n", "down", "down")
        before = lines(app)[2:-1]
        assert "line 88" in cursor(app)
        (folder / "app.py").write_text("# new\n" * 30)
        (folder / "aa").write_text("# new\n" * 30)
        live.happen("a", e.TextDelta("."), e.FileChange("1", str(folder / "aa"), ""))
        await shown(pilot, "4 files")
        after = lines(app)[2:-1]
        assert [row[:20] for row in after] == [row[:20] for row in before]


async def test_tab_shows_the_next_ticket_and_w_its_own_calls(folder: Path) -> None:
    async with looked_at(folder) as (live, app, pilot):
        await pilot.press("w")
        await shown(pilot, "by this ticket's calls")
        await shown(pilot, "no changes yet")
        await pilot.press("tab")
        await shown(pilot, "changes   b")
        await shown(pilot, "no changes yet")
        live.ask_to_write("b", "x", "1\n", "x", "@@ -0,0 +1,1 @@\n+1\n")
        live.happen("b", e.ApprovalGiven("call-1"), e.ToolRunStarted("call-1"))
        live.happen("b", e.ToolCallFinished("call-1", "ok", None, None, 0.1))
        await shown(pilot, "1 file ")
        assert "A x  +1" in text_of(app) and "commands may have changed more" in text_of(app)
        await pilot.press("w")
        assert toasts(app)[-1].startswith("not a git repository")


async def test_a_call_whose_place_is_not_known_claims_none(folder: Path) -> None:
    async with looked_at(folder, (80, 15)) as (live, app, pilot):
        await pilot.press("tab")
        await shown(pilot, "changes   b")
        edit: e.ToolArguments = {"path": "x", "old": "two", "new": "2"}
        live.happen("b", e.ToolCallStarted("1", "edit_file"))
        live.happen("b", e.ToolCallRequested("1", "edit_file", edit), e.ToolRunStarted("1"))
        live.happen("b", e.ToolCallFinished("1", "ok", None, None, 0.1))
        await shown(pilot, "M x  +1 −1")
        rows = [line.rstrip(" ▁▂▃▄▅▆▇█") for line in lines(app)]
        assert rows[3:6] == ["   somewhere in the file", "   - two", "   + 2"]
        assert "No newline" not in text_of(app)


async def test_what_git_cannot_tell_is_said(folder: Path) -> None:
    async with looked_at(folder) as (live, app, pilot):
        (folder / ".git").rename(folder / "gone")
        live.happen("a", e.TextDelta("."), e.FileChange("1", "x", ""))
        await shown(pilot, "git no longer has")
        assert "3 files" not in text_of(app) and isinstance(app.screen, DiffScreen)


async def test_too_many_lines_are_read_when_they_are_asked_for(folder: Path) -> None:
    (folder / "many").write_text("line\n" * 6_000)
    live = FakeLive("a", workspace=folder)
    tree = git(folder, "rev-parse", "HEAD^{tree}").strip()
    app = make_app(live)
    async with opened(app, (100, 20)) as pilot:
        live.happen("a", e.TicketQueued(), e.BaseRecorded(str(folder), tree))
        await pilot.press("g")
        await shown(pilot, "4 files")
        assert "▸ A many  +6,000  large: unfold to load" in text_of(app)
        await pilot.press("]", "]", "space")
        await shown(pilot, "▾ A many")
        await shown(pilot, "1 + line")
        await pilot.press("end")
        assert "6000 + line" in text_of(app) and cursor(app) == "▸ A new  +1"


@pytest.mark.parametrize("size", [(60, 15), (300, 100)])
async def test_it_works_in_small_and_in_large(folder: Path, size: tuple[int, int]) -> None:
    async with looked_at(folder, size) as (_, app, pilot):
        for key in ("n", "n", "right", "left", "pagedown", "space", "Z", "end", "home"):
            await pilot.press(key)
        assert cursor(app).endswith("M app.py  +1 −1")
        assert "esc back" in lines(app)[-1]


@asynccontextmanager
async def in_worktree(folder: Path) -> AsyncIterator[tuple[FakeLive, LfgApp, Pilot[int]]]:
    """The changes of a ticket with a worktree, which has one new file."""
    git(folder, "checkout", "-q", ".")
    live = FakeLive("a", workspace=folder)
    tree, commit = git(folder, "rev-parse", "HEAD^{tree}", "HEAD").split()
    root = paths.data_dir() / "worktrees"
    opened_tree = await open_worktree(root, live.run, "a", folder)
    (opened_tree.path / "theirs.py").write_text("import this\n")
    app = make_app(live)
    async with opened(app, (120, 24)) as pilot:
        live.happen(
            "a",
            e.TicketQueued(),
            e.BaseRecorded(str(folder), tree, commit),
            e.AttemptStarted("anthropic", "m"),
            e.WorktreeOpened(str(opened_tree.path), opened_tree.branch, opened_tree.base),
            e.BaseRecorded(str(opened_tree.path), tree, commit),
        )
        await pilot.press("g")
        await shown(pilot, "theirs.py")
        yield live, app, pilot


async def test_a_worktree_is_applied_after_a_question(folder: Path) -> None:
    async with in_worktree(folder) as (_, app, pilot):
        assert "since its branch began (" in lines(app)[0]
        await pilot.press("a")
        await shown(pilot, "Apply the changes of “a” to your checkout?")
        await shown(pilot, "It is still running")
        await pilot.press("n")
        assert not (folder / "theirs.py").exists()
        await pilot.press("a")
        await shown(pilot, "Apply the changes of “a” to your checkout?")
        await pilot.press("y")
        await shown(pilot, "applied “a”: changed 1 file in")
        assert toasts(app)[-1] == f"applied “a”: changed 1 file in {folder}, not committed"
        assert (folder / "theirs.py").read_text() == "import this\n"
        await pilot.press("a")
        await shown(pilot, "Apply the changes of “a” to your checkout?")
        await pilot.press("y")
        await shown(pilot, "nothing to apply from “a”")
        await pilot.press("w", "w")
        await shown(pilot, "by anyone since the run began")
        await shown(pilot, "A theirs.py  +1")


async def test_a_worktree_is_discarded_after_a_question_once_its_ticket_has_ended(
    folder: Path,
) -> None:
    async with in_worktree(folder) as (live, app, pilot):
        await pilot.press("x")
        await shown(pilot, "“a” is still running; cancel it first")
        edit: e.ToolArguments = {"path": "x", "old": "two", "new": "2"}
        live.begin("a")
        live.happen("a", e.ToolCallStarted("1", "edit_file"))
        live.happen("a", e.ToolCallRequested("1", "edit_file", edit), e.ToolRunStarted("1"))
        live.happen("a", e.ToolCallFinished("1", "ok", None, None, 0.1), e.TicketCancelled())
        live.happen("a", e.ChangesCounted(1, 7, 0))
        await pilot.press("x")
        await shown(pilot, "Discard the worktree of “a” for good?")
        await shown(pilot, "It has uncommitted changes. This deletes its folder and branch")
        assert "x discard" in lines(app)[-1]
        await pilot.press("y")
        await shown(pilot, "discarded the worktree of")
        await shown(pilot, "its folder is gone: /")
        await shown(pilot, "M x  +1 −1")
        assert "lfg/" not in git(folder, "branch", "--list")
        assert "apply" not in lines(app)[-1] and "discard" not in lines(app)[-1]
        await pilot.press("a")
        assert toasts(app)[-1].startswith("“a” has no worktree of its own")
        await pilot.press("escape")
        await shown(pilot, "discarded its worktree and branch")
        assert "±" not in text_of(app)


async def test_a_worktree_of_a_past_run_is_discarded_and_its_history_takes_note(
    folder: Path,
) -> None:
    git(folder, "checkout", "-q", ".")

    def past() -> Worktree:
        with Recorder(paths.history_file()) as recorder:
            run = begin(recorder, "Past", "a")
            root = paths.worktrees_dir()
            made = asyncio.run(open_worktree(root, run, "a", folder))
            (made.path / "theirs.py").write_text("import this\n")
            opened = e.WorktreeOpened(str(made.path), made.branch, made.base)
            tree = git(folder, "rev-parse", "HEAD^{tree}").strip()
            based = e.BaseRecorded(str(made.path), tree, made.base)
            asked = (e.TicketQueued(), e.AttemptStarted("p", "m"), opened, based)
            counted = e.ChangesCounted(1, 7, 0)
            play(recorder, run, "a", *asked, e.RequestSent(1), counted, e.TicketCancelled())
            recorder.finish_run(run, "failed")
        return made

    made = await asyncio.to_thread(past)
    app = make_app(
        FakeLive("a"), is_past_only=True, open_reader=lambda: Reader(paths.history_file())
    )
    async with opened(app, (120, 24)) as pilot:
        await shown(pilot, "Past")
        await pilot.press("tab", "enter")
        await shown(pilot, "+7")
        await pilot.press("g")
        await shown(pilot, "x discard")
        await pilot.press("x", "x")
        await shown(pilot, "It has uncommitted changes.")
        await pilot.press("y")
        await shown(pilot, "discarded the worktree of")
        await gone(pilot, "x discard")
        await pilot.press("escape")
        await shown(pilot, "discarded its worktree and branch")
        await gone(pilot, "+7")

    def last() -> e.Event:
        with Reader(paths.history_file()) as reader:
            assert reader.run(made.run).state == "failed"
            return [*reader.entries(made.run, "a")][-1].event

    assert await asyncio.to_thread(last) == e.WorktreeDiscarded(made.branch)


async def test_the_question_counts_ignored_files_and_says_where_nothing_is_lost(
    folder: Path,
) -> None:
    async with in_worktree(folder) as (live, _, pilot):
        live.happen("a", e.TicketCancelled())
        worktree = Path(live.transcript("a").workspace)
        (worktree / "theirs.py").unlink()
        await pilot.press("x")
        await shown(pilot, "HEAD has all that is in it. This deletes its folder and branch")
        await pilot.press("n")
        (folder / ".git" / "info" / "exclude").write_text("*.log\n")
        (worktree / "one.log").write_text("1\n")
        await pilot.press("x")
        await shown(pilot, "It has 1 git-ignored file made by the agent.")


async def test_a_worktree_that_is_gone_is_not_offered_to_be_applied(folder: Path) -> None:
    async with in_worktree(folder) as (live, app, pilot):
        live.happen("a", e.TicketCancelled())
        assert "a apply" in lines(app)[-1]
        (found,) = await asyncio.to_thread(find_worktrees, paths.worktrees_dir())
        await discard_worktree(found)
        live.happen("a", e.ChangesCounted(1, 7, 0))
        await shown(pilot, "its folder is gone: /")
        assert "a apply" not in lines(app)[-1]
        await pilot.press("a")
        await shown(pilot, "“a” no longer has a worktree")


async def test_what_conflicts_is_said_and_changes_nothing(folder: Path) -> None:
    async with in_worktree(folder) as (_, _, pilot):
        (folder / "theirs.py").write_text("mine\n")
        await pilot.press("a")
        await shown(pilot, "Apply the changes of “a” to your checkout?")
        await pilot.press("y")
        await shown(pilot, "nothing was changed")
        assert (folder / "theirs.py").read_text() == "mine\n"


async def test_a_ticket_without_a_worktree_has_nothing_to_apply(folder: Path) -> None:
    async with looked_at(folder) as (_, app, pilot):
        await pilot.press("a")
        assert toasts(app) == ["“a” has no worktree of its own: its changes are in your folder"]
