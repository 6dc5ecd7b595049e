"""The two programs measured: lfg's screen, and Textual's Markdown in a grid."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Grid, VerticalScroll
from textual.screen import Screen
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownStream

from bench.pane_job import A_FRAME, Job
from bench.pane_run import BenchRun
from bench.pane_watch import Watcher
from lfgtui.cli.launching.screen import collect_rarely
from lfgtui.model.fold.transcript import Transcript
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.text.markdown import StreamingMarkdown
from lfgtui.ui.app import LfgApp
from lfgtui.ui.run_view import LiveRun
from lfgtui.ui.screens.modes import PastRun
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.stream.view import StreamView
from lfgtui.ui.widgets import tiling

FRAME = 1 / 30
"""Seconds between two frames, for both sides."""


class Side(Protocol):
    """A program that shows growing documents."""

    @property
    def app(self) -> App[object]: ...

    @property
    def watcher(self) -> Watcher: ...

    @property
    def step(self) -> int:
        """Tokens a pane is best fed at once when nothing is measured."""
        ...

    async def begin(self) -> None:
        """Return once the first frame is painted."""
        ...

    async def frame(self, pieces: Sequence[Sequence[str]]) -> None:
        """Feed each pane its tokens and do all that is done for one frame, up to its painting."""
        ...

    async def feed(self, pieces: Mapping[int, Sequence[str]]) -> None:
        """Feed some panes; the program paints by its own clock."""
        ...


class _Screen(RunScreen):
    """lfg's own, telling when a key's action has run."""

    key_handled: Callable[[], None]

    async def act(self, action: str) -> None:
        await super().act(action)
        self.key_handled()


class LfgSide(LfgApp):
    """lfg as it is, on a run of the bench's.

    Where frames are driven, its clock advances with what it is fed, and its own
    timer fires into the void: what the timer costs stays in the figures.
    """

    step = 250

    def __init__(self, job: Job, watch: Watcher) -> None:
        # All panes in sight on any screen: else those below cost nothing.
        tiling.MIN_WIDTH = tiling.MIN_HEIGHT = 1
        self._bench_run = BenchRun(job.panes, time.time if job.mode == "paced" else None)
        self._is_driven = job.is_driven
        self.watcher = watch
        live: LiveRun = self._bench_run  # a run that is not would be taken for a past one
        super().__init__(
            live,
            config=Config(),
            open_reader=None,
            simulated=False,
            themes=load_themes(),
            clock=self._bench_run.clock,
        )
        _watch_draws(watch, self._bench_run)

    def get_default_screen(self) -> Screen[None]:
        screen = _Screen(self._bench_run, self.context, PastRun())
        screen.key_handled = self.watcher.key_handled
        return screen

    async def begin(self) -> None:
        await self._bench_run.started.wait()
        collect_rarely()  # as the program does once its first frame is out

    def draw_frame(self) -> float | None:
        """What lfg's clock calls."""
        return None if self._is_driven else super().draw_frame()

    def _whole_frame(self) -> None:
        """All that one tick of lfg's clock does. The one place that knows how to ask for it."""
        super().draw_frame()

    async def frame(self, pieces: Sequence[Sequence[str]]) -> None:
        for pane, tokens in enumerate(pieces):
            self._bench_run.stream(pane, tokens)
        # As long as they take at their usual pace: what comes all at once would swell the gauges.
        self._bench_run.advance(FRAME * max(map(len, pieces)) / A_FRAME)
        self._whole_frame()

    async def feed(self, pieces: Mapping[int, Sequence[str]]) -> None:
        for pane, tokens in pieces.items():
            self._bench_run.stream(pane, tokens)


def _watch_draws(watch: Watcher, run: BenchRun) -> None:
    """Count what each pane's Markdown document is fed when the pane is updated."""
    update, feed = StreamView.update, StreamingMarkdown.feed
    current = 0

    def watched_update(view: StreamView, transcript: Transcript, now: float) -> None:
        nonlocal current
        current = run.pane_of(transcript)
        update(view, transcript, now)

    def watched_feed(document: StreamingMarkdown, text: str) -> None:
        feed(document, text)
        watch.drawn[current] += len(text)

    StreamView.update = watched_update  # type: ignore[method-assign, assignment]  # a bench may
    StreamingMarkdown.feed = watched_feed  # type: ignore[method-assign, assignment]  # a bench may


class _Document(Markdown):
    """Textual's own, counting what it has taken in."""

    taken: Callable[[int], None]

    def append(self, markdown: str) -> AwaitComplete:
        appending = super().append(markdown)

        async def counted() -> None:
            await appending
            self.taken(len(markdown))

        return AwaitComplete(counted())


class MarkdownSide(App[None]):
    """One `Markdown` a pane, in a `VerticalScroll` anchored to its end, in a grid."""

    step = 1 << 30
    CSS = "Grid { grid-gutter: 0; }"
    BINDINGS = [Binding("1", "pane(0)"), Binding("2", "pane(1)")]  # noqa: RUF012  # Textual's own way

    def __init__(self, job: Job, watch: Watcher) -> None:
        super().__init__()
        self.watcher = watch
        self._is_merged = job.is_merged
        self._documents = [_Document() for _ in range(job.panes)]
        self._scrolls = [VerticalScroll(document) for document in self._documents]
        self._streams: list[MarkdownStream] = []
        for pane, document in enumerate(self._documents):
            document.taken = self._taker(pane)

    def _taker(self, pane: int) -> Callable[[int], None]:
        def taken(characters: int) -> None:
            self.watcher.drawn[pane] += characters

        return taken

    def compose(self) -> ComposeResult:
        grid = Grid(*self._scrolls)
        across = int((len(self._scrolls) - 1) ** 0.5) + 1
        grid.styles.grid_size_columns = across
        grid.styles.grid_size_rows = -(-len(self._scrolls) // across)
        yield grid

    def action_pane(self, number: int) -> None:
        self._scrolls[number % len(self._scrolls)].focus()
        self.watcher.key_handled()

    async def begin(self) -> None:
        for scroll in self._scrolls:
            scroll.anchor()
        self._streams = [Markdown.get_stream(document) for document in self._documents]

    async def frame(self, pieces: Sequence[Sequence[str]]) -> None:
        await asyncio.gather(
            *(self._append(pane, tokens) for pane, tokens in enumerate(pieces) if tokens)
        )

    async def _append(self, pane: int, tokens: Sequence[str]) -> None:
        if self._is_merged or len(tokens) > A_FRAME:
            tokens = ["".join(tokens)]
        for token in tokens:
            await self._documents[pane].append(token)

    async def feed(self, pieces: Mapping[int, Sequence[str]]) -> None:
        # All at once: each write gives way to whatever else the loop has to do.
        await asyncio.gather(
            *(self._streams[pane].write("".join(tokens)) for pane, tokens in pieces.items())
        )


def make_side(job: Job) -> LfgSide | MarkdownSide:
    """The program that the job is about, not yet running."""
    watch = Watcher(job.panes)
    return LfgSide(job, watch) if job.side == "lfg" else MarkdownSide(job, watch)
