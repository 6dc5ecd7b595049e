"""A peer, and an agent written in a few lines of Python at the other end."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest

from lfgtui.processes.child import ChildLimits, ChildProcess, start_child
from lfgtui.providers.acp.json_rpc import Peer
from lfgtui.providers.acp.messages import METHOD_NOT_FOUND, RpcError
from lfgtui.providers.lenient_json import JsonObject
from tests.helpers.children import python
from tests.helpers.waiting import PATIENCE

PROLOGUE = """
import json
send = lambda **message: say(json.dumps({"jsonrpc": "2.0", **message}))
note = lambda method, /, **params: send(method=method, params=params)
receive = lambda: json.loads(sys.stdin.readline() or sys.exit(0))
"""


class Recorder:
    """A handler that writes down what it gets, in order; `answers` are by method.

    An answer that is an exception is raised, a future is waited for.
    """

    def __init__(self) -> None:
        self.got: list[object] = []
        self.answers: dict[str, object] = {}
        self._changed = asyncio.Event()

    def note(self, one: object) -> None:
        self.got.append(one)
        self._changed.set()

    async def until(self, count: int) -> list[object]:
        """Return what there is once there are so many."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while len(self.got) < count:
                    self._changed.clear()
                    await self._changed.wait()
        return self.got

    async def notified(self, method: str, params: JsonObject) -> None:
        await asyncio.sleep(0)
        self.note((method, *params.values()))
        match self.answers.get(method):
            case Exception() as error:
                raise error
            case asyncio.Future() as gate:
                await gate

    async def asked(self, method: str, params: JsonObject) -> object:
        self.note((f"{method}?", *params.values()))
        answer = self.answers.get(method, RpcError(METHOD_NOT_FOUND, f"{method} is unknown"))
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, asyncio.Future):
            return answer
        try:
            return await answer
        except asyncio.CancelledError:
            self.note((f"{method} cancelled",))
            raise

    async def unreadable(self, why: str, text: str) -> None:
        self.note((why, text))


Connect = Callable[..., Awaitable[tuple[Peer, Recorder]]]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """`connect(script, limit=...)`: a peer of the agent that runs it, and its handler."""
    ends: list[tuple[Peer, ChildProcess]] = []

    async def connect(script: str, **limits: float) -> tuple[Peer, Recorder]:
        bounds = ChildLimits(**limits)  # type: ignore[arg-type]  # of floats and integers
        command = python(PROLOGUE + dedent(script))
        child = await start_child(command, tmp_path, os.environ, bounds)
        recorder = Recorder()
        peer = Peer(child, recorder)
        ends.append((peer, child))
        return peer, recorder

    yield connect
    for peer, child in ends:
        with suppress(Exception):
            await peer.aclose()
        await child.terminate(0)
