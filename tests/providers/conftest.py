import pytest

from tests.providers.sdk_wires import WIRES


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    """Each of the wires that an SDK sends."""
    return str(request.param)
