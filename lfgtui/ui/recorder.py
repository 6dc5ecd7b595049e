"""A replay as the output that a terminal would have got, for `lfg export` to write as a cast.

The real app with the real screen, on a driver that records its output and with a
clock that is moved from frame to frame. Nothing waits, so minutes take seconds: after each
frame all pending work of Textual's (a layout, a repaint of its own) is done at once.
"""

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from textual import events
from textual.driver import Driver
from textual.geometry import Size

from lfgtui.settings.config import Config
from lfgtui.settings.themes import ThemeFile
from lfgtui.ui.app import LfgApp
from lfgtui.ui.painting.canvas import come_to_rest
from lfgtui.ui.replay.run import ReplayedRun
from lfgtui.ui.screens.replay import replay_screen
from lfgtui.ui.screens.run import RunScreen

if TYPE_CHECKING:
    from textual.app import App

FRAMES = 12
"""Frames a second."""

_GAUGES = 3
"""Frames between two updates of figures that change by time alone: a quarter of a second."""

_CLEARED = "\x1b[?25l\x1b[2J"
_ENDED = "\x1b[0m\x1b[?25h"
"""The first and the last output. They do not use the alternate screen, so that the last frame stays
when the recording is over."""


class Written(NamedTuple):
    """Output of one frame, at a moment in seconds from the beginning."""

    at: float
    data: str


async def record(
    run: ReplayedRun, config: Config, themes: Mapping[str, ThemeFile], size: tuple[int, int]
) -> list[Written]:
    """Play the run from beginning to end; return what is written, the last entry at its end.

    `size` is in columns and rows.
    """
    recorder = _Recorder(run, config, themes)
    await recorder.run_async(size=size, mouse=False)
    return recorder.written


class _Recorder(LfgApp):
    """Plays by itself once its first frame is drawn, and leaves at the end."""

    def __init__(self, run: ReplayedRun, config: Config, themes: Mapping[str, ThemeFile]) -> None:
        self.now = 0.0  # seconds of the recording, by which the replay moves on
        self.output: list[str] = [_CLEARED]  # what the driver has written since the last frame
        self.written: list[Written] = []
        self._replay = run
        super().__init__(
            run,
            config=config,
            open_reader=None,
            simulated=run.is_simulated,
            themes=themes,
            clock=lambda: self.now,
            first_screen=lambda context: replay_screen(run, context),
        )
        self.console = Console(
            color_system="truecolor",
            file=io.StringIO(),
            force_terminal=True,
            highlight=False,
            legacy_windows=False,
            no_color=False,
        )
        if not self.no_color:  # whatever terminal it is recorded in
            self.theme = config.theme

    def get_driver_class(self) -> type[Driver]:
        return _RecordingDriver

    def _watch_signals(self) -> None:
        """Do nothing, so that Ctrl+C ends the program, as in any command without a screen."""

    def _frame(self) -> None:
        """Do nothing: only the recording's clock draws frames."""

    def _begin(self) -> None:
        self.run_worker(self._play())

    async def _play(self) -> None:
        """Draw all frames, and keep what each has written."""
        length = self._replay.timeline.length
        seconds = length / self._replay.speed
        frames = math.ceil(seconds * FRAMES)
        for frame in range(frames + 1):
            self.now = frame / FRAMES
            if frame == frames:
                self._replay.seek(length)
            await self._picture(gauges=frame == frames or frame % _GAUGES == 0)
            if frame == frames:
                self.output.append(_ENDED)
            if self.output:
                at = round(min(self.now, seconds), 6)
                self.written.append(Written(at, "".join(self.output)))
                self.output.clear()
        self.exit()

    async def _picture(self, *, gauges: bool) -> None:
        """Draw a frame, with `gauges` all figures, and let Textual finish what follows from it."""
        screen = self.screen
        assert isinstance(screen, RunScreen)
        screen.frame(gauges)
        while self._replay.is_busy:
            screen.frame(gauges)
        await come_to_rest(self)


class _RecordingDriver(Driver):
    """A terminal of a given size, without input; what is written goes to `_Recorder.output`."""

    def __init__(
        self,
        app: "App[object]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert isinstance(app, _Recorder)
        self._output = app.output

    def write(self, data: str) -> None:
        self._output += [data]

    def start_application_mode(self) -> None:
        size = Size(*(self._size or (80, 24)))
        self.send_message(events.Resize(size, size))

    def disable_input(self) -> None:
        pass

    def stop_application_mode(self) -> None:
        pass
