"""What every test stands on: files of its own, no keys, no blocking of the loop."""

import itertools
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from lfgtui.processes import supervisor
from lfgtui.settings import environment
from lfgtui.settings.providers import PRESETS
from tests.providers.loopback import Loopback

# Without bytecode every worker and every program that a test starts would compile all of lfg.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How fast a machine is must not decide a test.
settings.register_profile("lfg", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("lfg"), max_examples=2_000)
settings.load_profile("lfg")

KEY_VARIABLES = [preset.api_key_env for preset in PRESETS.values() if preset.api_key_env]


numbers = itertools.count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own; pytest's would read all folders of earlier tests to find its number."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{name}{next(numbers)}", numbered=False)


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the person's own config, history or keys."""
    monkeypatch.setenv("LFG_CONFIG", str(tmp_path / "config" / "config.toml"))
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(environment, "hidden", {})
    for variable in KEY_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs work below the current folder: `last` is the newest of all."""
    monkeypatch.chdir("/")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder where programs are looked for: empty, whatever this machine has installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture(autouse=True, scope="session")
def unblocked_loop() -> Iterator[BlockBuster]:
    """A blocking call made by lfg's own code on the event loop is an error."""
    with blockbuster_ctx("lfgtui") as blockbuster:
        yield blockbuster


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    """A server of one answer, over real HTTP."""
    loopback = Loopback()
    await loopback.start()
    yield loopback
    await loopback.stop()


@pytest.fixture
def no_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor as on a system with neither /proc nor prctl."""
    source = Path(supervisor.__file__).read_text()
    for linux in ("/proc/self", "linux"):
        assert f'"{linux}"' in source
        source = source.replace(f'"{linux}"', '"elsewhere"')
    changed = tmp_path / "elsewhere.py"
    changed.write_text(source)
    monkeypatch.setattr(supervisor, "__file__", str(changed))
