"""The changes of a ticket: files to fold, their lines, kept up to date while agents work."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial, partialmethod

from textual import on
from textual.app import ComposeResult
from textual.worker import WorkType

from lfgtui.errors import LfgError
from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.settings import paths
from lfgtui.ui.keymap import keymap
from lfgtui.ui.page_keys import PageKeys
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.base import EntriesCame, LfgScreen, ScreenContext
from lfgtui.ui.screens.worktree_keys import WorktreeKeys
from lfgtui.ui.text.styled_line import Line, Span, between, line_width, one_line, shorten
from lfgtui.ui.widgets.diff_view import DiffView
from lfgtui.ui.widgets.footer import Offer, compose_footer
from lfgtui.workspace.diff import ChangedFile
from lfgtui.workspace.diff_events import KeptOf
from lfgtui.workspace.diff_reading import Reading, Source, base_of, read_changes, sources
from lfgtui.workspace.kept import KeptFiles

_REST = 0.5
"""Seconds from the end of a reading to the next one, if more changes came meanwhile."""

_COMMIT = 8
"""Characters of a commit's hash that are shown."""

_NO_LIMIT = 1 << 30
"""Bytes of a store that is only read."""

_CHANGING = (
    *(e.ToolCallFinished, e.FileChange, e.ChangesCounted, e.BaseRecorded, e.Ending),
    e.WorktreeDiscarded,
)
"""Events after which a diff is read anew. A new event belongs here if files may differ after it."""

_KEYS = (
    *(Offer("fold", "fold"), Offer("next_hunk"), Offer("next_file"), Offer("back")),
    *(Offer("next_pane", "next ticket"), Offer("fold_all"), Offer("help"), Offer("quit")),
)


# Labels of the key that goes on to a source.
_SOURCES: Mapping[Source, str] = {
    "folder": "all of the folder",
    "calls": "this ticket's calls",
    "workspace": "main workspace",
}


def _next(known: Sequence[Source], source: Source) -> Source:
    """Return the source after this one, wrapping round."""
    return known[(known.index(source) + 1) % len(known)]


