"""A real Redis server of a test's own, on a Unix socket."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

redis = pytest.importorskip("redis.asyncio")

PROGRAM = shutil.which("redis-server")

needs_redis = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")


class RedisServer:
    """A server that can be killed and started again; with `keeps`, it has a log of its own."""

    def __init__(self, *, keeps: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lfg-redis-", dir="/tmp"))
        self._keeps = keeps
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"unix://{self._folder}/redis.sock"

    async def start(self) -> None:
        assert PROGRAM is not None
        socket = self._folder / "redis.sock"
        log = ["--appendonly", "yes", "--appendfsync", "always"] if self._keeps else []
        own = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(self._folder)]
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(PROGRAM, *own, *log, stdout=pipe)
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if b"ready to accept connections" in line.lower():
                return
        raise AssertionError("redis-server did not start")

    async def allow(self, *user: str) -> str:
        """Add a user as `ACL SETUSER` has it; return the URL by which it comes."""
        admin = redis.from_url(self.url)
        await admin.execute_command("ACL", "SETUSER", *user)
        await admin.aclose()
        password = next(one for one in user if one.startswith(">"))[1:]
        return f"unix://{user[0]}:{password}@{self.url.removeprefix('unix://')}"

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def aclose(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


@asynccontextmanager
async def redis_server(*, keeps: bool = False) -> AsyncIterator[RedisServer]:
    """A server that has started."""
    server = RedisServer(keeps=keeps)
    await server.start()
    try:
        yield server
    finally:
        await server.aclose()
