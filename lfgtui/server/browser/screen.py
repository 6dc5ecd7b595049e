"""The real screen in a browser: `lfg attach` on a pseudo-terminal, its bytes on a WebSocket.

Each browser has a process of its own, as a terminal has. Binary messages are bytes of the
terminal, both ways; a text message from the browser is its size as JSON (`Size`). The first size
starts the screen, so it never paints for a wrong one. Neither side is read faster than the other
reads: a browser that stops reading stops only its own screen. No shell runs on the terminal.
"""

import asyncio
import fcntl
import io
import os
import pty
import signal
import struct
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated, NamedTuple

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

LEAD = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
"""Python code that makes stdin the controlling terminal of the program, which leads a new session:
only so do resizing and closing the terminal send it SIGWINCH and SIGHUP."""

_ATTACH = f"{LEAD}; import sys; from lfgtui.__main__ import main; sys.exit(main())"

_READ_BYTES = 1 << 16
"""Most bytes that are read from the terminal at once."""

_GRACE = 3.0
"""Seconds that a screen has to end after its terminal was closed."""

_OF_ANOTHER_TERMINAL = ("COLUMNS", "LINES", "TMUX", "STY", "TERM_PROGRAM", "SSH_TTY", "DISPLAY")
"""Variables that describe the terminal in which lfg itself was started."""


class Size(msgspec.Struct, frozen=True):
    """The size of a browser's terminal, in cells; the page sends it."""

    columns: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 80
    rows: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 24


class _Screen(NamedTuple):
    """`terminal` is the descriptor of our side of lfg's terminal, open as long as `input` is."""

    terminal: int
    output: asyncio.StreamReader
    input: asyncio.StreamWriter


def attach_command(run: str) -> tuple[str, ...]:
    """Return the command that shows the run or, for "", the runs at work."""
    return (sys.executable, "-c", _ATTACH, "attach", *([run] if run else []))


async def show(websocket: WebSocket, command: Sequence[str]) -> None:
    """Show the command's screen until it ends or the browser leaves."""
    await websocket.accept()
    try:
        size = _read_size(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):
        return
    async with _screen(command, size) as screen:
        ways = {
            asyncio.create_task(_send_output(screen, websocket)),
            asyncio.create_task(_take_input(screen, websocket)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
    with suppress(RuntimeError, WebSocketDisconnect):  # it has left
        await websocket.close()


async def _send_output(screen: _Screen, websocket: WebSocket) -> None:
    with suppress(OSError, WebSocketDisconnect):  # Linux: EIO is the end of a terminal's output
        while output := await screen.output.read(_READ_BYTES):
            await websocket.send_bytes(output)


async def _take_input(screen: _Screen, websocket: WebSocket) -> None:
    """Pass on what is typed, and new sizes, until the browser leaves."""
    while (message := await websocket.receive())["type"] == "websocket.receive":
        if (typed := message.get("bytes")) is not None:
            screen.input.write(typed)
            await screen.input.drain()
        else:
            _resize(screen.terminal, _read_size(message["text"]))


@asynccontextmanager
async def _screen(command: Sequence[str], size: Size) -> AsyncIterator[_Screen]:
    """Run the command on a new pseudo-terminal; hang the terminal up in the end."""
    ours, theirs = pty.openpty()
    with (
        io.FileIO(theirs, "r+") as of_program,
        io.FileIO(ours) as output,
        # A descriptor of its own: the output's is closed at its end, and its number reused.
        io.FileIO(os.dup(ours), "w") as input_,  # noqa: TID251  # nothing is printed
    ):
        _resize(input_.fileno(), size)
        with of_program:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=_environment(os.environ),
                start_new_session=True,
            )
        try:
            async with _streams(output, input_) as streams:
                yield _Screen(input_.fileno(), *streams)
        finally:
            output.close()
            input_.close()  # closing the last descriptor hangs the terminal up
            await _end(process)


@asynccontextmanager
async def _streams(
    output: io.FileIO,
    input_: io.FileIO,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open the terminal's output and input."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_READ_BYTES)
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), output)
    writing, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
        input_,
    )
    try:
        yield reader, asyncio.StreamWriter(writing, protocol, None, loop)
    finally:
        reading.close()
        writing.abort()
        await asyncio.sleep(0)  # both transports close in the loop's next turn


async def _end(process: Process) -> None:
    """Wait `_GRACE` for the screen to end, since its terminal was closed; then kill it."""
    try:
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in ours.items() if name not in _OF_ANOTHER_TERMINAL}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def _read_size(sent: str) -> Size:
    """Read a size; 80 x 24 if it cannot be read."""
    try:
        return msgspec.json.decode(sent, type=Size)
    except msgspec.MsgspecError:
        return Size()


def _resize(terminal: int, size: Size) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", size.rows, size.columns, 0, 0))
