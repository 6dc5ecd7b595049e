"""Chromium without a window, driven over its own protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import os
import re
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryDirectory

import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
)

_KEYS = {"\r": "Enter", "\x1b": "Escape"}

PATIENCE = 60.0
"""Seconds after which what is waited for does not come."""


class Page:
    """A page of the browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0

    async def call(self, method: str, **parameters: object) -> dict[str, object]:
        """Call a method of the protocol; return its result."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": parameters}
        await self._connection.send(msgspec.json.encode(call).decode())
        while True:
            answer = msgspec.json.decode(await self._connection.recv(), type=dict[str, object])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result = answer["result"]
                assert isinstance(result, dict)
                return result

    async def open(self, url: str) -> None:
        """Go to the address."""
        await self.call("Page.navigate", url=url)

    async def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """Show the page in a window of that size in pixels."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )

    async def evaluate(self, script: str) -> object:
        """Return the value of the JavaScript expression."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        result = answer["result"]
        assert isinstance(result, dict)
        return result.get("value")

    async def until(self, script: str) -> None:
        """Wait until the JavaScript expression is true."""
        look = f"try {{ if ({script}) return resolve(true) }} catch {{}} setTimeout(look, 50)"
        try:
            async with asyncio.timeout(PATIENCE):
                await self.evaluate(f"new Promise(resolve => (function look() {{ {look} }})())")
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE:.0f} s: {script}") from None

    async def type(self, text: str) -> None:
        """Type the text."""
        for character in text:
            for kind in ("keyDown", "keyUp"):
                await self.call(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    text=character,
                    key=_KEYS.get(character, character),
                    windowsVirtualKeyCode=ord(character.upper()),
                )

    async def picture(self, path: Path) -> None:
        """Save a picture of the page as a PNG."""
        data = (await self.call("Page.captureScreenshot"))["data"]
        assert isinstance(data, str)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(data))


@asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    """Yield a page of a browser that is started for it."""
    assert CHROMIUM is not None
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *_QUIET,
            f"--user-data-dir={profile}",
            stdout=DEVNULL,
            stderr=PIPE,
            env={**os.environ, "TMPDIR": "/tmp"},  # it makes a socket there, whose path is short
        )
        try:
            async with asyncio.timeout(PATIENCE):
                address = await _new_page(await _port(process))
            async with connect(address, max_size=None) as connection:
                yield Page(connection)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def _port(process: Process) -> str:
    """Return the port that the browser says it listens on."""
    assert process.stderr is not None
    said = b""
    async for line in process.stderr:
        said += line
        if found := re.search(rb"DevTools listening on ws://127\.0\.0\.1:(\d+)/", line):
            return found[1].decode()
    raise AssertionError(f"the browser did not start: {said.decode()}")


async def _new_page(port: str) -> str:
    """Open a page; return the address of its protocol."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.put(f"http://127.0.0.1:{port}/json/new")
        return str(answer.json()["webSocketDebuggerUrl"])
