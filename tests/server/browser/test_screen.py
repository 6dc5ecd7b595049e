"""A screen on a pseudo-terminal, seen through a real WebSocket."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from lfgtui.server.browser.screen import LEAD, Size, _screen, attach_command, show
from lfgtui.simulator.server import listening

_ECHO = f"""
{LEAD}
import os, pathlib, signal, sys
def tell(*_): print(*os.get_terminal_size(0), os.environ["TERM"], flush=True)
def end(*_):
    pathlib.Path("hung-up").touch()
    sys.exit()
signal.signal(signal.SIGWINCH, tell)
signal.signal(signal.SIGHUP, end)
tell()
for line in sys.stdin: print("typed", line.strip(), flush=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program leaves in its folder is not left in the checkout."""
    monkeypatch.chdir(tmp_path)


@asynccontextmanager
async def screen(command: Sequence[str]) -> AsyncIterator[ClientConnection]:
    """Serve the command's screen, and open it."""

    async def serve(websocket: WebSocket) -> None:
        await show(websocket, command)

    app = Starlette(routes=[WebSocketRoute("/", serve)])
    async with listening(app, 0) as url, connect(url.replace("http", "ws")) as connection:
        yield connection


async def shown(connection: ClientConnection, text: str) -> str:
    """Return the output up to that text."""
    output = ""
    async with asyncio.timeout(30):
        while text not in output:
            message = await connection.recv()
            assert isinstance(message, bytes)
            output += message.decode()
    return output


async def test_it_is_painted_for_the_browsers_size_takes_keys_and_follows_a_new_size() -> None:
    async with screen((sys.executable, "-c", _ECHO)) as connection:
        await connection.send('{"columns": 101, "rows": 31}')
        await shown(connection, "101 31 xterm-256color")
        await connection.send(b"hi there\r")
        await shown(connection, "typed hi there")
        await connection.send('{"columns": 60, "rows": 20}')
        await shown(connection, "60 20 xterm-256color")


async def test_a_size_that_is_none_is_the_usual_one() -> None:
    async with screen((sys.executable, "-c", _ECHO)) as connection:
        await connection.send('{"columns": -4, "rows": "many"}')
        await shown(connection, "80 24")


async def test_a_browser_that_leaves_hangs_up() -> None:
    async with screen((sys.executable, "-c", _ECHO)) as connection:
        await connection.send("{}")
        await shown(connection, "80 24")
    # The server has waited for the program.
    assert "hung-up" in await asyncio.to_thread(os.listdir)


async def test_a_program_that_does_not_mind_its_terminals_end_is_killed() -> None:
    stubborn = f"{LEAD}\nimport os, signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    stubborn += "print(os.getpid(), 'here', flush=True)\nwhile True: signal.pause()"
    async with screen((sys.executable, "-c", stubborn)) as connection:
        await connection.send("{}")
        pid = int((await shown(connection, "here")).split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_keys_that_come_behind_the_end_of_a_screen_go_nowhere_else() -> None:
    async with _screen((sys.executable, "-c", "print('bye')"), Size()) as ended:
        with suppress(OSError):  # as Linux ends a terminal
            while await ended.output.read(1 << 16):
                pass
        # Its number is not that of a connection that was opened meanwhile.
        assert os.isatty(ended.terminal)
        assert ended.input.get_extra_info("pipe").fileno() == ended.terminal


async def test_the_end_of_a_screen_is_told() -> None:
    async with screen(attach_command("20260101-000000-none")) as connection:
        await connection.send("{}")
        await shown(connection, 'no run "20260101')
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
