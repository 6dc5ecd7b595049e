"""The copy of an index, and what is left of it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lfgtui.processes.private_folder import sweep
from lfgtui.workspace.git import git
from lfgtui.workspace.snapshots import index_copy
from tests.helpers.checkouts import Checkout

RECORD = """
import asyncio, sys
from lfgtui.workspace.diff_git import record
asyncio.run(record(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


async def use_and_fail(checkout: Checkout, seen: list[str]) -> None:
    async with index_copy(checkout.folder) as env:
        listing = ("ls-files", "--stage")
        seen.append((await git(*listing, cwd=checkout.folder, env=env)).checked().text)
        raise ZeroDivisionError


def test_it_is_gone_after_use(checkout: Checkout, temporary: Path) -> None:
    seen: list[str] = []
    with pytest.raises(ZeroDivisionError):
        asyncio.run(use_and_fail(checkout, seen))
    assert seen == [checkout.git("ls-files", "--stage").rstrip()]
    assert not list(temporary.iterdir())


def test_one_of_a_killed_lfg_is_deleted_by_the_next_and_no_other(
    checkout: Checkout, tmp_path: Path, temporary: Path
) -> None:
    os.mkfifo(tmp_path / "git")
    slow = f'echo $PPID >"{tmp_path}/git"; sleep 600'
    checkout.git("config", "--global", "filter.slow.clean", slow)
    checkout.write(".gitattributes", "* filter=slow\n")
    with subprocess.Popen([sys.executable, "-c", RECORD, checkout.folder]) as lfg:
        adding = int((tmp_path / "git").read_text())  # it is at work on the copy
        (copy,) = temporary.iterdir()
        try:
            os.utime(copy, (0, 0))
            sweep()
            assert (copy / "index").exists()
            lfg.kill()
            lfg.wait()
            os.utime(copy, (0, 0))
            sweep()
            assert not copy.exists()
        finally:
            lfg.kill()
            os.killpg(adding, signal.SIGKILL)
