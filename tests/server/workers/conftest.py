"""A Redis of a test's own, and for workers a history of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.workers.redis_server import RedisServer, redis_server


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


@pytest.fixture(autouse=True)
def workers_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "worker"))
