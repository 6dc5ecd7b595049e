"""Runs of another machine: the very run, also when the connection breaks, or a line why not."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lfgtui.engine.commands import Approve, Cancel
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.server import remote_run
from lfgtui.server.control.client import BrokenError
from lfgtui.server.host import Host
from lfgtui.server.remote_run import RemoteRun
from tests.engine.harness import says, ticket
from tests.helpers.terminal import LFG
from tests.server.control.test_listening import WORDS, WRITES, at_work
from tests.server.test_remote_run import Attached


@asynccontextmanager
async def box(*command: str) -> AsyncIterator[Host]:
    """A host, which is this machine; its relay writes its id into the file `relay`."""
    noted = ("sh", "-c", 'echo $$ > relay; exec "$0" "$@"', *(command or (*LFG, "relay")))
    host = Host("box", noted, noted)
    try:
        yield host
    finally:
        await host.close()


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remote_run, "_DELAYS", (0.01,))


async def test_a_run_there_looks_as_it_does_here_and_takes_commands(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with at_work(tmp_path, mine, writes=WRITES) as r, box() as host:
        asked = await r.until_event("a", e.ApprovalRequested)
        (listed,) = await host.runs()
        assert (listed.summary.run, listed.waiting) == (r.engine.run, 1)
        attached = Attached(RemoteRun(host, await host.watch(listed.summary.run)))
        assert attached.run.host == "box"
        attached.run.start()
        attached.run.send(Cancel("b"))
        await attached.until(lambda: attached.refused)
        attached.run.send(Approve("a", asked.call_id))
        await r.engine.wait_idle()
        await attached.up_to(r)
        attached.check_same(r)
        await attached.run.shutdown()


async def test_a_connection_that_breaks_is_made_again_at_its_place(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r, box() as host:  # its ticket waits in mid-answer
        attached = Attached(RemoteRun(host, await host.watch(r.engine.run)))
        attached.run.start()
        await attached.until(lambda: len(attached.entries) > 5)
        os.kill(int(await asyncio.to_thread(Path("relay").read_text)), signal.SIGKILL)
        await attached.until(lambda: attached.run.health.lost)
        assert "box: the connection broke" in attached.run.health.lost
        r.engine.send(Cancel("a"))
        await r.engine.wait_idle()
        await attached.up_to(r)
        attached.check_same(r)
        await attached.run.shutdown()


async def test_a_run_that_is_over_there_comes_whole(tmp_path: Path) -> None:
    async with at_work(tmp_path, ticket("a", tmp_path, model="says"), says=says(WORDS)) as r:
        await r.engine.wait_idle()
    async with box() as host:
        attached = Attached(RemoteRun(host, await host.watch(r.engine.run)))
        attached.run.start()
        await attached.run.wait()
        assert attached.run.has_ended
        assert [entry.seq for entry in attached.entries] == list(range(1, len(r.seen) + 1))


@pytest.mark.parametrize(
    ("command", "says", "kind"),
    [
        (("sh", "-c", "echo 'no route to box' >&2; exit 255"), "box: no route to box", BrokenError),
        (("sh", "-c", "exec lfg-not-there"), "install lfg there", UsageError),
        (("echo", "Welcome to box!"), '"Welcome to box!", which is not lfg', UsageError),
        (("echo", '{"protocol":99,"version":"9.0","runs":[]}'), "lfg 9.0, newer", UsageError),
        (("echo", '{"protocol":0,"version":"0.0","runs":[]}'), "lfg 0.0, older", UsageError),
    ],
)
async def test_why_there_are_none_is_said(
    command: tuple[str, ...], says: str, kind: type[UsageError]
) -> None:
    async with box(*command) as host:
        with pytest.raises(UsageError) as refused:
            await host.runs()
        assert says in str(refused.value)
        assert type(refused.value) is kind


async def test_a_program_that_is_not_here_is_said() -> None:
    host = Host("box", ("no-such-ssh", "box"), ())
    with pytest.raises(UsageError, match="box: cannot run no-such-ssh: No such file"):
        await host.runs()
