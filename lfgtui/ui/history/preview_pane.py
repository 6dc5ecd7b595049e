"""The preview of what is under the cursor."""

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from itertools import islice
from typing import ClassVar

from textual.strip import Strip
from textual.widget import Widget
from textual.worker import WorkType

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.search.search import SearchHit
from lfgtui.ui.guard import Guarded
from lfgtui.ui.history.preview import HitPreview, RunPreview, read_hit_preview, read_run_preview
from lfgtui.ui.history.stored_run import query
from lfgtui.ui.text.palette import Palette, line_filter
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import wrap

_REST = 0.08
"""Seconds for which the cursor must rest before what it rests on is read."""

_CACHED = 64
"""Previews that are kept in memory."""

Preview = RunPreview | HitPreview


class PreviewPane(Guarded, Widget):
    """Shows at once what the list knows, and soon the rest; draws as many rows as there is room.

    What is read when the cursor has moved on is kept and not shown.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = "PreviewPane { display: none; background: $background; padding: 0 1; }"

    def __init__(self, open_reader: Callable[[], Reader]) -> None:
        super().__init__()
        self._open_reader = open_reader
        self._previews: dict[Hashable, Preview] = {}
        self._wanted: Hashable = None
        self._shown: Preview | str | None = None
        self._now = 0.0
        self._strips: list[Strip] | None = None

    def show(self, run: RunSummary | None, hit: SearchHit | None, now: float) -> None:
        """Show a run, a hit in it, or nothing."""
        self._now = now
        if run is None or not self.display:
            self._wanted = None
            self._show(None)
            return
        was, self._wanted = self._wanted, (key := _key(run, hit))
        if (kept := self._previews.get(key)) is not None:
            self._show(kept)
            return
        if key != was:  # else it stays as it is until it is read anew
            self._show(RunPreview(run) if hit is None else HitPreview(hit, run))
        work: WorkType[None] = partial(self._read, key, run, hit)
        self.run_worker(work, group="preview", exclusive=True)

    def forget(self) -> None:
        """Read again what may have changed."""
        self._previews.clear()

    async def _read(self, key: Hashable, run: RunSummary, hit: SearchHit | None) -> None:
        await asyncio.sleep(_REST)

        def read(reader: Reader) -> Preview:
            if hit is None:
                return read_run_preview(reader, run.run)
            return read_hit_preview(reader, hit)

        try:
            found: Preview | str = await query(self._open_reader, read)
        except LfgError as error:
            found = str(error)
        if not isinstance(found, str) and found.summary.state != "running":
            self._previews[key] = found
            if len(self._previews) > _CACHED:
                del self._previews[next(iter(self._previews))]
        if key == self._wanted:
            self._show(found)

    def _show(self, shown: Preview | str | None) -> None:
        if shown != self._shown:
            self._shown, self._strips = shown, None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._strips is None:
            self._strips = self._draw()
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def on_resize(self) -> None:
        self._strips = None
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def _draw(self) -> list[Strip]:
        width, height = self.size
        if self._shown is None or not width:
            return []
        palette = Palette.of(self)
        if isinstance(self._shown, str):
            rows = iter(wrap([(self._shown, palette.bad)], width))
        else:
            rows = self._shown.rows(palette, width, self._now)
        drawn = (strip_of(row, width, palette.text) for row in islice(rows, height))
        return list(map(line_filter(self), drawn))


def _key(run: RunSummary, hit: SearchHit | None) -> Hashable:
    """Identity of what is shown; the same text is another hit when the query was another."""
    return run.run if hit is None else hit._replace(matches=[])[:-1] + tuple(hit.matches)
