"""The diff that was approved is read back from the history, and nothing else is read for it."""

import asyncio
from pathlib import Path

from lfgtui.export.figures import RunDocument
from lfgtui.export.markdown import PLAIN, run_markdown
from lfgtui.history.reader import Reader
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.fold.transcript import Transcript
from tests.engine.harness import Room, calls, room, ticket


async def test_what_was_approved_is_shown_again_after_the_file_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("walrus\n")
    story = calls("write_file", {"path": "notes", "content": "seal\n"})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": story}) as opened:
        await opened.approve("a")
        await opened.engine.wait_idle()
        (live,) = opened.attempts("a")[0].tools
        await asyncio.to_thread(check_stored, opened, live)


def check_stored(opened: Room, live: ToolItem) -> None:
    stored = Transcript()
    for entry in opened.stored("a"):
        stored.apply(entry)
    (call,) = stored.attempts[0].tools
    assert call.approval == live.approval == "overwrite notes (+1 −1)"
    assert call.diff == live.diff == "@@ -1,1 +1,1 @@\n-walrus\n+seal\n"
    with Reader(opened.history) as reader:
        page = "".join(run_markdown(RunDocument(reader, opened.engine.run), PLAIN))
        assert f"diff:\n\n```diff\n{live.diff}```" in page
        assert list(reader.search("seal"))
        assert not list(reader.search("walrus"))  # the file had it, and nobody said it