class DiffScreen(PageKeys, LfgScreen[None]):
    """One ticket's changes at a time, first those of the current ticket of the screen below."""

    DEFAULT_CSS = """
    DiffScreen { layout: vertical; background: $background; overflow: hidden; }
    DiffScreen DiffView { width: 1fr; height: 1fr; }
    """

    def __init__(self, run: RunView, context: ScreenContext, ticket: str) -> None:
        super().__init__()
        self.keymap = keymap(context.keys, "diff")
        self.context = context
        self.run = run
        self.ticket = ticket
        self.rows = self.view = DiffView()
        self.keys = WorktreeKeys(self, run, lambda: self.ticket, self._refresh)
        self.footer: LineRow = LineRow()
        self._top, self._file = LineRow(), LineRow()
        self._source: Source = "folder"
        self._reading: Reading | None = None
        self._complaint = ""
        self._is_due = False  # True once changes came that no reading has seen

    def compose(self) -> ComposeResult:
        yield self._top
        yield self._file
        yield self.view
        yield self.footer

    def on_mount(self) -> None:
        self.view.focus()
        self._show_ticket(self.ticket)

    def realign(self) -> None:
        self.view.focus()

    @property
    def transcript(self) -> Transcript:
        """The ticket's fold."""
        return self.run.transcript(self.ticket)

    @property
    def actors(self) -> Sequence[object]:
        return (self, self.view, self.keys, self.app)

    # Reading, in the background

    def _show_ticket(self, ticket: str) -> None:
        """Show a ticket's changes from the chosen source."""
        self.ticket = ticket
        known = sources(self.transcript)
        self._source = self._source if self._source in known else known[0]
        self._reading, self._complaint = None, ""
        self.view.remark = "reading …"
        self.view.show(Reading(""), anew=True)
        work: WorkType[None] = self._keep_reading
        self.run_worker(work, group="diff", exclusive=True)

    async def _keep_reading(self) -> None:
        """Read the changes, and again if more have come meanwhile."""
        self._is_due = True
        while self._is_due:
            self._is_due = False
            await self._read()
            await asyncio.sleep(_REST)

    async def _read(self) -> None:
        """Read the changes once, and show them or why they cannot be read."""
        try:
            store = KeptFiles.beside(paths.history_file(), _NO_LIMIT, _NO_LIMIT)
            kept = KeptOf(store, self.run.run, self.ticket)
            reading = await read_changes(self.transcript, self._source, kept=kept)
            for file in reading.changes.files:  # files that a person unfolded
                if self.view.is_unfolded(file) and reading.is_unread(file):
                    reading = await reading.with_lines(file)
        except LfgError as error:
            self._complaint = str(error)
            self._describe()
            return
        self._complaint = ""
        is_first, self._reading = self._reading is None, reading
        self.view.remark = "no changes" if self.transcript.ending else "no changes yet"
        self.view.show(reading, anew=is_first)

    @on(DiffView.Unfolded)
    def _unfolded(self, event: DiffView.Unfolded) -> None:
        work: WorkType[None] = partial(self._read_lines, event.file)
        self.run_worker(work, group="lines")

    async def _read_lines(self, file: ChangedFile) -> None:
        """Read the lines of a file that has too many to be read unasked."""
        if (reading := self._reading) is None:
            return
        try:
            reading = await reading.with_lines(file)
        except LfgError as error:
            self.notify(str(error), severity="error")
            return
        if self._reading is not None and self._reading.changes == reading.changes:
            self._reading = reading
            self.view.show(reading)

    def on_entries_came(self, event: EntriesCame) -> None:
        """Read anew if something may have changed in the folder."""
        base = base_of(self.transcript, self._source)
        for entry in event.entries:
            is_ours = entry.ticket == self.ticket
            is_change = isinstance(entry.event, _CHANGING)
            if is_change and (is_ours or base in self._bases(entry.ticket)):
                self._refresh()
                return

    def on_screen_resume(self) -> None:
        self._refresh()

    def _refresh(self) -> None:
        """Have the changes read again, by the reading that is going on or by a new one."""
        if self._is_due:
            return
        self._is_due = True
        if not any(worker.group == "diff" and worker.is_running for worker in self.workers):
            work: WorkType[None] = self._keep_reading
            self.run_worker(work, group="diff", exclusive=True)

    # What is shown

    @on(DiffView.Moved)
    def _describe(self) -> None:
        self._top.show(self._title)
        self._file.show(self._place)
        self.footer.show(self._keys)

    def on_resize(self) -> None:
        self._describe()

    def _title(self, width: int) -> Line:
        """Return the ticket, the sums, and what the changes are compared with."""
        left = [Span(" changes   "), Span(f"{self.ticket} ", bold=True)]
        if self._complaint:
            room = max(0, width - line_width(left) - 1)
            return [*left, Span(shorten(one_line(self._complaint), room), "error")]
        if self._reading is not None:
            changes = self._reading.changes
            files = len(changes.files)
            left += [
                Span(f" {files:,} file{'' if files == 1 else 's'}"),
                Span(f" +{changes.added:,}", "success"),
                Span(f" −{changes.removed:,}", "error"),
            ]
            left += [Span(f"  {one_line(remark)}", "warning") for remark in changes.remarks]
        return between(left, [Span(f"{self._against} ", "muted")], width)

    @property
    def _against(self) -> str:
        """The state that is compared with, or the ticket whose changes are shown."""
        is_gits = self._reading is None or self._reading.tree
        if (base := base_of(self.transcript, self._source)) is None or not is_gits:
            return "by this ticket's calls"
        commit = f" ({base.commit[:_COMMIT]})" if base.commit else ""
        if self.keys.has_worktree and self._source == "folder":
            return f"since its branch began{commit}"
        sharing = [one for one in self.run.tickets if base in self._bases(one.id)]
        whose = "by anyone " if len(sharing) > 1 or self._source == "workspace" else ""
        return f"{whose}since the run began{commit}"

    @property
    def _is_gone(self) -> bool:
        """True if git knew the folder and it is gone."""
        is_gits = base_of(self.transcript, self._source) is not None
        return is_gits and self._reading is not None and not self._reading.tree

    def _bases(self, ticket: str) -> Collection[e.BaseRecorded]:
        """Return the states of folders that the ticket's changes are compared with."""
        return self.run.transcript(ticket).bases.values()

    def _place(self, width: int) -> Line:
        """Return the file that the cursor is in."""
        if (file := self.view.here) is None:
            return [Span(f" {shorten(one_line(self.transcript.workspace), width - 2)}", "muted")]
        index = self.view.rows.places[self.view.cursor].file + 1
        right = [Span(f"file {index}/{len(self.view.rows.files)} ", "muted")]
        room = max(0, width - line_width(right) - 2)
        return between([Span(f" {shorten(one_line(file.path), room)}")], right, width)

    def _keys(self, width: int) -> Line:
        ids = [ticket.id for ticket in self.run.tickets]
        offers = list(_KEYS)
        if len(known := sources(self.transcript)) > 1:
            offers.insert(3, Offer("other_changes", _SOURCES[_next(known, self._source)]))
        if self.keys.has_worktree and not self._is_gone:
            offers[1:1] = map(Offer, ("apply", "discard"))
        view_label = f"ticket {ids.index(self.ticket) + 1}/{len(ids)}"
        return compose_footer(offers, self.context.keys, width, view_label=view_label)

    # Keys

    def move_rows(self, rows: int) -> None:
        self.view.move(rows)

    action_up = partialmethod(move_rows, -1)
    action_down = partialmethod(move_rows, 1)

    def _hunk(self, step: int) -> None:
        if not self.view.step_hunk(step):
            self.toast(f"no {'more changes' if step > 0 else 'change before this one'}")

    action_next_hunk = partialmethod(_hunk, 1)
    action_previous_hunk = partialmethod(_hunk, -1)

    def _to_file(self, step: int) -> None:
        if not self.view.step_file(step):
            self.toast(f"no {'more files' if step > 0 else 'file before this one'}")

    action_next_file = partialmethod(_to_file, 1)
    action_previous_file = partialmethod(_to_file, -1)

    def _to_ticket(self, step: int) -> None:
        ids = [ticket.id for ticket in self.run.tickets]
        self._show_ticket(ids[(ids.index(self.ticket) + step) % len(ids)])

    action_next_pane = partialmethod(_to_ticket, 1)
    action_previous_pane = partialmethod(_to_ticket, -1)

    def action_other_changes(self) -> None:
        if len(known := sources(self.transcript)) < 2:
            self.toast("not a git repository: only this ticket's own calls are shown")
            return
        self._source = _next(known, self._source)
        self._show_ticket(self.ticket)

    def action_diff(self) -> None:
        self.leave()

    action_back = action_diff
