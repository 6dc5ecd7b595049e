"""Run a Textual program up to its first frame and report the CPU that took.

    python bench/first_frame.py REPORT minimal
    python bench/first_frame.py REPORT lfg ARGUMENTS...

Writes CPU seconds, user and system, to the file REPORT and ends the process
there, before any work begins. The first frame is the first update the app
hands to its driver for the screen's contents. lfg forks before that: what the
process that goes on as its child took until then counts as well.
"""

import os
import sys
import time
from pathlib import Path


def stop_at_first_frame(report: Path) -> None:
    """Have the first painted frame end this process."""
    from textual.app import App

    before_forks = [0.0]
    os.register_at_fork(before=lambda: before_forks.append(time.process_time()))

    def first_display(self: App[object], screen: object, renderable: object) -> None:
        if renderable is None or not self.screen.size:
            return
        report.write_text(str(sum(before_forks) + time.process_time()))
        os._exit(0)

    App._display = first_display  # type: ignore[method-assign, assignment]  # a bench may


def run_minimal() -> None:
    """The least a Textual app can be: a header, a line, a footer."""
    from textual.app import App, ComposeResult
    from textual.widgets import Footer, Header, Static

    class Minimal(App[None]):
        def compose(self) -> ComposeResult:
            yield Header()
            yield Static("hello")
            yield Footer()

    Minimal().run()


def run_lfg(arguments: list[str]) -> None:
    """lfg as its console script starts it."""
    from lfgtui.__main__ import main

    sys.argv[1:] = arguments
    main()


if __name__ == "__main__":
    stop_at_first_frame(Path(sys.argv[1]))
    if sys.argv[2] == "minimal":
        run_minimal()
    else:
        run_lfg(sys.argv[3:])
