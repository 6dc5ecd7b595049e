"""What a terminal, a person's fingers, a file or a clock does; the servers behave here."""

import fcntl
import os
import shutil
import signal
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.cases import ONE, WHOLE, Act, Aftermath, Look, Pause, Step, case, enter_as
from tests.hostile.session import ESCAPE, FIRST, GRID, SECOND, Session
from tests.hostile.wires import Wire


def _paced(wire: Wire) -> Iterator[Step]:
    """A plain answer over some seconds, so that there is something to disturb."""
    yield wire.begin()
    for number in range(60):
        yield wire.text(f"so far {number}. ")
        yield Pause(0.1)
    yield wire.finish()


def _garbage(session: Session) -> None:
    for typed in (
        b"\xe9t\xe9 \xff\xfe\xc3(",
        b"\x1b[M\x20\xff\xf0",  # a mouse report beyond column 95
        b"\x1b[M\xff",
        bytes(range(128, 256)) * 5,
        b"\x1b[<0;99999999999999999999;1M\x1b[<999;1;1M\x1b[<0;0;0m",
        b"\x1b[99999999999999999999;5u\x1b[1114112u\x1b[55296u\x1b[-1u\x1b[",
        b"\x1b]52;c;eA==\x07\x1bP1$r\x1b\\\x1b[?2048;1$y\x1b[48;0;0;0;0t\x1b[48;1;1t",
    ):
        session.terminal.type(typed)
    session.terminal.type(b"\x1b\\" + ESCAPE * 2)  # out of whatever that began, and opened


@case("done", wires=ONE, act=_garbage)
def typed_bytes_that_are_no_text(wire: Wire) -> Iterator[Step]:
    """Latin-1, old mouse reports, reports of sizes that cannot be: lfg goes on."""
    yield from _paced(wire)


def _paste(session: Session) -> None:
    session.terminal.type(b"/")
    for _ in range(20):
        session.terminal.type(b"\x1b[200~" + b"paste \xff [red]\x07 " * 200 + b"\x1b[201~")
    session.terminal.type(b"\x1b[200~" + b"never ended " * 200)
    time.sleep(0.5)
    session.terminal.type(b"\x1b[201~" + ESCAPE * 2)


@case("done", wires=ONE, act=_paste)
def pastes(wire: Wire) -> Iterator[Step]:
    """Large pastes into the search line, one of which does not end for a while."""
    yield from _paced(wire)


def _mash(session: Session) -> None:
    keys = b"vvjjkkttmmuufffF/x\x1b?\x1bHjj\x1b\x1bbb\x1b>><<  \x10re\x1b\x1b"
    session.terminal.type(keys.replace(b"\x1b", ESCAPE) * 6)
    for _ in range(60):  # out of whatever is open, or opens yet, and to the grid
        session.terminal.type(ESCAPE * 3)  # the history's search takes one to be emptied
        if all(session.press(key, 1.0) is not None for key in (GRID, SECOND, FIRST)):
            return
        session.terminal.type(b"v")


@case(
    "done",
    wires=ONE,
    act=_mash,
    hides=True,
    keys={"title": "Rename foo[key='old to new [BUG] [/] [b"},
)
def keys_among_titles_that_look_like_markup(wire: Wire) -> Iterator[Step]:
    """Keys by the hundred, the palette too, over a title that looks like markup."""
    yield from _paced(wire)


def _resize(session: Session) -> None:
    path = Path(f"/proc/{session.pid}/fd/0")
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        for rows, columns in ((1, 1), (0, 0), (2, 400), (400, 2), (65535, 1), (24, 80), (40, 120)):
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            session.terminal.process.send_signal(signal.SIGWINCH)
            time.sleep(0.25)
        for _ in range(100):
            session.terminal.process.send_signal(signal.SIGWINCH)
            time.sleep(0.005)
    finally:
        os.close(terminal)


@case("done", wires=ONE, act=_resize, hides=True)
def sizes_that_cannot_be(wire: Wire) -> Iterator[Step]:
    """A terminal of 1x1, of none at all, of 65,535 rows, and 100 changes."""
    yield from _paced(wire)


def _stop_and_go(session: Session) -> None:
    session.terminal.stop_reading()
    time.sleep(3)
    session.terminal.go_on_reading()


def _stop(session: Session) -> None:
    session.terminal.stop_reading()


@case("done", wires=ONE, act=_stop, sees_all=False, is_cut=True)
def terminal_that_stops_reading(wire: Wire) -> Iterator[Step]:
    """A hung ssh: the tickets go on, SIGTERM is obeyed, nothing of the neighbour is lost."""
    yield from _paced(wire)


@case("done", wires=ONE, act=_stop_and_go, sees_all=False)
def terminal_that_stops_and_goes_on(wire: Wire) -> Iterator[Step]:
    """It reads again after a while: what is on the screen then is whole."""
    yield from _paced(wire)


def _close(session: Session) -> None:
    session.terminal.hang_up()


def _ends_with(*codes: int) -> Look:
    def look(after: Aftermath) -> Iterator[str]:
        if after.code not in codes:
            yield f"exit code {after.code}, not {' or '.join(map(str, codes))}"

    return look


@case("interrupted", wires=ONE, act=_close, look=_ends_with(129), sees_all=False)
def terminal_that_is_closed(wire: Wire) -> Iterator[Step]:
    """Its window is closed: lfg ends with 129, and what was said is kept."""
    yield from _paced(wire)


def _storm(session: Session) -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM) * 100:
        if session.terminal.process.poll() is None:
            session.terminal.process.send_signal(number)
            time.sleep(0.002)


@case("interrupted", wires=ONE, act=_storm, look=_ends_with(130, 129), sees_all=False)
def storm_of_signals(wire: Wire) -> Iterator[Step]:
    """300 signals, of SIGINT and SIGHUP whichever is seen first: one ending, no traceback."""
    yield from _paced(wire)


def _remove(session: Session) -> None:
    for file in session.data.glob("history.db*"):
        file.unlink()


def _replace(session: Session) -> None:
    _remove(session)
    (session.data / "history.db").write_bytes(b"not a database at all" * 1000)


def _remove_folder(session: Session) -> None:
    shutil.rmtree(session.data)


def _saved_or_said(after: Aftermath) -> Iterator[str]:
    is_said = b"not saved" in after.written or b"saved elsewhere" in after.written
    if after.neighbour != WHOLE and not is_said:
        yield "what the neighbour said is not in the history, and nothing says so"


def _touch(name: str) -> Act:
    """Tell the changed clock of `clock/sitecustomize.py` to leap."""

    def touch(session: Session) -> None:
        (session.folder / name).touch()

    return touch


_HISTORY = {
    "deleted": ("The history's files are deleted in mid-run: lfg says so and goes on.", _remove),
    "replaced": ("Something else stands where the history was.", _replace),
    "folder-removed": ("The history's folder is gone.", _remove_folder),
}
for _name, (_told, _act) in _HISTORY.items():
    _ends = ("done", "gone", "interrupted")
    _entering = case(*_ends, wires=ONE, act=_act, look=_saved_or_said, sees_all=False)
    enter_as(f"history-{_name}", _told, _paced, _entering)

_CLOCK = {
    "back": ("The clock is set back an hour in mid-run: the screen goes on.", "an-hour-back"),
    "forward": (
        "The clock is set forward a year: no ticket's time is up because of it.",
        "a-year-on",
    ),
}
for _name, (_told, _file) in _CLOCK.items():
    enter_as(f"clock-set-{_name}", _told, _paced, case("done", wires=ONE, act=_touch(_file)))
