"""A change of a file is allowed by its diff, and is not made to another version of the file."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest

from lfgtui.agent.context import Decision
from lfgtui.model import events as e
from tests.agent.test_loop import SORRY, Surroundings, answer, ending_of

OVERWRITE = e.ToolCallRequested("1", "write_file", {"path": "a", "content": "new\n"})
EDIT = e.ToolCallRequested("1", "edit_file", {"path": "a", "old": "old", "new": "new"})


@pytest.mark.parametrize(
    ("call", "summary"), [(OVERWRITE, "overwrite a (+1 −2)"), (EDIT, "edit a (+1 −1)")]
)
async def test_a_change_of_a_file_is_asked_about_with_its_diff(
    tmp_path: Path, call: e.ToolCallRequested, summary: str
) -> None:
    (tmp_path / "a").write_text("old\nlast\n")
    context = Surroundings(Decision("approve"))
    await ending_of(tmp_path, answer("tool_use", call), SORRY, context=context)
    (asked,) = (event for event in context.seen if isinstance(event, e.ApprovalRequested))
    assert asked.summary == summary
    assert "-old\n" in str(asked.diff) and "+new\n" in str(asked.diff)
    assert (tmp_path / "a").read_text().startswith("new\n")


@pytest.mark.parametrize("call", [OVERWRITE, EDIT])
@pytest.mark.parametrize("now", ["old\nlast\nmore\n", "other\n", None])
async def test_a_file_that_changed_since_its_diff_was_shown_stays_as_it_is(
    tmp_path: Path, call: e.ToolCallRequested, now: str | None
) -> None:
    file = tmp_path / "a"

    class Changing(Surroundings):
        async def ask(self, call_id: str) -> Decision | None:
            await asyncio.to_thread(file.unlink if now is None else partial(file.write_text, now))
            return await super().ask(call_id)

    file.write_text("old\nlast\n")
    context = Changing(Decision("approve"))
    await ending_of(tmp_path, answer("tool_use", call), SORRY, context=context)
    (finished,) = context.finished()
    assert finished.error is not None
    assert call is EDIT or "has changed since approval was requested" in finished.output
    assert (file.read_text() if file.exists() else None) == now


@pytest.mark.parametrize(
    ("call", "before"), [(OVERWRITE, "old\n"), (OVERWRITE, None), (EDIT, "old\n")]
)
async def test_a_file_that_changes_after_the_approval_was_checked_stays_as_it_is(
    tmp_path: Path, call: e.ToolCallRequested, before: str | None
) -> None:
    file = tmp_path / "a"

    class Changing(Surroundings):
        saved = 0

        async def settle(self, *, saved: bool = False) -> None:
            await super().settle(saved=saved)
            self.saved += saved
            if self.saved == 2:  # checked after the first, run after this one
                await asyncio.to_thread(file.write_text, "someone else's and old\n")

    if before is not None:
        file.write_text(before)
    context = Changing(Decision("approve"))
    await ending_of(tmp_path, answer("tool_use", call), SORRY, context=context)
    (finished,) = context.finished()
    assert "has changed since approval was requested" in finished.output
    assert file.read_text() == "someone else's and old\n"


async def test_a_card_with_another_diff_approves_nothing(tmp_path: Path) -> None:
    class Blotting(Surroundings):
        def emit(self, event: e.Event) -> None:
            if isinstance(event, e.ApprovalRequested):
                event = msgspec.structs.replace(event, diff="@@ -1,1 +1,1 @@\n-old\n+better\n")
            super().emit(event)

    (tmp_path / "a").write_text("old\n")
    context = Blotting(Decision("approve"))
    await ending_of(tmp_path, answer("tool_use", OVERWRITE), SORRY, context=context)
    (finished,) = context.finished()
    assert "the approval card did not match" in finished.output
    assert (tmp_path / "a").read_text() == "old\n"
