"""The preview beside the history's list: a run, or a search hit with the text around it.

It is read in a thread once the cursor rests, and drawn for any width.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar

import msgspec
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import WorkType

from lfgtui.errors import LfgError, source_name
from lfgtui.history.reader import Reader, RunSummary, StoredTicket
from lfgtui.history.search import SearchHit
from lfgtui.model.fold.states import BADGES, PIN
from lfgtui.text import figures
from lfgtui.ui.guard import Guarded
from lfgtui.ui.history.run_list import STATES
from lfgtui.ui.history.stored_run import query
from lfgtui.ui.text.palette import STRONG, Palette, line_filter
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import Row, Span, fit, wrap

_REST = 0.08
"""Seconds that the cursor must rest on a row before its preview is read."""

_NOTE_ROWS = 4
"""Most rows of a run's note."""

_LINES_BEFORE, _BEFORE, _AFTER = 4, 400, 4000
"""Lines, and most characters, shown before a match; most characters after it."""


class RunPreview(msgspec.Struct, frozen=True):
    """A run and its tickets; `words` has the last words of each, by id.

    `source` is as in `Reader.source`: the tickets file that started the run, `IMPORTED` or None.
    """

    summary: RunSummary
    source: Path | None = None
    tickets: Sequence[StoredTicket] = ()
    words: Mapping[str, str] = {}

    def rows(self, palette: Palette, width: int, now: float) -> Iterator[Row]:
        """Yield its rows, drawn as they are needed."""
        yield from _run_head(self.summary, palette, width, now)
        yield from wrap([(self.summary.run, palette.faint)], width)
        if self.source is not None:
            yield from wrap([(source_name(self.source), palette.faint)], width)
        for stored in self.tickets:
            yield Row(())
            yield from self._ticket(stored, palette, width, now)

    def _ticket(
        self, stored: StoredTicket, palette: Palette, width: int, now: float
    ) -> Iterator[Row]:
        badge = BADGES[stored.state]
        style = coloured(palette, badge.colour)
        left = [(f"{badge.sign} ", style), (stored.ticket.id, palette.text + STRONG)]
        if stored.state != "done":
            left.append((f" {badge.word}", style))
        if stored.attempt > 1:
            left.append((f" #{stored.attempt}", palette.warn))
        took = ""
        if stored.started_at is not None:
            took = figures.duration((stored.ended_at or now) - stored.started_at)
        about = filter(None, (stored.model or stored.provider, took, figures.money(stored.cost)))
        yield fit(left, [(" ".join(about), palette.muted)], width, palette.text)
        lines = self.words.get(stored.ticket.id, "").strip().splitlines()
        if lines and (words := lines[-1].strip()):
            style = palette.bad if stored.state == "failed" else palette.muted
            yield fit([("  " + words, style)], (), width, palette.text)


class HitPreview(msgspec.Struct, frozen=True):
    """A hit and the text around it. `matches` are [start, end) in characters of `text`."""

    hit: SearchHit
    summary: RunSummary
    text: str = ""
    matches: Sequence[tuple[int, int]] = ()

    def rows(self, palette: Palette, width: int, now: float) -> Iterator[Row]:
        """Yield its rows, drawn as they are needed."""
        hit = self.hit
        yield from _run_head(self.summary, palette, width, now)
        yield Row(())
        kind = hit.kind.replace("_", " ")
        about = f"{kind} · attempt {hit.attempt} · {figures.day_and_time(hit.at)}"
        ticket = (f"{hit.ticket} ", palette.busy + STRONG)
        yield from wrap([ticket, (about, palette.muted)], width)
        yield Row(())
        yield from wrap(self._marked(palette), width)

    def _marked(self, palette: Palette) -> Iterator[Span]:
        at = 0
        for start, end in self.matches:
            yield self.text[at:start], palette.text
            yield self.text[start:end], palette.match
            at = end
        yield self.text[at:], palette.text


Preview = RunPreview | HitPreview


