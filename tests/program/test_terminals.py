"""lfg in real terminals that hang, talk nonsense, and are closed."""

import os
import re
import shlex
import signal
from contextlib import closing
from itertools import pairwise

import pyte
import pytest

from lfgtui.history.reader import Reader
from lfgtui.settings import paths
from tests.helpers.terminal import BEGINS, COLUMNS, LFG, ROWS, Program, lfg_in_terminal
from tests.helpers.waiting import until

NONSENSE = (
    b"\xe9 \xff\xfe"
    b"\x1b[M !\xe9\x1b[M\xff\xff\xff"
    b"\x1b[<0;99999;99999M\x1b[<35;4000000000;1M\x1b[<99;1;1M"
    b"\x1b[" + b"9" * 5000 + b"u\x1b[1114112u\x1b[;55296;55296u"
    b"\x1b[48;2000000;2000000;0;0t\x1b[48;0;0;0;0t\x1b[?2048;2$y"
    b"\x1b[O\x1b[I" * 500 + b"\x1b]11;rgb:ffff/ffff/ffff\x07\x1bPhello\x1b\\"
    b"\x1b[200~" + b"pasted \xe9\x1b[31m\r" * 20_000 + b"\x1b[201~"
)


def committed() -> int:
    """Entries of the last run in the history."""
    with Reader(paths.history_file()) as reader:
        run = reader.runs(1)[0].run
        return sum(len(list(reader.entries(run, one.ticket.id))) for one in reader.tickets(run))


def wait_for_more_than(count: int) -> None:
    until(lambda: committed() > count, "nothing is committed any more")


def states() -> set[str]:
    with Reader(paths.history_file()) as reader:
        return {ticket.state for ticket in reader.tickets(reader.runs(1)[0].run)}


def wait_for_whole_picture(lfg: Program) -> None:
    """Wait until all rows are painted over by what is written after the last text read."""

    def is_painted() -> bool:
        screen = pyte.Screen(COLUMNS, ROWS)
        screen.draw("¿" * COLUMNS * ROWS)
        pyte.ByteStream(screen).feed(lfg.written_since())
        return not any("¿" in row for row in screen.display)

    until(is_painted, "the screen is never painted whole")


def test_a_terminal_that_does_not_read_stops_nothing() -> None:
    with lfg_in_terminal("demo") as lfg:
        lfg.read_until(" running")
        lfg.stop_reading()
        for _ in range(3):
            wait_for_more_than(committed() + 20)
        lfg.process.send_signal(signal.SIGTERM)
        assert lfg.wait() == 143
    assert b"\x1b[?1049l" in lfg.written and b", lfg resume 2" in lfg.written
    assert states() <= {"interrupted", "done"}


def test_nonsense_is_survived_and_a_closed_terminal_is_a_hangup() -> None:
    with lfg_in_terminal("demo") as lfg:
        lfg.read_until(" running")
        lfg.stop_reading()
        wait_for_more_than(committed() + 60)
        lfg.go_on_reading()
        lfg.type(NONSENSE)
        lfg.type(b"?")
        lfg.read_until("esc to close")
        screen = pyte.Screen(120, 40)
        pyte.ByteStream(screen).feed(bytes(lfg.written))
        assert any("esc to close" in row for row in screen.display)
        lfg.hang_up()
        assert lfg.wait() == 129
    assert states() <= {"interrupted", "done"}


def test_lfg_goes_on_after_it_was_suspended_and_leaves_the_terminal_its_own_title() -> None:
    with lfg_in_terminal("demo") as lfg:
        lfg.read_until("running · lfg\x07")
        for key, shown in ((b"?", "esc to close"), (b"\x1b", " running")):
            lfg.process.send_signal(signal.SIGTSTP)
            os.waitid(os.P_PID, lfg.process.pid, os.WSTOPPED | os.WNOWAIT)
            lfg.process.send_signal(signal.SIGCONT)
            lfg.read_until("\x1b[?1049h")
            wait_for_whole_picture(lfg)
            lfg.type(key)
            lfg.read_until(shown)
        lfg.process.send_signal(signal.SIGTERM)
        assert lfg.wait() == 143
        lfg.close()
    assert b"Traceback" not in lfg.written
    kept, cleared = rb"\x1b\[22;0t", rb"\x1b\]0;\x07\x1b\[23;0t"
    titles = re.findall(rb"\x1b\[2[23];0t|\x1b\]0;[^\x07]*\x07", lfg.written)
    one_life = kept + rb"(?:\x1b\]0;[^\x07]*lfg\x07)+" + cleared
    assert re.fullmatch(one_life * 3, b"".join(titles)), titles
    assert all(title != after for title, after in pairwise(titles)), titles


def test_ctrl_z_gives_the_terminal_to_the_shell_until_fg() -> None:
    command = shlex.join([*LFG, "demo"])
    with closing(Program(["bash", "-mc", f"{command}; echo back in $0; fg"])) as shell:
        shell.read_until(" running")
        shell.type(b"\x1a")
        shell.read_until("\x1b[?1049l")
        shell.read_until("back in bash")
        shell.read_until("\x1b[?1049h")
        wait_for_whole_picture(shell)
        shell.type(b"q")
        shell.read_until("Quit anyway?")
        shell.type(b"y")
        assert shell.wait() == 1


def test_ctrl_l_paints_the_whole_screen_and_ctrl_z_where_no_shell_waits_stops_nothing() -> None:
    with lfg_in_terminal("demo") as lfg:
        lfg.read_until(" running")
        lfg.type(b"\x0c")
        wait_for_whole_picture(lfg)
        lfg.type(b"\x1a?")
        lfg.read_until("esc to close")


@pytest.mark.parametrize("arguments", [("demo",), ("demo", "--headless")])
@pytest.mark.parametrize("is_early", [True, False], ids=["starting", "running"])
def test_a_storm_of_signals_is_one_ending(arguments: tuple[str, ...], is_early: bool) -> None:
    with lfg_in_terminal(*arguments) as lfg:
        lfg.read_until(BEGINS if is_early else " running" if len(arguments) == 1 else "streaming")
        while lfg.is_running:
            lfg.process.send_signal(signal.SIGINT)
            lfg.process.send_signal(signal.SIGTERM)
        assert lfg.wait() in (130, 143), bytes(lfg.written[-3000:])
    assert b"Traceback" not in lfg.written and b"Error" not in lfg.written
    assert is_early or states() <= {"interrupted", "done"}
