"""Apps over small real runs, with a clock that only the test moves."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual import markup
from textual._context import active_app

from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.settings import paths
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history.stored_run import StoredRun, read_run
from lfgtui.ui.toast import Toast
from tests.ui.emulator import at_rest, settled
from tests.ui.fake_live import START
from tests.ui.history.past import ANSWER, keep
from tests.ui.screen_text import MakeApp, make_app


@pytest.fixture(autouse=True)
def no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on lfg's screens is markup, so whatever reaches Textual's parser is a bug.

    Textual calls it for each string with a bracket in it that is not said to be plain.
    """

    def refuse(text: str, *_: object, **__: object) -> None:
        raise AssertionError(f"parsed as markup: {text!r}")

    monkeypatch.setattr(markup, "to_content", refuse)


@pytest.fixture(autouse=True)
def true_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every console write true colours: a style of Rich keeps the codes of the first."""
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture(autouse=True)
def clipboard_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing copied on the machine of whoever runs the tests."""
    monkeypatch.setenv("SSH_TTY", "/dev/pts/0")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a pilot wait until all is handled and drawn, and toasts stay until a test saw them.

    Textual's pilot takes a process that gets no CPU for an idle one.
    """

    async def until_rest(*_: float) -> None:
        app = active_app.get()
        await (settled(app) if isinstance(app, LfgApp) else at_rest(app))

    monkeypatch.setattr("textual.app.wait_for_idle", until_rest)
    monkeypatch.setattr("textual.pilot.wait_for_idle", until_rest)
    monkeypatch.setattr("lfgtui.ui.app.GAUGE", 1e-9)
    monkeypatch.setattr(Toast, "has_expired", False)
    monkeypatch.setattr(Toast, "time_left", 3600.0)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have times of day be the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(name="make_app")
def app_maker() -> MakeApp:
    """An app on a run; its clock is the run's."""
    return make_app


@pytest.fixture
def store() -> Iterator[Recorder]:
    """The history of this test's data folder."""
    with Recorder(paths.history_file()) as store:
        yield store


@pytest.fixture
def history(store: Recorder) -> Path:
    """A history of two runs."""
    keep(store, "First run", {"alpha": "The quick brown fox.", "beta": "jumps over"})
    keep(store, "Second \x1b[31mrun", {"gamma": "A lazy dog\nand a foxglove."})
    return store.path


@pytest.fixture
def open_reader(store: Recorder) -> Callable[[], Reader]:
    """Opens readers, and refuses to do it on the event loop's thread."""
    home = threading.current_thread()

    def open_one() -> Reader:
        assert threading.current_thread() is not home
        return Reader(store.path)

    return open_one


@pytest.fixture
def stored(history: Path) -> StoredRun:
    """The newest run."""
    with Reader(history) as reader:
        return read_run(reader, reader.runs(1)[0].run)


@pytest.fixture
def past(store: Recorder) -> Path:
    """A failed run with a pin and a note, and a later one that is done; always the same."""
    failed = keep(store, "Checkout rewrite", {"schema": ANSWER, "api": "Half of"}, "interrupted")
    done = keep(store, "Docs sweep", {"docs": "All pages name the **checkout** flag."})
    path = store.path
    store.close()
    maintenance.pin(path, failed, True)
    maintenance.annotate(path, failed, "the view was a good idea")
    with sqlite3.connect(path) as database:
        for hour, (run, name) in enumerate([(failed, "0304-a1b2"), (done, "0304-c3d4")]):
            at = START + hour * 3600
            times = {"at": at, "end": at + 125, "name": f"2026{name}", "run": run}
            database.execute(
                "UPDATE runs SET id = :name, started_at = :at, ended_at = :end WHERE id = :run",
                times,
            )
            database.execute("UPDATE tickets SET run = :name WHERE run = :run", times)
    database.close()
    return path