class PreviewPane(Guarded, Widget):
    """Shows at once what the list knows of a run, and the rest once it is read.

    Only the rows that fit are drawn.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = "PreviewPane { display: none; background: $background; padding: 0 1; }"

    def __init__(self, open_reader: Callable[[], Reader]) -> None:
        super().__init__()
        self._open_reader = open_reader
        self._wanted: tuple[str, SearchHit | None] | None = None
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
        was, self._wanted = self._wanted, (run.run, hit)
        if self._wanted != was:  # the same one stays on the screen until it has been read again
            self._show(RunPreview(run) if hit is None else HitPreview(hit, run))
        work: WorkType[None] = partial(self._read_soon, run.run, hit)
        self.run_worker(work, group="preview", exclusive=True)

    async def _read_soon(self, run: str, hit: SearchHit | None) -> None:
        await asyncio.sleep(_REST)

        def read(reader: Reader) -> Preview:
            return read_run_preview(reader, run) if hit is None else read_hit_preview(reader, hit)

        shown: Preview | str
        try:
            shown = await query(self._open_reader, read)
        except LfgError as error:
            shown = str(error)
        if self._wanted == (run, hit):
            self._show(shown)

    def _show(self, shown: Preview | str | None) -> None:
        if shown != self._shown:
            self._shown = shown
            self.on_resize()

    def on_resize(self) -> None:
        self._strips = None
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        if self._strips is None:
            self._strips = self._draw()
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

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


def read_run_preview(reader: Reader, run: str) -> RunPreview:
    """Read the preview of a run; raises `HistoryError`, and `UsageError` for no such run."""
    return RunPreview(
        reader.run(run), reader.source(run), reader.tickets(run), reader.last_words(run)
    )


def read_hit_preview(reader: Reader, hit: SearchHit) -> HitPreview:
    """Read the text around a hit; raises as `read_run_preview`."""
    whole = reader.found_in(hit)
    text, matches = around(hit, hit.snippet if whole is None else whole)
    return HitPreview(hit, reader.run(hit.run), text, matches)


def around(hit: SearchHit, whole: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the lines of a text around a hit, and all matches of its words in them."""
    words = sorted({hit.snippet[start:end] for start, end in hit.matches if end > start}, key=len)
    snippet = hit.snippet.strip("…")
    place = max(0, whole.find(snippet))
    if hit.matches:
        place += hit.matches[0][0] - hit.snippet.find(snippet)
    begin = place
    for _ in range(_LINES_BEFORE + 1):
        begin = max(0, whole.rfind("\n", 0, begin))
    begin = max(begin, place - _BEFORE)
    text = whole[begin : place + _AFTER].lstrip("\n")
    if begin and whole[begin] != "\n":
        text = f"…{text}"
    if not words:
        return text, []
    pattern = "|".join(re.escape(word) for word in reversed(words))
    matches = re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE)
    return text, [match.span() for match in matches]


def coloured(palette: Palette, colour: str) -> Style:
    """Return the palette's style for the colour of a badge, which is a theme variable."""
    return {
        "primary": palette.busy,
        "success": palette.good,
        "warning": palette.warn,
        "error": palette.bad,
        "accent": palette.code,
        "faint": palette.faint,
    }.get(colour, palette.muted)


def _run_head(run: RunSummary, palette: Palette, width: int, now: float) -> Iterator[Row]:
    """Yield the run's title, note, state and times, with which both previews begin."""
    sign, colour = STATES[run.state]
    yield from wrap([(" ".join(run.title.split()), palette.heading)], width)
    if run.pinned:
        yield from wrap([(f"{PIN} pinned", palette.warn)], width)
    if run.note:
        yield from islice(wrap([(run.note, palette.code)], width), _NOTE_ROWS)
    began = figures.day_and_time(run.started_at)
    took = figures.duration((run.ended_at or now) - run.started_at)
    ended = ""
    if run.ended_at is not None:
        day_and_time = figures.day_and_time(run.ended_at)
        ended = f" → {day_and_time[11:] if day_and_time[:10] == began[:10] else day_and_time}"
    style = coloured(palette, colour)
    yield from wrap(
        [(f"{sign} {run.state} ", style), (f"{began}{ended} · {took}", palette.muted)], width
    )
    parts = (f"{run.done}/{run.tickets} done", figures.money(run.cost))
    yield from wrap([(" · ".join(filter(None, parts)), palette.muted)], width)
