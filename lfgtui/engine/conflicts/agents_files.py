"""Files that installed agents change by themselves, kept for undo as far as possible.

An agent that asks for permission reports a change before it makes it, any other afterwards. Only in
the first case is the old content still on the disk; comparing the change's diff with the file shows
which case it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.errors import ToolError
from lfgtui.model import events as e
from lfgtui.model.unified_diff import is_before
from lfgtui.tools import files
from lfgtui.workspace.kept import UNKNOWN, TicketFiles

TOO_LATE = "the agent reported the change only after making it"


class AgentsFiles:
    """Keeps what the agents of a run's tickets are about to change, in threads."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[str | None, int]] = {}
        """SHA-256 (None: no file; or `UNKNOWN`) and mode before, by ticket, call and path."""
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """A lock for each ticket: its reports are worked on in their order."""
        self._tasks: set[asyncio.Task[None]] = set()

    def reported(self, run: TicketRun, event: e.FileChange) -> None:
        """Keep the file that an agent says it changes, if it has not been changed yet."""
        self._do(run, lambda kept: self._keep(run, kept, event))

    def ended(self, run: TicketRun, event: e.ToolCallFinished) -> None:
        """Note the content that the files of the call have now."""
        self._do(run, lambda kept: self._note(run, kept, event))

    async def kept(self, ticket: str) -> None:
        """Wait until all files reported so far are kept."""
        async with self._turns[ticket]:
            return

    async def close(self) -> None:
        """Wait until all files are kept."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _do(self, run: TicketRun, work: Callable[[TicketFiles], None]) -> None:
        if run.kept is not None:
            task = asyncio.create_task(self._in_turn(run.ticket.id, run.kept, work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _in_turn(
        self, ticket: str, kept: TicketFiles, work: Callable[[TicketFiles], None]
    ) -> None:
        async with self._turns[ticket]:
            with suppress(OSError, ToolError):  # e.g. a file outside the workspace, or a full disk
                await asyncio.to_thread(work, kept)

    def _keep(self, run: TicketRun, kept: TicketFiles, event: e.FileChange) -> None:
        """Keep the old content of a file, unless the file has the new one already."""
        key = (run.ticket.id, event.call_id, event.path)
        if key in self._found:
            return
        path = files.locate(Path(run.transcript.workspace), event.path)
        content = files.read_present(path, kept.store.most_per_file)
        text = None if content is None else content.decode("utf-8", "replace")
        if not is_before(event.diff, text):
            self._found[key] = UNKNOWN, 0
        elif content is None:
            self._found[key] = None, 0
        else:
            kept.store.hold(content)
            self._found[key] = sha256(content).hexdigest(), files.mode(path)

    def _note(self, run: TicketRun, kept: TicketFiles, event: e.ToolCallFinished) -> None:
        """Note the changes of an ended call, from what `_keep` found."""
        call = (run.ticket.id, event.call_id)
        for key in [one for one in self._found if one[:2] == call]:
            before, mode = self._found.pop(key)
            if event.error is None:
                path = files.locate(Path(run.transcript.workspace), key[2])
                after = files.digest(path)
                why = TOO_LATE if before == UNKNOWN else ""
                kept.note_agents(path.root, "/".join(path.parts), before, after, mode, why)
