"""`lfg relay`: the other end of `lfg attach HOST`, which ssh starts on HOST.

The protocol is in `lfgtui/server/relay.py`; this module only wraps the pipes.
"""

import asyncio
import io
import os
import stat

import click

from lfgtui.errors import UsageError
from lfgtui.server.control.client import Lines
from lfgtui.server.relay import relay as relay_runs

_STDIN, _STDOUT = 0, 1


@click.command()
def relay() -> None:
    """Answer `lfg attach` from another machine, on stdin and stdout; ssh starts it."""
    for descriptor in (_STDIN, _STDOUT):
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            raise UsageError("lfg relay talks to a program; on your machine run: lfg attach HOST")
    asyncio.run(_relay())


async def _relay() -> None:
    """Serve one viewer on the process's pipes, until it hangs up."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), io.FileIO(_STDIN))
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), io.FileIO(_STDOUT, "w")
    )
    await relay_runs(Lines(reader), asyncio.StreamWriter(transport, protocol, None, loop))
