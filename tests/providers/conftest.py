from collections.abc import AsyncIterator

import pytest

from tests.providers.loopback import Loopback
from tests.providers.sdk_wires import WIRES


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    loopback = Loopback()
    await loopback.start()
    yield loopback
    await loopback.stop()


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    """Each of the wires that an SDK sends."""
    return str(request.param)
