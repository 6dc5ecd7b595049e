from collections.abc import AsyncIterator

import pytest

from tests.providers.loopback import Loopback


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    loopback = Loopback()
    await loopback.start()
    yield loopback
    await loopback.stop()
