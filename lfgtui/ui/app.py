"""The app: one run on the screen, painted by one clock, until `Leaving` ends it.

A run's screen gets no entries, only the ids of the tickets that changed: their transcripts have
the changes already. Like keys, arrivals wake the clock, which has the visible panes painted at
most 30 times a second (60 in `lfg attach`); with nothing to paint it stands still.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Event, Key
from textual.message import Message
from textual.notifications import Notify, SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.widgets import Input
from textual.worker import WorkerError

from lfgtui.engine import signals
from lfgtui.errors import LfgError
from lfgtui.model.clock import now
from lfgtui.model.events import ApprovalRequested, Entry
from lfgtui.settings.config import Config, ttft_budgets
from lfgtui.settings.keys import keys_in_force
from lfgtui.settings.themes import ThemeFile
from lfgtui.text.terminal_safe import visible
from lfgtui.ui import screens
from lfgtui.ui.attention import needing_attention
from lfgtui.ui.guard import GuardedApp
from lfgtui.ui.leaving import Leaving
from lfgtui.ui.notifications import Notifier
from lfgtui.ui.run_view import AttachedRun, HistoryActions, LiveRun, RunView
from lfgtui.ui.screens.base import EntriesCame, LfgScreen, ResumeRequested, ScreenContext
from lfgtui.ui.screens.modes import mode_of
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.speech import Speech
from lfgtui.ui.terminal.clipboard import Copying
from lfgtui.ui.terminal.driver import Terminal
from lfgtui.ui.terminal.output import is_behind, show_title, suspended_at, write_sequence
from lfgtui.ui.terminal.suspension import Suspending
from lfgtui.ui.themes import begin_with, to_textual
from lfgtui.ui.toast import Toast, withdraw
from lfgtui.ui.widgets.frame_clock import (
    ATTACHED,
    GAUGE,
    OWN,
    SECOND,
    FrameClock,
    due,
    figures_move,
)
from lfgtui.ui.widgets.header import compose_title
from lfgtui.ui.widgets.pane import PaneSettings

if TYPE_CHECKING:
    from lfgtui.history.reader import Reader

FirstScreen: TypeAlias = Callable[[ScreenContext], LfgScreen[None]]


class LfgApp(Copying, Suspending, GuardedApp, inherit_bindings=False):
    """A run on the screen or, for None, past runs; `run_async` returns the program's exit code.

    A `LiveRun` is started after the first frame and shut down before the app ends. `resumes` is
    then the stored run to resume, if any. `themes` are those of `load_themes`; `first_screen`
    makes another screen to begin with. `can_detach`: the run can go on without this screen.
    """

    ENABLE_COMMAND_PALETTE = False
    ENABLE_SELECT_AUTO_SCROLL = False  # it would scroll the grid: panes do this themselves
    TITLE = "lfg"
    CSS = """
    ToastRack { align: right bottom; margin-bottom: 1; }
    RunScreen.with-bar ToastRack { margin-bottom: 2; }
    CommandPalette { background: transparent; }  /* it shows themes */
    CommandPalette > Vertical { background: $panel; } CommandPalette SearchIcon { display: none; }
    CommandList:nocolor > .option-list--option-highlighted { text-style: bold underline; }
    Toast { width: auto; max-width: 60; padding: 0 1; margin: 0 1 0 0; background: $panel; }
    """

    def __init__(
        self,
        run: LiveRun | RunView | None,
        *,
        config: Config,
        open_reader: "Callable[[], Reader] | None",
        simulated: bool,
        themes: Mapping[str, ThemeFile],
        history_actions: Callable[[], HistoryActions] | None = None,
        clock: Callable[[], float] = now,
        first_screen: FirstScreen | None = None,
        can_detach: bool = False,
    ) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)
        self.keys_in_force = keys_in_force(config.keys)
        self._run = run
        self._live = run if isinstance(run, LiveRun) else None
        self._open_reader = open_reader
        self._history_actions = history_actions
        self.resumes: str | None = None
        self._can_detach = can_detach
        self.context = ScreenContext(
            frames=FrameClock(clock, ATTACHED if isinstance(run, AttachedRun) else OWN),
            keys=self.keys_in_force,
            panes=PaneSettings(
                stall_after=config.stall_after,
                ttft_budget=config.ttft_budget,
                ttft_budgets=ttft_budgets(config),
                clock=clock,
                kept_lines=config.pane_lines,
                ticks=clock,
            ),
            host=run.host if isinstance(run, AttachedRun) else "",
        )
        self._simulated = simulated
        self._first_screen = first_screen
        self._changed: set[str] = set()  # ids of tickets, for the next frame
        self._gauges_at = self._told_at = 0.0  # when these are due again, by the loop's clock
        self.leaving = Leaving(
            run,
            self.exit,
            self._say_stopping,
            outlives_terminal=can_detach and config.on_hangup == "detach",
        )
        self._signals = ExitStack()
        self._notifier = Notifier(
            config.notify,
            clock,
            write=lambda text: write_sequence(self._driver, text),
            work=self.run_worker,
            complain=self.notify,
        )
        self.speech = Speech(config, self.notify)
        self._runs_alone = False  # True in `run_async`, not under a test's pilot
        for theme in themes.values():
            self.register_theme(to_textual(theme))
        has_few_colours = self.no_color or self.console.color_system in ("standard", None)
        self.theme_names: Sequence[str] = () if has_few_colours else sorted(themes)
        self.has_theme = True
        begin_with(self, "system" if has_few_colours else config.theme)

    # Beginning

    def get_default_screen(self) -> Screen[None]:
        if self._first_screen is not None:
            return self._first_screen(self.context)
        if self._run is None:
            return self._past_runs()
        mode = mode_of(self._run)
        return RunScreen(self._run, self.context, mode, simulated=self._simulated)

    def get_css_variables(self) -> dict[str, str]:
        if not self.has_theme:  # Textual asks before there is one, and `begin_with` once more
            return {}
        # Textual computes some variables that a theme sets; the theme has the last word.
        self.theme_variables = {**super().get_css_variables(), **self.current_theme.variables}
        return self.theme_variables

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        return Terminal if usual is LinuxDriver else usual

    def on_mount(self) -> None:
        if not self._runs_alone:
            self._watch_signals()
        self.app_resume_signal.subscribe(self, self._resumed)
        self.context.frames.start(self._frame)
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        self.context.frames.stop()
        for worker in [*self.workers]:  # Textual has cancelled them, and would not wait for them
            with suppress(WorkerError):
                await worker.wait()
        await self.speech.close()
        if not self._runs_alone:
            self._signals.close()
        if self._live is not None and self.has_shown and not self.leaving.has_begun:
            await self._live.shutdown()  # the screen broke: what runs ends as interrupted

    def _begin(self) -> None:
        self.has_shown = True
        if self._live is not None:
            self._live.subscribe(self._take)
            self._live.start()

    def _resumed(self, _: object) -> None:
        if (live := self._live) is not None:
            at = self.context.panes.clock()
            for ticket in live.tickets:
                live.meter(ticket.id).leave_out(suspended_at(self._driver) or at, at)

    # The clock

    def _take(self, entries: Sequence[Entry]) -> None:
        """Note which tickets changed (the run's sink); announce requests that are out of sight."""
        self._changed.update(entry.ticket for entry in entries)
        self.context.frames.wake_for_arrivals()
        screen = self._shown_run()
        if screen is None and self.screen_stack:
            self.screen.post_message(EntriesCame(entries))
        if screen is None or not screen.mode.is_live:
            for entry in entries:
                if isinstance(entry.event, ApprovalRequested):
                    self.notify(f"“{entry.ticket}” needs approval: {entry.event.summary}")

    def note_handled(self, message: Message) -> None:
        self.context.frames.wake()

    async def on_event(self, event: Event) -> None:
        self._notifier.presence.note(event)
        if isinstance(event, Key):
            self.speech.stop()
        await super().on_event(event)

    def _frame(self) -> float | None:
        """Draw a frame for `frames`; while the terminal lags, only its title and the like."""
        try:
            if is_behind(self._driver):
                if asyncio.get_running_loop().time() >= self._told_at:
                    self._tell_person()
                return 0.0
            return self.draw_frame()
        except Exception as error:
            self._handle_exception(error)
            return 0.0

    def draw_frame(self) -> float | None:
        """Paint what changed; return when more is due, by the loop's clock (0: at once)."""
        ticks = asyncio.get_running_loop().time()
        gauges = ticks >= self._gauges_at
        periods = [self._tell_person() if gauges else None]
        is_done = True
        if (screen := self._shown_run()) is not None:
            if self._changed:
                for shown in self.screen_stack:
                    if isinstance(shown, RunScreen):
                        shown.mark(self._changed)
                self._changed = set()
            is_done = screen.frame(gauges)
            periods.append(screen.mode.figures_move())
        if (live := self._live) is not None:
            live.watch(screen.tickets_in_view if screen and screen.run.run == live.run else ())
        if gauges:
            self._gauges_at = due(ticks, GAUGE)
        if not (is_done and gauges):
            return self._gauges_at if is_done else 0.0
        return min((due(ticks, period) for period in periods if period is not None), default=None)

    def _tell_person(self) -> float | None:
        """Update title, notifications and speech; return the seconds until they may change."""
        if (live := self._live) is None:
            return None
        now, stall_after = self.context.panes.clock(), self.context.panes.stall_after
        self._told_at = due(asyncio.get_running_loop().time(), GAUGE)
        try:
            needs = needing_attention(live, [one.id for one in live.tickets], now, stall_after)
            show_title(self._driver, compose_title(live, needs, stall_after, now))
            self._notifier.update(live, needs)
            screen = self._shown_run()
            self.speech.update(live, screen.current if screen and screen.mode.is_live else None)
        except Exception as error:  # a bug here must not keep the panes from being drawn
            self._handle_exception(error)
        period = figures_move(live, now)
        return None if period is None else max(period, SECOND)

    def _shown_run(self) -> RunScreen | None:
        """Return the run that can be seen: on top, or under questions only."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, RunScreen):
                return screen if screen.is_mounted else None
            if not isinstance(screen, ModalScreen):
                return None
        return None

    # Keys that work everywhere

    async def action_history(self) -> None:
        if self._open_reader is None:
            host = self.context.host
            there = f"past runs are on {host}: ssh {host} lfg history"
            self.notify(there if host else "history is not available here")
        elif not any(screen.has_class("history") for screen in self.screen_stack):
            await self.push_screen(self._past_runs())
        elif not self.screen.has_class("history"):
            self.notify("history is already open: press esc to go back to it")

    def _past_runs(self) -> Screen[None]:
        from lfgtui.ui.history.screen import HistoryScreen  # it imports sqlite3

        assert self._open_reader is not None and self._history_actions is not None
        return HistoryScreen(self.context, self._open_reader, self._history_actions())

    def action_beside(self) -> None:
        if isinstance(self.screen, RunScreen):
            screens.copies.compare(self.screen)

    async def action_help(self) -> None:
        await self.push_screen(screens.dialogs.help_page(self.keys_in_force))

    async def action_palette(self) -> None:
        await screens.commands.open_palette(self)

    def action_detach(self) -> None:
        """Leave the screen; the run goes on."""
        if isinstance(self._live, AttachedRun):
            self.leaving.end(None)
        elif self._live is None or not self._live.unfinished:
            self.notify("no tickets are running; press q to quit")
        elif not self._live.run:
            self.notify("the run has not begun yet")
        elif not self._can_detach:
            self.notify("lfg cannot detach from this run")
        else:
            self.leaving.detach()

    def action_repaint(self) -> None:
        self.screen.refresh()

    async def action_copy_or_quit(self) -> None:
        line = self.focused
        typed = line.selected_text if isinstance(line, Input) else ""
        if selected := self.screen.get_selected_text() or typed:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
        else:
            await self.action_quit()

    async def action_quit(self) -> None:
        """End, after a question where work would be interrupted."""
        unfinished = len(self._live.unfinished) if self._live is not None else 0
        if self.leaving.has_begun:
            self.exit(1)  # the second request: no more waiting
        elif unfinished == 0 or isinstance(self._live, AttachedRun):
            self.leaving.end(None)
        else:
            tickets = "1 ticket is" if unfinished == 1 else f"{unfinished} tickets are"
            question = f"{tickets} unfinished. Quit anyway?"
            note = "Output is saved; `lfg resume` continues."
            self.push_screen(screens.dialogs.Question(question, note), self._quit_answered)

    def _quit_answered(self, is_sure: bool | None) -> None:
        if is_sure and self._live is not None:
            self.leaving.end(1 if self._live.unfinished else None)

    async def on_resume_requested(self, event: ResumeRequested) -> None:
        """End, so that the run is resumed on this terminal; say so if that is impossible."""
        if self._live is not None and self._live.unfinished:
            self.notify(f"a run is in progress; in another terminal: lfg resume {event.run}")
        elif not self.leaving.has_begun and self._history_actions is not None:
            self.run_worker(self._resume(self._history_actions(), event.run), group="resume")

    async def _resume(self, actions: HistoryActions, run: str) -> None:
        try:
            is_ours = self._live is not None and self._live.run == run
            await asyncio.to_thread(actions.check_resume, run, is_ours=is_ours)
        except LfgError as error:
            self.notify(str(error), severity="error")
        else:
            self.resumes = run
            self.leaving.end(None)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast. Its text is never markup, since parts of it come from outside."""
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Notify(Toast(visible(message), title, severity, seconds)))

    def on_notify(self, event: Notify) -> None:
        withdraw(self, event.notification.message)  # the same is not shown twice

    # Ending

    async def run_async(self, *args: Any, **kwargs: Any) -> int | None:
        self._runs_alone = self.survives_bugs = True
        asyncio.get_running_loop().set_exception_handler(self.handle_stray)
        with self._signals:
            self._watch_signals()
            return await super().run_async(*args, **kwargs)

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        self._signals.enter_context(signals.delivered(loop, self.leaving.signalled))

    def _say_stopping(self) -> None:
        if screen := self._shown_run():
            screen.notice = "stopping …"
            screen.update_bars()
